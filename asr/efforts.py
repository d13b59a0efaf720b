"""How hard the engine tries for each stretch: as hard as its time allows. Plain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from asr.engine import Effort, Speech
from asr.ladder import Ladder
from asr.meter import LoadMeter
from asr.scheduling import Job, SchedulerLimits
from asr.seat import Heard
from asr.types import Seconds

_BEAM = 1.4
"""How much longer the engine takes with its beam than in a hurry."""
_SECOND_LOOK: Mapping[Effort, Seconds] = MappingProxyType({"careful": 11.0, "full": 29.0})
"""What a second look costs, in seconds of speech recognised in a hurry: its context is that long, not its stretch."""


class Efforts:
    """By the level of what is left undone, and by each final's own time: the beam and second looks that would make a
    text late are left out too, but for so few that the promise holds all the same."""

    def __init__(self, meter: LoadMeter, limits: SchedulerLimits) -> None:
        self._meter = meter
        self._limits = limits

    @property
    def _ladder(self) -> Ladder:
        return self._meter.ladder

    def first(self, batch: Sequence[Job], waited: Seconds, now: float) -> list[tuple[Job, Speech]]:
        """Each job as it is asked of the engine, the longest of whose waits is `waited`."""
        speech = sum(job.seconds for job in batch)
        hurried = self._ladder.holds("greedy") or not self._in_time(_BEAM * speech, waited, now)
        return [(job, _hurried(job.speech) if hurried else job.speech) for job in batch]

    def second(self, job: Job, heard: Heard, waited: Seconds, now: float) -> Speech | None:
        """How a doubtful text is looked at again, if it is. What would be dropped always is, with all the engine has. A
        prompt that leaked into the first is not given again."""
        speech = job.speech.without_prompt() if heard.leaked else job.speech
        effort = "full" if heard.guarded else self._second(waited, now)
        return None if effort is None else replace(speech, effort=effort)

    def _second(self, waited: Seconds, now: float) -> Effort | None:
        if self._ladder.holds("no_second_looks"):
            return None
        best: Effort = "careful" if self._ladder.holds("greedy") else "full"
        tried: tuple[Effort, ...] = (best, "careful")
        for effort in tried:
            if self._in_time(_SECOND_LOOK[effort], waited, now):
                return effort
        return best if self._meter.grant_late(now) else None

    def _in_time(self, speech: Seconds, waited: Seconds, now: float) -> bool:
        return waited + speech / self._meter.speed(now) <= self._limits.final_within


def _hurried(speech: Speech) -> Speech:
    return replace(speech, effort="quick") if speech.effort == "normal" else speech
