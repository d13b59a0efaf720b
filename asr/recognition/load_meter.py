"""What the recogniser knows of its own pace: speed, demand, lateness; whether more can be carried, and how hard the
engine tries for each stretch therefore. Plain."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from asr.engines.port import Effort, Speech
from asr.recognition.degradation import Degradation, DegradationLevel, Pressure
from asr.recognition.load import CALLS_SPEECH, Demands, Pauses, Speed
from asr.recognition.queue import RecogniserLimits, RecognitionRequest
from asr.recognition.queueing_model import share_later
from asr.types import Seconds, Transcript

_LENGTHS: tuple[Seconds, ...] = (
    *(1.4, 1.5, 1.7, 1.9, 2.1, 2.3, 2.5, 2.6, 2.9, 3.2),
    *(3.3, 3.5, 3.7, 3.9, 4.3, 4.9, 5.4, 6.2, 7.0, 9.0),
)
"""What utterances are taken to last until some have come: the quantiles of those in the sample calls, evenly spaced."""
_LENGTHS_KEPT = 300
_LATE_OF = 20
"""A share is one of so many texts at least: one late text of three says little."""
_LATE_KEPT = 400
_LATELY: Seconds = 30.0
_OF_LATE: Seconds = 120.0
_ONE_BY_ONE: Seconds = 0.05
"""What each batch costs besides its decoding: a thread, a second opinion, the event loop's turn."""

_LATE_ALONE = 0.05
"""The share of finals that may be late because they are long. Such a final is late with a single call too, so refusing
other calls would help nobody."""

_BEAM = 1.4
"""How much longer the engine takes with its beam than in a hurry."""
_SECOND_LOOK: Mapping[Effort, Seconds] = MappingProxyType({"careful": 11.0, "full": 29.0})
"""What a second look costs, in seconds of speech recognised in a hurry: its context is that long, not its stretch."""


class Lateness:
    """The share of finals that came later than they should."""

    def __init__(self) -> None:
        self._came: deque[tuple[float, bool]] = deque(maxlen=_LATE_KEPT)
        self._granted: deque[float] = deque(maxlen=_LATE_KEPT)

    def add(self, late: bool, now: float) -> None:
        """A final came."""
        self._came.append((now, late))

    def share(self, within: Seconds, now: float) -> float:
        """The share, 0 to 1, of the finals that came in the last `within` seconds."""
        lately = self._since(now - within)
        return sum(lately) / max(_LATE_OF, len(lately))

    def grant(self, most: float, within: Seconds, now: float) -> bool:
        """Whether one more final may be late: at most the share `most` of those of the last `within` seconds. A final
        that is granted counts."""
        while self._granted and self._granted[0] < now - within:
            self._granted.popleft()
        lately = self._since(now - within)
        granted = max(sum(lately), len(self._granted)) + 1 <= most * max(1 / most, len(lately))
        if granted:
            self._granted.append(now)
        return granted

    def _since(self, when: float) -> list[bool]:
        return [late for at, late in self._came if at >= when]


class LoadMeter:
    """The load of one engine: its speed, what comes in, and how late texts are."""

    def __init__(self, limits: RecogniserLimits, now: float) -> None:
        self._limits = limits
        self._speed = Speed()
        self._first_looks = Speed()
        self._pauses = Pauses(now)
        self._lengths: deque[Seconds] = deque(_LENGTHS, maxlen=_LENGTHS_KEPT)
        self._lateness = Lateness()
        self._worked = now
        self.demands = Demands(since=now)
        self.degradation = Degradation(limits.degradation, now)

    @property
    def measured(self) -> bool:
        """Whether anything is known of the speed but a guess."""
        return self._speed.measured

    @property
    def level(self) -> DegradationLevel:
        """What is left undone now."""
        return self.degradation.level

    def tick(self, now: float) -> None:
        """Called several times a second for as long as the process runs."""
        if still := self._pauses.tick(now):
            self.demands.stood_still(still)

    def paused(self, begun: float, now: float) -> bool:
        """Whether the process stood still at some time from `begun` to now."""
        return self._pauses.since(begun, now)

    def came(self, call_id: str, speech: Seconds, now: float) -> None:
        """A final was submitted."""
        self.tick(now)
        self.demands.add(call_id, speech, now)
        self._lengths.append(speech)

    def answered(self, call_id: str, came: float, now: float) -> None:
        """A final that was submitted then has its text. A call sent faster than it is spoken is not waited for."""
        if not self.paused(came, now) and self.demands.keeps_up(call_id, now):
            self._lateness.add(now - came > self._limits.final_within, now)

    def worked(self, speech: Seconds, effort: Effort, begun: float, now: float) -> bool:
        """A worker was done with so much speech; False where that tells nothing, for the process stood still."""
        if self.paused(begun, now):
            return False
        self._worked = now
        self._speed.learn(speech, now - begun, effort, now)
        if effort in ("quick", "normal"):
            self._first_looks.learn(speech, now - begun, effort, now)
        return True

    def measured_idle(self, took: Sequence[Seconds], speech: Seconds, now: float) -> None:
        """With nothing else to do each worker took so long for so much speech, all at once, in a hurry."""
        self._worked = now
        if not self.paused(now - max(took), now):
            for speed in (self._speed, self._first_looks):
                speed.measured_idle(speech * len(took), sum(took))

    def idle_for(self, now: float) -> Seconds:
        """Since when nothing has been learnt."""
        return now - self._worked

    def capacity(self, workers: int, now: float) -> float:
        """Seconds of speech a second that can be recognised in a hurry, at the speed of late."""
        return self._speed.at(now) * workers

    def speed(self, now: float) -> float:
        """Times real time of one worker, while it looks at nothing again."""
        return self._first_looks.at(now)

    def look(self, workers: int, wait: Seconds, now: float) -> None:
        """Choose the level of what is left undone."""
        self.tick(now)
        load = self.demands.fair(now) / self.capacity(workers, now) if self.measured else 0.0
        self.degradation.look(Pressure(load=load, wait=wait, late=self._lateness.share(_LATELY, now)), now)

    def carries(self, speech: float, workers: int, now: float) -> bool:
        """Whether so many seconds of speech a second would have their texts in time, in a hurry if need be."""
        self.tick(now)
        if self._lateness.share(_LATELY, now) > self._limits.degradation.late:
            return False
        services = [_ONE_BY_ONE + length / self.speed(now) for length in self._lengths]
        within = self._limits.final_within
        late = share_later(services, workers, speech / self.capacity(workers, now), within)
        alone = share_later(services, workers, 0.0, within)
        return alone <= _LATE_ALONE and late - alone <= self._limits.late_share

    def grant_late(self, now: float) -> bool:
        """Whether so few texts came late that one more, which is then counted, does not break the promise."""
        return self._lateness.grant(self._limits.degradation.late / 2, _OF_LATE, now)

    def calls(self, workers: int, now: float) -> int:
        """How many calls of the usual speech are carried; at least 1."""
        counts = range(1, math.floor(self.capacity(workers, now) / CALLS_SPEECH) + 1)
        too_many = bisect_left(counts, True, key=lambda count: not self.carries(count * CALLS_SPEECH, workers, now))
        return max(1, too_many)


class EffortPolicy:
    """By the level of what is left undone, and by each final's own time: the beam and second looks that would make a
    text late are left out too, but for so few that the promise holds all the same."""

    def __init__(self, meter: LoadMeter, limits: RecogniserLimits) -> None:
        self._meter = meter
        self._limits = limits

    @property
    def _degradation(self) -> Degradation:
        return self._meter.degradation

    def first(
        self, batch: Sequence[RecognitionRequest], waited: Seconds, now: float
    ) -> list[tuple[RecognitionRequest, Speech]]:
        """Each request as it is asked of the engine, the longest of whose waits is `waited`."""
        speech = sum(request.seconds for request in batch)
        hurried = self._degradation.holds("greedy") or not self._in_time(_BEAM * speech, waited, now)
        return [(request, _hurried(request.speech) if hurried else request.speech) for request in batch]

    def second(self, request: RecognitionRequest, first: Transcript, waited: Seconds, now: float) -> Speech | None:
        """How a doubtful text is looked at again, if it is. What would be dropped always is, with all the engine has. A
        prompt that leaked into the first is not given again."""
        speech = request.speech.without_prompt() if first.filtered == "leaked_prompt" else request.speech
        effort = "full" if first.dropped else self._second(waited, now)
        return None if effort is None else replace(speech, effort=effort)

    def _second(self, waited: Seconds, now: float) -> Effort | None:
        if self._degradation.holds("no_second_looks"):
            return None
        best: Effort = "careful" if self._degradation.holds("greedy") else "full"
        tried: tuple[Effort, ...] = (best, "careful")
        for effort in tried:
            if self._in_time(_SECOND_LOOK[effort], waited, now):
                return effort
        return best if self._meter.grant_late(now) else None

    def _in_time(self, speech: Seconds, waited: Seconds, now: float) -> bool:
        return waited + speech / self._meter.speed(now) <= self._limits.final_within


def _hurried(speech: Speech) -> Speech:
    return replace(speech, effort="quick") if speech.effort == "normal" else speech
