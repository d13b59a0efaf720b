"""How much speech comes in, and how fast it is recognised: recent averages. Plain: the clock is an argument."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from asr.engines.port import Effort
from asr.types import Seconds

_FIRST_GUESS = 6.0
"""A worker's speed until something has been measured, in times real time."""
_GUESS_WEIGHT: Seconds = 0.5
"""The first guess counts as much as so much work, so the first real batch outweighs it."""
_WORK_SPAN: Seconds = 10.0
"""A worker's speed is averaged over so much work: some ten batches, now and then with a second look."""
_TIME_SPAN: Seconds = 20.0
"""What batches have shown fades over so long. A machine that was slow a minute ago tells little about now."""

_WORTH: Mapping[Effort, float] = MappingProxyType({"quick": 1.0, "normal": 1.4, "careful": 0.0, "full": 0.0})
"""What a second of work at each effort would recognise in a hurry, relative to that effort. A beam of 5 takes 1.2 times
as long as greedy decoding in batches of two, 1.5 times as long one by one. A second look counts for nothing, because
its speech was counted before."""

_DEMAND_SPAN: Seconds = 20.0
"""The demand (speech per second) is averaged over so long: some utterances of each call."""
_DEMAND_AGE: Seconds = 10.0
"""A call counts as at least so old, because its first utterance alone shows no pace."""
CALLS_SPEECH = 0.85
"""Seconds of speech a second that a call brings, both legs together, until it shows in the demand: each party of a
telephone conversation talks 39 % of the time (ITU-T P.59), and an utterance has some silence at either end."""

_STILL: Seconds = 1.0
"""If no tick comes for longer than this, the whole process stood still. When other work merely takes the cores, an
event loop that asks for its turn five times a second still gets it within some 0.1 s."""


class Pauses:
    """The times in which the whole process stood still, suspended or with its machine, as the ticks of a clock show.
    What took long in such a time tells nothing about the speed. Cores taken by other work are no pause: they count as
    missing."""

    def __init__(self, now: float) -> None:
        self._ticked = now
        self._over: float | None = None

    def tick(self, now: float) -> Seconds:
        """To be called every fraction of a second while the process runs. Returns how long it stood still."""
        passed, self._ticked = now - self._ticked, now
        if passed <= _STILL:
            return 0.0
        self._over = now
        return passed

    def since(self, begun: float, now: float) -> bool:
        """Whether the process stood still at some time between `begun` and `now`."""
        return now - self._ticked > _STILL or (self._over is not None and self._over > begun)


@dataclass(slots=True, kw_only=True)
class Speed:
    """One worker's recent speed in a hurry, in times real time.

    What a batch shows fades with the work done since, and with time. What remains is the last measurement made with
    nothing else to do (`measured_idle`), or a first guess before that.
    """

    _guess: float = _FIRST_GUESS
    _speech: Seconds = 0.0
    _took: Seconds = 0.0
    _at: float = 0.0
    measured: bool = False

    def at(self, now: float) -> float:
        """The speed at that moment; above 0."""
        fade = math.exp(-max(0.0, now - self._at) / _TIME_SPAN)
        return (fade * self._speech + _GUESS_WEIGHT * self._guess) / (fade * self._took + _GUESS_WEIGHT)

    def learn(self, speech: Seconds, took: Seconds, effort: Effort, now: float) -> None:
        """A worker has recognised `speech` seconds in `took` seconds with that effort. A second look brings no new
        speech."""
        fade = math.exp(-max(0.0, now - self._at) / _TIME_SPAN - took / _WORK_SPAN)
        self._speech, self._took = fade * self._speech + speech * _WORTH[effort], fade * self._took + took
        self._at = now
        self.measured = True

    def measured_idle(self, speech: Seconds, took: Seconds) -> None:
        """A worker with nothing else to do has recognised `speech` seconds in `took` seconds, in a hurry."""
        self._guess = speech / max(took, 1e-6)
        self._speech = self._took = 0.0
        self.measured = True


def unseen(age: Seconds) -> float:
    """The share of a call's speech that does not show in the demand yet, for a call that began `age` seconds ago."""
    return math.exp(-max(0.0, age) / _DEMAND_SPAN)


@dataclass(slots=True, kw_only=True)
class Demand:
    """Seconds of speech that come in per second: an average whose weights fade over `_DEMAND_SPAN`."""

    since: float
    _speech: Seconds = 0.0
    _fed: float | None = None

    def add(self, speech: Seconds, now: float) -> None:
        """`speech` seconds have come in by `now`."""
        self._speech = self._faded(now) + speech
        self._fed = now

    def stood_still(self, seconds: Seconds) -> None:
        """The process stood still for so long. Nothing could come in, so what came before counts as no older."""
        self.since += seconds
        if self._fed is not None:
            self._fed += seconds

    def at(self, now: float) -> float:
        """The average over `_DEMAND_SPAN`, or over the time since the start while that is shorter."""
        return self._faded(now) / (_DEMAND_SPAN * -math.expm1(-max(_DEMAND_AGE, now - self.since) / _DEMAND_SPAN))

    def _faded(self, now: float) -> Seconds:
        return self._speech * math.exp(-(now - self._fed) / _DEMAND_SPAN) if self._fed is not None else 0.0


@dataclass(slots=True, kw_only=True)
class Demands:
    """The demand of each call, and of all calls together."""

    since: float
    _calls: dict[str, Demand] = field(default_factory=dict[str, Demand])
    _all: Demand = field(init=False)

    def __post_init__(self) -> None:
        self._all = Demand(since=self.since)

    def add(self, call_id: str, speech: Seconds, now: float) -> None:
        """A call has brought `speech` seconds."""
        self._all.add(speech, now)
        self._calls.setdefault(call_id, Demand(since=now)).add(speech, now)

    def at(self, now: float) -> float:
        """The demand of all calls. Calls that are over still count while they fade."""
        return self._all.at(now)

    def fair(self, now: float) -> float:
        """The demand of the live calls. Each counts as 2 at most, because audio that is sent faster than it is spoken
        can wait."""
        return sum(min(demand.at(now), 2 * CALLS_SPEECH) for demand in self._calls.values())

    def of(self, call_id: str, now: float) -> float:
        """The demand of one call."""
        demand = self._calls.get(call_id)
        return demand.at(now) if demand is not None else 0.0

    def stood_still(self, seconds: Seconds) -> None:
        """The process stood still for so long."""
        for demand in (self._all, *self._calls.values()):
            demand.stood_still(seconds)

    def keeps_up(self, call_id: str, now: float) -> bool:
        """Whether the call's audio comes about as fast as it is spoken, so that somebody awaits its texts."""
        return self.of(call_id, now) <= 2 * CALLS_SPEECH

    def forget(self, call_id: str) -> None:
        """The call is over."""
        self._calls.pop(call_id, None)
