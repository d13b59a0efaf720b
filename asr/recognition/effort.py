"""How hard the engine tries for each stretch: as hard as its time allows. Plain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from asr.engines.port import Effort, Speech
from asr.recognition.degradation import Degradation
from asr.recognition.load_meter import LoadMeter
from asr.recognition.queue import RecogniserLimits, RecognitionRequest
from asr.types import Seconds, Transcript

_BEAM = 1.4
"""How much longer the engine takes with its beam than in a hurry."""
_SECOND_LOOK: Mapping[Effort, Seconds] = MappingProxyType({"careful": 11.0, "full": 29.0})
"""What a second look costs, in seconds of speech recognised in a hurry: its context is that long, not its stretch."""


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

    def second(self, request: RecognitionRequest, heard: Transcript, waited: Seconds, now: float) -> Speech | None:
        """How a doubtful text is looked at again, if it is. What would be dropped always is, with all the engine has. A
        prompt that leaked into the first is not given again."""
        speech = request.speech.without_prompt() if heard.filtered == "leaked_prompt" else request.speech
        effort = "full" if heard.dropped else self._second(waited, now)
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
