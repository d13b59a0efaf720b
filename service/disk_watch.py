"""Looks after the disks while the service runs. The shell around `service.disk`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from service.disk import DiskLevel, DiskRoom, level_after, told
from service.metrics import Metrics
from service.storage.port import Checked, StorageError

log = structlog.get_logger(__name__)

EVERY_S = 1.0
"""A disk that another program fills at 400 MB a second still leaves the store some of its reserve."""


class DiskWatch:
    """The file systems of the data folder and of the recordings, which may be one. `look` once a second."""

    def __init__(
        self, *, data: Path, recordings: Path, pause: Callable[[bool], None], changed: Callable[[], None]
    ) -> None:
        self._folders = {"data": data, "recordings": recordings}
        self._pause = pause
        self._changed = changed
        self._rooms: Mapping[str, DiskRoom] = {}
        self._looked = False
        self._levels: Mapping[str, DiskLevel] = dict.fromkeys(self._folders, "ok")

    @property
    def low(self) -> bool:
        """One of the disks has little room, or none to spare."""
        return any(level != "ok" for level in self._levels.values())

    @property
    def paused(self) -> bool:
        """Nothing is recorded, for the disk's last room is the store's."""
        return self._levels["recordings"] == "reserve"

    @property
    def unusable(self) -> bool:
        """A folder is gone, or its disk takes no writes at all."""
        return self._looked and (self._rooms.keys() != self._folders.keys() or self._read_only)

    @property
    def _read_only(self) -> bool:
        return any(room.read_only for room in self._rooms.values())

    def told(self) -> str:
        """The state of the disks in words."""
        if missing := [str(path) for place, path in self._folders.items() if self._looked and place not in self._rooms]:
            return f"{' and '.join(missing)} cannot be found"
        words = {told(self._levels[place], room) for place, room in self._rooms.items()}
        return "; ".join(["the disk is read-only"] * self._read_only + sorted(words))

    def show_in(self, metrics: Metrics) -> None:
        """Show what was last looked at among the service's metrics; NaN for a folder that cannot be found."""
        for place in self._folders:
            metrics.disk_free.labels(place).set_function(lambda place=place: self._free(place))
        metrics.disk_low.set_function(lambda: self.low)
        metrics.recordings_paused.set_function(lambda: self.paused)

    def _free(self, place: str) -> float:
        room = self._rooms.get(place)
        return float("nan") if room is None else room.free

    async def look(self) -> None:
        """Measure, and tell of a change of level."""
        self._rooms = await asyncio.to_thread(rooms, self._folders)
        self._looked = True
        levels: dict[str, DiskLevel] = {
            place: level_after(before, self._rooms[place]) if place in self._rooms else before
            for place, before in self._levels.items()
        }
        if levels == self._levels:
            return
        self._levels = levels
        self._pause(self.paused)
        log.log(30 if self.low else 20, "disk level changed", levels=dict(levels), told=self.told())
        self._changed()


class StoreWatch:
    """Asks the store for its state, also while nobody writes. So a database that was moved away is noticed, and one
    that was put back is taken up."""

    def __init__(self, store: Checked, changed: Callable[[], None]) -> None:
        self._store = store
        self._changed = changed
        self.problem = ""
        """Why the store cannot be used now; empty while it can."""

    async def look(self) -> None:
        """Ask once."""
        try:
            await self._store.check()
        except StorageError as problem:
            found = str(problem)
        else:
            found = ""
        changed, self.problem = bool(found) != bool(self.problem), found
        if changed:
            log.log(40 if found else 20, "store checked", problem=found)
            self._changed()


def rooms(folders: Mapping[str, Path]) -> dict[str, DiskRoom]:
    """The room at each folder, without those that cannot be found. Blocks."""
    found = {place: _room(path) for place, path in folders.items()}
    return {place: room for place, room in found.items() if room is not None}


def _room(folder: Path) -> DiskRoom | None:
    try:
        there = os.statvfs(folder)
    except OSError:
        return None
    return DiskRoom(
        free=there.f_bavail * there.f_frsize,
        total=there.f_blocks * there.f_frsize,
        read_only=bool(there.f_flag & os.ST_RDONLY),
    )


@asynccontextmanager
async def repeated(jobs: Iterable[Callable[[], Awaitable[None]]], every: float = EVERY_S) -> AsyncGenerator[None]:
    """Each job at once and then every so many seconds, beside the others, as long as this lasts. A defect in one is
    logged and ends nothing."""

    async def repeat(job: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await job()
            except Exception:
                log.exception("watch failed")
            await asyncio.sleep(every)

    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(repeat(job)) for job in jobs]
        try:
            yield
        finally:
            for task in running:
                task.cancel()
