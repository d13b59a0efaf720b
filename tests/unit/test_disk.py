"""When a disk is low, when recordings stop, and when they go on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from service.disk import GIB, DiskLevel, DiskRoom, level_after, low_bytes, reserve_bytes, told
from service.disk_watch import DiskWatch, StoreWatch, repeated, rooms
from service.metrics import Metrics
from service.storage.sql import SqlStore

LEVELS: tuple[DiskLevel, ...] = ("ok", "low", "reserve")


@pytest.mark.parametrize(
    ("total", "low", "reserve"),
    [(1000 * GIB, 10 * GIB, GIB // 2), (20 * GIB, 4 * GIB, GIB // 2), (64 << 20, 13421772, 6710886), (0, 0, 0)],
)
def test_levels_are_a_share_of_a_small_disk_and_a_size_on_a_great_one(total: int, low: int, reserve: int) -> None:
    assert (low_bytes(total), reserve_bytes(total)) == (low, reserve)


@given(
    total=st.integers(1, 1 << 50),
    before=st.sampled_from(LEVELS),
    share=st.floats(0, 1),
)
def test_a_level_follows_the_room_and_only_its_end_is_late(total: int, before: DiskLevel, share: float) -> None:
    room = DiskRoom(free=int(total * share), total=total)
    fresh = level_after("ok", room)
    level = level_after(before, room)
    assert LEVELS.index(level) >= LEVELS.index(fresh)
    assert LEVELS.index(level) <= max(LEVELS.index(before), LEVELS.index(fresh))
    assert level_after(level, room) == level


def test_recordings_go_on_only_with_a_quarter_more_room_than_they_stopped_at() -> None:
    total = 1000 * GIB
    reserve = reserve_bytes(total)
    states: list[DiskLevel] = ["ok"]
    for free in (11 * GIB, 9 * GIB, 11 * GIB, reserve - 1, reserve + 1, int(reserve * 1.3), 11 * GIB, 13 * GIB):
        states.append(level_after(states[-1], DiskRoom(free=free, total=total)))
    assert states[1:] == ["ok", "low", "low", "reserve", "reserve", "low", "low", "ok"]


def test_the_room_is_told_in_sizes_a_person_reads() -> None:
    assert told("ok", DiskRoom(free=20 * GIB, total=100 * GIB)) == "20.0 GiB free of 100.0 GiB"
    assert "below 512.0 MiB recordings stop" in told("low", DiskRoom(free=GIB, total=100 * GIB))
    assert "recordings have stopped" in told("reserve", DiskRoom(free=1 << 20, total=100 * GIB))


class WatchedDisk:
    """A watch over folders whose rooms are scripted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rooms: dict[str, DiskRoom] = {}
        self.paused: list[bool] = []
        self.told = 0
        monkeypatch.setattr("service.disk_watch.rooms", lambda _folders: dict(self.rooms))
        self.watch = DiskWatch(
            data=Path("/d"), recordings=Path("/d/recordings"), pause=self.paused.append, changed=self._changed
        )

    def _changed(self) -> None:
        self.told += 1

    async def at(self, data: int, recordings: int | None = None, *, read_only: bool = False) -> None:
        both = {"data": data, "recordings": data if recordings is None else recordings}
        self.rooms = {name: DiskRoom(free=free, total=100 * GIB, read_only=read_only) for name, free in both.items()}
        await self.watch.look()


async def test_a_disk_that_fills_up_is_told_then_pauses_recordings_then_lets_them_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched = WatchedDisk(monkeypatch)
    seen: list[tuple[bool, bool]] = []
    for free in (50 * GIB, 5 * GIB, 5 * GIB, GIB // 4, 5 * GIB, 50 * GIB):
        await watched.at(free)
        seen.append((watched.watch.low, watched.watch.paused))
    assert seen == [(False, False), (True, False), (True, False), (True, True), (True, False), (False, False)]
    assert watched.told == 4
    assert watched.paused == [False, True, False, False]


async def test_only_the_recordings_own_disk_pauses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = WatchedDisk(monkeypatch)
    await watched.at(GIB // 4, 50 * GIB)
    assert (watched.watch.low, watched.watch.paused) == (True, False)
    await watched.at(50 * GIB, GIB // 4)
    assert (watched.watch.low, watched.watch.paused) == (True, True)


async def test_a_folder_that_is_gone_or_read_only_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = WatchedDisk(monkeypatch)
    assert not watched.watch.unusable
    await watched.at(50 * GIB, read_only=True)
    assert watched.watch.unusable
    assert "read-only" in watched.watch.told()
    await watched.at(50 * GIB)
    assert not watched.watch.unusable
    watched.rooms.pop("recordings")
    await watched.watch.look()
    assert watched.watch.unusable
    assert "/d/recordings cannot be found" in watched.watch.told()


async def test_metrics_show_what_was_last_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    watched, metrics = WatchedDisk(monkeypatch), Metrics()
    watched.watch.show_in(metrics)
    await watched.at(GIB // 4)
    shown = metrics.registry.get_sample_value
    assert shown("callwarden_disk_free_bytes", {"folder": "data"}) == GIB // 4
    assert shown("callwarden_recordings_paused") == shown("callwarden_disk_low") == 1


def test_rooms_are_those_of_real_folders(tmp_path: Path) -> None:
    found = rooms({"data": tmp_path, "recordings": tmp_path / "none"})
    assert list(found) == ["data"]
    assert 0 < found["data"].free <= found["data"].total


async def test_a_store_that_cannot_be_used_is_known_without_a_write(tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{tmp_path / 'c.db'}")
    await store.open()
    problems: list[str] = []
    watch = StoreWatch(store, lambda: problems.append(watch.problem))
    for _ in range(2):
        await watch.look()
    (tmp_path / "c.db").rename(tmp_path / "away.db")
    for _ in range(2):
        await watch.look()
    (tmp_path / "away.db").rename(tmp_path / "c.db")
    await watch.look()
    await store.close()
    assert ["moved away" in problem for problem in problems] == [True, False]
    assert watch.problem == ""


async def test_jobs_are_repeated_beside_one_another_until_the_end() -> None:
    done: list[int] = []
    enough = asyncio.Event()

    async def job() -> None:
        done.append(1)
        if len(done) == 3:
            enough.set()

    async def stuck() -> None:
        await asyncio.Event().wait()

    async def failing() -> None:
        raise RuntimeError("a defect")

    with structlog.testing.capture_logs() as logs:
        async with repeated([stuck, failing, job], every=0):
            await enough.wait()
    assert {entry["event"] for entry in logs} == {"watch failed"}
    count = len(done)
    await asyncio.sleep(0)
    assert len(done) == count >= 3
