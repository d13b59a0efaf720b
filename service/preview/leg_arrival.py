"""When the audio of a leg comes, against how long it lasts. Plain; the clock is an argument."""

from __future__ import annotations

from asr.types import Seconds

_WINDOW: Seconds = 1.0
"""Over which the pace is taken: gateways send in bursts of up to 250 ms."""
_SMOOTHING = 16
"""RFC 3550, 6.4.1: one arrival counts a sixteenth."""
_PAUSE: Seconds = 0.3
"""Who sends no silence and no times is silent for longer; that is no jitter."""


class LegArrival:
    """One leg's, or that of legs that come interleaved."""

    def __init__(self) -> None:
        self.packets = 0
        self.audio: Seconds = 0.0
        self.last: Seconds | None = None
        self.jitter: Seconds = 0.0
        self.longest_pause: Seconds = 0.0
        self.reordered = 0
        self.pace = 0.0
        """Seconds of audio a second, the most of any second so far; 0 before the first is over."""
        self._first: Seconds = 0.0
        self._place: Seconds = 0.0
        self._window: tuple[Seconds, Seconds] = (0.0, 0.0)

    def arrived(self, audio: Seconds, at: Seconds | None, now: Seconds) -> None:
        """A packet of `audio` seconds came; `at` is the source's own time of its first sample."""
        place = self.audio if at is None else at
        if self.last is None:
            self._first, self._window = now, (now, 0.0)
        else:
            self._compare(now - self.last, place - self._place, timed=at is not None)
            self._measure_pace(now)
        self.packets += 1
        self.audio += audio
        self.last, self._place = now, place

    @property
    def ahead(self) -> Seconds:
        """How much more audio came than time has passed since the first; less than 0 where less came."""
        return 0.0 if self.last is None else self.audio - (self.last - self._first)

    def _compare(self, waited: Seconds, passed: Seconds, *, timed: bool) -> None:
        if passed < 0:
            self.reordered += 1
            return
        self.longest_pause = max(self.longest_pause, waited)
        if timed or waited < _PAUSE:
            self.jitter += (abs(waited - passed) - self.jitter) / _SMOOTHING

    def _measure_pace(self, now: Seconds) -> None:
        begun, before = self._window
        if now - begun >= _WINDOW:
            self.pace = max(self.pace, (self.audio - before) / (now - begun))
            self._window = now, self.audio
