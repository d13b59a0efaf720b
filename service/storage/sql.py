"""The store on SQLite or PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncConnection

from service.facts import FACT, Alert, AlertChanged, AlertState, Fact
from service.storage import codec, queries, tables, writing
from service.storage.accounts import SqlAccounts
from service.storage.database import Database, parse_url
from service.storage.migrate import migrate
from service.storage.port import AlertPage, AlertQuery, CallPage, CallQuery, CallRecord, LoggedFact, NotFound
from service.storage.text import storable_text
from service.summary import CallSummary

T = TypeVar("T")


class SqlStore(SqlAccounts):
    """`Store` by database URL: `sqlite:///file` (WAL, made if missing) or `postgresql://…`.

    One event loop only. `open` before use; ValueError for a URL of another kind.
    """

    def __init__(self, url: str) -> None:
        self._url = parse_url(url)
        super().__init__(Database(self._url))

    async def open(self) -> None:
        await asyncio.to_thread(migrate, self._url)

    async def close(self) -> None:
        await self._database.dispose()

    async def append(self, call_id: str, facts: Sequence[Fact], at: datetime) -> list[LoggedFact]:
        if not facts:
            return []
        call_id = storable_text(call_id)
        encoded = [codec.storable(fact, call_id) for fact in facts]
        async with self._database.writing(f"write to call {call_id}") as connection:
            return await writing.append(connection, call_id, encoded, at)

    async def facts(self, call_id: str, after: int = 0, limit: int = 1000) -> list[LoggedFact]:
        events = tables.events
        newer = sa.and_(events.c.call_id == call_id, events.c.seq > after)
        statement = (
            sa.select(events.c.seq, events.c.at, events.c.payload).where(newer).order_by(events.c.seq).limit(limit)
        )
        async with self._database.reading(f"read the log of call {call_id}") as connection:
            summary = await _summary(connection, call_id)
            rows = (await connection.execute(statement)).all()
        own_id = summary.call.id
        return [
            LoggedFact(call_id=own_id, seq=seq, at=at, fact=FACT.validate_json(payload), summary=summary)
            for seq, at, payload in rows
        ]

    async def call(self, call_id: str) -> CallRecord:
        async with self._database.reading(f"read call {call_id}") as connection:
            return CallRecord(
                summary=await _summary(connection, call_id),
                utterances=await _of_call(connection, call_id, tables.utterances, codec.UTTERANCE, "start"),
                sentiments=await _of_call(connection, call_id, tables.sentiments, codec.SENTIMENT, "at"),
                findings=await _of_call(connection, call_id, tables.findings, codec.FINDING, "start"),
                alerts=await _of_call(connection, call_id, tables.alerts, codec.ALERT, "start"),
                gaps=await _of_call(connection, call_id, tables.gaps, codec.GAP, "start"),
            )

    async def summary(self, call_id: str) -> CallSummary:
        async with self._database.reading(f"read call {call_id}") as connection:
            return await _summary(connection, call_id)

    async def calls(self, query: CallQuery) -> CallPage:
        async with self._database.reading("read calls") as connection:
            rows = (await connection.execute(queries.calls_page(query))).all()
        page = rows[: queries.page_size(query.limit)]
        more = queries.cursor_after(page[-1].started_at, page[-1].id) if len(rows) > len(page) else None
        return CallPage(calls=tuple(codec.SUMMARY.validate_json(row.summary) for row in page), next=more)

    async def live_calls(self) -> list[CallSummary]:
        calls = tables.calls
        statement = sa.select(calls.c.summary).where(calls.c.state == "live").order_by(calls.c.started_at, calls.c.id)
        async with self._database.reading("read live calls") as connection:
            found = (await connection.execute(statement)).scalars().all()
        return [codec.SUMMARY.validate_json(summary) for summary in found]

    async def alert(self, alert_id: str) -> Alert:
        statement = sa.select(tables.alerts).where(tables.alerts.c.id == alert_id)
        async with self._database.reading(f"read alert {alert_id}") as connection:
            row = (await connection.execute(statement)).mappings().one_or_none()
        if row is None:
            raise NotFound(f"no alert {alert_id}")
        return codec.value_of(codec.ALERT, dict(row))

    async def alerts(self, query: AlertQuery) -> AlertPage:
        async with self._database.reading("read alerts") as connection:
            rows = (await connection.execute(queries.alerts_page(query))).mappings().all()
        page = [codec.value_of(codec.ALERT, dict(row)) for row in rows[: queries.page_size(query.limit)]]
        more = queries.cursor_after(page[-1].raised_at, page[-1].id) if len(rows) > len(page) else None
        return AlertPage(alerts=tuple(page), next=more)

    async def change_alert(self, alert_id: str, state: AlertState, by: str, at: datetime, note: str) -> LoggedFact:
        call_id = (await self.alert(alert_id)).call_id
        [logged] = await self.append(
            call_id, [AlertChanged(alert_id=alert_id, state=state, by=by, at=at, note=note)], at
        )
        return logged


async def _summary(connection: AsyncConnection, call_id: str) -> CallSummary:
    statement = sa.select(tables.calls.c.summary).where(tables.calls.c.id == call_id)
    found = (await connection.execute(statement)).scalar_one_or_none()
    if found is None:
        raise NotFound(f"no call {call_id}")
    return codec.SUMMARY.validate_json(found)


async def _of_call(
    connection: AsyncConnection, call_id: str, table: sa.Table, adapter: TypeAdapter[T], time: str
) -> tuple[T, ...]:
    """The call's rows in the order of their time on the audio clock, then of their writing."""
    statement = sa.select(table).where(table.c.call_id == call_id).order_by(table.c[time], table.c.seq)
    rows = (await connection.execute(statement)).mappings().all()
    return tuple(codec.value_of(adapter, dict(row)) for row in rows)
