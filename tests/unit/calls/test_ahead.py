"""What an agent says is not held up by a customer's words that wait for their text."""

from __future__ import annotations

import asyncio

import numpy as np

from asr.engine import RecognitionFailed
from asr.scheduler import Recognised
from asr.types import Role
from service.calls.ahead import AgentAhead
from service.calls.hearing import Spoken
from service.calls.intake import Cut
from service.calls.partials import Interim
from tests.doubles import recognised


def said(role: Role, start: float) -> Spoken:
    cut = Cut(role=role, start=start, end=start + 1.0, pcm=np.zeros(16_000, np.float32))
    text: asyncio.Future[Recognised | None] = asyncio.get_running_loop().create_future()
    return Spoken(cut=cut, text=text)


class Told:
    def __init__(self) -> None:
        self.texts: list[str] = []

    async def __call__(self, interim: Interim) -> None:
        self.texts.append(interim.recognised.text)


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_agents_next_words_are_told_once_while_the_customers_wait() -> None:
    ahead, told = AgentAhead(), Told()
    customer, first, second = said("customer", 0.0), said("agent", 2.0), said("agent", 4.0)
    for spoken in (customer, first, second):
        ahead.submitted(spoken)
    waiting = asyncio.create_task(ahead.wait(customer, told))
    await turns()
    second.text.set_result(recognised("第二句", "zh"))
    await turns()
    assert told.texts == [], "its number is not known before the first has had its turn"
    first.text.set_result(recognised("打断你的腿", "zh"))
    await turns()
    assert told.texts == ["打断你的腿"]
    assert not waiting.done()
    customer.text.set_result(None)
    await waiting
    await ahead.wait(first, told)
    later = said("customer", 6.0)
    ahead.submitted(later)
    waiting = asyncio.create_task(ahead.wait(later, told))
    await turns()
    assert told.texts == ["打断你的腿", "第二句"]
    later.text.cancel()
    await waiting


async def test_words_that_will_have_no_text_are_not_told() -> None:
    ahead, told = AgentAhead(), Told()
    customer, failed, nobody, gone = said("customer", 0.0), said("agent", 1.0), said("agent", 2.0), said("agent", 3.0)
    for spoken in (customer, failed, nobody, gone):
        ahead.submitted(spoken)
    failed.text.set_exception(RecognitionFailed("out of memory"))
    nobody.text.set_result(None)
    gone.text.cancel()
    waiting = asyncio.create_task(ahead.wait(customer, told))
    await turns()
    customer.text.set_result(recognised("好的", "zh"))
    await waiting
    for spoken in (failed, nobody, gone):
        await ahead.wait(spoken, told)
    assert told.texts == []
