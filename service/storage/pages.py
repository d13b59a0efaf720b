"""Pages of calls and alerts, newest first, inside a transaction of the caller's."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from service.record.facts import Alert, Call
from service.storage import codec, reading
from service.storage.port import AlertPage, AlertQuery, CallPage, CallQuery, InvalidCursor, RecordPage
from service.storage.tables import alerts, calls, utterances

LARGEST_PAGE = 500


def calls_page(connection: sa.Connection, query: CallQuery) -> CallPage:
    """One page of calls. Raises InvalidCursor."""
    rows = connection.execute(_select_calls(query)).all()  # one more than the page holds, if another follows
    page = rows[: _page_size(query.limit)]
    more = _cursor_after(page[-1].started_at, page[-1].id) if len(rows) > len(page) else None
    return CallPage(calls=tuple(codec.SUMMARY.validate_json(row.summary) for row in page), next=more)


def records_page(connection: sa.Connection, query: CallQuery) -> RecordPage:
    """The records of one page of calls. Raises InvalidCursor."""
    page = calls_page(connection, query)
    return RecordPage(rows=reading.record_rows(connection, [each.call for each in page.calls]), next=page.next)


def alerts_page(connection: sa.Connection, query: AlertQuery) -> AlertPage:
    """One page of alerts, with the calls that they were raised in. Raises InvalidCursor."""
    rows = connection.execute(_select_alerts(query)).mappings().all()
    page = [codec.value_of(codec.ALERT, row) for row in rows[: _page_size(query.limit)]]
    more = _cursor_after(page[-1].raised_at, page[-1].id) if len(rows) > len(page) else None
    return AlertPage(alerts=tuple(page), calls=_calls_of(connection, page), next=more)


def _calls_of(connection: sa.Connection, page: Iterable[Alert]) -> tuple[Call, ...]:
    ids = dict.fromkeys(alert.call_id for alert in page)
    found = connection.execute(sa.select(calls.c.id, calls.c.summary).where(calls.c.id.in_(list(ids)))).all()
    known = {row.id: codec.SUMMARY.validate_json(row.summary).call for row in found}
    return tuple(known[each] for each in ids)


def _page_size(limit: int) -> int:
    return max(1, min(limit, LARGEST_PAGE))


def _select_calls(query: CallQuery) -> sa.Select[str, datetime, str]:
    statement = sa.select(calls.c.id, calls.c.started_at, calls.c.summary)
    statement = statement.where(*_call_conditions(query), *_after(query.cursor, calls.c.started_at, calls.c.id))
    newest_first = statement.order_by(calls.c.started_at.desc(), calls.c.id.desc())
    return newest_first.limit(_page_size(query.limit) + 1)


def _call_conditions(query: CallQuery) -> Iterable[sa.ColumnElement[bool]]:
    if query.state is not None:
        yield calls.c.state == query.state
    if query.flagged is not None:
        yield calls.c.alert_count > 0 if query.flagged else calls.c.alert_count == 0
    if query.agent is not None:
        yield calls.c.agent == query.agent
    if query.since is not None:
        yield calls.c.started_at >= query.since
    if query.until is not None:
        yield calls.c.started_at < query.until
    if query.text:
        yield _mentions(query.text)


def _mentions(text: str) -> sa.ColumnElement[bool]:
    """Matches the text as it stands, in any case of ASCII letters; % and _ mean themselves."""
    said = sa.exists().where(utterances.c.call_id == calls.c.id, utterances.c.text.icontains(text, autoescape=True))
    known = [column.icontains(text, autoescape=True) for column in (calls.c.id, calls.c.agent, calls.c.customer)]
    return sa.or_(*known, said)


def _select_alerts(query: AlertQuery) -> sa.Select[Any]:
    statement = sa.select(alerts).where(*_after(query.cursor, alerts.c.raised_at, alerts.c.id))
    if query.states:
        statement = statement.where(alerts.c.state.in_(query.states))
    if query.severities:
        statement = statement.where(alerts.c.severity.in_(query.severities))
    if query.call_id is not None:
        statement = statement.where(alerts.c.call_id == query.call_id)
    newest_first = statement.order_by(alerts.c.raised_at.desc(), alerts.c.id.desc())
    return newest_first.limit(_page_size(query.limit) + 1)


def _cursor_after(moment: datetime, identifier: str) -> str:
    """The place where a page ended. Rows that come after the first page was read are newer, and do not shift the
    following pages."""
    return base64.urlsafe_b64encode(f"{moment.isoformat()} {identifier}".encode()).decode()


def _after(cursor: str | None, moment: sa.Column[Any], identifier: sa.Column[Any]) -> Iterable[sa.ColumnElement[bool]]:
    if cursor is None:
        return
    last_moment, last_identifier = _parse_cursor(cursor)
    older = moment < last_moment
    yield sa.or_(older, sa.and_(moment == last_moment, identifier < last_identifier))


def _parse_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        text = base64.b64decode(cursor, altchars=b"-_", validate=True).decode()
        moment, _, identifier = text.partition(" ")
        parsed = datetime.fromisoformat(moment)
        parsed.astimezone()
    except (binascii.Error, ValueError, OverflowError) as error:
        raise InvalidCursor(f"not a cursor: {cursor[:80]!r}; use the `next` of a page") from error
    if parsed.tzinfo is None:
        raise InvalidCursor(f"not a cursor: {cursor[:80]!r}; use the `next` of a page")
    return parsed, identifier
