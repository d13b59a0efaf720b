"""Which language a party's speech is asked for in."""

from __future__ import annotations

import numpy as np
import pytest

from asr.engine import Expected
from asr.types import Language
from service.calls.hearing import Hearing, Spoken
from service.calls.intake import Cut
from tests import scenes
from tests.doubles import ScriptedRecogniser

EXPECTED: dict[Language, Expected] = {"zh": Expected(prompt="逾期"), "en": Expected(prompt="past due")}


@pytest.fixture
def recogniser() -> ScriptedRecogniser:
    return ScriptedRecogniser(language="en")


def hearing(recogniser: ScriptedRecogniser, language: str) -> Hearing:
    return Hearing(scenes.call(language=language), recogniser, EXPECTED, lambda: 0.0)


async def said(hearing: Hearing, seconds: float, role: str = "customer") -> None:
    pcm = np.zeros(round(seconds * 16_000), np.float32)
    spoken = hearing.submit(Cut(role=role, start=0.0, end=seconds, pcm=pcm))  # type: ignore[arg-type]
    assert isinstance(spoken, Spoken)
    await hearing.text_of(spoken)


def asked(recogniser: ScriptedRecogniser) -> list[tuple[str, str | None, str]]:
    return [(job.role, job.speech.language, job.speech.expected.prompt) for job in recogniser.jobs]


async def test_a_language_that_is_given_is_kept_whatever_is_heard(recogniser: ScriptedRecogniser) -> None:
    given = hearing(recogniser, "zh")
    await said(given, 3.0)
    await said(given, 3.0)
    assert asked(recogniser) == [("customer", "zh", "逾期")] * 2


async def test_a_language_that_is_heard_is_kept_for_its_party_alone(recogniser: ScriptedRecogniser) -> None:
    auto = hearing(recogniser, "auto")
    await said(auto, 3.0)
    await said(auto, 0.5)
    await said(auto, 3.0, "agent")
    assert asked(recogniser) == [("customer", None, ""), ("customer", "en", "past due"), ("agent", None, "")]


async def test_a_short_word_does_not_decide_for_the_call(recogniser: ScriptedRecogniser) -> None:
    auto = hearing(recogniser, "auto")
    await said(auto, 2.9)
    await said(auto, 2.9)
    assert asked(recogniser) == [("customer", None, "")] * 2


async def test_a_short_word_is_taken_for_what_the_other_party_speaks(recogniser: ScriptedRecogniser) -> None:
    auto = hearing(recogniser, "auto")
    await said(auto, 3.0)
    await said(auto, 0.5, "agent")
    await said(auto, 3.0, "agent")
    assert asked(recogniser)[1:] == [("agent", "en", "past due"), ("agent", None, "")]


async def test_what_is_no_speech_tells_no_language(recogniser: ScriptedRecogniser) -> None:
    recogniser.answers = [None, "Hello there"]
    auto = hearing(recogniser, "auto")
    await said(auto, 3.0)
    await said(auto, 3.0)
    assert asked(recogniser) == [("customer", None, "")] * 2


async def test_interim_text_is_asked_for_in_the_language_that_is_known(recogniser: ScriptedRecogniser) -> None:
    auto = hearing(recogniser, "auto")
    await said(auto, 3.0)
    auto.ask_early("customer", np.zeros(16_000, np.float32), "quick")
    assert recogniser.jobs[-1].speech.language == "en"
