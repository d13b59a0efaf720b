"""How much speech comes in and how fast it is recognised, of late. Plain: the clock is an argument."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from asr.engine import Effort
from asr.types import Seconds

_FIRST_GUESS = 6.0
"""Times real time a worker, until the first batches have shown it."""
_SPEED_SPAN: Seconds = 10.0
"""Over how long a worker's time its speed is averaged: some ten batches, a second look among them now and then."""

_WORTH: Mapping[Effort, float] = MappingProxyType({"quick": 1.0, "normal": 1.4, "careful": 0.0, "full": 0.0})
"""How much a hurrying worker would do in the time of one that takes its time: a beam of 5 takes 1.2 times as long as
greedy decoding in batches of two, 1.5 times as long one by one. A second look brings no speech that was not counted."""

_DEMAND_SPAN: Seconds = 20.0
"""Over how long speech a second is averaged: some utterances of each call."""
CALLS_SPEECH = 0.85
"""Seconds of speech a second that a call brings, both legs together, until it shows in the demand: each party of a
telephone conversation talks 39 % of the time (ITU-T P.59), and an utterance has some silence at either end."""


@dataclass(slots=True, kw_only=True)
class Speed:
    """Times real time that one worker recognises at when it hurries, of late."""

    _speech: Seconds = _FIRST_GUESS
    _took: Seconds = 1.0
    measured: bool = False

    @property
    def value(self) -> float:
        return self._speech / self._took

    def learn(self, speech: Seconds, took: Seconds, effort: Effort) -> None:
        """So much speech took so long, with that effort. What second looks bring is known already."""
        speech *= _WORTH[effort]
        fade = math.exp(-took / _SPEED_SPAN)
        self._speech, self._took = fade * self._speech + speech, fade * self._took + took
        self.measured = True


def unseen(age: Seconds) -> float:
    """The share of a call's speech that does not show in the demand yet, when the call has been up for so long."""
    return math.exp(-age / _DEMAND_SPAN)


@dataclass(slots=True, kw_only=True)
class Demand:
    """Seconds of speech a second that come in, averaged with weights that fade over `_DEMAND_SPAN`."""

    since: float
    _speech: Seconds = 0.0
    _fed: float | None = None

    def add(self, speech: Seconds, now: float) -> None:
        self._speech = self._faded(now) + speech
        self._fed = now

    def at(self, now: float) -> float:
        """The average; over the time since the start while that is shorter than the span."""
        return self._faded(now) / (_DEMAND_SPAN * -math.expm1(-max(1.0, now - self.since) / _DEMAND_SPAN))

    def _faded(self, now: float) -> Seconds:
        return self._speech * math.exp(-(now - self._fed) / _DEMAND_SPAN) if self._fed is not None else 0.0
