"""The sample calls hold what samples/README.md says of them: the demo and the end-to-end tests build on it."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import soundfile

from detectors.packs.taxonomy import load_taxonomy

SAMPLES = Path(__file__).parents[2] / "samples"
DESCRIPTIONS = sorted((SAMPLES / "calls").glob("*.json"))
SPEAKERS = ("agent", "customer")
DUTIES = set(load_taxonomy().duties)
CATEGORIES = {
    "abuse_insult",
    "agent_emotion_escalation",
    "cease_request_ignored",
    "collect_from_third_party",
    "debt_misrepresentation",
    "disclosure_before_verification",
    "dispute_ignored",
    "excessive_frequency",
    "fabricated_legal_status",
    "false_legal_threat",
    "false_promise",
    "fictitious_blacklist_credit",
    "impersonation_authority",
    "impersonation_legal_professional",
    "induce_new_borrowing",
    "missing_identity_disclosure",
    "missing_mini_miranda",
    "missing_recording_notice",
    "obstruct_complaint",
    "pressure_harassment",
    "privacy_overcollection",
    "private_channel_contact",
    "profanity_obscene",
    "prohibited_time_contact",
    "refuse_identity_or_authority",
    "third_party_contact_after_refusal",
    "third_party_disclosure",
    "threat_exposure_contacts",
    "threat_intimidation",
    "threat_violence",
    "unauthorized_fee_or_channel",
    "vulnerability_mishandling",
}


def described(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8"))


@pytest.fixture(params=DESCRIPTIONS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_there_are_enough_calls_in_each_language() -> None:
    languages = [described(path)["lang"] for path in DESCRIPTIONS]
    assert languages.count("zh") >= 4
    assert languages.count("en") >= 2


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_each_language_has_a_compliant_and_a_violating_call(lang: str) -> None:
    expected = [call["expected"] for call in map(described, DESCRIPTIONS) if call["lang"] == lang]
    assert any(not one["findings"] and not one["duties_missing"] for one in expected)
    assert any(one["findings"] for one in expected)


def test_scripts_audio_and_descriptions_belong_together() -> None:
    names = {path.stem for path in DESCRIPTIONS}
    assert names == {path.stem for path in (SAMPLES / "calls").glob("*.flac")}
    assert names == {path.stem for path in (SAMPLES / "scripts").glob("*.yaml")}


def test_audio_is_short_telephone_stereo(path: Path) -> None:
    flac = path.with_suffix(".flac")
    info = soundfile.info(flac)
    assert (info.samplerate, info.channels, info.subtype) == (8000, 2, "PCM_16")
    assert 40.0 <= info.duration <= 90.0
    assert flac.stat().st_size < 1_050_000


def test_turns_are_in_order_and_inside_the_audio(path: Path) -> None:
    turns = described(path)["turns"]
    starts = [turn["start"] for turn in turns]
    assert starts == sorted(starts)
    assert all(0 <= turn["start"] < turn["end"] for turn in turns)
    assert max(turn["end"] for turn in turns) <= soundfile.info(path.with_suffix(".flac")).duration
    assert all(turn["speaker"] in SPEAKERS and turn["text"].strip() for turn in turns)


def test_each_turn_is_heard_on_its_speakers_own_channel(path: Path) -> None:
    audio, rate = soundfile.read(path.with_suffix(".flac"), dtype="float32")
    turns = described(path)["turns"]
    assert turns
    for turn in turns:
        cut = audio[int(turn["start"] * rate) : int(turn["end"] * rate)]
        own, other = (cut**2).mean(axis=0)[:: 1 if turn["speaker"] == "agent" else -1]
        assert own > 3 * other, turn["text"]  # a talk-over leaves some of the other voice in


def test_expected_findings_point_at_a_turn_of_their_speaker(path: Path) -> None:
    call = described(path)
    for finding in call["expected"]["findings"]:
        assert finding["category"] in CATEGORIES
        assert finding["speaker"] == "agent"
        assert call["turns"][finding["turn"]]["speaker"] == "agent"
    assert set(call["expected"]["duties_missing"]) <= DUTIES


def test_start_carries_its_offset_and_the_rest_is_filled_in(path: Path) -> None:
    call = described(path)
    assert call["id"] == path.stem
    assert datetime.fromisoformat(call["started_at"]).utcoffset() is not None
    assert (call["lang"], call["jurisdiction"]) in {("zh", "CN"), ("en", "US")}
    assert call["title"]["zh"]
    assert call["title"]["en"]
    assert call["agent"]
    assert call["customer"]
