"""What the scheduler knows of its own pace: speed, demand, lateness; and whether more can be carried. Plain."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from asr.engine import Effort
from asr.ladder import Ladder, Level, Pressure
from asr.load import CALLS_SPEECH, Demands, Pauses, Speed
from asr.queueing import share_later
from asr.scheduling import SchedulerLimits
from asr.types import Seconds

_LENGTHS: tuple[Seconds, ...] = (1.2, 1.5, 1.8, 2.1, 2.5, 2.8, 3.2, 3.5, 3.8, 4.3, 4.9, 5.9, 7.2, 10.0)
"""Utterances as calls have them, evenly over their quantiles, until some have been heard here."""
_LENGTHS_KEPT = 300
_LATE_SPAN: Seconds = 20.0
_LATE_WEIGHT = 20.0
"""So many finals on time are taken to have been before the first: one late of two is no share."""
_ONE_BY_ONE: Seconds = 0.05
"""What a batch costs besides: a thread, a second opinion, the event loop's turn."""


@dataclass(slots=True, kw_only=True)
class Lateness:
    """The share of finals that came later than they should, of late."""

    _late: float = 0.0
    _all: float = 0.0
    _at: float = 0.0

    def add(self, late: bool, now: float) -> None:
        fade = self._fade(now)
        self._late, self._all, self._at = fade * self._late + late, fade * self._all + 1.0, now

    def at(self, now: float) -> float:
        """0 to 1."""
        fade = self._fade(now)
        return fade * self._late / (fade * self._all + _LATE_WEIGHT)

    def _fade(self, now: float) -> float:
        return math.exp(-max(0.0, now - self._at) / _LATE_SPAN)


class LoadMeter:
    """One engine's."""

    def __init__(self, limits: SchedulerLimits, now: float) -> None:
        self._limits = limits
        self._speed = Speed()
        self._pauses = Pauses(now)
        self._lengths: deque[Seconds] = deque(_LENGTHS, maxlen=_LENGTHS_KEPT)
        self._lateness = Lateness()
        self._worked = now
        self.demands = Demands(since=now)
        self.ladder = Ladder(limits.ladder, now)

    @property
    def measured(self) -> bool:
        """Whether anything is known of the speed but a guess."""
        return self._speed.measured

    @property
    def level(self) -> Level:
        return self.ladder.level

    def tick(self, now: float) -> None:
        """Called several times a second for as long as the process runs."""
        self._pauses.tick(now)

    def paused(self, begun: float, now: float) -> bool:
        """Whether the process stood still at some time from `begun` to now."""
        return self._pauses.since(begun, now)

    def came(self, call_id: str, speech: Seconds, now: float) -> None:
        """A final was submitted."""
        self.demands.add(call_id, speech, now)
        self._lengths.append(speech)

    def answered(self, came: float, now: float) -> None:
        """A final that was submitted then has its text."""
        if not self.paused(came, now):
            self._lateness.add(now - came > self._limits.final_within, now)

    def worked(self, speech: Seconds, effort: Effort, begun: float, now: float) -> bool:
        """A worker was done with so much speech; False where that tells nothing, for the process stood still."""
        if self.paused(begun, now):
            return False
        self._worked = now
        self._speed.learn(speech, now - begun, effort, now)
        return True

    def measured_idle(self, took: Sequence[Seconds], speech: Seconds, now: float) -> None:
        """With nothing else to do each worker took so long for so much speech, all at once, in a hurry."""
        self._worked = now
        if not self.paused(now - max(took), now):
            self._speed.measured_idle(speech * len(took), sum(took))

    def idle_for(self, now: float) -> Seconds:
        """Since when nothing has been learnt."""
        return now - self._worked

    def capacity(self, workers: int, now: float) -> float:
        """Seconds of speech a second that can be recognised in a hurry, at the speed of late."""
        return self._speed.at(now) * workers

    def speed(self, now: float) -> float:
        """Times real time of one worker."""
        return self._speed.at(now)

    def look(self, workers: int, wait: Seconds, now: float) -> None:
        """Choose the level of what is left undone."""
        load = self.demands.fair(now) / self.capacity(workers, now) if self.measured else 0.0
        self.ladder.look(Pressure(load=load, wait=wait, late=self._lateness.at(now)), now)

    def carries(self, speech: float, workers: int, now: float) -> bool:
        """Whether so many seconds of speech a second would have their texts in time, in a hurry if need be."""
        if self._lateness.at(now) > self._limits.ladder.late:
            return False
        speed = self._speed.at(now)
        services = [_ONE_BY_ONE + length / speed for length in self._lengths]
        late = share_later(services, workers, speech / (speed * workers), self._limits.final_within)
        return late <= self._limits.late_share

    def calls(self, workers: int, now: float) -> int:
        """How many calls of the usual speech are carried; at least 1."""
        counts = range(1, math.floor(self.capacity(workers, now) / CALLS_SPEECH) + 1)
        too_many = bisect_left(counts, True, key=lambda count: not self.carries(count * CALLS_SPEECH, workers, now))
        return max(1, too_many)
