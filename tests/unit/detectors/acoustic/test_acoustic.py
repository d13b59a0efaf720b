"""The agent's voice: raised against its own level and pitch, and breaking in on the customer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from asr.types import Acoustics, Role, Utterance
from detectors.acoustic.voice import AGAIN_AFTER, AcousticCall, AcousticDetector
from detectors.contract import Finding
from detectors.packs.taxonomy import load_taxonomy
from tests.speech import call, findings, said

DETECTOR = AcousticDetector(load_taxonomy().categories["agent_emotion_escalation"])
CALM, SHOUT = (-30.0, 150.0), (-18.0, 210.0)


def opened() -> AcousticCall:
    return DETECTOR.open(call())


def spoken(place: int, sound: tuple[float, float | None] | None, role: Role = "agent", lasts: float = 2.0) -> Utterance:
    """An utterance every five seconds, with its level and pitch."""
    acoustics = sound and Acoustics(level_dbfs=sound[0], peak_dbfs=0.0, pitch_hz=sound[1])
    said_so = said(role, "这笔钱您什么时候还", 5.0 * place, 5.0 * place + lasts, index=place)
    return replace(said_so, acoustics=acoustics or None)


def told(watch: AcousticCall, *utterances: Utterance) -> list[Finding]:
    return [each for utterance in utterances for each in findings(watch.heard(utterance))]


def known() -> AcousticCall:
    watch = opened()
    assert told(watch, *(spoken(place, CALM) for place in range(6))) == []
    return watch


def test_a_voice_much_louder_and_higher_than_its_own_is_raised() -> None:
    [found] = told(known(), spoken(6, SHOUT))
    assert (found.rule, found.category, found.role) == ("acoustic.shouting", "agent_emotion_escalation", "agent")
    assert (found.start, found.end, found.decided_by_transcript) == (30.0, 32.0, False)
    assert found.quote == "这笔钱您什么时候还"


@pytest.mark.parametrize("sound", [(-18.0, 150.0), (-28.0, 210.0), (-18.0, None), None])
def test_a_louder_line_a_higher_tone_or_a_whisper_alone_is_no_shout(sound: tuple[float, float | None] | None) -> None:
    assert told(known(), spoken(6, sound)) == []


def test_nobody_is_loud_before_his_own_level_is_known() -> None:
    assert told(opened(), spoken(0, CALM), spoken(1, CALM), spoken(2, SHOUT)) == []


def test_a_yes_is_as_loud_as_it_happens_to_be_and_customers_may_shout() -> None:
    watch = known()
    assert told(watch, spoken(6, SHOUT, lasts=0.6), spoken(7, SHOUT, role="customer")) == []


def test_shouting_is_told_again_only_after_a_while_and_does_not_become_ordinary() -> None:
    watch = known()
    places = range(6, 6 + int(AGAIN_AFTER / 5) + 3)
    turns = (spoken(place, SHOUT if place % 4 else CALM) for place in places)
    assert [found.start for found in told(watch, *turns)] == [30.0, 155.0]


def test_a_voice_that_stays_so_is_somebody_elses() -> None:
    watch = known()
    places = range(6, 60)
    assert [found.start for found in told(watch, *(spoken(place, SHOUT) for place in places))] == [30.0]


def broken_in(place: int) -> list[Utterance]:
    """The customer speaks for four seconds, the agent from the second on and longer."""
    customer = said("customer", "你听我说完行不行", 20.0 * place, 20.0 * place + 4, index=place)
    return [customer, said("agent", "你别说了", 20.0 * place + 1, 20.0 * place + 6, index=place)]


def test_three_interruptions_in_a_minute_are_told() -> None:
    watch = opened()
    assert told(watch, *broken_in(0), *broken_in(1)) == []
    [found] = told(watch, *broken_in(2))
    assert (found.rule, found.start, found.end, found.role) == ("acoustic.interrupting", 1.0, 46.0, "agent")
    assert found.why.en.startswith("The agent broke in on the customer 3 times in a minute. ")


def test_interruptions_far_apart_are_not_told() -> None:
    assert told(opened(), *(turn for place in range(0, 12, 4) for turn in broken_in(place))) == []


@pytest.mark.parametrize(
    ("customer", "agent"),
    [((0.0, 4.0), (3.5, 6.0)), ((0.0, 4.0), (0.2, 6.0)), ((2.0, 4.0), (0.0, 6.0)), ((0.0, 4.0), (1.0, 2.5))],
)
def test_turns_taken_a_little_early_the_customers_own_and_listening_do_not_count(
    customer: tuple[float, float], agent: tuple[float, float]
) -> None:
    watch, seen = opened(), []
    for place in range(4):
        at = 10.0 * place
        turns = [
            said("customer", "你听我说", at + customer[0], at + customer[1], index=place),
            said("agent", "嗯嗯", at + agent[0], at + agent[1], index=place),
        ]
        seen += told(watch, *sorted(turns, key=lambda each: each.end))
    assert seen == []
