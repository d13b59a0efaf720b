"""What gateways sent waits in order and within bounds, and leaves the event loop time to read and answer."""

from __future__ import annotations

import asyncio

import pytest

from service.gateway import inbox
from service.gateway.inbox import MOST_BYTES, Inbox, PeerClosed, Turns
from service.ingest.events import AudioArrived, ProtocolViolation

AUDIO = [AudioArrived(payload=bytes(MOST_BYTES // 2))]


async def test_a_full_inbox_holds_its_reader_back_and_loses_nothing() -> None:
    waiting = Inbox()
    await waiting.put(AUDIO)
    second = asyncio.create_task(waiting.put(AUDIO))
    await asyncio.sleep(0)
    assert not second.done()
    assert await waiting.take() == AUDIO
    await second
    assert await waiting.take() == AUDIO


async def test_what_comes_is_taken_in_its_order() -> None:
    came = [[AudioArrived(payload=b"1")], ProtocolViolation("seq", "must be 2, is 3"), PeerClosed(code=1000)]
    waiting = Inbox()
    for each in came:
        await waiting.put(each)
    assert [await waiting.take() for _ in came] == came


async def test_between_two_stretches_of_work_the_loop_does_what_else_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four gateways have work that takes no end; an answer is due all the while."""
    now, answered = 0.0, 0

    def answer() -> None:
        nonlocal answered
        answered += 1
        asyncio.get_running_loop().call_soon(answer)

    async def gateway(turns: Turns) -> None:
        nonlocal now
        for _ in range(25):
            await turns.next()
            now += inbox.AT_ONCE / 2

    monkeypatch.setattr(inbox, "steady_now", lambda: now)
    answer()
    turns = Turns()
    await asyncio.gather(*(gateway(turns) for _ in range(4)))
    assert answered >= 4 * 25 / 2, "two pieces of work fill a stretch"
