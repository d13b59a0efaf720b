"""The store can be read but not written (another program's lock, a full disk), or not even read: calls keep their ids
and their ends, and none gets what is another's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.calls import asking, registry
from service.calls.earlier_calls import RETURN_WITHIN
from service.calls.registered_call import CallConnection
from service.calls.registry import CallRefused
from service.record.facts import GapMarked
from service.storage.port import OWNED_FOR, StorageUnavailable
from service.storage.sql import SqlStore
from tests import scenes
from tests.fakes.store import LockedStore
from tests.floor import CALL, SECOND, Floor
from tests.scenes import now


class LockedFloor(Floor):
    """Waits for nothing that is not there; its clock can be put on."""

    def __init__(self, store: LockedStore, *, answers_within: float = 0.0) -> None:
        self.later = timedelta()
        super().__init__(
            store,
            wall=lambda: now() + self.later,
            retry_seconds=(0.001,),
            answers_within=answers_within,
            grace_seconds=0,
            return_after_restart=0.0,
        )

    async def keep(self) -> None:
        """As long after the last time as makes the calls of a silent installation everybody's."""
        self.later += 1.5 * OWNED_FOR
        with suppress(StorageUnavailable):
            await self.calls.keep()

    async def all_over(self) -> None:
        while self.calls.live or self.journal.unwritten():  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.001)


@asynccontextmanager
async def opened_in(folder: Path, *, answers_within: float = 0.0) -> AsyncGenerator[tuple[LockedStore, LockedFloor]]:
    store = LockedStore(f"sqlite+aiosqlite:///{folder / 'c.db'}")
    await store.open()
    floor = LockedFloor(store, answers_within=answers_within)
    async with asyncio.timeout(30), floor.journal, floor.calls:
        try:
            yield store, floor
        finally:
            store.locked = store.away = False
    await store.close()


async def begun(floor: Floor) -> CallConnection:
    """A call whose opening is stored."""
    connection = await floor.attach()
    connection.feed(SECOND)
    while not await floor.store.live_calls():  # noqa: ASYNC110 - until its opening is stored
        await asyncio.sleep(0)
    return connection


async def stopped(connection: CallConnection) -> None:
    connection.stop()
    assert await connection.over() == "processed"


@pytest.mark.parametrize("owns", [True, False])
async def test_a_call_whose_end_is_not_stored_yet_is_not_taken_for_one_that_was_left(
    tmp_path: Path, *, owns: bool
) -> None:
    async with opened_in(tmp_path) as (store, floor):
        connection = await begun(floor)
        store.locked, store.owns = True, owns
        await stopped(connection)
        await floor.keep()
        assert floor.calls.live == 0
        store.locked = False
        await floor.all_over()
        await floor.keep()
        assert floor.calls.live == 0
        assert await floor.kinds() == ["call_opened", "call_closed"]


async def test_calls_that_cannot_be_owned_are_not_claimed_and_their_gateway_is_answered(tmp_path: Path) -> None:
    """Another installation's call, of which the store can be told nothing now."""
    async with opened_in(tmp_path) as (store, floor):
        there = SqlStore(f"sqlite+aiosqlite:///{tmp_path / 'c.db'}", "there")
        await there.open()
        other = Floor(there)
        async with other.journal, other.calls:
            await begun(other)
        await there.close()
        store.locked = True
        await floor.keep()
        assert floor.calls.live == 0
        connection = await floor.attach()
        assert connection.call_id == "c-1~2"
        store.locked = False
        await floor.keep()
        assert floor.calls.live == 2
        await stopped(connection)


async def test_each_connection_is_told_what_happened_while_it_had_the_call(tmp_path: Path) -> None:
    """The end of the stretch before is stored, and published, when the next one goes on already."""
    async with opened_in(tmp_path) as (store, floor):
        first = await begun(floor)
        firsts = first.events()
        store.locked = True
        await stopped(first)
        again = await floor.attach()
        agains = again.events()
        again.feed(SECOND)
        store.locked = False
        assert [logged.fact.type async for logged in firsts][-1] == "call_closed"
        assert floor.calls.live == 1
        await stopped(again)
        told = [logged.fact.type async for logged in agains]
        assert (told[0], told[-1]) == ("call_resumed", "call_closed")
        assert told.count("call_closed") == 1


@pytest.mark.parametrize("stored", [True, False])
async def test_a_call_goes_on_under_its_id_while_its_end_waits_to_be_stored(tmp_path: Path, *, stored: bool) -> None:
    """Its opening may wait as well."""
    async with opened_in(tmp_path) as (store, floor):
        store.locked = not stored
        connection = await begun(floor) if stored else await floor.attach()
        store.locked = True
        await stopped(connection)
        for _return in range(2):
            again = await floor.attach()
            assert (again.call_id, again.resumed) == ("c-1", True)
            again.feed(SECOND)
            await stopped(again)
        store.locked = False
        await floor.all_over()
        kinds = await floor.kinds()
        _check_log(kinds)
        assert kinds.count("call_resumed") == 2
        assert (await store.summary("c-1")).duration > 2.0


async def test_an_ended_call_goes_on_under_its_id_once_the_store_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "AGAIN_AFTER", 0.001)
    async with opened_in(tmp_path) as (store, floor):
        await stopped(await begun(floor))
        store.away = True
        announced = asyncio.create_task(floor.attach())
        await asyncio.sleep(0.01)
        assert not announced.done()
        store.away = False
        again = await announced
        assert (again.call_id, again.resumed) == ("c-1", True)


async def test_after_a_while_it_is_another_call_whose_beginning_is_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "ENDS_WITHIN", 0.0)
    async with opened_in(tmp_path) as (store, floor):
        await stopped(await begun(floor))
        store.away = True
        other = await floor.attach()
        assert other.call_id.startswith("c-1~")
        await stopped(other)
        store.away = False
        [gap] = [f.fact for f in await store.facts(other.call_id) if isinstance(f.fact, GapMarked)]
        assert (gap.start, gap.reason) == (0.0, "disconnected")
        again = await floor.attach()
        assert (again.call_id, again.resumed) == (other.call_id, True)
        await stopped(again)


async def test_a_service_that_stops_takes_no_call_of_which_the_store_says_nothing(tmp_path: Path) -> None:
    async with opened_in(tmp_path, answers_within=20.0) as (store, floor):
        store.away = True
        announced = asyncio.create_task(floor.attach())
        while floor.calls.live == 0:  # noqa: ASYNC110 - until the claim is made
            await asyncio.sleep(0)
        await floor.calls.suspend()
        with pytest.raises(CallRefused) as refused:
            await announced
        assert refused.value.code == "restarting"


@pytest.mark.parametrize("back", [True, False])
async def test_a_call_that_was_left_waits_for_a_store_that_cannot_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, back: bool
) -> None:
    """It is gone on with once that is back, or by the next process."""
    monkeypatch.setattr(asking, "AGAIN_AFTER", 0.001)
    store = LockedStore(f"sqlite+aiosqlite:///{tmp_path / 'c.db'}")
    await store.open()
    await store.append("c-1", [scenes.opened("c-1"), scenes.heard("c-1")], now())
    store.away = True
    floor = Floor(store)
    async with asyncio.timeout(20), floor.journal, floor.calls:
        announced = asyncio.create_task(floor.attach(replace(CALL, roles=("agent",))))
        await asyncio.sleep(0.01)
        assert not announced.done()
        if back:
            store.away = False
            again = await announced
            assert (again.call_id, again.resumed) == ("c-1", True)
    if not back:
        with pytest.raises(CallRefused):
            await announced
    store.away = False
    assert [summary.call.id for summary in await store.live_calls()] == ["c-1"]
    await store.close()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.sampled_from(
            ["attach", "feed", "stop", "lost", "lock", "lock", "unlock", "away", "back", "keep", "keep", "turns"]
        ),
        max_size=14,
    ),
    owns=st.booleans(),
)
async def test_however_long_the_store_is_locked_each_log_is_one_calls_and_ends(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], *, owns: bool
) -> None:
    locked = opened_in(tmp_path_factory.mktemp("locked"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(registry, "ENDS_WITHIN", 0.01)
        patched.setattr(asking, "AGAIN_AFTER", 0.001)
        async with locked as (store, floor):
            await _all_end_well(store, floor, steps, owns=owns)


async def _all_end_well(store: LockedStore, floor: LockedFloor, steps: list[str], *, owns: bool) -> None:
    store.owns = owns
    connections: list[CallConnection] = []
    for step in steps:
        await _perform(step, store, floor, connections)
    for connection in connections:
        connection.lost()
    store.locked = store.away = False
    await floor.all_over()
    new = [connection.call_id for connection in connections if not connection.resumed]
    assert len(new) == len(set(new)), "no id is given to two calls"
    if "away" not in steps and floor.later < timedelta(seconds=RETURN_WITHIN):
        assert new in ([], ["c-1"]), "it is one call"
    for call_id in new:
        _check_log(await floor.kinds(call_id))
    assert await store.live_calls() == []


async def _perform(step: str, store: LockedStore, floor: LockedFloor, connections: list[CallConnection]) -> None:
    match step:
        case "attach":
            with suppress(CallRefused):  # it still ends, and comes back
                connections.append(await floor.attach(CALL))
        case "lock" | "unlock":
            store.locked = step == "lock"
        case "away" | "back":
            store.away = step == "away"
        case "keep":
            await floor.keep()
        case "turns":
            await asyncio.sleep(0.002)
        case _ if connections:
            {"feed": lambda: connections[-1].feed(SECOND), "stop": connections[-1].stop, "lost": connections[-1].lost}[
                step
            ]()
        case _:
            pass


def _check_log(kinds: list[str]) -> None:
    """Opened once; what follows an end is a return; ended at last."""
    turns = [kind for kind in kinds if kind in ("call_opened", "call_resumed", "call_closed")]
    assert kinds[0] == "call_opened"
    assert turns[1::2] == ["call_closed"] * (len(turns) // 2)
    assert turns[2::2] == ["call_resumed"] * (len(turns) // 2 - 1)
    assert len(turns) % 2 == 0
