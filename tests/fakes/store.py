"""The real store over SQLite, with faults that a test turns on. What is not turned on is the store's own."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime

from service.record.facts import Fact
from service.record.summary import CallSummary
from service.storage.database import StorePatience
from service.storage.port import AlertPage, AlertQuery, AuditEntry, LoggedFact, StorageUnavailable
from service.storage.sql import SqlStore


class FailingStore(SqlStore):
    """The real store, whose writes can be made to fail."""

    broken = False
    unconfirmed = False
    """Writes are done, and the connection is lost before that is known."""
    tries = 0
    at_once = 0
    most_at_once = 0

    def __init__(self, url: str) -> None:
        super().__init__(url, patience=StorePatience(settled=0.0))
        self.was_asked = asyncio.Event()

    async def asked(self, times: int) -> None:
        """Wait until it was asked so many times more."""
        for _time in range(times):
            self.was_asked.clear()
            await self.was_asked.wait()

    async def append(self, call_id: str, facts: Sequence[Fact], at: datetime) -> list[LoggedFact]:
        self.tries += 1
        self.was_asked.set()
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            if self.broken:
                raise StorageUnavailable("disk full")
            logged = await super().append(call_id, facts, at)
            if self.unconfirmed:
                self.unconfirmed = False
                raise StorageUnavailable("connection lost")
            return logged
        finally:
            self.at_once -= 1


class LockedStore(SqlStore):
    """The real store, whose writes can be made to fail; `owns` tells whether it still says whose calls are, `away` that
    it can be asked nothing."""

    locked = False
    owns = False
    away = False

    async def summary(self, call_id: str) -> CallSummary:
        self._answer()
        return await super().summary(call_id)

    async def facts(self, call_id: str, after: int = 0, limit: int = 1000) -> list[LoggedFact]:
        self._answer()
        return await super().facts(call_id, after, limit)

    async def next_call_id(self, announced: str, claimed: Collection[str] = ()) -> str:
        self._answer()
        return await super().next_call_id(announced, claimed)

    def _answer(self) -> None:
        if self.away:
            raise StorageUnavailable("the database is gone")

    async def append(self, call_id: str, facts: Sequence[Fact], at: datetime) -> list[LoggedFact]:
        if self.locked:
            raise StorageUnavailable("database is locked")
        return await super().append(call_id, facts, at)

    async def own(self, call_ids: Collection[str], now: datetime) -> None:
        if self.locked and not self.owns:
            raise StorageUnavailable("database is locked")
        await super().own(call_ids, now)


class WatchedStore(SqlStore):
    """The real store; reading alerts can be held up, and reading at all can fail."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()
        self.answer.set()
        self.broken = False

    async def alerts(self, query: AlertQuery) -> AlertPage:
        if self.broken:
            raise StorageUnavailable("gone")
        self.asked.set()
        page = await super().alerts(query)
        await self.answer.wait()
        return page

    async def facts(self, call_id: str, after: int = 0, limit: int = 1000) -> list[LoggedFact]:
        if self.broken:
            raise StorageUnavailable("gone")
        return await super().facts(call_id, after, limit)


class AuditlessStore(SqlStore):
    """Refuses as long as it is told to."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.away = False
        self.refused = asyncio.Semaphore(0)

    async def add_audit(self, entries: Sequence[AuditEntry]) -> None:
        if self.away:
            self.refused.release()
            raise StorageUnavailable("the database does not answer")
        await super().add_audit(entries)
