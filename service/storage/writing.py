"""Writes a call's next facts into its log, its tables and its summary, inside a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from service.record.facts import (
    SYSTEM,
    UNDECIDED,
    AlertChanged,
    AlertRaised,
    AlertState,
    CallOpened,
    CallResumed,
    Fact,
    FindingMade,
    FindingWithdrawn,
    GapMarked,
    SentimentScored,
    UtteranceHeard,
    WordsTimed,
    may_change,
)
from service.record.summary import CallSummary, fold, opened
from service.storage import codec
from service.storage.port import OWNED_FOR, AlreadyExists, LoggedFact, NotFound, StaleChange
from service.storage.tables import alerts, calls, events, findings, gaps, sentiments, utterances

_LOCK_SUMMARY = sa.select(calls.c.summary).where(calls.c.id == sa.bindparam("id")).with_for_update()
_UPDATE_CALL = sa.update(calls).where(calls.c.id == sa.bindparam("call"))


def append(
    connection: sa.Connection, call_id: str, facts: Sequence[tuple[Fact, str]], at: datetime, owner: str = ""
) -> list[LoggedFact]:
    """Write facts (with their JSON) under the call's next `seq`; a call that they open or go on with
    is the owner's.

    The lock on the call's row keeps `seq` free of holes and doubles on PostgreSQL, the write transaction on SQLite.
    """
    fact, _payload = facts[0]
    if isinstance(fact, CallOpened):
        summary, rest = _insert_call(connection, fact, at, owner), facts[1:]
        logged = [LoggedFact(call_id=call_id, seq=1, at=at, fact=fact, summary=summary)]
    else:
        summary, rest, logged = _locked_summary(connection, call_id), facts, []
    for fact, _payload in rest:
        if isinstance(fact, CallOpened):
            raise AlreadyExists(f"call {call_id} was opened before")
        summary = fold(summary, fact, summary.seq + 1)
        logged.append(LoggedFact(call_id=call_id, seq=summary.seq, at=at, fact=fact, summary=summary))
    _insert_events(connection, logged, [payload for _fact, payload in facts])
    for entry in logged:
        _spread(connection, entry)
    if rest:
        owned = _owned(owner, at) if any(isinstance(fact, CallResumed) for fact, _payload in rest) else {}
        connection.execute(_UPDATE_CALL, {"call": call_id, **codec.summary_row(summary), **owned})
    return logged


def own(connection: sa.Connection, owner: str, call_ids: Collection[str], until: datetime) -> None:
    """Live calls among these become the owner's."""
    theirs = sa.and_(calls.c.id.in_(list(call_ids)), calls.c.state == "live")
    connection.execute(sa.update(calls).where(theirs).values(owner=owner, owned_until=until))


def append_to_alert(
    connection: sa.Connection,
    call_id: str,
    facts: Sequence[tuple[Fact, str]],
    at: datetime,
    alert_id: str,
    among: Collection[AlertState],
) -> list[LoggedFact]:
    """`append`, where the alert is in one of the states `among`: else StaleChange."""
    _locked_summary(connection, call_id)  # from here on nobody else changes this call's alerts
    present = connection.execute(sa.select(alerts.c.state).where(alerts.c.id == alert_id)).scalar_one_or_none()
    if present not in among:
        raise StaleChange(f"alert {alert_id} is {present} by now")
    return append(connection, call_id, facts, at)


def append_note(
    connection: sa.Connection, call_id: str, facts: Sequence[tuple[Fact, str]], at: datetime, seen: int
) -> list[LoggedFact]:
    """`append`, where so many notes were written before: else StaleChange."""
    _locked_summary(connection, call_id)  # from here on nobody else writes to this call
    written = sa.select(sa.func.count()).where(events.c.call_id == call_id, events.c.type == "note_written")
    if (present := connection.execute(written).scalar_one()) != seen:
        raise StaleChange(f"the record of call {call_id} has {present} edits by now, not {seen}")
    return append(connection, call_id, facts, at)


def _insert_call(connection: sa.Connection, fact: CallOpened, at: datetime, owner: str) -> CallSummary:
    summary = opened(fact.call, seq=1)
    try:
        connection.execute(sa.insert(calls), {**codec.summary_row(summary), **_owned(owner, at)})
    except IntegrityError as error:
        raise AlreadyExists(f"call {fact.call.id} exists already: give each call an id of its own") from error
    return summary


def _owned(owner: str, at: datetime) -> dict[str, Any]:
    return {"owner": owner, "owned_until": at + OWNED_FOR}


def _locked_summary(connection: sa.Connection, call_id: str) -> CallSummary:
    found = connection.execute(_LOCK_SUMMARY, {"id": call_id}).scalar_one_or_none()
    if found is None:
        raise NotFound(f"no call {call_id}")
    return codec.SUMMARY.validate_json(found)


def _insert_events(connection: sa.Connection, logged: Sequence[LoggedFact], payloads: Sequence[str]) -> None:
    rows = [
        {"call_id": entry.call_id, "seq": entry.seq, "at": entry.at, "type": entry.fact.type, "payload": payload}
        for entry, payload in zip(logged, payloads, strict=True)
    ]
    connection.execute(sa.insert(events), rows)


def _spread(connection: sa.Connection, entry: LoggedFact) -> None:
    """The fact's row in its own table, for those that have one."""
    if isinstance(entry.fact, AlertChanged):
        _change_alert(connection, entry.call_id, entry.fact)
        return
    if isinstance(entry.fact, WordsTimed):
        _time_words(connection, entry.call_id, entry.fact)
        return
    if isinstance(entry.fact, FindingWithdrawn):
        _withdraw(connection, entry.call_id, entry.fact, entry.at)
        return
    table, values = _row(entry.fact)
    if table is not None:
        connection.execute(sa.insert(table), {**values, "call_id": entry.call_id, "seq": entry.seq})


def _row(fact: Fact) -> tuple[sa.Table | None, dict[str, Any]]:
    match fact:
        case UtteranceHeard():
            return utterances, codec.row_of(codec.UTTERANCE, fact.utterance)
        case SentimentScored():
            return sentiments, codec.row_of(codec.SENTIMENT, fact.sentiment)
        case FindingMade():
            return findings, codec.row_of(codec.FINDING, fact.finding)
        case AlertRaised():
            return alerts, codec.row_of(codec.ALERT, fact.alert)
        case GapMarked():
            row = codec.row_of(codec.GAP, fact)
            return gaps, {name: row[name] for name in ("role", "start", "end", "reason")}
        case _:
            return None, {}


def _time_words(connection: sa.Connection, call_id: str, timed: WordsTimed) -> None:
    of_call = sa.and_(utterances.c.id == timed.utterance_id, utterances.c.call_id == call_id)
    words = codec.WORDS.dump_python(timed.words)
    if connection.execute(sa.update(utterances).where(of_call).values(words=words)).rowcount == 0:
        raise NotFound(f"no utterance {timed.utterance_id} in call {call_id}")


def _withdraw(connection: sa.Connection, call_id: str, fact: FindingWithdrawn, at: datetime) -> None:
    """The alert of a finding that was none is dismissed, unless a person has decided on it."""
    of_call = sa.and_(alerts.c.id == fact.alert_id, alerts.c.call_id == call_id)
    why = fact.withdrawn.why
    values = {"state": "dismissed", "changed_by": SYSTEM, "changed_at": at, "note": f"{why.zh} / {why.en}"}
    connection.execute(sa.update(alerts).where(of_call, alerts.c.state.in_(UNDECIDED)).values(values))


def _change_alert(connection: sa.Connection, call_id: str, change: AlertChanged) -> None:
    of_call = sa.and_(alerts.c.id == change.alert_id, alerts.c.call_id == call_id)
    present = connection.execute(sa.select(alerts.c.state).where(of_call)).scalar_one_or_none()
    if present is None:
        raise NotFound(f"no alert {change.alert_id} in call {call_id}")
    if not may_change(present, change.state):
        raise StaleChange(f"alert {change.alert_id} is {present} and cannot become {change.state}")
    values = {"state": change.state, "changed_by": change.by, "changed_at": change.at, "note": change.note}
    connection.execute(sa.update(alerts).where(of_call).values(values))
