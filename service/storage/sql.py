"""The store on SQLite or PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import get_args

import sqlalchemy as sa
from sqlalchemy import URL

from asr.lifetime import Lifetime
from detectors.contract import EarlierContact
from service.record.facts import Alert, AlertChanged, AlertState, Fact, NoteWritten
from service.record.note import CallNote
from service.record.summary import CallSummary
from service.storage import audit, codec, outbox, pages, reading, writing
from service.storage.accounts import SqlAccounts
from service.storage.database import PATIENCE, Database, StorePatience
from service.storage.migrate import load_scripts, upgrade
from service.storage.port import (
    MOST_CONTACTS,
    OWNED_FOR,
    AlertPage,
    AlertQuery,
    AuditEntry,
    AuditQuery,
    CallPage,
    CallQuery,
    CallRecord,
    LoggedFact,
    RecordPage,
    StorageUnavailable,
)
from service.storage.postgres import PostgresDatabase
from service.storage.sqlite import SqliteDatabase
from service.storage.url import parse_url
from service.storage.webhooks import SqlOutbox

_OPENING_WAITS = (0.05, 0.1, 0.2, 0.4, 0.8)
"""SQLite turns a new file to WAL under a lock that its busy timeout does not wait for: of several processes that
open one at the same moment, the others are refused at once. They come again."""


def make_database(url: URL, patience: StorePatience) -> Database:
    """The database that a URL names. ValueError for a URL of another kind."""
    return (SqliteDatabase if url.get_backend_name() == "sqlite" else PostgresDatabase)(url, patience)


class SqlStore(SqlAccounts, SqlOutbox, Lifetime):
    """`Store` by database URL: `sqlite:///file` (WAL, made if missing) or `postgresql://…`.

    Belongs to one event loop. Use as an async context manager. ValueError for a URL of another kind. `owner` names
    the installation that opened calls belong to. `telling`: webhooks are told of what happens in calls.
    """

    def __init__(self, url: str, owner: str = "", *, telling: bool = False, patience: StorePatience = PATIENCE) -> None:
        super().__init__(make_database(parse_url(url), patience))
        self._owner = owner
        self._telling = telling

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None, None]:
        """Open at the beginning, closed at the end."""
        await self.open()
        try:
            yield
        finally:
            await self.close()

    async def open(self) -> None:
        """Connect and bring the schema to the newest migration."""
        migration = partial(upgrade, scripts=await asyncio.to_thread(load_scripts))
        for wait in _OPENING_WAITS:
            try:
                await self._database.open(migration)
            except StorageUnavailable:
                await asyncio.sleep(wait)
            else:
                return
        await self._database.open(migration)

    async def check(self) -> None:
        await self._database.check()

    async def close(self) -> None:
        await self._database.close()

    async def append(self, call_id: str, facts: Sequence[Fact], at: datetime) -> list[LoggedFact]:
        if not facts:
            return []
        call_id = codec.storable_text(call_id)
        encoded = [codec.storable(fact, call_id) for fact in facts]

        def write(connection: sa.Connection) -> list[LoggedFact]:
            logged = writing.append(connection, call_id, encoded, at, self._owner)
            if self._telling:
                outbox.queue(connection, logged)
            return logged

        return await self._database.write(f"write to call {call_id}", write)

    async def facts(self, call_id: str, after: int = 0, limit: int = 1000) -> list[LoggedFact]:
        work = partial(reading.facts, call_id=call_id, after=after, limit=limit)
        return await self._database.read(f"read the log of call {call_id}", work)

    def storable(self, fact: Fact, call_id: str) -> Fact:
        stored, _ = codec.storable(fact, call_id)
        return stored

    async def call(self, call_id: str) -> CallRecord:
        return await self._database.read(f"read call {call_id}", partial(reading.call, call_id=call_id))

    async def summary(self, call_id: str) -> CallSummary:
        return await self._database.read(f"read call {call_id}", partial(reading.summary, call_id=call_id))

    async def calls(self, query: CallQuery) -> CallPage:
        return await self._database.read("read calls", partial(pages.calls_page, query=query))

    async def live_calls(self) -> list[CallSummary]:
        return await self._database.read("read live calls", reading.live_calls)

    async def contacts(
        self, customer: str, since: datetime, but: str, known_at: datetime | None = None
    ) -> tuple[EarlierContact, ...]:
        work = partial(
            reading.contacts,
            customer=codec.storable_text(customer),
            since=since,
            but=but,
            known_at=known_at,
            limit=MOST_CONTACTS,
        )
        return await self._database.read("read calls with a customer", work)

    async def own(self, call_ids: Collection[str], now: datetime) -> None:
        if call_ids:
            work = partial(writing.own, owner=self._owner, call_ids=call_ids, until=now + OWNED_FOR)
            await self._database.write("say whose live calls are", work)

    async def left(self, now: datetime, *, own: bool) -> list[CallSummary]:
        work = partial(reading.left_calls, owner=self._owner, now=now, own=own)
        return await self._database.read("read live calls that were left", work)

    async def next_call_id(self, announced: str, claimed: Collection[str] = ()) -> str:
        work = partial(reading.next_call_id, announced=codec.storable_text(announced), claimed=frozenset(claimed))
        return await self._database.read(f"find an id for call {announced}", work)

    async def alert(self, alert_id: str) -> Alert:
        return await self._database.read(f"read alert {alert_id}", partial(reading.alert, alert_id=alert_id))

    async def alerts(self, query: AlertQuery) -> AlertPage:
        return await self._database.read("read alerts", partial(pages.alerts_page, query=query))

    async def change_alert(
        self,
        alert_id: str,
        state: AlertState,
        by: str,
        at: datetime,
        note: str,
        among: Collection[AlertState] | None = None,
    ) -> LoggedFact:
        alert = await self.alert(alert_id)
        change = AlertChanged(alert_id=alert.id, state=state, by=by, at=at, note=note)
        work = partial(
            writing.append_to_alert,
            call_id=alert.call_id,
            facts=[codec.storable(change, alert.call_id)],
            at=at,
            alert_id=alert.id,
            among=get_args(AlertState) if among is None else among,
        )
        [logged] = await self._database.write(f"change alert {alert_id}", work)
        return logged

    async def write_note(self, call_id: str, note: CallNote, by: str, at: datetime, seen: int) -> LoggedFact:
        written = codec.storable(NoteWritten(note=note, by=by, at=at), call_id)
        work = partial(writing.append_note, call_id=call_id, facts=[written], at=at, seen=seen)
        [logged] = await self._database.write(f"write the record of call {call_id}", work)
        return logged

    async def records(self, query: CallQuery) -> RecordPage:
        return await self._database.read("read the records of calls", partial(pages.records_page, query=query))

    async def add_audit(self, entries: Sequence[AuditEntry]) -> None:
        await self._database.write("write to the audit log", partial(audit.add, entries=entries))

    async def audit(self, query: AuditQuery) -> list[AuditEntry]:
        return await self._database.read("read the audit log", partial(audit.newest, query=query))
