"""When each word of an utterance with a finding was said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TypeVar

import pytest

from service.audio_files.call import CallAudio, read_call_audio
from service.calls.session_parts import SessionLimits
from service.record.facts import CallClosed, Fact, FindingMade, UtteranceHeard, WordsTimed
from service.samples import sample_calls
from service.storage.port import LoggedFact
from tests import scenes
from tests.fakes.detector_runner import FakeDetectorRunner
from tests.fakes.recogniser import FakeRecogniser
from tests.stage import Stage

F = TypeVar("F", bound=Fact)

TEXT = "再不还钱就上门"


@pytest.fixture(scope="module")
def audio() -> CallAudio:
    return read_call_audio(sample_calls()[0].audio)


def flags(utterance_id: str | None) -> FakeDetectorRunner:
    return FakeDetectorRunner(scenes.finding(utterance_id=utterance_id))


async def first(facts: AsyncIterator[LoggedFact], kind: type[F]) -> F:
    """The next fact of that kind."""
    while not isinstance(fact := (await anext(facts)).fact, kind):
        pass
    return fact


async def test_are_written_of_what_carries_a_finding_and_of_nothing_else(audio: CallAudio) -> None:
    stage = Stage(FakeRecogniser(*[TEXT] * 20), flags("agent-1"))
    stage.feed(audio, 30)
    facts = await stage.finished()
    [timed] = stage.told(WordsTimed)
    said = {fact.utterance.id: fact.utterance for fact in stage.told(UtteranceHeard)}["agent-1"]
    assert timed.utterance_id == "agent-1"
    assert "".join(word.text for word in timed.words) == TEXT
    assert timed.words[1].start == pytest.approx(said.start + 0.5, abs=0.001)
    assert all(said.start <= word.start <= word.end <= said.end for word in timed.words)
    assert isinstance(facts[-1], CallClosed), "nothing follows the closing"
    of_it = [request for request in stage.recogniser.requests if request.kind == "words"]
    assert [request.speech.text for request in of_it] == [TEXT]


async def test_come_while_the_call_goes_on(audio: CallAudio) -> None:
    stage = Stage(detectors=flags("agent-0"))
    facts = stage.bus.follow(stage.session.call.id)
    running = asyncio.create_task(stage.session.run())
    async with asyncio.timeout(30):
        stage.feed(audio, 15)
        await first(facts, FindingMade)
        await asyncio.sleep(0)  # the answer's turn
        stage.feed(audio, 5)
        assert (await first(facts, WordsTimed)).utterance_id == "agent-0"
    assert not stage.told(CallClosed)
    stage.session.finish("completed")
    await running


async def test_are_not_asked_for_where_the_finding_is_not_in_the_words(audio: CallAudio) -> None:
    stage = Stage(detectors=flags(None))
    stage.feed(audio, 20)
    await stage.finished()
    assert stage.told(FindingMade)
    assert not stage.told(WordsTimed)


@pytest.mark.parametrize("timing", ["failing", "hanging"])
async def test_a_call_ends_without_those_that_do_not_come(audio: CallAudio, timing: str) -> None:
    stage = Stage(detectors=flags("agent-0"), limits=SessionLimits(words_within=0.05))
    stage.recogniser.timing = timing  # type: ignore[assignment]
    stage.feed(audio, 20)
    facts = await stage.finished()
    assert isinstance(facts[-1], CallClosed)
    assert [request for request in stage.recogniser.requests if request.kind == "words"]
    assert not stage.told(WordsTimed)
    assert stage.recogniser.withdrawn == [stage.session.call.id]


async def test_no_more_audio_is_held_than_is_bounded(audio: CallAudio) -> None:
    detectors = FakeDetectorRunner(*[replace(scenes.finding(), utterance_id=f"agent-{index}") for index in range(9)])
    stage = Stage(detectors=detectors, limits=SessionLimits(words_awaited=2, words_within=0.05))
    stage.recogniser.timing = "hanging"
    stage.feed(audio, 40)
    await stage.finished()
    assert len(stage.told(UtteranceHeard)) > 4
    assert sum(request.kind == "words" for request in stage.recogniser.requests) == 2
