"""A SQLite database that is moved away, deleted or replaced while it is open: nothing goes to a file without a name."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from service.storage.database import StorePatience
from service.storage.port import NotFound, StorageError, StorageUnavailable
from service.storage.sql import SqlStore
from tests import scenes
from tests.scenes import AT


@pytest.fixture
def settled() -> float:
    """For how long a file must have been left alone to be taken up."""
    return 0.0


@pytest.fixture
async def store(tmp_path: Path, settled: float) -> AsyncIterator[SqlStore]:
    """Holds call-1 with three facts, of which none is in the database proper yet, only in its log."""
    store = SqlStore(f"sqlite:///{tmp_path / 'c.db'}", patience=StorePatience(settled=settled))
    await store.open()
    await store.append("call-1", [scenes.opened(), scenes.heard(), scenes.heard(index=1)], AT)
    yield store
    await store.close()


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".db-shm"}


def calls_in(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [call_id for (call_id,) in connection.execute("SELECT id FROM calls ORDER BY id")]


def asides(folder: Path) -> list[Path]:
    return list(folder.glob("c.db-wal.of-old*"))


async def backup(file: Path) -> Path:
    """A consistent copy, as `sqlite3 c.db '.backup copy.db'` makes it."""

    def copy() -> Path:
        target = file.with_name("copy.db")
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(target)) as goal:
            source.backup(goal)
        return target

    return await asyncio.to_thread(copy)


async def until_taken_up(store: SqlStore) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                await store.check()
            except StorageUnavailable:
                await asyncio.sleep(0)
            else:
                return


async def test_a_database_moved_away_is_unavailable_nothing_is_written_anywhere_and_none_is_made(
    store: SqlStore, tmp_path: Path
) -> None:
    (tmp_path / "c.db").rename(tmp_path / "away.db")
    before = content(tmp_path)
    for use in (
        lambda: store.append("call-1", [scenes.heard(index=2)], AT),
        lambda: store.append("call-2", [scenes.opened("call-2")], AT),
        lambda: store.summary("call-1"),
        store.check,
    ):
        with pytest.raises(StorageUnavailable, match="moved away or deleted"):
            await use()
    assert content(tmp_path) == before


async def test_a_database_moved_back_goes_on_with_everything_that_was_in_it(store: SqlStore, tmp_path: Path) -> None:
    (tmp_path / "c.db").rename(tmp_path / "away.db")
    with pytest.raises(StorageUnavailable):
        await store.append("call-1", [scenes.heard(index=2)], AT)
    (tmp_path / "away.db").rename(tmp_path / "c.db")
    [logged] = await store.append("call-1", [scenes.heard(index=2)], AT)
    assert logged.seq == 4
    assert len(await store.facts("call-1")) == 4


async def test_a_whole_folder_moved_away_and_back_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    store = SqlStore(f"sqlite:///{folder / 'c.db'}")
    await store.open()
    await store.append("call-1", [scenes.opened()], AT)
    folder.rename(tmp_path / "away")
    with pytest.raises(StorageUnavailable, match="moved away"):
        await store.append("call-1", [scenes.heard()], AT)
    assert not folder.exists()
    (tmp_path / "away").rename(folder)
    [logged] = await store.append("call-1", [scenes.heard()], AT)
    await store.close()
    assert logged.seq == 2


async def test_a_backup_put_in_its_place_is_taken_up_and_the_old_log_is_not_mixed_into_it(
    store: SqlStore, tmp_path: Path
) -> None:
    copy = await backup(tmp_path / "c.db")
    await store.append("call-2", [scenes.opened("call-2")], AT)
    (tmp_path / "c.db").rename(tmp_path / "away.db")
    copy.rename(tmp_path / "c.db")
    await until_taken_up(store)
    assert (await store.summary("call-1")).seq == 3
    with pytest.raises(NotFound):
        await store.summary("call-2")
    await store.append("call-3", [scenes.opened("call-3")], AT)
    assert await asyncio.to_thread(calls_in, tmp_path / "c.db") == ["call-1", "call-3"]
    [aside] = asides(tmp_path)
    aside.rename(tmp_path / "away.db-wal")
    assert await asyncio.to_thread(calls_in, tmp_path / "away.db") == ["call-1", "call-2"]


async def test_a_backup_with_a_log_of_its_own_keeps_it(store: SqlStore, tmp_path: Path) -> None:
    other = tmp_path / "other"
    elsewhere = SqlStore(f"sqlite:///{other / 'c.db'}")
    await elsewhere.open()
    await elsewhere.append("call-9", [scenes.opened("call-9")], AT)
    await asyncio.to_thread(_copy_all, other, tmp_path / "copied")  # as a backup tool copies a stopped service's files
    await elsewhere.close()
    for name in ("c.db-shm", "c.db-wal", "c.db"):
        (tmp_path / name).unlink()
    for name in ("c.db-wal", "c.db"):
        (tmp_path / "copied" / name).rename(tmp_path / name)
    await until_taken_up(store)
    assert (await store.summary("call-9")).seq == 1


def _copy_all(source: Path, target: Path) -> None:
    target.mkdir()
    for path in source.iterdir():
        (target / path.name).write_bytes(path.read_bytes())


@pytest.mark.parametrize("settled", [3600.0])
async def test_a_file_that_is_still_being_copied_is_left_alone(store: SqlStore, tmp_path: Path) -> None:
    copy = await backup(tmp_path / "c.db")
    before = copy.read_bytes()
    copy.rename(tmp_path / "c.db")
    for _ in range(3):
        with pytest.raises(StorageUnavailable, match="taken up when it no longer changes"):
            await store.append("call-1", [scenes.heard(index=2)], AT)
    assert (tmp_path / "c.db").read_bytes() == before


@pytest.mark.parametrize("wrong", [b"", b"not a database, not at all" * 100, b"SQLite format 3\x00" + bytes(5000)])
async def test_what_is_no_database_is_not_taken_up_nor_changed(store: SqlStore, tmp_path: Path, wrong: bytes) -> None:
    (tmp_path / "c.db").rename(tmp_path / "away.db")
    (tmp_path / "c.db").write_bytes(wrong)
    for _ in range(3):
        with pytest.raises(StorageUnavailable):
            await store.append("call-1", [scenes.heard(index=2)], AT)
    assert (tmp_path / "c.db").read_bytes() == wrong
    (tmp_path / "c.db").unlink()
    for aside in asides(tmp_path):
        aside.rename(tmp_path / "c.db-wal")
    (tmp_path / "away.db").rename(tmp_path / "c.db")
    await until_taken_up(store)
    assert (await store.summary("call-1")).seq == 3


@pytest.mark.parametrize("lost", ["c.db-wal", "c.db-shm"])
async def test_a_log_deleted_under_the_service_loses_nothing(store: SqlStore, tmp_path: Path, lost: str) -> None:
    (tmp_path / lost).unlink()
    [logged] = await store.append("call-1", [scenes.heard(index=2)], AT)
    assert logged.seq == 4
    await store.append("call-2", [scenes.opened("call-2")], AT)
    assert len(await store.facts("call-1")) == 4
    assert await asyncio.to_thread(calls_in, tmp_path / "c.db") == ["call-1", "call-2"]


@pytest.mark.parametrize("left", [None, b""])
async def test_a_log_without_its_database_is_not_thrown_away_at_start(
    store: SqlStore, tmp_path: Path, left: bytes | None
) -> None:
    kept = (tmp_path / "c.db-wal").read_bytes()
    (tmp_path / "c.db").rename(tmp_path / "away.db")
    if left is not None:
        (tmp_path / "c.db").write_bytes(left)
    restarted = SqlStore(f"sqlite:///{tmp_path / 'c.db'}")
    with pytest.raises(StorageError, match=r"its log c\.db-wal is there") as refused:
        await restarted.open()
    await restarted.close()
    assert not isinstance(refused.value, StorageUnavailable)
    assert (tmp_path / "c.db-wal").read_bytes() == kept


@pytest.mark.parametrize("torn", [b"garbage" * 1000, b"SQLite format 3\x00" + b"\xff" * 4080])
async def test_a_damaged_database_is_told_in_a_sentence_at_start(tmp_path: Path, torn: bytes) -> None:
    (tmp_path / "c.db").write_bytes(torn)
    store = SqlStore(f"sqlite:///{tmp_path / 'c.db'}")
    with pytest.raises(StorageUnavailable, match=r"c\.db is damaged .*put a backup in its place") as told:
        await store.open()
    await store.close()
    assert "\n" not in str(told.value)
    assert (tmp_path / "c.db").read_bytes() == torn
