"""What other systems are told of calls, as values. Nothing of it was said in a call, and no debtor is named.

A fact that is told becomes one of these in the moment it is stored (`told_of`), under an id that stays the same however
often it is sent (`event_id`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from asr.types import CallLanguage, Role, Seconds
from detectors.contract import Bilingual, FindingKind, Jurisdiction, Severity
from service.record.facts import Alert, AlertRaised, CallClosed, CallEnding, CallOpened, Fact
from service.record.summary import CallSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTold:
    """An alert, without the words that it quotes. `start`, `end`: where they are on the call's clock."""

    alert_id: str
    call_id: str
    source: str
    agent: str
    kind: FindingKind
    severity: Severity
    category: str
    rule: str
    title: Bilingual
    why: Bilingual
    cites: tuple[str, ...]
    role: Role
    start: Seconds
    end: Seconds
    raised_at: datetime
    type: Literal["alert"] = "alert"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStartedTold:
    call_id: str
    source: str
    agent: str
    language: CallLanguage
    jurisdiction: Jurisdiction
    started_at: datetime
    type: Literal["call_started"] = "call_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEndedTold:
    """`alerts`: by severity, those that nobody has dismissed; `risk` as in the call's summary. A call that is gone on
    with ends once more, which is told once more."""

    call_id: str
    source: str
    agent: str
    started_at: datetime
    ended_at: datetime
    duration: Seconds
    ending: CallEnding
    risk: int
    alerts: dict[Severity, int]
    type: Literal["call_ended"] = "call_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCount:
    """How many alerts a rule has raised."""

    rule: str
    severity: Severity
    title: Bilingual
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestTold:
    """A day's calls that began and alerts that were raised, from `since` to before `until`. `rules`: those with the
    most alerts, most first. `open_alerts`: all that nobody has acknowledged, whenever they were raised."""

    since: datetime
    until: datetime
    calls: int
    alerts: dict[Severity, int]
    rules: tuple[RuleCount, ...]
    open_alerts: int
    type: Literal["digest"] = "digest"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialTold:
    """Somebody tries the webhook."""

    asked_at: datetime
    type: Literal["test"] = "test"


OutgoingEvent: TypeAlias = AlertTold | CallStartedTold | CallEndedTold | DigestTold | TrialTold
OUTGOING: TypeAdapter[OutgoingEvent] = TypeAdapter(Annotated[OutgoingEvent, Field(discriminator="type")])


def call_id_of(event: OutgoingEvent) -> str:
    """The call that the event tells of; empty for a digest and a test."""
    return "" if isinstance(event, DigestTold | TrialTold) else event.call_id


def told_of(fact: Fact, summary: CallSummary) -> OutgoingEvent | None:
    """What is told of a fact; None for most. `summary`: the call's, with the fact folded in."""
    call = summary.call
    match fact:
        case AlertRaised(alert=alert):
            return _alert(alert, summary)
        case CallOpened():
            return CallStartedTold(
                call_id=call.id,
                source=call.source,
                agent=call.agent,
                language=call.language,
                jurisdiction=call.jurisdiction,
                started_at=call.started_at,
            )
        case CallClosed():
            return CallEndedTold(
                call_id=call.id,
                source=call.source,
                agent=call.agent,
                started_at=call.started_at,
                ended_at=fact.ended_at,
                duration=fact.duration,
                ending=fact.ending,
                risk=summary.risk,
                alerts=dict(summary.alerts),
            )
        case _:
            return None


def _alert(alert: Alert, summary: CallSummary) -> AlertTold:
    return AlertTold(
        alert_id=alert.id,
        call_id=summary.call.id,
        source=summary.call.source,
        agent=summary.call.agent,
        kind=alert.kind,
        severity=alert.severity,
        category=alert.category,
        rule=alert.rule,
        title=alert.title,
        why=alert.why,
        cites=alert.cites,
        role=alert.role,
        start=alert.start,
        end=alert.end,
        raised_at=alert.raised_at,
    )


def event_id(*parts: object) -> str:
    """The id of what these parts name: the same parts, the same id. Letters, digits and `_` alone: a signature joins it
    to what follows with a dot."""
    return "evt_" + hashlib.sha256("\0".join(map(str, parts)).encode(errors="replace")).hexdigest()[:32]
