"""SQLite in trouble, for real: a full disk, a lock held by another process, a killed writer."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import structlog

from service.calls.journal import StoreJournal
from service.live.hub import LiveHub
from service.live.messages import Health, HealthChanged
from service.metrics import Metrics
from service.record.facts import CallOpened
from service.record.summary import fold
from service.record.summary import opened as summary_of
from service.storage.database import StorePatience
from service.storage.port import LoggedFact, StorageUnavailable
from service.storage.sql import SqlStore
from tests import scenes
from tests.scenes import AT
from tests.small_disk import SmallDisk
from tests.small_disk import small_disk as a_small_disk

ROOM = 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    yield from a_small_disk(tmp_path, ROOM)


@pytest.fixture
async def cramped(small_disk: SmallDisk) -> AsyncIterator[SqlStore]:
    store = SqlStore(f"sqlite:///{small_disk.folder / 'c.db'}")
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = SqlStore(f"sqlite:///{tmp_path / 'c.db'}", patience=StorePatience(busy=0.05))
    await store.open()
    await store.append("call-1", [scenes.opened()], AT)
    yield store
    await store.close()


@pytest.fixture
def other_process(store: SqlStore, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Holds the write lock, as a backup tool or a forgotten shell would, until it rolls back."""
    with closing(sqlite3.connect(tmp_path / "c.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


def folded(log: list[LoggedFact]) -> object:
    first, *rest = log
    assert isinstance(first.fact, CallOpened)
    summary = summary_of(first.fact.call, 1)
    for entry in rest:
        summary = fold(summary, entry.fact, entry.seq)
    return summary


async def fill(store: SqlStore) -> int:
    """Append long utterances until the disk is full; how many were taken."""
    await store.append("call-1", [scenes.opened()], AT)
    for index in range(1000):
        try:
            await store.append("call-1", [scenes.heard(index=index, text="还钱" * 2000)], AT)
        except StorageUnavailable:
            return index
    raise AssertionError("the disk never filled")


async def test_full_disk_is_unavailable_reads_go_on_and_it_heals(cramped: SqlStore, small_disk: SmallDisk) -> None:
    taken = await fill(cramped)
    with pytest.raises(StorageUnavailable, match="write to call call-1") as error:
        await cramped.append("call-1", [scenes.heard(index=taken, text="还钱" * 2000)], AT)
    assert error.value.__cause__ is not None
    before = await cramped.facts("call-1")
    assert len(before) == taken + 1
    assert await cramped.summary("call-1") == folded(before)
    small_disk.heal()
    [logged] = await cramped.append("call-1", [scenes.heard(index=taken, text="还钱" * 2000)], AT)
    assert logged.seq == taken + 2


async def test_call_goes_on_through_a_full_disk_and_loses_nothing(cramped: SqlStore, small_disk: SmallDisk) -> None:
    taken = await fill(cramped)
    hub = LiveHub(cramped, health=lambda: Health(model="m", live_calls=1, max_calls=1, backlog=0.0), wall=lambda: AT)
    later = [scenes.heard(index=taken + more, text="还钱" * 2000) for more in range(20)]
    with structlog.testing.capture_logs() as logs:
        async with hub.subscribe() as dashboard, StoreJournal(cramped, hub, Metrics()) as journal:
            messages = aiter(dashboard)
            await anext(messages)
            for fact in later:
                await journal.write("call-1", [fact], AT)
            assert journal.failing
            assert isinstance(await anext(messages), HealthChanged)
            follower = hub.follow("call-1")
            small_disk.heal()
            journal.finished("call-1")
            assert [logged.fact async for logged in follower] == later
            assert not journal.failing
    assert [entry["event"] for entry in logs] == ["store failing", "store recovered"]
    log = await cramped.facts("call-1", after=taken + 1)
    assert [entry.fact for entry in log] == later
    assert [entry.seq for entry in log] == list(range(taken + 2, taken + 22))


async def test_locked_database_is_unavailable_reads_go_on_and_it_heals(
    store: SqlStore, other_process: sqlite3.Connection
) -> None:
    with pytest.raises(StorageUnavailable, match="locked"):
        await store.append("call-1", [scenes.heard()], AT)
    assert len(await store.facts("call-1")) == 1
    other_process.execute("ROLLBACK")
    [logged] = await store.append("call-1", [scenes.heard()], AT)
    assert logged.seq == 2


async def test_database_that_is_locked_for_a_moment_is_waited_for(
    tmp_path: Path, other_process: sqlite3.Connection
) -> None:
    patient = SqlStore(f"sqlite:///{tmp_path / 'c.db'}", patience=StorePatience(busy=10.0))
    writing = asyncio.create_task(patient.append("call-1", [scenes.heard()], AT))
    done, _ = await asyncio.wait([writing], timeout=0.2)
    other_process.execute("ROLLBACK")
    [logged] = await writing
    await patient.close()
    assert not done
    assert logged.seq == 2


WRITER = """
import asyncio, sys
from service.storage.sql import SqlStore
from tests import scenes

async def main() -> None:
    store = SqlStore(sys.argv[1])
    await store.open()
    await store.append("call-1", [scenes.opened()], scenes.AT)
    for index in range(100000):
        facts = [scenes.heard(index=index), scenes.raised(f"alert-{index}")]
        logged = await store.append("call-1", facts, scenes.AT)
        print(logged[-1].seq, flush=True)

asyncio.run(main())
"""


def kill_while_writing(url: str, after: int) -> int:
    """Kill -9 a process that writes, once it has said that `after` appends are done; the last seq it told of."""
    with subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _line in range(after):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        told = [int(line) for line in writer.stdout.read().split()]
    return told[-1] if told else 1 + 2 * after


@pytest.mark.parametrize("after", [1, 17, 40])
async def test_killed_writer_leaves_all_it_told_of_and_nothing_half_written(tmp_path: Path, after: int) -> None:
    url = f"sqlite:///{tmp_path / 'c.db'}"
    told = await asyncio.to_thread(kill_while_writing, url, after)
    store = SqlStore(url)
    await store.open()
    try:
        log = await store.facts("call-1", limit=10**6)
        record = await store.call("call-1")
        assert len(log) >= told
        assert len(log) % 2 == 1
        assert [entry.seq for entry in log] == list(range(1, len(log) + 1))
        assert record.summary == folded(log)
        assert len(record.utterances) == len(record.alerts) == len(log) // 2
        [left_live] = await store.live_calls()
        await store.append(left_live.call.id, [scenes.closed()], AT)
    finally:
        await store.close()


async def test_database_and_its_log_are_readable_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    store = SqlStore(f"sqlite:///{folder / 'c.db'}")
    await store.open()
    await store.append("call-1", [scenes.opened()], AT)
    modes = {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}
    await store.close()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert modes == {"c.db": 0o600, "c.db-wal": 0o600, "c.db-shm": 0o600}


async def test_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = SqlStore(f"sqlite:///{tmp_path / 'file' / 'c.db'}")
    with pytest.raises(StorageUnavailable, match="open the database"):
        await store.open()
    await store.close()
