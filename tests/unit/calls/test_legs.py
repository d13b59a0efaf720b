"""A call of legs: each with a connection, an encoding and a rate of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from asr.types import Role
from service.calls.registered_call import CallConnection
from service.calls.registry import CallRefused
from service.ingest.events import AudioArrived, CallAnnounced, FormatChanged
from service.ingest.source import Clock, Source
from service.record.facts import CallClosed, GapMarked, Notice
from service.storage.sql import SqlStore
from tests.floor import CALL, KEY, Floor

BOTH: tuple[Role, ...] = ("agent", "customer")
AGENT = replace(CALL, roles=("agent",), call_roles=BOTH)
CUSTOMER = replace(CALL, roles=("customer",), call_roles=BOTH, encoding="pcm_s16le", rate=16_000)


def talk(seconds: float, *speaking: tuple[CallConnection, CallAnnounced]) -> None:
    """All of them at once, in packets of 20 ms."""
    for _ in range(round(seconds * 50)):
        for connection, form in speaking:
            sample = 2 if form.encoding == "pcm_s16le" else 1
            connection.feed(AudioArrived(payload=b"\x7f" * (form.rate // 50 * sample)))


async def facts(store: SqlStore, kind: type) -> list[object]:
    return [logged.fact for logged in await store.facts("c-1") if isinstance(logged.fact, kind)]


async def test_two_connections_with_a_leg_each_are_one_call_of_two_parties(store: SqlStore) -> None:
    floor = Floor(store, grace_seconds=0)
    async with floor.journal, floor.calls:
        agent, customer = await floor.attach(AGENT), await floor.attach(CUSTOMER)
        assert floor.calls.live == 1
        assert (agent.call_id, customer.call_id, customer.resumed) == ("c-1", "c-1", True)
        talk(3.0, (agent, AGENT), (customer, CUSTOMER))
        agent.stop(call_over=False)
        assert floor.calls.live == 1, "the customer's leg is still there"
        customer.stop(call_over=False)
        assert await customer.over() == await agent.over() == "processed"
    [closed] = await facts(store, CallClosed)
    assert isinstance(closed, CallClosed)
    assert (closed.ending, closed.duration) == ("completed", pytest.approx(3.0, abs=0.1))
    assert await facts(store, Notice) == [], "nothing is odd about a leg that comes with a form of its own"
    assert await facts(store, GapMarked) == []


async def test_a_leg_that_comes_late_is_silent_until_then(store: SqlStore) -> None:
    floor = Floor(store, grace_seconds=0)
    async with floor.journal, floor.calls:
        agent = await floor.attach(AGENT)
        talk(5.0, (agent, AGENT))
        customer = await floor.attach(CUSTOMER)
        talk(1.0, (agent, AGENT), (customer, CUSTOMER))
        await floor.ended(agent)
    gaps = [gap for gap in await facts(store, GapMarked) if isinstance(gap, GapMarked)]
    assert [(gap.role, gap.start, gap.reason) for gap in gaps] == [("customer", 0.0, "silence")]


@pytest.mark.parametrize(("clock", "seconds"), [(None, 6.0), ("timestamps", 6.0), ("samples", 3.0)])
async def test_a_source_is_placed_by_its_clock_whatever_its_dialect_says(
    store: SqlStore, clock: Clock | None, seconds: float
) -> None:
    """Also once its form has changed."""
    floor = Floor(store)
    second = bytes(2 * CALL.rate)
    async with floor.journal, floor.calls:
        connection = await floor.attach(key=replace(KEY, source=Source(name="pbx", clock=clock)))
        connection.feed(AudioArrived(payload=second, at=0.0))
        connection.feed(FormatChanged(encoding=CALL.encoding, rate=CALL.rate, roles=CALL.roles))
        connection.feed(AudioArrived(payload=second, at=1.0))
        connection.feed(AudioArrived(payload=second, at=5.0))
        assert (await floor.ended(connection)).duration == pytest.approx(seconds, abs=0.1)


async def test_a_connection_takes_over_the_leg_it_brings_and_no_other(store: SqlStore) -> None:
    floor = Floor(store)
    async with floor.journal, floor.calls:
        first, customer = await floor.attach(AGENT), await floor.attach(CUSTOMER)
        again = await floor.attach(AGENT)
        assert await first.over() == "taken_over"
        talk(1.0, (first, AGENT))  # left out
        talk(1.0, (again, AGENT), (customer, CUSTOMER))
        closed = await floor.ended(customer)
        assert await again.over() == "processed"
    assert closed.duration == pytest.approx(1.0, abs=0.1)


async def test_a_call_waits_only_once_its_last_connection_is_lost(store: SqlStore) -> None:
    floor = Floor(store, grace_seconds=0)
    async with floor.journal, floor.calls:
        agent, customer = await floor.attach(AGENT), await floor.attach(CUSTOMER)
        agent.lost()
        agent.lost()
        talk(1.0, (customer, CUSTOMER))
        assert floor.calls.live == 1
        customer.lost()
        assert await customer.over() == "processed"
    [closed] = await facts(store, CallClosed)
    assert isinstance(closed, CallClosed)
    assert closed.ending == "dropped"


@pytest.mark.parametrize(("leg", "other"), [(AGENT, "customer"), (CUSTOMER, "agent")])
async def test_a_gateway_that_comes_back_with_one_leg_while_its_old_connection_seems_open_goes_on(
    store: SqlStore, leg: CallAnnounced, other: Role
) -> None:
    floor = Floor(store)
    async with floor.journal, floor.calls:
        first = await floor.attach()
        talk(1.0, (first, CALL), (first, CALL))
        again = await floor.attach(leg)
        assert again.resumed
        assert await first.over() == "taken_over"
        talk(1.0, (first, CALL))  # left out
        talk(4.0, (again, leg))
        closed = await floor.ended(again)
    assert closed.duration == pytest.approx(5.0, abs=0.1)
    told = " ".join(notice.message for notice in await facts(store, Notice) if isinstance(notice, Notice))
    assert f"silence stands for the {other}" in told
    silent = [(gap.role, gap.reason) for gap in await facts(store, GapMarked) if isinstance(gap, GapMarked)]
    assert silent == [(other, "silence")]


async def test_a_gateway_that_comes_back_with_a_connection_a_leg_has_both_legs(store: SqlStore) -> None:
    floor = Floor(store)
    async with floor.journal, floor.calls:
        first = await floor.attach()
        agent, customer = await floor.attach(AGENT), await floor.attach(CUSTOMER)
        assert await first.over() == "taken_over"
        talk(2.0, (agent, AGENT), (customer, CUSTOMER))
        assert (await floor.ended(agent)).duration == pytest.approx(2.0, abs=0.1)
        assert await customer.over() == "processed"
    assert await facts(store, GapMarked) == []


async def test_a_connection_that_brings_no_leg_of_a_live_call_is_refused_and_harms_it_not(store: SqlStore) -> None:
    floor = Floor(store)
    async with floor.journal, floor.calls:
        first = await floor.attach(replace(CALL, roles=("agent",)))
        with pytest.raises(CallRefused) as refused:
            await floor.attach(replace(CALL, roles=("customer",)))
        assert refused.value.code == "conflict"
        talk(1.0, (first, AGENT))
        assert (await floor.ended(first)).duration == pytest.approx(1.0, abs=0.1)


async def test_a_form_without_legs_is_that_of_the_connections_own(store: SqlStore) -> None:
    floor = Floor(store)
    async with floor.journal, floor.calls:
        agent, customer = await floor.attach(AGENT), await floor.attach(CUSTOMER)
        agent.feed(FormatChanged(encoding="pcm_s16le", rate=16_000, roles=()))
        talk(1.0, (agent, CUSTOMER), (customer, CUSTOMER))
        closed = await floor.ended(customer)
    assert closed.duration == pytest.approx(1.0, abs=0.1)


def test_connections_are_told_apart_by_identity() -> None:
    assert CallConnection.__eq__ is object.__eq__
