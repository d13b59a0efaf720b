"""Reads the records of many calls, a page at a time, so that an export of years needs no more memory than one of a
day."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime

from service.record.export import ExportFormat, RecordRow
from service.storage.port import CallNotes, CallQuery

PAGE = 100
"""Records that are read at once."""


def export_query(since: datetime | None, until: datetime | None, agent: str | None) -> CallQuery:
    """The ended calls that began since then and before `until`. `agent`: None or empty for everybody's."""
    return CallQuery(state="ended", agent=agent or None, since=since, until=until, limit=PAGE)


async def exported(store: CallNotes, query: CallQuery) -> AsyncIterator[tuple[RecordRow, ...]]:
    """The records of all calls that the query finds, newest first: one page at least, each of the query's limit."""
    while True:
        page = await store.records(query)
        yield page.rows
        if page.next is None:
            return
        query = replace(query, cursor=page.next)


def export_detail(query: CallQuery, form: ExportFormat) -> str:
    """What is exported, for the audit log."""
    moments = (("since", query.since), ("until", query.until))
    return " ".join([form, *(f"{name} {moment.isoformat()}" for name, moment in moments if moment is not None)])
