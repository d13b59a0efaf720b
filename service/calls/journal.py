"""Store first, then publish; and while the store fails, keep everything in order and try again.

A write goes straight to the store. When the store cannot take it, the call gets a line: its facts wait there in
order, the call goes on, and one task tries until the line is empty again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from service.facts import Fact
from service.live.hub import LiveHub
from service.live.schema import Levels
from service.metrics import Metrics
from service.storage.port import LoggedFact, StorageError, StorageUnavailable, Store

log = structlog.get_logger()

RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0)
"""Waits between tries; the last one repeats: a disk that is freed is noticed within two seconds."""
FOLLOWED = 4096
"""Facts kept for a gateway that asked for its call's events and reads slowly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    facts: tuple[Fact, ...]
    at: datetime


class StoreJournal:
    """The service's journal. Use as an async context manager; leaving it tries once more to store what is kept.

    Memory while the store fails: a fact is about 1 KB and a busy call makes one a second, so 16 calls through an
    hour of a full disk keep some 60 MB. Nothing is dropped.
    """

    def __init__(self, store: Store, hub: LiveHub, metrics: Metrics) -> None:
        self._store = store
        self._hub = hub
        self._metrics = metrics
        self._lines: dict[str, deque[_Entry]] = {}
        self._followers: dict[str, set[asyncio.Queue[LoggedFact | None]]] = {}
        self._ended: set[str] = set()
        self._tasks = asyncio.TaskGroup()
        self._stopping = asyncio.Event()
        self.failing = False
        """The store refuses writes now."""

    async def __aenter__(self) -> StoreJournal:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping.set()
        await self._tasks.__aexit__(None, None, None)

    async def write(self, call_id: str, facts: Sequence[Fact], at: datetime) -> None:
        """Store and publish the facts; or keep them in the call's line until that can be done.

        One writer a call. Raises StorageError only for what no waiting would mend.
        """
        entry = _Entry(facts=tuple(facts), at=at)
        if call_id in self._lines:
            self._lines[call_id].append(entry)
            return
        try:
            await self._store_and_show(call_id, entry)
        except StorageUnavailable as cause:
            self._fail(cause)
            self._lines[call_id] = deque([entry])
            self._tasks.create_task(self._work_off(call_id))

    def show_levels(self, levels: Levels) -> None:
        """Pass on how loud a call is."""
        self._hub.publish_levels(levels)

    def follow(self, call_id: str) -> AsyncGenerator[LoggedFact, None]:
        """The call's facts as they are stored, from this moment to its last one (`finished`).

        Ends early for a follower that falls FOLLOWED facts behind.
        """
        queue: asyncio.Queue[LoggedFact | None] = asyncio.Queue(FOLLOWED)
        self._followers.setdefault(call_id, set()).add(queue)
        return self._following(call_id, queue)

    def finished(self, call_id: str) -> None:
        """Nothing more will be written of this call: its followers come to their end once the line is stored."""
        if call_id in self._lines:
            self._ended.add(call_id)
        else:
            self._end_followers(call_id)

    async def _following(
        self, call_id: str, queue: asyncio.Queue[LoggedFact | None]
    ) -> AsyncGenerator[LoggedFact, None]:
        try:
            while (logged := await queue.get()) is not None:
                yield logged
        finally:
            self._followers.get(call_id, set()).discard(queue)

    async def _store_and_show(self, call_id: str, entry: _Entry) -> None:
        for logged in await self._store.append(call_id, entry.facts, entry.at):
            self._hub.publish(logged)
            for queue in list(self._followers.get(call_id, ())):
                if not _give(queue, logged):
                    self._followers[call_id].discard(queue)

    async def _work_off(self, call_id: str) -> None:
        """Store a call's line, however long that takes; when the service stops, one last try is made."""
        line = self._lines[call_id]
        tries = 0
        while line:
            last_chance = self._stopping.is_set()
            try:
                await self._store_and_show(call_id, line[0])
            except StorageUnavailable as cause:
                if last_chance:
                    log.error("facts lost at shutdown: the store is failing", call_id=call_id, entries=len(line))
                    break
                self._fail(cause)
                await self._pause(RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)])
                tries += 1
            except StorageError:
                log.exception("facts cannot be stored", call_id=call_id, entries=len(line))
                break
            else:
                line.popleft()
        del self._lines[call_id]
        if call_id in self._ended:
            self._ended.discard(call_id)
            self._end_followers(call_id)
        if not self._lines:
            self._recover()

    def _end_followers(self, call_id: str) -> None:
        for queue in self._followers.pop(call_id, ()):
            _give(queue, None)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    def _fail(self, cause: StorageUnavailable) -> None:
        self._metrics.store_failures.inc()
        if not self.failing:
            self.failing = True
            log.error("store failing", error=str(cause))
            self._hub.publish_health()

    def _recover(self) -> None:
        self.failing = False
        log.info("store recovered")
        self._hub.publish_health()


def _give(queue: asyncio.Queue[LoggedFact | None], logged: LoggedFact | None) -> bool:
    try:
        queue.put_nowait(logged)
    except asyncio.QueueFull:
        return False
    return True
