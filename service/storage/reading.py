"""Reads calls, inside a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa
from pydantic import TypeAdapter

from detectors.contract import SAID, EarlierContact, Said, Statement
from service.record.export import RecordRow, record_row
from service.record.facts import FACT, Alert, Call, FindingWithdrawn, NoteWritten, Notice
from service.record.note import drafted
from service.record.summary import CallSummary, fold, opened
from service.storage import codec, tables
from service.storage.port import CallRecord, LoggedFact, NotFound

T = TypeVar("T")
M = TypeVar("M", Notice, FindingWithdrawn)

_CALL_EXISTS = sa.select(sa.literal(1)).where(tables.calls.c.id == sa.bindparam("id"))


def summary(connection: sa.Connection, call_id: str) -> CallSummary:
    """The present summary of a call; NotFound."""
    statement = sa.select(tables.calls.c.summary).where(tables.calls.c.id == call_id)
    found = connection.execute(statement).scalar_one_or_none()
    if found is None:
        raise NotFound(f"no call {call_id}")
    return codec.SUMMARY.validate_json(found)


def facts(connection: sa.Connection, call_id: str, after: int, limit: int) -> list[LoggedFact]:
    """At most `limit` facts of the log after `seq`, oldest first; NotFound."""
    events = tables.events
    present = summary(connection, call_id)
    statement = sa.select(events.c.seq, events.c.at, events.c.payload).order_by(events.c.seq).limit(limit)
    rows = connection.execute(statement.where(events.c.call_id == call_id, events.c.seq > after)).all()
    return [
        LoggedFact(call_id=present.call.id, seq=seq, at=at, fact=FACT.validate_json(payload), summary=present)
        for seq, at, payload in rows
    ]


def call(connection: sa.Connection, call_id: str) -> CallRecord:
    """Everything known of a call; NotFound."""
    statements = tuple(each.statement for each in _in_order(connection, call_id, "statement", codec.STATEMENT))
    edits = tuple(_in_order(connection, call_id, "note_written", codec.NOTE))
    return CallRecord(
        summary=summary(connection, call_id),
        utterances=_of_call(connection, call_id, tables.utterances, codec.UTTERANCE, "start"),
        sentiments=_of_call(connection, call_id, tables.sentiments, codec.SENTIMENT, "at"),
        findings=_of_call(connection, call_id, tables.findings, codec.FINDING, "start"),
        alerts=_of_call(connection, call_id, tables.alerts, codec.ALERT, "start"),
        gaps=_of_call(connection, call_id, tables.gaps, codec.GAP, "start"),
        notices=tuple(_told(connection, call_id, "notice", codec.NOTICE)),
        withdrawals=tuple(_told(connection, call_id, "finding_withdrawn", codec.WITHDRAWAL)),
        statements=statements,
        note=edits[-1].note if edits else drafted(statements),
        edits=edits,
    )


def _told(connection: sa.Connection, call_id: str, kind: str, adapter: TypeAdapter[M]) -> list[M]:
    """The call's facts of a kind in the order of their time."""
    return sorted(_in_order(connection, call_id, kind, adapter), key=lambda fact: fact.at)


def _in_order(connection: sa.Connection, call_id: str, kind: str, adapter: TypeAdapter[T]) -> list[T]:
    """The call's facts of a kind that is so rare that the log alone holds it, as they were written."""
    events = tables.events
    statement = sa.select(events.c.payload).where(events.c.call_id == call_id, events.c.type == kind)
    return [adapter.validate_json(each) for each in connection.execute(statement.order_by(events.c.seq)).scalars()]


def _of_call(
    connection: sa.Connection, call_id: str, table: sa.Table, adapter: TypeAdapter[T], time: str
) -> tuple[T, ...]:
    """The call's rows in the order of their time on the audio clock, then of their writing."""
    statement = sa.select(table).where(table.c.call_id == call_id).order_by(table.c[time], table.c.seq)
    found = connection.execute(statement)
    names = tuple(found.keys())
    return tuple(adapter.validate_python(dict(zip(names, row, strict=True))) for row in found)


def contacts(
    connection: sa.Connection, customer: str, since: datetime, but: str, limit: int, known_at: datetime | None = None
) -> tuple[EarlierContact, ...]:
    """Calls with this customer that began since then, newest first, but for one. `known_at`: as the log had them
    then."""
    calls, events = tables.calls, tables.events
    theirs = sa.and_(calls.c.customer == customer, calls.c.started_at >= since, calls.c.id != but)
    newest = sa.select(calls.c.summary).where(theirs).order_by(calls.c.started_at.desc(), calls.c.id.desc())
    if known_at is not None:
        newest = newest.where(sa.exists().where(events.c.call_id == calls.c.id, events.c.at <= known_at))
    found = [codec.SUMMARY.validate_json(each) for each in connection.execute(newest.limit(limit)).scalars()]
    if known_at is not None:
        found = [_summary_then(connection, each.call, known_at) for each in found]
    said = _said_in(connection, [each.call.id for each in found], known_at)
    return tuple(
        EarlierContact(
            call_id=each.call.id,
            started_at=each.call.started_at,
            duration=each.duration,
            spoke=tuple(party.role for party in each.parties if party.talked > 0),
            legs=each.call.roles,
            said=said[each.call.id],
            metadata=dict(each.call.metadata),
        )
        for each in found
    )


def _summary_then(connection: sa.Connection, call: Call, known_at: datetime) -> CallSummary:
    """The summary of what the log had at that moment."""
    events, present = tables.events, opened(call, 0)
    by_then = sa.select(events.c.seq, events.c.payload).where(events.c.call_id == call.id, events.c.at <= known_at)
    for seq, payload in connection.execute(by_then.order_by(events.c.seq)):
        present = fold(present, FACT.validate_json(payload), seq)
    return present


def _said_in(
    connection: sa.Connection, call_ids: Sequence[str], known_at: datetime | None
) -> Mapping[str, dict[Said, float]]:
    """What whoever answered stated, by call, and how sure that is. The record that a person wrote comes first."""
    said = {call_id: dict[Said, float]() for call_id in call_ids}
    for call_id, told in _of_records(connection, call_ids, known_at):
        if isinstance(told, NoteWritten):
            said[call_id] = dict.fromkeys(told.note.outcomes, 1.0)
        elif told.kind in SAID:
            said[call_id][told.kind] = max(told.score, said[call_id].get(told.kind, 0.0))
    return said


def record_rows(connection: sa.Connection, calls: Sequence[Call]) -> tuple[RecordRow, ...]:
    """The records of these calls, in their order."""
    statements: dict[str, list[Statement]] = {call.id: [] for call in calls}
    edits: dict[str, NoteWritten] = {}
    for call_id, told in _of_records(connection, list(statements)):
        if isinstance(told, NoteWritten):
            edits[call_id] = told
        else:
            statements[call_id].append(told)
    return tuple(record_row(call, drafted(statements[call.id]), edits.get(call.id)) for call in calls)


def _of_records(
    connection: sa.Connection, call_ids: Sequence[str], known_at: datetime | None = None
) -> Iterator[tuple[str, Statement | NoteWritten]]:
    """What makes the records of calls: all statements, then what people wrote, as each came; `known_at`: until then."""
    events = tables.events
    of_these = sa.and_(events.c.call_id.in_(call_ids), events.c.type.in_(("statement", "note_written")))
    told = sa.select(events.c.call_id, events.c.type, events.c.payload).where(of_these)
    if known_at is not None:
        told = told.where(events.c.at <= known_at)
    for call_id, kind, payload in connection.execute(told.order_by(events.c.type.desc(), events.c.seq)):
        if kind == "note_written":
            yield call_id, codec.NOTE.validate_json(payload)
        else:
            yield call_id, codec.STATEMENT.validate_json(payload).statement


def live_calls(connection: sa.Connection) -> list[CallSummary]:
    """Calls that nobody has closed, oldest first."""
    calls = tables.calls
    statement = sa.select(calls.c.summary).where(calls.c.state == "live").order_by(calls.c.started_at, calls.c.id)
    return [codec.SUMMARY.validate_json(found) for found in connection.execute(statement).scalars()]


def left_calls(connection: sa.Connection, owner: str, now: datetime, *, own: bool) -> list[CallSummary]:
    """Live calls without an owner at `now`, oldest first; with `own` also those of this owner."""
    calls = tables.calls
    nobodys = sa.or_(calls.c.owned_until.is_(None), calls.c.owned_until < now)
    left = sa.or_(nobodys, calls.c.owner == owner) if own else nobodys
    statement = sa.select(calls.c.summary).where(calls.c.state == "live", left).order_by(calls.c.started_at, calls.c.id)
    return [codec.SUMMARY.validate_json(found) for found in connection.execute(statement).scalars()]


def next_call_id(connection: sa.Connection, announced: str, claimed: Collection[str]) -> str:
    """Doubles the number until an id is free, then halves the distance to the last one that is taken.

    Each step looks up one id by the primary key. A search by prefix would depend on the database's collation, and
    would read every call of an id that a gateway never changes.
    """

    def taken(call_id: str) -> bool:
        found = connection.execute(_CALL_EXISTS, {"id": call_id}).scalar_one_or_none()
        return found is not None or call_id in claimed

    if not taken(announced):
        return announced
    last, free = 1, 2
    while taken(f"{announced}~{free}"):
        last, free = free, free * 2
    while free - last > 1:
        middle = (last + free) // 2
        last, free = (middle, free) if taken(f"{announced}~{middle}") else (last, middle)
    return f"{announced}~{free}"


def alert(connection: sa.Connection, alert_id: str) -> Alert:
    """An alert by its id; NotFound."""
    statement = sa.select(tables.alerts).where(tables.alerts.c.id == alert_id)
    row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        raise NotFound(f"no alert {alert_id}")
    return codec.value_of(codec.ALERT, row)
