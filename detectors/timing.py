"""Permitted hours: a collector may not call at night, by the clock where the debtor is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from types import MappingProxyType
from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from asr.types import Seconds, Utterance
from detectors.api import CallContext, Finding, Jurisdiction, Observation
from detectors.taxonomy import Category

CATEGORY = "prohibited_time_contact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """The hours in which nobody may be called: from `begins` past midnight until before `ends`."""

    begins: time
    ends: time

    def holds(self, at: time) -> bool:
        """Is this a forbidden hour?"""
        return at >= self.begins or at < self.ends


NIGHTS: Mapping[Jurisdiction, Night] = MappingProxyType(
    {
        "CN": Night(begins=time(22), ends=time(8)),  # GB/T 45251-2025
        "US": Night(begins=time(21), ends=time(8)),  # 15 U.S.C. 1692c(a)(1): the consumer's own time
    }
)


class HoursDetector:
    """Tells once a call that is on in forbidden hours, also one that runs into them."""

    id: ClassVar[str] = "hours"

    def __init__(self, category: Category) -> None:
        self._category = category

    def open(self, call: CallContext) -> HoursCall:
        return HoursCall(self._category, call)


class HoursCall:
    """One call's clock."""

    def __init__(self, category: Category, call: CallContext) -> None:
        self._category = category
        self._jurisdiction: Jurisdiction = call.jurisdiction
        self._due = None if _allowed(call.metadata) else _seconds_until(NIGHTS[call.jurisdiction], local_start(call))

    def heard(self, utterance: Utterance) -> list[Observation]:
        return self.elapsed(utterance.end)

    def elapsed(self, at: Seconds) -> list[Observation]:
        if self._due is None or at < self._due:
            return []
        due, self._due = self._due, None
        return [self._finding(due)]

    def closed(self, at: Seconds) -> list[Observation]:
        return self.elapsed(at)

    def _finding(self, at: Seconds) -> Finding:
        law = self._category.law[self._jurisdiction]
        return Finding(
            kind="violation",
            category=CATEGORY,
            rule="hours.night",
            detector=HoursDetector.id,
            severity=self._category.severity,
            score=1.0,
            role="agent",
            start=at,
            end=at,
            quote="",
            title=self._category.title,
            why=law.why,
            cites=law.cites,
            decided_by_transcript=False,
        )


def _allowed(metadata: Mapping[str, str]) -> bool:
    """The debtor asked to be called at night (`hours_consent=yes`), or called in (`direction=inbound`)."""
    consent = metadata.get("hours_consent", "").strip().lower()
    return consent in {"yes", "true", "1"} or metadata.get("direction", "").strip().lower() == "inbound"


def _seconds_until(night: Night, local: datetime) -> Seconds:
    """0 in the night, else how far off it is; aware arithmetic, so that a change of the clocks counts."""
    if night.holds(local.time()):
        return 0.0
    begins = datetime.combine(local.date(), night.begins, tzinfo=local.tzinfo)
    return begins.timestamp() - local.timestamp()


def local_start(call: CallContext) -> datetime:
    """The call's start on the debtor's clock: in `metadata["timezone"]` (IANA), else in the offset it came with."""
    try:
        return call.started_at.astimezone(ZoneInfo(call.metadata["timezone"]))
    except (KeyError, ZoneInfoNotFoundError, ValueError):
        return call.started_at
