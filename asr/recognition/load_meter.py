"""The load of the recogniser: its speed, the demand, how late texts are, whether it can carry more calls, and how hard
the engine should try with each stretch. Plain."""

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
"""The assumed lengths of utterances until some have come: evenly spaced quantiles of those in the sample calls."""
_LENGTHS_KEPT = 300
_LATE_OF = 20
"""A share is taken of at least so many texts, because one late text of three says little."""
_LATE_KEPT = 400
_LATELY: Seconds = 30.0
_OF_LATE: Seconds = 120.0
_ONE_BY_ONE: Seconds = 0.05
"""The cost of each batch besides its decoding: a thread, a second opinion, the event loop's turn."""

_LATE_ALONE = 0.05
"""The share of finals that may be late because they are long. Such a final is late with a single call too, so refusing
other calls would help nobody."""

_BEAM = 1.4
"""With its beam the engine takes so many times as long as in a hurry."""
_SECOND_LOOK: Mapping[Effort, Seconds] = MappingProxyType({"careful": 11.0, "full": 29.0})
"""The cost of a second look, in seconds of speech recognised in a hurry. It depends on its context, not on its
stretch."""


class Lateness:
    """The share of finals that came later than they should."""

    def __init__(self) -> None:
        self._came: deque[tuple[float, bool]] = deque(maxlen=_LATE_KEPT)
        self._granted: deque[float] = deque(maxlen=_LATE_KEPT)

    def add(self, late: bool, now: float) -> None:
        """A final has come."""
        self._came.append((now, late))

    def share(self, within: Seconds, now: float) -> float:
        """The share, 0 to 1, of the finals that came in the last `within` seconds."""
        lately = self._since(now - within)
        return sum(lately) / max(_LATE_OF, len(lately))

    def grant(self, most: float, within: Seconds, now: float) -> bool:
        """Whether one more final may be late: at most the share `most` of the finals of the last `within` seconds may.
        A granted one counts as late."""
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
        """Whether the speed was measured, and is no mere guess."""
        return self._speed.measured

    @property
    def level(self) -> DegradationLevel:
        """The present level of degradation."""
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
        """A worker has recognised so much speech since `begun`. False if that tells nothing about the speed, because
        the process stood still meanwhile."""
        if self.paused(begun, now):
            return False
        self._worked = now
        self._speed.learn(speech, now - begun, effort, now)
        if effort in ("quick", "normal"):
            self._first_looks.learn(speech, now - begun, effort, now)
        return True

    def measured_idle(self, took: Sequence[Seconds], speech: Seconds, now: float) -> None:
        """Each worker has taken so long for so much speech, all at once, in a hurry, with nothing else to do."""
        self._worked = now
        if not self.paused(now - max(took), now):
            for speed in (self._speed, self._first_looks):
                speed.measured_idle(speech * len(took), sum(took))

    def idle_for(self, now: float) -> Seconds:
        """For how long nothing has been learnt about the speed."""
        return now - self._worked

    def capacity(self, workers: int, now: float) -> float:
        """Seconds of speech per second that can be recognised in a hurry, at the recent speed."""
        return self._speed.at(now) * workers

    def speed(self, now: float) -> float:
        """Times real time of one worker, while it looks at nothing again."""
        return self._first_looks.at(now)

    def look(self, workers: int, wait: Seconds, now: float) -> None:
        """Choose the level of degradation."""
        self.tick(now)
        load = self.demands.fair(now) / self.capacity(workers, now) if self.measured else 0.0
        self.degradation.look(Pressure(load=load, wait=wait, late=self._lateness.share(_LATELY, now)), now)

    def carries(self, speech: float, workers: int, now: float) -> bool:
        """Whether texts would come in time at `speech` seconds of speech per second, if need be in a hurry."""
        self.tick(now)
        if self._lateness.share(_LATELY, now) > self._limits.degradation.late:
            return False
        services = [_ONE_BY_ONE + length / self.speed(now) for length in self._lengths]
        within = self._limits.final_within
        late = share_later(services, workers, speech / self.capacity(workers, now), within)
        alone = share_later(services, workers, 0.0, within)
        return alone <= _LATE_ALONE and late - alone <= self._limits.late_share

    def grant_late(self, now: float) -> bool:
        """Whether one more final may come late without breaking the promise. A granted one counts as late."""
        return self._lateness.grant(self._limits.degradation.late / 2, _OF_LATE, now)

    def calls(self, workers: int, now: float) -> int:
        """How many calls with the usual amount of speech can be carried; at least 1."""
        counts = range(1, math.floor(self.capacity(workers, now) / CALLS_SPEECH) + 1)
        too_many = bisect_left(counts, True, key=lambda count: not self.carries(count * CALLS_SPEECH, workers, now))
        return max(1, too_many)


class EffortPolicy:
    """How hard the engine tries with each stretch.

    The level of degradation decides, and the time that each final has. A beam and a second look that would make a text
    late are left out, except for as few texts as the promise allows.
    """

    def __init__(self, meter: LoadMeter, limits: RecogniserLimits) -> None:
        self._meter = meter
        self._limits = limits

    @property
    def _degradation(self) -> Degradation:
        return self._meter.degradation

    def first(
        self, batch: Sequence[RecognitionRequest], waited: Seconds, now: float
    ) -> list[tuple[RecognitionRequest, Speech]]:
        """The speech to decode for each request of a batch. `waited` is the longest wait among them."""
        speech = sum(request.seconds for request in batch)
        hurried = self._degradation.holds("greedy") or not self._in_time(_BEAM * speech, waited, now)
        return [(request, _hurried(request.speech) if hurried else request.speech) for request in batch]

    def second(self, request: RecognitionRequest, first: Transcript, waited: Seconds, now: float) -> Speech | None:
        """The speech to decode for a second look at a doubtful text; None for no second look. A text that would be
        dropped always gets one, with the highest effort. If the prompt had leaked into the text, the second look has
        none."""
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
