"""Judging a call: detectors are asked only where somebody can be held to what was said, and what they see becomes
facts: findings, sentiment and the alerts they raise. One a call, fed in its order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from asr.types import Seconds, Utterance
from detectors.contract import Finding, Observation, PackVersion, Sentiment, Withdrawn
from detectors.runtime.runner import DetectorFailure
from service.calls.ports import DetectorRunner
from service.metrics import Metrics
from service.record.alert_policy import AlertPolicy
from service.record.facts import Alert, AlertRaised, Fact, FindingMade, FindingWithdrawn, Notice, SentimentScored


class ChannelAwareDetectors:
    """Detectors that are asked nothing while nobody can tell the agent's words from the customer's.

    `were_equal`: they could not be told apart earlier in the call. From then on no duty is held missed: the agent may
    have done it in words that nobody could tell were the agent's.
    """

    def __init__(self, detectors: DetectorRunner, *, were_equal: bool = False) -> None:
        self._detectors = detectors
        self._equal = False
        self._were_equal = were_equal

    def channels(self, *, equal: bool) -> None:
        """Both channels carry one signal from here on, or no longer do."""
        self._equal = equal
        self._were_equal = self._were_equal or equal

    async def heard(self, utterance: Utterance) -> list[Observation | DetectorFailure]:
        return [] if self._equal else await self._detectors.heard(utterance)

    async def foresee(self, utterance: Utterance) -> list[Finding]:
        return [] if self._equal else await self._detectors.foresee(utterance)

    async def unheard(self, start: Seconds, end: Seconds) -> list[Observation | DetectorFailure]:
        return [] if self._were_equal else await self._detectors.unheard(start, end)

    async def elapsed(self, at: Seconds) -> list[Observation | DetectorFailure]:
        return [] if self._were_equal else await self._detectors.elapsed(at)

    async def closed(self, at: Seconds) -> list[Observation | DetectorFailure]:
        return [] if self._were_equal else await self._detectors.closed(at)


class CallAlerting:
    """One call's. `late` tells how long ago a moment of its audio came in; `raised`: alerts of an earlier session;
    `pack`: the rules that judge."""

    def __init__(
        self,
        call_id: str,
        metrics: Metrics,
        wall: Callable[[], datetime],
        late: Callable[[Seconds], Seconds],
        raised: Sequence[Alert] = (),
        pack: PackVersion | None = None,
    ) -> None:
        self._pack = pack
        self._alerts = AlertPolicy(call_id, raised=raised)
        self._metrics = metrics
        self._wall = wall
        self._late = late

    def facts(self, observed: Sequence[Observation | DetectorFailure], at: Seconds) -> list[Fact]:
        """What is to be written of these observations, made when the audio clock had reached `at`."""
        return [fact for seen in observed for fact in self._facts_of(seen, at)]

    def early(self, foreseen: Sequence[Finding]) -> list[Fact]:
        """Alerts for what an utterance that still goes on holds already, if critical. The findings follow with its
        final text, and raise no second alert."""
        critical = [self._stamped(finding) for finding in foreseen if finding.severity == "critical"]
        return [fact for finding in critical for fact in self._alert(finding)]

    def _stamped(self, finding: Finding) -> Finding:
        return replace(finding, pack=self._pack)

    def _facts_of(self, seen: Observation | DetectorFailure, at: Seconds) -> list[Fact]:
        if isinstance(seen, Sentiment):
            return [SentimentScored(sentiment=seen)]
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
