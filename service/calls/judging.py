"""What detectors see of a call becomes facts and is written: findings, sentiment, statements, and alerts for what is
worth a person's eyes now. One for each call, told in its order.

A finding that raises no alert is stored too, and the replay page shows it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from types import MappingProxyType

import structlog

from asr.types import Seconds
from detectors.contract import (
    SEVERITIES,
    Finding,
    Observation,
    PackVersion,
    Sentiment,
    Severity,
    Statement,
    Withdrawn,
)
from detectors.runtime.runner import DetectorFailure
from service.calls.ports import Journal
from service.metrics import Metrics
from service.record.facts import (
    Alert,
    AlertRaised,
    Fact,
    FindingMade,
    FindingWithdrawn,
    Notice,
    SentimentScored,
    StatementMade,
)

log = structlog.get_logger()

_NAMESPACE = uuid.UUID("6f0d1c6e-3f5b-5a53-9d1c-0c1c9a7b5e21")

_COOL_DOWN: Mapping[Severity, Seconds] = MappingProxyType(
    {"critical": 20.0, "high": 45.0, "medium": 90.0, "low": 180.0}
)


class CallLog:
    """What is written of a call, in the journal. `wall` tells when a fact is written, `late` how long ago a moment of
    the call's audio came in; `raised`: alerts of an earlier session; `pack`: the rules that judge."""

    def __init__(
        self,
        call_id: str,
        journal: Journal,
        metrics: Metrics,
        wall: Callable[[], datetime],
        late: Callable[[Seconds], Seconds],
        raised: Sequence[Alert] = (),
        pack: PackVersion | None = None,
    ) -> None:
        self._call_id = call_id
        self._journal = journal
        self._metrics = metrics
        self._wall = wall
        self._late = late
        self._alerts = AlertPolicy(call_id, raised=raised)
        self._pack = pack

    @property
    def failing(self) -> bool:
        """The store takes nothing now; what is written is kept until it does."""
        return self._journal.failing

    async def write(self, *facts: Fact) -> None:
        """At once and in this order."""
        if facts:
            await self._journal.write(self._call_id, facts, self._wall())

    async def tell(self, notice: Notice | None) -> None:
        """A change of the call's monitoring, where there is one."""
        if notice is not None:
            log.warning("call's monitoring changed", call_id=self._call_id, code=notice.code)
            await self.write(notice)

    async def observe(self, observed: Sequence[Observation | DetectorFailure], at: Seconds) -> None:
        """What the detectors said when the audio clock had reached `at`, and the alerts it raises."""
        await self.write(*(fact for seen in observed for fact in self._facts_of(seen, at)))

    async def foresee(self, foreseen: Sequence[Finding]) -> bool:
        """Alerts for what an utterance that still goes on holds already, if critical; whether there are any. The
        findings follow with its final text, and raise no second alert."""
        critical = [self._stamped(finding) for finding in foreseen if finding.severity == "critical"]
        alerts = [fact for finding in critical for fact in self._alert(finding)]
        await self.write(*alerts)
        return bool(alerts)

    def _stamped(self, finding: Finding) -> Finding:
        return replace(finding, pack=self._pack)

    def _facts_of(self, seen: Observation | DetectorFailure, at: Seconds) -> list[Fact]:
        if isinstance(seen, Sentiment):
            return [SentimentScored(sentiment=seen)]
        if isinstance(seen, Statement):
            return [StatementMade(statement=seen)]
        if isinstance(seen, Finding):
            finding = self._stamped(seen)
            return [FindingMade(finding=finding), *self._alert(finding)]
        if isinstance(seen, Withdrawn):
            return [FindingWithdrawn(withdrawn=seen, alert_id=self._alerts.withdraw(seen), at=at)]
        self._metrics.detector_failures.labels(seen.detector).inc()
        return [Notice(code="detector_failed", message=f"{seen.detector}: {seen.message}", at=at)]

    def _alert(self, finding: Finding) -> list[Fact]:
        latency = self._late(finding.end)
        alert = self._alerts.consider(finding, raised_at=self._wall(), latency=latency)
        if alert is None:
            return []
        self._metrics.alerts.labels(alert.severity).inc()
        self._metrics.alert_latency.observe(latency)
        return [AlertRaised(alert=alert)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLimits:
    """How much one call may ask of a person.

    `cool_down`: seconds on the audio clock for which a rule that raised an alert stays quiet. A supervisor needs some
    20 s to see an alert, listen in and act; a critical one that still goes on after that is news again. What is
    less severe is judged after the call, where one mark a minute or three tells as much as ten.
    `clearly_higher`: a score this much above the rule's last alert ends the cool-down: the detector has become
    much surer. It can happen at most five times in a row, for scores end at 1.
    `most`: alerts a call of each class, critical and others. Past forty nobody reads on, the call is at risk 100
    already, and a misfiring rule must not bury the other calls. Critical ones count apart, so that lesser ones
    never use up their room.
    """

    cool_down: Mapping[Severity, Seconds] = field(default_factory=lambda: _COOL_DOWN)
    clearly_higher: float = 0.2
    most: int = 40


class AlertPolicy:
    """The alerts of one call so far. It decides whether a finding raises another one. `raised`: alerts of an earlier
    session."""

    def __init__(self, call_id: str, limits: AlertLimits | None = None, *, raised: Iterable[Alert] = ()) -> None:
        self._call_id = call_id
        self._limits = limits or AlertLimits()
        self._raised: list[Alert] = list(raised)  # bounded by twice `most`
        self._withdrawn: set[str] = set()

    def consider(self, finding: Finding, *, raised_at: datetime, latency: Seconds) -> Alert | None:
        """The alert this finding raises, or None where it would tell a person nothing new.

        `latency` is the time from the end of the evidence to now, live; it is stored, not judged.
        """
        if self._known(finding) or self._cooling_down(finding) or self._at_limit(finding.severity):
            return None
        alert = _alert(finding, self._call_id, raised_at, latency)
        if alert.id in self._withdrawn or any(alert.id == raised.id for raised in self._raised):
            return None  # the very evidence that was withdrawn, or moments less than a millisecond apart
        self._raised.append(alert)
        return alert

    def withdraw(self, withdrawn: Withdrawn) -> str | None:
        """A finding was taken back, so its rule no longer has to stay quiet. Returns the id of the alert that it
        raised."""
        told = (withdrawn.rule, withdrawn.role, withdrawn.start, withdrawn.end)
        alert = next((a for a in reversed(self._raised) if (a.rule, a.role, a.start, a.end) == told), None)
        if alert is None:
            return None
        self._raised.remove(alert)
        self._withdrawn.add(alert.id)
        return alert.id

    def _known(self, finding: Finding) -> bool:
        """Whether the same evidence has an alert of this severity or above: by the same rule, or in the same utterance
        and category (two detectors that agree)."""
        return any(
            _rank(alert.severity) >= _rank(finding.severity)
            for alert in self._raised
            if alert.role == finding.role and _same_evidence(alert, finding)
        )

    def _cooling_down(self, finding: Finding) -> bool:
        """Whether the rule's last alert is too recent, and this finding neither more severe nor clearly surer."""
        last = next((a for a in reversed(self._raised) if (a.rule, a.role) == (finding.rule, finding.role)), None)
        if last is None or _rank(finding.severity) > _rank(last.severity):
            return False
        if finding.score >= last.score + self._limits.clearly_higher:
            return False
        # The distance, not the difference: a slow detector's finding may lie before the alert.
        return abs(finding.end - last.end) < self._limits.cool_down[finding.severity]

    def _at_limit(self, severity: Severity) -> bool:
        alike = sum((alert.severity == "critical") == (severity == "critical") for alert in self._raised)
        return alike >= self._limits.most


def _rank(severity: Severity) -> int:
    return SEVERITIES.index(severity)


def _same_evidence(alert: Alert, finding: Finding) -> bool:
    if alert.rule == finding.rule and _overlap(alert, finding):
        return True
    same_utterance = alert.utterance_id is not None and alert.utterance_id == finding.utterance_id
    return same_utterance and alert.category == finding.category


def _overlap(alert: Alert, finding: Finding) -> bool:
    """Spans share more than an edge, or are equal (a missed duty's span may be a single moment)."""
    if (alert.start, alert.end) == (finding.start, finding.end):
        return True
    return max(alert.start, finding.start) < min(alert.end, finding.end)


def _alert(finding: Finding, call_id: str, raised_at: datetime, latency: Seconds) -> Alert:
    found = {each.name: getattr(finding, each.name) for each in fields(Finding)}
    return Alert(**found, id=_alert_id(finding, call_id), call_id=call_id, raised_at=raised_at, latency=latency)


def _alert_id(finding: Finding, call_id: str) -> str:
    """The same for the same evidence in the same call, so that a replay raises the alerts the live call did.

    Not a secret (whoever knows the call can derive it), and it need not be: nothing is read without a login. Severity
    is part of it because the same evidence may be alerted again, more severely. Milliseconds: finer than any cut.
    """
    span = f"{round(finding.start * 1000)}-{round(finding.end * 1000)}"
    parts = (call_id, finding.rule, finding.role, finding.severity, span)
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(parts)))
