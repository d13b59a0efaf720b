"""The store can be read but not written (another program's lock, a full disk): calls keep their ids and their ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.calls.registered_call import CallConnection
from service.record.facts import Fact
from service.storage.port import OWNED_FOR, LoggedFact, StorageUnavailable
from service.storage.sql import SqlStore
from tests.floor import CALL, SECOND, Floor
from tests.scenes import now


class LockedStore(SqlStore):
    """The real store, whose writes can be made to fail; `owns` tells whether it still says whose calls are."""

    locked = False
    owns = False

    async def append(self, call_id: str, facts: Sequence[Fact], at: datetime) -> list[LoggedFact]:
        if self.locked:
            raise StorageUnavailable("database is locked")
        return await super().append(call_id, facts, at)

    async def own(self, call_ids: Collection[str], now: datetime) -> None:
        if self.locked and not self.owns:
            raise StorageUnavailable("database is locked")
        await super().own(call_ids, now)


class LockedFloor(Floor):
    """Waits for nothing that is not there; its clock can be put on."""

    def __init__(self, store: LockedStore, *, stored_within: float = 0.0) -> None:
        self.later = timedelta()
        super().__init__(
            store,
            wall=lambda: now() + self.later,
            retry_seconds=(0.001,),
            stored_within=stored_within,
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
async def opened_in(folder: Path, *, stored_within: float = 0.0) -> AsyncIterator[tuple[LockedStore, LockedFloor]]:
    store = LockedStore(f"sqlite+aiosqlite:///{folder / 'c.db'}")
    await store.open()
    floor = LockedFloor(store, stored_within=stored_within)
    async with asyncio.timeout(30), floor.journal, floor.calls:
        try:
            yield store, floor
        finally:
            store.locked = False
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


async def test_a_call_goes_on_under_its_id_once_its_end_is_stored(tmp_path: Path) -> None:
    async with opened_in(tmp_path, stored_within=20.0) as (store, floor):
        connection = await begun(floor)
        store.locked = True
        await stopped(connection)
        announced = asyncio.create_task(floor.attach())
        while floor.calls.live == 0:  # noqa: ASYNC110 - until the claim is made
            await asyncio.sleep(0)
        assert not announced.done()
        store.locked = False
        again = await announced
        assert (again.call_id, again.resumed) == ("c-1", True)
        await stopped(again)
        _check_log(await floor.kinds())


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.sampled_from(["attach", "feed", "stop", "lost", "lock", "lock", "unlock", "keep", "keep", "turns"]),
        max_size=14,
    ),
    owns=st.booleans(),
)
async def test_however_long_the_store_is_locked_each_log_is_one_calls_and_ends(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], *, owns: bool
) -> None:
    async with opened_in(tmp_path_factory.mktemp("locked")) as (store, floor):
        store.owns = owns
        connections: list[CallConnection] = []
        for step in steps:
            await _perform(step, store, floor, connections)
        for connection in connections:
            connection.lost()
        store.locked = False
        await floor.all_over()
        new = [connection.call_id for connection in connections if not connection.resumed]
        assert len(new) == len(set(new)), "no id is given to two calls"
        for call_id in new:
            _check_log(await floor.kinds(call_id))
        assert await store.live_calls() == []


async def _perform(step: str, store: LockedStore, floor: LockedFloor, connections: list[CallConnection]) -> None:
    match step:
        case "attach":
            connections.append(await floor.attach(CALL))
        case "lock" | "unlock":
            store.locked = step == "lock"
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
