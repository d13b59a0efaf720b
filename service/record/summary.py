"""A call's summary, folded from its facts one at a time, in the same way live and from the log. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import singledispatch

from asr.types import Role, Seconds
from detectors.contract import Severity
from service.record.facts import (
    UNDECIDED,
    AlertChanged,
    AlertRaised,
    AlertState,
    Call,
    CallClosed,
    CallEnding,
    CallOpened,
    CallResumed,
    CallState,
    Fact,
    FindingWithdrawn,
    GapMarked,
    Notice,
    NoticeCode,
    SentimentScored,
    UtteranceHeard,
)

TREND_POINTS = 60
"""Sentiment points kept for each party's line on the wall: more than a wall card has pixels to tell apart."""

_OF_A_MOMENT: frozenset[NoticeCode] = frozenset({"gateway_irregular", "audio_missing"})
"""Notices of something that is over. They leave nothing wrong with the call's monitoring."""

RISK_WEIGHTS: dict[Severity, int] = {"critical": 50, "high": 25, "medium": 8, "low": 2}
"""How much one alert adds to a call's risk."""
_ANGER_WEIGHT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SentimentPoint:
    at: Seconds
    score: float
    trend: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One side of the call: how it sounds, how long it has talked, what it said last."""

    role: Role
    sentiment: float | None = None
    points: tuple[SentimentPoint, ...] = ()
    talked: Seconds = 0.0
    last_text: str = ""
    last_end: Seconds = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSummary:
    """What the wall shows of a call. `risk` lies in [0, 100]; `seq` is the last fact folded in.

    `alerts` maps a severity to the number of alerts that no one has dismissed; `troubles` are the notices
    in force (a failing disk, lost recognition).
    """

    call: Call
    state: CallState = "live"
    seq: int = 0
    risk: int = 0
    alerts: dict[Severity, int] = field(default_factory=dict)
    alert_states: dict[str, tuple[Severity, AlertState]] = field(default_factory=dict)
    parties: tuple[Party, ...] = ()
    gaps: int = 0
    troubles: tuple[NoticeCode, ...] = ()
    ended_at: datetime | None = None
    duration: Seconds = 0.0
    ending: CallEnding | None = None


def opened(call: Call, seq: int) -> CallSummary:
    """The summary of a call of which only the announcement is known."""
    return CallSummary(call=call, seq=seq, parties=tuple(Party(role=role) for role in call.roles))


def fold(summary: CallSummary, fact: Fact, seq: int) -> CallSummary:
    """The summary after `fact`; facts already folded (seq not above the summary's) change nothing."""
    if seq <= summary.seq:
        return summary
    return _with_risk(replace(_apply(fact, summary), seq=seq))


def changes_summary(fact: Fact) -> bool:
    """Whether `fold` may change more of a summary by it than `seq`."""
    match fact:
        case Notice(code=code):
            return code not in _OF_A_MOMENT
        case FindingWithdrawn(alert_id=None):
            return False
        case _:
            return _apply.dispatch(type(fact)) is not _apply.dispatch(object)


@singledispatch
def _apply(fact: Fact, summary: CallSummary) -> CallSummary:
    return summary


@_apply.register
def _(fact: UtteranceHeard, summary: CallSummary) -> CallSummary:
    said = fact.utterance

    def spoke(party: Party) -> Party:
        return replace(party, talked=party.talked + said.end - said.start, last_text=said.text, last_end=said.end)

    return _party(summary, said.role, spoke)


@_apply.register
def _(fact: SentimentScored, summary: CallSummary) -> CallSummary:
    felt = fact.sentiment
    point = SentimentPoint(at=felt.at, score=felt.score, trend=felt.trend)

    def felt_so(party: Party) -> Party:
        return replace(party, sentiment=felt.trend, points=(*party.points, point)[-TREND_POINTS:])

    return _party(summary, felt.role, felt_so)


@_apply.register
def _(fact: AlertRaised, summary: CallSummary) -> CallSummary:
    states: dict[str, tuple[Severity, AlertState]] = dict(summary.alert_states)
    states[fact.alert.id] = (fact.alert.severity, fact.alert.state)
    return _with_alerts(summary, states)


@_apply.register
def _(fact: AlertChanged, summary: CallSummary) -> CallSummary:
    if fact.alert_id not in summary.alert_states:
        return summary
    severity, _state = summary.alert_states[fact.alert_id]
    states = dict(summary.alert_states)
    states[fact.alert_id] = (severity, fact.state)
    return _with_alerts(summary, states)


@_apply.register
def _(fact: FindingWithdrawn, summary: CallSummary) -> CallSummary:
    severity, state = summary.alert_states.get(fact.alert_id or "", ("low", "dismissed"))
    if fact.alert_id is None or state not in UNDECIDED:
        return summary
    return _with_alerts(summary, {**summary.alert_states, fact.alert_id: (severity, "dismissed")})


@_apply.register
def _(fact: GapMarked, summary: CallSummary) -> CallSummary:
    return replace(summary, gaps=summary.gaps + 1)


@_apply.register
def _(fact: Notice, summary: CallSummary) -> CallSummary:
    if fact.code in _OF_A_MOMENT:
        return summary
    cause, _, phase = fact.code.rpartition("_")
    kept = tuple(c for c in summary.troubles if c != fact.code and not c.startswith(f"{cause}_"))
    return replace(summary, troubles=kept if phase == "recovered" else (*kept, fact.code))


@_apply.register
def _(fact: CallClosed, summary: CallSummary) -> CallSummary:
    return replace(summary, state="ended", ended_at=fact.ended_at, duration=fact.duration, ending=fact.ending)


@_apply.register
def _(fact: CallResumed, summary: CallSummary) -> CallSummary:
    return replace(summary, state="live", ended_at=None, duration=0.0, ending=None)


@_apply.register
def _(fact: CallOpened, summary: CallSummary) -> CallSummary:
    return summary


def _with_alerts(summary: CallSummary, states: dict[str, tuple[Severity, AlertState]]) -> CallSummary:
    counts: dict[Severity, int] = {}
    for severity, state in states.values():
        if state != "dismissed":
            counts[severity] = counts.get(severity, 0) + 1
    return replace(summary, alert_states=states, alerts=counts)


def _with_risk(summary: CallSummary) -> CallSummary:
    broken = sum(RISK_WEIGHTS[severity] * count for severity, count in summary.alerts.items())
    anger = sum(max(0.0, -(party.sentiment or 0.0)) for party in summary.parties) * _ANGER_WEIGHT
    return replace(summary, risk=min(100, round(broken + anger)))


def _party(summary: CallSummary, role: Role, change: Callable[[Party], Party]) -> CallSummary:
    parties = tuple(change(p) if p.role == role else p for p in summary.parties)
    return replace(summary, parties=parties)
