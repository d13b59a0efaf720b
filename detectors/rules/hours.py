"""Permitted hours: a collector may not call at night, by the clock where the debtor is.

The offset of a call's start fixes the instant and nothing else. Where the debtor's zone is not known and the
jurisdiction has several, it is night when it is night in all of them: nobody is accused on a guess.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from asr.types import Seconds, Utterance
from detectors.contract import Bilingual, CallContext, Finding, Jurisdiction, Observation
from detectors.packs.findings import finding_of
from detectors.packs.law import ForbiddenHours
from detectors.packs.taxonomy import Category
from detectors.rules.metadata import is_inbound, is_yes
from detectors.timezones.debtor import possible_zones
from detectors.timezones.zones import Zone

CATEGORY = "prohibited_time_contact"

_HOLIDAY = Bilingual(
    zh="法定节假日，本机构规则规定此时段不外呼。",
    en="On a statutory holiday the rule pack forbids calls at this hour.",
)

_STEP = 15 * 60
"""Seconds. No change of a clock is undone sooner, and no night is shorter."""
_A_DAY = 26 * 3600
"""Seconds: the longest day, on which clocks are put back by an hour, and one step."""


class HoursDetector:
    """Tells once a call that is on in forbidden hours, also one that runs into them."""

    id: ClassVar[str] = "hours"

    def __init__(self, category: Category, nights: Mapping[Jurisdiction, ForbiddenHours]) -> None:
        self._category = category
        self._nights = nights

    def open(self, call: CallContext) -> HoursCall:
        return HoursCall(self._category, self._nights[call.jurisdiction], call)


class HoursCall:
    """One call's clock."""

    def __init__(self, category: Category, night: ForbiddenHours, call: CallContext) -> None:
        self._category = category
        self._jurisdiction: Jurisdiction = call.jurisdiction
        self._start = call.started_at.timestamp()
        self._held: Seconds = 0.0
        self._night = night
        self._zones = possible_zones(call.timezone, call.metadata, call.jurisdiction)
        self._due = None if hours_lifted(call.metadata) else seconds_until(night, self._zones, self._start)

    def heard(self, utterance: Utterance) -> list[Observation]:
        return self.elapsed(utterance.end)

    def elapsed(self, at: Seconds) -> list[Observation]:
        if self._due is None or at < self._due:
            return []
        due, self._due = self._due, None
        return [self._finding(due)]

    def held(self, at: Seconds, seconds: Seconds) -> None:
        """Night comes earlier by the time of the hold. If the hold ends after nightfall, the finding lies at `at`."""
        self._held += seconds
        if self._due is not None:
            self._due = max(at, self._due - seconds)

    def closed(self, at: Seconds) -> list[Observation]:
        return self.elapsed(at)

    def _finding(self, at: Seconds) -> Finding:
        moments = [datetime.fromtimestamp(self._start + self._held + at, zone.clock) for zone in self._zones]
        by_law = all(self._night.night.holds(moment.time()) for moment in moments)
        finding = finding_of(
            self._category,
            self._jurisdiction,
            rule="hours.night",
            detector=HoursDetector.id,
            score=1.0,
            start=at,
            end=at,
            decided_by_transcript=False,
        )
        why, cites = (finding.why, finding.cites) if by_law else (_HOLIDAY, ())
        return replace(finding, why=_on_the_clock(why, self._zones, moments), cites=cites)


def hours_lifted(metadata: Mapping[str, str]) -> bool:
    """Whether the debtor asked to be called at night (`hours_consent=yes`) or made the call (`direction=inbound`)."""
    return is_yes(metadata, "hours_consent") or is_inbound(metadata)


def seconds_until(night: ForbiddenHours, zones: Sequence[Zone], start: float) -> Seconds | None:
    """How long after `start` (POSIX seconds) it is first night in all the zones: 0 in the night. None where it is not
    within a day, or where no calendar reaches.

    Clocks are asked rather than reckoned with, so that a change of theirs counts, wherever it falls.
    """
    try:
        if _dark(night, zones, start):
            return 0.0
        first = math.floor(start)
        after = next(at for at in range(first + _STEP, first + _A_DAY, _STEP) if _dark(night, zones, at))
        return max(0.0, _dusk(night, zones, after) - start)
    except (StopIteration, OverflowError, ValueError, OSError):
        return None


def _dusk(night: ForbiddenHours, zones: Sequence[Zone], after: int) -> int:
    """The second at which night fell, which was less than a step before `after`."""
    light = after - _STEP
    while after - light > 1:
        middle = (light + after) // 2
        light, after = (light, middle) if _dark(night, zones, middle) else (middle, after)
    return after


def _dark(night: ForbiddenHours, zones: Sequence[Zone], at: float) -> bool:
    return all(night.hold(datetime.fromtimestamp(at, zone.clock)) for zone in zones)


def _on_the_clock(why: Bilingual, zones: Sequence[Zone], moments: Sequence[datetime]) -> Bilingual:
    """The reason, behind the time by which it was judged."""
    times = [f"{moment:%H:%M} ({zone.name})" for moment, zone in zip(moments, zones, strict=True)]
    if len(times) == 1:
        return Bilingual(zh=f"债务人当地时间 {times[0]}。{why.zh}", en=f"{times[0]} on the debtor's clock. {why.en}")
    return Bilingual(
        zh=f"债务人时区未知，但各时区均属禁止时段：{times[0]} 至 {times[-1]}。{why.zh}",
        en=f"The debtor's time zone is not known; the hour is forbidden in all: {times[0]} to {times[-1]}. {why.en}",
    )
