"""Calls and what happens in them, for tests that need some and do not care which; the moments they happen at."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from asr.types import Role, Utterance
from detectors.contract import Bilingual, Conduct, Finding, Said, Sentiment, Statement
from service.live.messages import Health
from service.media.readings import LegReading
from service.record import summary
from service.record.facts import (
    Alert,
    AlertRaised,
    Call,
    CallClosed,
    CallOpened,
    Fact,
    StatementMade,
    UtteranceHeard,
)
from service.storage.port import LoggedFact

AT = datetime(2026, 3, 2, 10, 30, 0, 250_000, tzinfo=timezone(timedelta(hours=8)))
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
READING = LegReading(dbfs=-31.5, speech=-28.0, peak=-9.0, speaking=True, lost=0.0, late=0, duplicates=0, strays=0)
HEALTH = Health(model="base", live_calls=0, max_calls=16, backlog=0.0)


def now() -> datetime:
    """A clock on the wall that stands still."""
    return datetime(2026, 3, 2, 2, 30, tzinfo=UTC)


def call(call_id: str = "call-1", **changes: Any) -> Call:
    given = Call(
        id=call_id,
        source="pbx",
        roles=("agent", "customer"),
        encoding="mulaw",
        rate=8000,
        language="zh",
        jurisdiction="CN",
        started_at=AT,
        agent="agent-7",
        customer="debtor-42",
        metadata={"campaign": "三月"},
    )
    return replace(given, **changes)


def opened(call_id: str = "call-1", **changes: Any) -> CallOpened:
    return CallOpened(call=call(call_id, **changes))


def utterance(call_id: str = "call-1", index: int = 0, text: str = "您好", role: Role = "agent") -> Utterance:
    return Utterance(
        id=f"{role}-{index}",
        call_id=call_id,
        role=role,
        index=index,
        start=index * 3.0,
        end=index * 3.0 + 2.0,
        text=text,
        language="zh",
        confidence=0.9,
    )


def heard(call_id: str = "call-1", index: int = 0, text: str = "您好", role: Role = "agent") -> UtteranceHeard:
    return UtteranceHeard(utterance=utterance(call_id, index, text, role))


def stated(kind: Said | Conduct, index: int = 0, role: Role = "customer", score: float = 0.9) -> StatementMade:
    said = utterance(index=index, role=role)
    statement = Statement(
        kind=kind,
        role=role,
        start=said.start,
        end=said.end,
        quote=said.text,
        utterance_id=said.id,
        score=score,
    )
    return StatementMade(statement=statement)


def sentiment(index: int = 0, score: float = -0.5, role: Role = "customer") -> Sentiment:
    return Sentiment(
        utterance_id=f"{role}-{index}",
        role=role,
        at=index * 3.0 + 2.0,
        score=score,
        label="negative",
        emotion="anger",
        trend=score / 2,
    )


def finding(**changes: Any) -> Finding:
    given = Finding(
        kind="violation",
        category="threat_of_violence",
        rule="threat.beat_you",
        detector="lexical",
        severity="high",
        score=0.6,
        role="agent",
        start=3.0,
        end=5.0,
        quote="找人打你",
        title=Bilingual(zh="暴力威胁", en="Threat of violence"),
        why=Bilingual(zh="威胁人身安全", en="Threatens bodily harm"),
        cites=("CN-CRIM#293-1",),
        utterance_id="agent-1",
    )
    return replace(given, **changes)


def alert(alert_id: str = "alert-1", call_id: str = "call-1", **changes: Any) -> Alert:
    found = {each.name: getattr(finding(), each.name) for each in fields(Finding)}
    given = Alert(**found, id=alert_id, call_id=call_id, raised_at=AT, latency=1.25)
    return replace(given, **changes)


def raised(alert_id: str = "alert-1", call_id: str = "call-1", **changes: Any) -> AlertRaised:
    return AlertRaised(alert=alert(alert_id, call_id, **changes))


def closed() -> CallClosed:
    return CallClosed(ended_at=AT + timedelta(minutes=2), duration=120.0, ending="completed")


def talk(call_id: str, count: int) -> list[Fact]:
    """`count` utterances of the agent's."""
    return [heard(call_id, index) for index in range(count)]


def logged(fact: Fact, call_id: str = "call-1", seq: int = 1) -> LoggedFact:
    """The fact as a store has it."""
    return LoggedFact(call_id=call_id, seq=seq, at=NOON, fact=fact, summary=summary.opened(call(call_id), seq))
