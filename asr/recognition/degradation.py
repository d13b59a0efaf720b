"""The order in which work is left out while time is short. Plain: the clock is an argument.

Each level leaves out what the levels before it leave out, and one thing more. Finals are never left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from asr.types import Seconds

DegradationLevel = Literal["full", "no_partials", "greedy", "no_second_looks", "agents_first"]
"""`no_partials`: nothing is recognised before its utterance has ended. `greedy`: no beam, a short prompt.
`no_second_looks`: a doubtful text stands, only what would be dropped is looked at again. `agents_first`: customers'
words wait behind agents', whose words are what the rules judge."""

DEGRADATION_LEVELS: tuple[DegradationLevel, ...] = ("full", "no_partials", "greedy", "no_second_looks", "agents_first")

_MOST_FOR_LATENESS = DEGRADATION_LEVELS.index("no_second_looks")
_LEAVE = 0.8
"""A level is left once everything is below this share of the threshold that it was entered at."""
_CALM: Seconds = 3.0
"""Everything must be calm for so long before a level is left, one at a time."""
_UP: Seconds = 2.0
"""A level gets so long to take effect. Only then may late texts call for the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A level is entered past either: the share of the capacity that finals need, or the expected wait."""

    load: float
    wait: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class DegradationLimits:
    """The thresholds of each level but `full`, and the two levels between which it stays. If the share of late finals
    exceeds `late`, the next level is entered, up to `no_second_looks`, whatever load and wait are."""

    thresholds: Mapping[DegradationLevel, Threshold] = field(
        default_factory=lambda: MappingProxyType(
            {
                "no_partials": Threshold(load=0.35, wait=0.5),
                "greedy": Threshold(load=0.5, wait=0.8),
                "no_second_looks": Threshold(load=0.8, wait=1.5),
                "agents_first": Threshold(load=1.0, wait=3.0),
            }
        )
    )
    late: float = 0.05
    least: DegradationLevel = "full"
    most: DegradationLevel = "agents_first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """The measures that the level is chosen by: the share of the capacity that finals need, the expected wait of a new
    one, and the share of recent finals that came too late."""

    load: float
    wait: Seconds
    late: float


class Degradation:
    """The present level. It rises at once, and falls step by step."""

    def __init__(self, limits: DegradationLimits, now: float) -> None:
        self._limits = limits
        self._at = DEGRADATION_LEVELS.index(limits.least)
        self._looked = self._changed = self._strained = now
        self.seconds: dict[DegradationLevel, float] = dict.fromkeys(DEGRADATION_LEVELS, 0.0)
        """How long each level has held, up to the last choice."""

    @property
    def level(self) -> DegradationLevel:
        """The present level."""
        return DEGRADATION_LEVELS[self._at]

    def holds(self, level: DegradationLevel) -> bool:
        """Whether the present level leaves out what this one leaves out."""
        return self._at >= DEGRADATION_LEVELS.index(level)

    def look(self, pressure: Pressure, now: float) -> None:
        """Choose the level anew."""
        self.seconds[self.level] += max(0.0, now - self._looked)
        self._looked = now
        if self._strains(pressure):
            self._strained = now
        wanted = max(self._called_for(pressure), self._called_by_lateness(pressure, now))
        if wanted > self._at:
            self._move(wanted, now)
        elif now - max(self._strained, self._changed) >= _CALM:
            self._move(self._at - 1, now)

    def _called_for(self, pressure: Pressure) -> int:
        """The highest level whose threshold is passed."""
        passed = [
            DEGRADATION_LEVELS.index(level)
            for level, threshold in self._limits.thresholds.items()
            if pressure.load > threshold.load or pressure.wait > threshold.wait
        ]
        return max(passed, default=0)

    def _called_by_lateness(self, pressure: Pressure, now: float) -> int:
        """The next level, if the present one has had its time and too many texts still come late."""
        if pressure.late <= self._limits.late or now - self._changed < _UP:
            return 0
        return min(self._at + 1, _MOST_FOR_LATENESS)

    def _strains(self, pressure: Pressure) -> bool:
        """Whether the present level is still needed."""
        threshold = self._limits.thresholds.get(self.level)
        if threshold is None:
            return False
        late = pressure.late > self._limits.late / 2 and self._at <= _MOST_FOR_LATENESS
        return late or pressure.load > _LEAVE * threshold.load or pressure.wait > _LEAVE * threshold.wait

    def _move(self, to: int, now: float) -> None:
        least, most = DEGRADATION_LEVELS.index(self._limits.least), DEGRADATION_LEVELS.index(self._limits.most)
        to = min(max(to, least), most)
        if to != self._at:
            self._at, self._changed = to, now
