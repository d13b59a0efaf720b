"""The state of an earlier call, read from its log: what a session needs to go on with it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from asr.types import Role, Seconds, Utterance
from detectors.contract import Finding, Observation, Sentiment, Statement, Withdrawn
from detectors.runtime.runner import DetectorFailure
from service.record.facts import (
    UNDECIDED,
    Alert,
    AlertChanged,
    AlertRaised,
    Call,
    CallClosed,
    CallResumed,
    Fact,
    FindingMade,
    FindingWithdrawn,
    GapMarked,
    Notice,
    NoticeCode,
    SentimentScored,
    UtteranceHeard,
    WordsTimed,
)
from service.record.summary import CallSummary
from service.storage.port import LoggedFact

SHORTEST_SENTENCE: Seconds = 1.0
"""Nothing that a duty asks for takes less time to say."""

LOOK_BACK: Seconds = 20.0
"""An utterance has its text before any that ended after it. So speech that has none yet began less than this before
the last text of the call: the longest utterance is 14 s, and the other leg's audio may come half a second later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierCall:
    """A call as its log tells it. `detector_inputs` are its utterances, gaps and holds, as the detectors were told of
    them.

    `reached`: how far its audio clock had come, as far as is known. `settled`: up to where each leg's speech has its
    text or a mark. `untimed`: utterances with findings, of which nobody has told when each word was said. `unjudged`:
    the last utterance, where what the detectors said of it was never written. `premature`: undecided alerts of duties
    whose time was not up when the call ended; the agent can still do them. `withdrawn`: what detectors have taken back.
    `seq`: that of its last fact. `last_at`: the wall time of the last that the call itself made.
    """

    call: Call
    closed: CallClosed | None
    seq: int
    last_at: datetime
    reached: Seconds
    settled: Mapping[Role, Seconds]
    detector_inputs: tuple[Utterance | GapMarked | Notice, ...]
    untimed: tuple[Utterance, ...]
    findings: tuple[Finding, ...]
    alerts: tuple[Alert, ...]
    premature: tuple[Alert, ...]
    withdrawn: tuple[Withdrawn, ...]
    unjudged: Utterance | None
    troubles: tuple[NoticeCode, ...]

    @property
    def utterances(self) -> list[Utterance]:
        """What was said, in the order of the log."""
        return [each for each in self.detector_inputs if isinstance(each, Utterance)]

    def away(self, now: datetime) -> Seconds:
        """How long the call has been without audio."""
        return max(0.0, (now - self.last_at).total_seconds())

    @property
    def in_stretches(self) -> Iterator[list[Utterance] | GapMarked | Notice]:
        """`detector_inputs`, where the utterances between two gaps or holds form one list."""
        said: list[Utterance] = []
        for each in self.detector_inputs:
            if isinstance(each, Utterance):
                said.append(each)
                continue
            if said:
                yield said
                said = []
            yield each
        if said:
            yield said

    def lacks(self, seen: Observation | DetectorFailure) -> bool:
        """Whether this, which the detectors say when they hear the call again, is still to be written.

        Only of the last utterance, and of time that passed: what they say otherwise of earlier ones comes of rules
        that have changed since, and those do not judge the past.
        """
        if isinstance(seen, DetectorFailure):
            return True
        if isinstance(seen, Withdrawn):
            return seen not in self.withdrawn
        if isinstance(seen, Sentiment | Statement):
            return self.unjudged is not None and seen.utterance_id == self.unjudged.id
        known = {(finding.rule, finding.role, finding.utterance_id) for finding in self.findings}
        if (seen.rule, seen.role, seen.utterance_id) in known:
            return False
        return seen.utterance_id is None or (self.unjudged is not None and seen.utterance_id == self.unjudged.id)


@dataclass(slots=True)
class _Reading:
    """The state of reading the log."""

    call: Call
    last_at: datetime
    closed: CallClosed | None = None
    reached: Seconds = 0.0
    pending: dict[Role, Seconds] = field(default_factory=dict[Role, Seconds])
    detector_inputs: list[Utterance | GapMarked | Notice] = field(default_factory=list[Utterance | GapMarked | Notice])
    judged: set[str] = field(default_factory=set[str])
    timed: set[str] = field(default_factory=set[str])
    findings: list[Finding] = field(default_factory=list[Finding])
    alerts: list[Alert] = field(default_factory=list[Alert])
    withdrawn: list[Withdrawn] = field(default_factory=list[Withdrawn])

    def take(self, fact: Fact) -> None:
        match fact:
            case UtteranceHeard(utterance=said):
                self.detector_inputs.append(said)
                self._settle(said.role, said.end)
            case GapMarked(role=role, end=end):
                self.detector_inputs.append(fact)
                for leg in self.call.roles if role is None else (role,):
                    self._settle(leg, end)
            case WordsTimed(utterance_id=timed):
                self.timed.add(timed)
            case Notice(missing=seconds) if seconds:
                self.detector_inputs.append(fact)
                self.reached = max(self.reached, fact.at)
            case CallClosed():
                self.closed, self.reached = fact, max(self.reached, fact.duration)
            case CallResumed():
                self._forget_premature()
            case _:
                self._take_judged(fact)

    def _take_judged(self, fact: Fact) -> None:
        match fact:
            case SentimentScored(sentiment=felt):
                self.judged.add(felt.utterance_id)
            case FindingMade(finding=finding):
                self.findings.append(finding)
                self.judged.add(finding.utterance_id or "")
            case AlertRaised(alert=alert):
                self.alerts.append(alert)
            case AlertChanged(alert_id=changed, state=state):
                self.alerts = [replace(a, state=state) if a.id == changed else a for a in self.alerts]
            case FindingWithdrawn(withdrawn=withdrawn, alert_id=its):
                self.withdrawn.append(withdrawn)
                self.alerts = [
                    replace(a, state="dismissed") if a.id == its and a.state in UNDECIDED else a for a in self.alerts
                ]
            case _:
                pass

    def untimed(self) -> list[Utterance]:
        wanted = {finding.utterance_id for finding in self.findings} - self.timed
        return [said for said in self.detector_inputs if isinstance(said, Utterance) and said.id in wanted]

    def premature(self) -> list[Alert]:
        undecided = [alert for alert in self.alerts if alert.state in UNDECIDED]
        return [alert for alert in undecided if _at_the_end(alert, self.closed)]

    def settled(self) -> dict[Role, Seconds]:
        if self.closed is not None and self.closed.ending != "interrupted":
            return dict.fromkeys(self.call.roles, self.closed.duration)
        last = max(self.pending.values(), default=0.0)
        return {role: max(self.pending.get(role, 0.0), last - LOOK_BACK, 0.0) for role in self.call.roles}

    def _settle(self, role: Role, end: Seconds) -> None:
        self.pending[role] = max(self.pending.get(role, 0.0), end)
        self.reached = max(self.reached, end)

    def _forget_premature(self) -> None:
        """The call went on after that end, so its missed duties are owed again."""
        self.alerts = [alert for alert in self.alerts if not _at_the_end(alert, self.closed)]
        self.findings = [finding for finding in self.findings if not _at_the_end(finding, self.closed)]
        self.closed = None


def earlier_call_of(summary: CallSummary, log: Sequence[LoggedFact]) -> EarlierCall:
    """Reads the call of this summary from its whole log, oldest fact first."""
    reading = _Reading(summary.call, log[0].at)
    for logged in log:
        reading.take(logged.fact)
        if not isinstance(logged.fact, AlertChanged):  # people decide on alerts long after a call
            reading.last_at = logged.at
    last = next((said for said in reversed(reading.detector_inputs) if isinstance(said, Utterance)), None)
    return EarlierCall(
        call=reading.call,
        closed=reading.closed,
        seq=log[-1].seq,
        last_at=reading.last_at,
        reached=reading.reached,
        settled=reading.settled(),
        detector_inputs=tuple(reading.detector_inputs),
        untimed=tuple(reading.untimed()),
        findings=tuple(finding for finding in reading.findings if not _at_the_end(finding, reading.closed)),
        alerts=tuple(alert for alert in reading.alerts if not _at_the_end(alert, reading.closed)),
        premature=tuple(reading.premature()),
        withdrawn=tuple(reading.withdrawn),
        unjudged=None if last is None or last.id in reading.judged else last,
        troubles=summary.troubles,
    )


def _at_the_end(judged: Finding, closed: CallClosed | None) -> bool:
    """Whether a duty counted as missed only because the call ended. Otherwise its time had run out before."""
    return closed is not None and judged.kind == "duty_missing" and judged.end >= closed.duration


def hides_speech(gap: GapMarked) -> bool:
    """Whether the agent may have said something in the gap that has no text. A leg that sent nothing was silent."""
    return gap.role != "customer" and gap.reason != "silence" and gap.end - gap.start >= SHORTEST_SENTENCE
