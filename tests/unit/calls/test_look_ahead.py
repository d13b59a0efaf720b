"""What an agent says is not held up by a customer's words that wait for their text."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from asr.endpointing.endpointer import SpeechSegment
from asr.engines.port import RecognitionFailed
from asr.types import Role, Transcript
from service.audio_files.call import CallAudio, read_call_audio
from service.calls.call_recognition import AgentLookAhead, PartialUtterance
from service.record.facts import UtteranceHeard
from service.samples import sample_calls
from tests.fakes.detector_runner import FakeDetectorRunner
from tests.fakes.recogniser import FakeRecogniser
from tests.stage import Stage
from tests.stretches import recognised

Text = asyncio.Future[Transcript | None]


class Texts(dict[SpeechSegment, Text]):
    """The texts that utterances await."""

    def said(self, role: Role, start: float) -> SpeechSegment:
        segment = SpeechSegment(role=role, first=round(start * 16_000), pcm=bytes(32_000))
        self[segment] = asyncio.get_running_loop().create_future()
        return segment

    def ahead(self, alerted: Callable[[], bool]) -> AgentLookAhead:
        return AgentLookAhead(self.__getitem__, alerted)


def nothing_alerted() -> bool:
    return False


class ToldPartials:
    def __init__(self) -> None:
        self.texts: list[str] = []
        self.before: list[int] = []

    async def __call__(self, partial: PartialUtterance, before: int) -> None:
        self.texts.append(partial.recognised.text)
        self.before.append(before)


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_all_of_the_agents_words_are_told_once_while_the_customers_wait() -> None:
    texts = Texts()
    ahead, told = texts.ahead(nothing_alerted), ToldPartials()
    customer, first, second = texts.said("customer", 0.0), texts.said("agent", 2.0), texts.said("agent", 4.0)
    for segment in (customer, first, second):
        ahead.submitted(segment)
    waiting = asyncio.create_task(ahead.wait(customer, told))
    await turns()
    texts[second].set_result(recognised("第二句", "zh"))
    await turns()
    assert told.texts == [], "its number is not known before the first has had its turn"
    texts[first].set_result(recognised("打断你的腿", "zh"))
    await turns()
    assert told.texts == ["打断你的腿", "第二句"]
    assert told.before == [0, 1]
    assert not waiting.done()
    texts[customer].set_result(None)
    await waiting
    await ahead.wait(first, told)
    later, third = texts.said("customer", 6.0), texts.said("agent", 8.0)
    for segment in (later, third):
        ahead.submitted(segment)
    waiting = asyncio.create_task(ahead.wait(later, told))
    texts[third].set_result(recognised("第三句", "zh"))
    await turns()
    assert told.texts == ["打断你的腿", "第二句", "第三句"]
    assert told.before == [0, 1, 1], "the second has not had its turn"
    texts[later].cancel()
    await waiting


async def test_words_that_will_have_no_text_are_not_told() -> None:
    texts = Texts()
    ahead, told = texts.ahead(nothing_alerted), ToldPartials()
    customer, failed, nobody, gone = (
        texts.said("customer", 0.0),
        texts.said("agent", 1.0),
        texts.said("agent", 2.0),
        texts.said("agent", 3.0),
    )
    for segment in (customer, failed, nobody, gone):
        ahead.submitted(segment)
    texts[failed].set_exception(RecognitionFailed("out of memory"))
    texts[nobody].set_result(None)
    texts[gone].cancel()
    waiting = asyncio.create_task(ahead.wait(customer, told))
    await turns()
    texts[customer].set_result(recognised("好的", "zh"))
    await waiting
    for segment in (failed, nobody, gone):
        await ahead.wait(segment, told)
    assert told.texts == []


@pytest.mark.parametrize("alerted", [True, False])
async def test_what_will_not_be_written_takes_no_number(alerted: bool) -> None:
    """An utterance without text is written only where it has raised an alert already."""
    texts = Texts()
    ahead, told = texts.ahead(lambda: alerted), ToldPartials()
    customer, nobody, failed, heard = (
        texts.said("customer", 0.0),
        texts.said("agent", 1.0),
        texts.said("agent", 2.0),
        texts.said("agent", 3.0),
    )
    for segment in (customer, nobody, failed, heard):
        ahead.submitted(segment)
    texts[nobody].set_result(None)
    texts[failed].set_exception(RecognitionFailed("out of memory"))
    texts[heard].set_result(recognised("打断你的腿", "zh"))
    waiting = asyncio.create_task(ahead.wait(customer, told))
    await turns()
    assert (told.texts, told.before) == (["打断你的腿"], [int(alerted)])
    texts[customer].set_result(None)
    await waiting


@pytest.fixture(scope="module")
def audio() -> CallAudio:
    return read_call_audio(sample_calls()[0].audio)


async def test_words_told_ahead_have_the_ids_they_are_written_with(audio: CallAudio) -> None:
    recogniser, detectors = FakeRecogniser(holds="customer"), FakeDetectorRunner()
    stage = Stage(recogniser, detectors, partials=False)
    running = asyncio.create_task(stage.session.run())
    stage.feed(audio, 60)
    for _ in range(50):
        await turns()
    ahead = [what.split()[1] for what in detectors.asked if what.startswith("foresee")]
    assert len(ahead) >= 2
    assert all(utterance_id.startswith("agent-") for utterance_id in ahead)
    written = len(stage.told(UtteranceHeard))
    for held in recogniser.held:
        held.set_result(recognised("好的", "zh"))
    stage.session.finish("completed")
    await running
    agents = [fact.utterance.id for fact in stage.told(UtteranceHeard)[written:] if fact.utterance.role == "agent"]
    assert agents[: len(ahead)] == ahead
