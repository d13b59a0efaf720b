"""What another rule pack would change: both packs judge stored calls, and each rule's differences are counted.

Each call is judged with the debtor's other calls as they were known when it began.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from asr.types import Seconds
from detectors.contract import EarlierContact, Finding
from detectors.evaluation.replay import judge_call
from detectors.runtime.registry import Registry
from service.calls.earlier_call import hides_speech
from service.calls.earlier_calls import history_of
from service.calls.session_parts import context_of
from service.record.facts import SYSTEM, Alert
from service.storage.port import CallQuery, CallRecord, Store

PAGE = 50

Change = Literal["gained", "lost"]
Decision = Literal["confirmed", "dismissed", "undecided"]
History: TypeAlias = tuple[EarlierContact, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A finding of one pack that the other does not make. `decided`: what a person decided on the stored alert of the
    same evidence, if there is one."""

    change: Change
    call: str
    at: Seconds
    category: str
    rule: str
    decided: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChange:
    """The findings of one rule that are new or lost. Of the lost ones, how many people had confirmed and dismissed."""

    rule: str
    before: int
    gained: int
    lost: int
    lost_confirmed: int
    lost_dismissed: int


class Trial:
    """Judges calls by two packs, and counts."""

    def __init__(self, present: Registry, tried: Registry) -> None:
        self._present, self._tried = present, tried
        self._before = Counter[str]()
        self.differences: list[Difference] = []

    def judge(self, record: CallRecord, history: History) -> None:
        """One call that is over. Blocks for about a hundredth of a second an utterance."""
        before, after = _findings(self._present, record, history), _findings(self._tried, record, history)
        self._before.update(each.rule for each in before)
        self.differences += _only_in("lost", before, after, record)
        self.differences += _only_in("gained", after, before, record)

    def changes(self) -> list[RuleChange]:
        """The changes of each rule, the most changed first."""
        counts = Counter((each.rule, each.change) for each in self.differences)
        lost = Counter((each.rule, each.decided) for each in self.differences if each.change == "lost")
        told = [
            RuleChange(
                rule=rule,
                before=self._before[rule],
                gained=counts[rule, "gained"],
                lost=counts[rule, "lost"],
                lost_confirmed=lost[rule, "confirmed"],
                lost_dismissed=lost[rule, "dismissed"],
            )
            for rule in {each.rule for each in self.differences}
        ]
        return sorted(told, key=lambda each: (-each.gained - each.lost, each.rule))


async def ended_calls(store: Store, since: datetime | None) -> AsyncIterator[tuple[CallRecord, History]]:
    """Calls that are over and began since then, newest first, each with what was known of its debtor's others."""
    cursor: str | None = None
    while True:
        page = await store.calls(CallQuery(state="ended", since=since, cursor=cursor, limit=PAGE))
        for summary in page.calls:
            call = summary.call
            [opening] = await store.facts(call.id, limit=1)
            yield await store.call(call.id), await history_of(store, call, opening.at)
        if (cursor := page.next) is None:
            return


def _findings(registry: Registry, record: CallRecord, history: History) -> list[Finding]:
    said = sorted(record.utterances, key=lambda each: each.end)
    gaps = sorted((gap.start, gap.end) for gap in record.gaps if hides_speech(gap))
    completed = record.summary.ending == "completed"
    return judge_call(
        registry, context_of(record.summary.call, history), said, record.summary.duration, gaps, completed=completed
    )


def _only_in(
    change: Change, ours: Sequence[Finding], theirs: Sequence[Finding], record: CallRecord
) -> list[Difference]:
    """Findings of one pack without a finding of the other in the same category and utterance, or at the same time."""
    others = {_place(each) for each in theirs}
    return [
        Difference(
            change=change,
            call=record.summary.call.id,
            at=round(each.start, 3),
            category=each.category,
            rule=each.rule,
            decided=_decision(each, {_place(alert): alert for alert in record.alerts}),
        )
        for each in ours
        if _place(each) not in others
    ]


def _place(finding: Finding) -> tuple[str, str]:
    return finding.category, finding.utterance_id or f"{finding.start:.1f}"


def _decision(finding: Finding, alerts: Mapping[tuple[str, str], Alert]) -> Decision:
    alert = alerts.get(_place(finding))
    if alert is None or alert.changed_by == SYSTEM or alert.state not in ("confirmed", "dismissed"):
        return "undecided"
    return alert.state
