"""Permitted hours: a collector may not call at night, by the clock where the debtor is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
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
        self._began = local_start(call)
        self._told = False

    def heard(self, utterance: Utterance) -> list[Observation]:
        return self.elapsed(utterance.end)

    def elapsed(self, at: Seconds) -> list[Observation]:
        night = NIGHTS[self._jurisdiction]
        if self._told:
            return []
        for moment in (0.0, at):
            local = self._began + timedelta(seconds=moment)
            if night.holds(local.time()):
                self._told = True
                return [self._finding(moment)]
        return []

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


def local_start(call: CallContext) -> datetime:
    """The call's start on the debtor's clock: in `metadata["timezone"]` (IANA), else in the offset it came with."""
    try:
        return call.started_at.astimezone(ZoneInfo(call.metadata["timezone"]))
    except (KeyError, ZoneInfoNotFoundError, ValueError):
        return call.started_at
