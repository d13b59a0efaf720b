"""Takes one leg's echo out of the other. Pure."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

import numpy as np

from asr.audio.echo_path import LOW_RATE, TAPS, EchoPath, Numbers, Wave
from asr.audio.leg_history import DELAY, FRAME, LOW, PIECE, LegHistory

_MOST_PATHS: Final = 2
"""There may be two paths: a hybrid near and one far away, or a path whose delay has just changed and its successor."""
_USELESS_AFTER: Final = 75
"""The line has changed once a path has explained nothing of so many pieces (6 s) of the leg's speech."""

_SETTLED_AFTER: Final = 40
_SELDOM: Final = 4
"""After 40 pieces only every fourth is learnt from, because solving is what costs."""

_EXPLAINED: Final = 0.4
_WHOLLY: Final = 0.9
_PIECES: Final = 3
"""A path is believed once it explains 40 % of three pieces. Channels carry one signal where it explains 90 % of two of
them."""

_NEAR: Final = LOW_RATE * 60 // 1_000
_AT_ONCE: Final = LOW_RATE * 25 // 10_000
_EQUAL_DB: Final = (5.0, 9.0)
"""Channels count as carrying one signal where their levels differ by less than 5 dB and their times by 60 ms; or by
9 dB and 2.5 ms, and no filter is between them. An echo is weaker, later or filtered."""
EARLIEST: Final = LOW_RATE // 1_000
"""An echo that seems to come earlier than this, in samples before its sound, is the other leg's own."""
_LOUDEST_ECHO_DB: Final = 1.0

_NOISE_FRAMES: Final = 32
_LEFT_DB: Final = (-25.0, -6.0)
_MARGIN_DB: Final = 7.0
_MUTED_DB: Final = (-14.0, -4.0)
_QUANTILE: Final = 0.35
_STEP_DB: Final = 0.5
"""The rest of an echo, relative to the echo, is followed as the 35 % quantile of all frames. So an agent who talks over
the customer two thirds of the time does not move it. What lies less than 7 dB above it is echo."""


class EchoCanceller:
    """Takes out of `leg` what is an echo of `other`. `may_be_equal` says that this leg is the one to empty where both
    channels carry one signal."""

    def __init__(self, leg: LegHistory, other: LegHistory, *, may_be_equal: bool) -> None:
        self._leg = leg
        self._other = other
        self._may_be_equal = may_be_equal
        self._paths: list[EchoPath] = []
        self._useless: dict[EchoPath, int] = {}
        self._noise: deque[Wave] = deque(maxlen=_NOISE_FRAMES)
        self._left = self._echoed = 0.0
        self._left_db = -13.0
        self.equal = False
        """Both legs carry one signal, as far as the paths have shown."""
        self.muted = False
        """The last frame cleaned was nothing but echo."""

    @property
    def ahead(self) -> int:
        """How far the other leg must be known beyond the cleaned samples, in samples at 16 kHz."""
        return max([0, *(DELAY - 2 * path.first for path in self._paths)])

    @property
    def early(self) -> int:
        """How far it must be known beyond the samples that are learnt from, in samples at 8 kHz."""
        return max([0, *(-path.first for path in self._paths)])

    @property
    def idle(self) -> bool:
        """Nothing is taken out."""
        return not self._paths

    def covers(self, lag: int) -> bool:
        """Whether an echo `lag` samples at 8 kHz late is being taken out."""
        return any(path.covers(lag) for path in self._paths)

    def clean(self, frame: int) -> Wave | Numbers:
        """The leg's frame without the echo."""
        sound = self._leg.pcm.read(frame * FRAME, (frame + 1) * FRAME)
        echo = sum((self._echo(path, frame) for path in self._paths), np.zeros(FRAME))
        echoed = float(np.square(echo).mean())
        self._echoed = 0.6 * self._echoed + 0.4 * echoed
        if not self._echoed > self._leg.noise_floor / 2:
            self.muted = False
            if self._leg.is_noise(float(np.square(sound).mean())):
                self._noise.append(sound.copy())
            return sound
        rest = sound - echo
        left = float(np.square(rest).mean())
        self._left = 0.6 * self._left + 0.4 * left
        if echoed > 4 * self._leg.noise_floor:
            self._follow(left / echoed)
        self.muted = self._left < self._echoed * 10 ** (self._threshold_db / 10)
        return self._line_noise(frame) if self.muted else rest

    def _line_noise(self, frame: int) -> Wave:
        """The leg's sound while nobody speaks. Plain silence would make the line's noise stand out afterwards."""
        return self._noise[frame % len(self._noise)] if self._noise else np.zeros(FRAME, np.float32)

    def residual(self, start: int, end: int, but: EchoPath | None = None) -> Numbers:
        """The leg at 8 kHz without the echoes of all paths `but` one."""
        rest = self._leg.low(start, end).astype(np.float64)
        for path in self._paths:
            if path is not but:
                rest = rest - path.echo(self._reference(path, start, end))
        return rest

    def learn(self, frame: int) -> None:
        """Both legs are known up to `frame`: learn from the piece before."""
        end = frame * LOW - self.early
        for path in list(self._paths):
            step = 1 if path.learnt < _SETTLED_AFTER else _SELDOM
            if frame // PIECE % step:
                continue
            explained = self._learn(path, end - PIECE * LOW)
            if explained is None:
                continue
            path.solve()
            self._useless[path] = 0 if explained > _EXPLAINED else self._useless[path] + step
            is_others = _equal(path) and not self._may_be_equal
            if self._useless[path] > _USELESS_AFTER or is_others:
                self._forget(path)
            self._judge()

    def find(self, lag: int, first: int, frame: int) -> bool:
        """Learns the path of an echo: what leads from frames [first, frame) of the other leg to the same sound `lag`
        samples at 8 kHz later in this one. False where this leg has no such echo."""
        path = EchoPath(lag - TAPS // 8)
        end = frame * LOW - max(self.early, -path.first)
        pieces = range(end - (frame - first) // PIECE * PIECE * LOW, end - PIECE * LOW + 1, PIECE * LOW)
        explained: list[float] = []
        for _ in range(2):  # the second time knowing how much of each piece is no echo
            explained = [each for start in pieces if (each := self._learn(path, start)) is not None]
            path.solve()
        if not self._believes(path, lag, explained):
            return False
        if len(self._paths) == _MOST_PATHS:
            self._forget(max(self._paths, key=self._useless.__getitem__))
        self._paths.append(path)
        self._useless[path] = 0
        self._judge()
        self._left = self._echoed = 0.0
        self._noise.extend(self._leg.noise_frames(_NOISE_FRAMES))
        return True

    def _learn(self, path: EchoPath, start: int) -> float | None:
        """The share of the piece that the path explained before it learnt from it; None where there is no sound."""
        end = start + PIECE * LOW
        reference = self._reference(path, start, end)
        arrived = self.residual(start, end, but=path)
        power = float(np.square(arrived).mean())
        if power < 2 * self._leg.noise_floor or float(np.square(reference).mean()) < 4 * self._other.noise_floor:
            return None
        left = float(np.square(arrived - path.echo(reference)).mean())
        path.learn(reference, arrived, 1 / (left + 1e-3 * power + 1e-9))
        return 1 - left / power

    def _believes(self, path: EchoPath, lag: int, explained: list[float]) -> bool:
        if _equal(path):
            return self._may_be_equal and sum(each > _WHOLLY for each in explained) >= _PIECES - 1
        loudest = -_EQUAL_DB[0] if abs(lag) <= _NEAR else _LOUDEST_ECHO_DB
        is_later = lag >= -EARLIEST
        return is_later and path.gain_db < loudest and sum(each > _EXPLAINED for each in explained) >= _PIECES

    def _forget(self, path: EchoPath) -> None:
        self._paths.remove(path)
        del self._useless[path]

    def _judge(self) -> None:
        """Decides anew whether the legs are equal. A path's first estimate rests on a syllable and may find it too
        weak."""
        self.equal = self._may_be_equal and any(_equal(path) for path in self._paths)

    def _reference(self, path: EchoPath, start: int, end: int) -> Wave:
        return self._other.low(start - path.first - TAPS + 1, end - path.first)

    def _echo(self, path: EchoPath, frame: int) -> Numbers:
        """At 16 kHz: a response at 8 kHz holds for every second sample of what is low-passed."""
        end = (frame + 1) * FRAME + DELAY - 2 * path.first
        reference = self._other.smooth(end - FRAME - 2 * (TAPS - 1), end)
        echo = np.empty(FRAME)
        if not np.square(reference).mean() > self._other.noise_floor:
            return np.zeros(FRAME)
        echo[0::2], echo[1::2] = path.echo(reference[0::2]), path.echo(reference[1::2])
        return echo

    def _follow(self, left: float) -> None:
        above = 10 * math.log10(max(left, 1e-5)) > self._left_db
        self._left_db += _STEP_DB * (_QUANTILE if above else _QUANTILE - 1)
        self._left_db = min(_LEFT_DB[1], max(_LEFT_DB[0], self._left_db))

    @property
    def _threshold_db(self) -> float:
        return min(_MUTED_DB[1], max(_MUTED_DB[0], self._left_db + _MARGIN_DB))


def _equal(path: EchoPath) -> bool:
    """Whether what came by the path is one signal on both channels."""
    lag = path.first + TAPS // 8
    if abs(lag) <= _NEAR and abs(path.gain_db) < _EQUAL_DB[0]:
        return True
    return abs(lag) <= _AT_ONCE and abs(path.gain_db) < _EQUAL_DB[1] and path.flat
