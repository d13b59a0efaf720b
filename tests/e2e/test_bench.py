"""The commands a user measures their own machine with, on as little speech as tells whether they work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import soundfile

from service.audio_files.call import read_call_audio
from service.samples import SampleCall, sample_calls
from tests.e2e.conftest import callwarden

pytestmark = [pytest.mark.model, pytest.mark.timeout(240)]


def measured(command: str, *arguments: str, folder: Path) -> tuple[dict[str, Any], str]:
    """The report's figures, and what was printed."""
    report = folder / "report.json"
    printed = callwarden("bench", command, *arguments, "--report", str(report), data_dir=folder)
    told = json.loads(report.read_text(encoding="utf-8"))
    assert told["command"] == f"bench {command}"
    return told["figures"], printed


@pytest.fixture(scope="module")
def sample() -> SampleCall:
    return next(sample for sample in sample_calls() if sample.lang == "zh")


@pytest.fixture(scope="module")
def clips(sample: SampleCall, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample call's first turns as a folder of recorded utterances."""
    folder = tmp_path_factory.mktemp("clips")
    audio = read_call_audio(sample.audio)
    lines: list[str] = []
    for at, turn in enumerate(sample.turns[:3]):
        leg = audio.pcm[round(turn.start * audio.rate) : round(turn.end * audio.rate), int(turn.speaker == "customer")]
        soundfile.write(folder / f"{at}.flac", leg, audio.rate)
        lines.append(json.dumps({"file": f"{at}.flac", "lang": "zh", "text": turn.text}, ensure_ascii=False))
    (folder / "manifest.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_live_calls_are_carried_and_their_texts_timed(tmp_path: Path) -> None:
    figures, printed = measured("live", "--calls", "1", "--seconds", "25", folder=tmp_path)
    assert figures["calls"] == {"asked": 1, "carried": 1, "refusals": 0}
    assert figures["final_s"]["count"] >= 2
    assert figures["final_s"]["p50"] > 0
    assert (figures["doubled"], figures["out_of_order"], figures["gaps"], figures["broken"]) == (0, 0, {}, [])
    assert figures["memory_mib"]["most"] > figures["memory_mib"]["idle"] > 0
    assert figures["capacity_times_real_time"]["p50"] > 0
    assert "carried 1" in printed


def test_recognition_is_set_beside_faster_whispers_own(clips: Path, tmp_path: Path) -> None:
    figures, printed = measured("asr", "--audio", str(clips), folder=tmp_path)
    rows = figures["rows"]
    assert len(rows) == 4, "both, greedy and with a beam"
    assert all(0 <= row["error_rate_percent"] < 50 and row["times_real_time"] > 0 for row in rows)
    assert "CER" in printed


def test_nothing_is_heard_where_nobody_speaks(tmp_path: Path) -> None:
    figures, _ = measured("silence", "--minutes", "0.1", folder=tmp_path)
    assert len(figures) == 5
    assert {sound["characters"] for sound in figures.values()} == {0}


def test_calls_that_would_never_all_be_up_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="--seconds 74"):
        callwarden("bench", "live", "--calls", "20", "--seconds", "10", data_dir=tmp_path)


def test_a_folder_without_a_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"manifest\.jsonl"):
        callwarden("bench", "asr", "--audio", str(tmp_path), data_dir=tmp_path)
