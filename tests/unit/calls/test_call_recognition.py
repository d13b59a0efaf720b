"""Which language a party's speech is asked for in."""

from __future__ import annotations

import pytest

from asr.endpointing.endpointer import SpeechSegment
from asr.engines.port import Biasing
from asr.types import Language
from service.calls.call_recognition import CallRecognition
from tests import scenes
from tests.fakes.recogniser import FakeRecogniser

BIASING: dict[Language, Biasing] = {"zh": Biasing(prompt="逾期"), "en": Biasing(prompt="past due")}


@pytest.fixture
def recogniser() -> FakeRecogniser:
    return FakeRecogniser(language="en")


def recognition(recogniser: FakeRecogniser, language: str) -> CallRecognition:
    return CallRecognition(scenes.call(language=language), recogniser, BIASING)


async def said(recognition: CallRecognition, seconds: float, role: str = "customer") -> None:
    pcm = bytes(2 * round(seconds * 16_000))
    segment = recognition.submit(SpeechSegment(role=role, first=0, pcm=pcm))  # type: ignore[arg-type]
    assert isinstance(segment, SpeechSegment)
    await recognition.text_of(segment)


def asked(recogniser: FakeRecogniser) -> list[tuple[str, str | None, str]]:
    speeches = [(request.role, request.speech) for request in recogniser.requests]
    return [(role, speech.language, speech.biasing_in(speech.language).prompt) for role, speech in speeches]


def leanings(recogniser: FakeRecogniser) -> list[float]:
    return [request.speech.leaning for request in recogniser.requests]


async def test_a_language_that_is_given_is_kept_whatever_is_heard(recogniser: FakeRecogniser) -> None:
    given = recognition(recogniser, "zh")
    await said(given, 3.0)
    await said(given, 3.0)
    assert asked(recogniser) == [("customer", "zh", "逾期")] * 2
    assert leanings(recogniser) == [0.0, 0.0]


async def test_a_language_to_be_heard_stays_open_with_the_vocabulary_of_both(recogniser: FakeRecogniser) -> None:
    auto = recognition(recogniser, "auto")
    for _ in range(3):
        await said(auto, 5.0)
    assert asked(recogniser) == [("customer", None, "")] * 3
    assert all(request.speech.biasing == BIASING for request in recogniser.requests)


async def test_what_a_party_has_spoken_is_expected_of_it_next(recogniser: FakeRecogniser) -> None:
    auto = recognition(recogniser, "auto")
    await said(auto, 5.0)
    await said(auto, 0.5)
    await said(auto, 3.0, "agent")
    first, second, others = leanings(recogniser)
    assert first == 0.0
    assert second < others < 0.0


async def test_a_party_that_switches_is_expected_to_go_on_in_its_new_language(recogniser: FakeRecogniser) -> None:
    auto = recognition(recogniser, "auto")
    await said(auto, 8.0)
    await said(auto, 8.0)
    recogniser.language = "zh"
    await said(auto, 4.0)
    await said(auto, 1.0)
    assert leanings(recogniser)[2] < 0.0 < leanings(recogniser)[3]


async def test_what_is_no_speech_tells_no_language(recogniser: FakeRecogniser) -> None:
    recogniser.answers = [None, "Hello there"]
    auto = recognition(recogniser, "auto")
    await said(auto, 3.0)
    await said(auto, 3.0)
    assert leanings(recogniser) == [0.0, 0.0]


async def test_what_has_not_ended_yet_teaches_nothing(recogniser: FakeRecogniser) -> None:
    recogniser.early = ["Hello"]
    auto = recognition(recogniser, "auto")
    await auto.ask_early("customer", bytes(96_000), "quick")
    await said(auto, 3.0)
    assert leanings(recogniser) == [0.0, 0.0]
