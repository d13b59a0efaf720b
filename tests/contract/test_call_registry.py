"""What gateways' connections rely on in a call registry, tried on the fake and on the real one over a real store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest

from service.gateway.call_ports import CallConnection, CallRefused, CallRegistry
from service.ingest.events import CallAnnounced, DigitPressed, ProtocolViolation
from service.ingest.source import Source
from service.record.facts import CallClosed
from service.storage.port import GatewayKey
from service.storage.sql import SqlStore
from tests.fakes.call_registry import FakeCallRegistry
from tests.floor import CALL, KEY, SECOND, Floor

ODD = ProtocolViolation("audio", "half a sample", 1003)


class Subject:
    """A registry, and what makes it refuse."""

    def __init__(self, calls: CallRegistry, fill: Callable[[], None]) -> None:
        self.calls = calls
        self.fill = fill
        """No call is taken from now on."""

    async def attach(self, announced: CallAnnounced = CALL, key: GatewayKey = KEY) -> CallConnection:
        return await self.calls.attach(announced, key, time.monotonic())


Opened: TypeAlias = Callable[[], AbstractAsyncContextManager[Subject]]


@asynccontextmanager
async def over_a_store(folder: Path) -> AsyncIterator[Subject]:
    store = SqlStore(f"sqlite+aiosqlite:///{folder / 'c.db'}")
    await store.open()
    floor = Floor(store)
    async with floor.journal, asyncio.timeout(30), floor.calls:

        def fill() -> None:
            floor.recognition.most = 0.0

        yield Subject(floor.calls, fill)
    await store.close()


@asynccontextmanager
async def fake(_folder: Path) -> AsyncIterator[Subject]:
    calls = FakeCallRegistry()

    def fill() -> None:
        calls.refuses = CallRefused("overload", "recognition is busy", 10.0)

    async with asyncio.timeout(30):
        yield Subject(calls, fill)


@pytest.fixture(params=[fake, over_a_store], ids=["fake", "store"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    return lambda: request.param(tmp_path)


async def closing(connection: CallConnection, act: Callable[[], None]) -> CallClosed:
    """The last of the call's facts, once the connection did that."""
    facts = connection.events()
    act()
    assert await connection.over() == "processed"
    last = [logged.fact async for logged in facts][-1]
    assert isinstance(last, CallClosed)
    return last


async def test_a_call_goes_by_the_id_it_was_announced_with(opened: Opened) -> None:
    async with opened() as subject:
        connection = await subject.attach()
        assert (connection.call_id, connection.resumed) == ("c-1", False)


async def test_the_legs_that_a_connection_brings_are_read_while_it_has_them_and_after(opened: Opened) -> None:
    async with opened() as subject:
        connection = await subject.attach(replace(CALL, roles=("customer",), call_roles=("agent", "customer")))
        assert connection.readings().keys() == {"customer"}
        connection.feed(SECOND)
        await closing(connection, connection.stop)
        assert connection.readings()["customer"].peak <= 0.0


async def test_a_stopped_call_is_over_once_its_closing_is_told(opened: Opened) -> None:
    async with opened() as subject:
        connection = await subject.attach()
        connection.feed(SECOND)
        assert (await closing(connection, connection.stop)).ending == "completed"


async def test_a_rejected_call_is_over_too_and_marked(opened: Opened) -> None:
    async with opened() as subject:
        connection = await subject.attach()
        connection.feed(SECOND)
        assert (await closing(connection, lambda: connection.reject(ODD))).ending == "rejected"


async def test_after_the_stop_nothing_else_counts(opened: Opened) -> None:
    """Gateways send on, stop twice and hang up."""
    async with opened() as subject:
        connection = await subject.attach()

        def end() -> None:
            connection.stop()
            connection.feed(SECOND)
            connection.stop()
            connection.reject(ODD)
            connection.lost()

        assert (await closing(connection, end)).ending == "completed"
        connection.feed(SECOND)
        connection.stop()
        assert await connection.over() == "processed"


async def test_each_who_follows_hears_all_from_then_on_counted_without_holes(opened: Opened) -> None:
    async with opened() as subject:
        connection = await subject.attach()
        followers = connection.events(), connection.events()
        connection.feed(DigitPressed(digit="5"))
        connection.stop()
        one, other = [[(logged.seq, logged.fact.type) async for logged in each] for each in followers]
        assert one == other
        assert one[-1][1] == "call_closed"
        assert [seq for seq, _ in one] == [*range(one[0][0], one[0][0] + len(one))]


async def test_who_stops_waiting_for_the_end_takes_it_from_nobody(opened: Opened) -> None:
    async with opened() as subject:
        connection = await subject.attach()
        impatient = asyncio.create_task(connection.over())
        await asyncio.sleep(0)
        impatient.cancel()
        await asyncio.gather(impatient, return_exceptions=True)
        connection.stop()
        assert await connection.over() == "processed"


async def test_a_later_connection_has_the_legs_and_the_earlier_one_is_told(opened: Opened) -> None:
    async with opened() as subject:
        first = await subject.attach()
        second = await subject.attach()
        assert (second.call_id, second.resumed) == ("c-1", True)
        assert await first.over() == "taken_over"
        first.feed(SECOND)
        first.stop()
        first.lost()
        assert (await closing(second, second.stop)).ending == "completed"


async def test_a_lost_connection_that_comes_back_goes_on_with_its_call(opened: Opened) -> None:
    async with opened() as subject:
        first = await subject.attach()
        first.lost()
        again = await subject.attach()
        assert (again.call_id, again.resumed) == ("c-1", True)
        assert await first.over() == "taken_over"


async def test_a_call_announced_again_just_after_its_stop_is_the_same_call(opened: Opened) -> None:
    async with opened() as subject:
        first = await subject.attach()
        first.stop()
        again = await subject.attach()
        assert (again.call_id, again.resumed) == ("c-1", True)
        assert await first.over() == "processed"


async def test_connections_with_a_leg_each_have_one_call_and_neither_is_turned_away(opened: Opened) -> None:
    one_leg = replace(CALL, roles=("agent",), call_roles=CALL.roles)
    async with opened() as subject:
        agent = await subject.attach(one_leg)
        customer = await subject.attach(replace(one_leg, roles=("customer",)))
        assert (agent.call_id, customer.call_id) == ("c-1", "c-1")
        agent.feed(SECOND)
        customer.feed(SECOND)
        over = asyncio.create_task(agent.over())
        await asyncio.sleep(0)
        assert not over.done()
        over.cancel()


async def test_two_sources_that_count_alike_have_a_call_each(opened: Opened) -> None:
    async with opened() as subject:
        ours, theirs = (
            await subject.attach(),
            await subject.attach(key=replace(KEY, id="k2", source=Source(name="other-pbx"))),
        )
        assert not theirs.resumed
        assert (await closing(ours, ours.stop)).ending == "completed"
        assert (await closing(theirs, theirs.stop)).ending == "completed"


async def test_a_call_that_is_not_taken_is_refused_with_a_code_and_a_hint(opened: Opened) -> None:
    async with opened() as subject:
        live = await subject.attach()
        subject.fill()
        with pytest.raises(CallRefused) as refused:
            await subject.attach(replace(CALL, call_id="c-2"))
        assert refused.value.code == "overload"
        assert refused.value.retry_after
        assert (await closing(live, live.stop)).ending == "completed"
