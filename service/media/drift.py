"""Legs that run apart little by little, each by a clock of its own or by what it loses. Plain.

Networks delay packets, by a little or in bursts, and never bring one early. So the least delay of a stretch tells where
a leg stands.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from asr.types import Role, Seconds

BEHIND: Seconds = 0.020
"""So far a leg without timestamps may lag for good, before silence is put in: a packet."""
LATELY: Seconds = 0.3
"""A burst of 250 ms lies in it."""
LED: Seconds = 10.0
"""A leg that was ahead of its clock for so long has a faster one; one that was moved on too far falls behind again, by
what it loses."""

DRIFTED: Seconds = 0.025
"""So far timestamps of two legs may run apart, beside what a leg's samples may from its timestamps."""
_WINDOW: Seconds = 10.0
_STEADY: Seconds = 0.025
"""From window to window clocks differ by less: 1 ms a 100 ppm, and what a packet's length blurs. More is a network
whose delay has changed, or a source that sends faster than time goes by."""
_FEWEST: Final = 10
"""Packets of a leg in a window that tell something."""


class LeastDelay:
    """One leg's, of its packets of the last LATELY seconds."""

    def __init__(self) -> None:
        self._rising: deque[tuple[Seconds, Seconds]] = deque()
        self._since: Seconds | None = None
        self._moved: Seconds = 0.0
        self._led_since: Seconds | None = None

    def arrived(self, delay: Seconds, now: Seconds) -> None:
        """A packet came, so late; less than 0 where it is ahead of what is due."""
        if self._rising and now - self._rising[-1][0] > LATELY:
            self._since = None
        self._since = now if self._since is None else self._since
        delay += self._moved
        while self._rising and self._rising[-1][1] >= delay:
            self._rising.pop()
        self._rising.append((now, delay))
        while self._rising[0][0] < now - LATELY:
            self._rising.popleft()

    def least(self, now: Seconds) -> Seconds | None:
        """None until packets have come for so long."""
        known = self._since is not None and self._since <= now - LATELY
        return self._rising[0][1] - self._moved if known else None

    def led(self, now: Seconds) -> Seconds:
        """How far the leg is ahead of what is due, once it has been for LED; else 0."""
        least = self.least(now)
        if least is None or least >= 0:
            self._led_since = None
            return 0.0
        self._led_since = now if self._led_since is None else self._led_since
        return -least if now - self._led_since >= LED else 0.0

    def moved(self, on: Seconds) -> None:
        """The leg was moved on, so that all of it is less late."""
        self._moved += on


@dataclass(slots=True)
class _Delay:
    """Of one leg's packets in a window: how long after its place each came, at least."""

    least: Seconds = math.inf
    packets: int = 0


@dataclass(slots=True)
class Drift:
    """How legs run apart by their own timestamps, which count the samples of clocks that differ.

    What they differ by from the start is how it was; only what grows counts.
    """

    _since: Seconds | None = None
    _delays: dict[Role, _Delay] = field(default_factory=dict[Role, _Delay])
    _before: Mapping[Role, Seconds] = field(default_factory=dict[Role, Seconds])
    _drifted: dict[Role, Seconds] = field(default_factory=dict[Role, Seconds])

    def arrived(self, role: Role, delay: Seconds, now: Seconds) -> Mapping[Role, Seconds]:
        """A packet came so long after the place that its timestamp gives it. How far legs are to be moved on, once that
        is more than DRIFTED."""
        self._since = now if self._since is None else self._since
        known = self._delays.setdefault(role, _Delay())
        known.least, known.packets = min(known.least, delay), known.packets + 1
        return self._compared() if now - self._since >= _WINDOW else {}

    def _compared(self) -> Mapping[Role, Seconds]:
        least: dict[Role, Seconds] = {
            role: each.least for role, each in self._delays.items() if each.packets >= _FEWEST
        }
        before, self._before = self._before, least
        self._since, self._delays = None, {}
        changes: dict[Role, Seconds] = {role: least[role] - before[role] for role in least.keys() & before.keys()}
        if any(abs(change) >= _STEADY for change in changes.values()):
            return {}
        for role, change in changes.items():
            self._drifted[role] = self._drifted.get(role, 0.0) + change
        return self._moved(least)

    def _moved(self, least: dict[Role, Seconds]) -> Mapping[Role, Seconds]:
        """The legs that fell behind the earliest one."""
        earliest = min(self._drifted.values(), default=0.0)
        late: dict[Role, Seconds] = {
            role: drift - earliest for role, drift in self._drifted.items() if drift - earliest > DRIFTED
        }
        for role, moved in late.items():
            self._drifted[role] -= moved
            least[role] -= moved
        return late
