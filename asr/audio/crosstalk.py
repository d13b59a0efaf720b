"""Echo between the two legs of a call: one party's speech that leaks into the other's leg, found and taken out.

Both legs are compared on the call's clock. Where what a leg carries is the other leg's sound of up to 0.6 s before, its
path is learnt and the echo subtracted; a stretch that was nothing but echo gets the line's own noise instead. What the
leg's own party says at the same time stays. Pure: no clock and no IO.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from asr.audio.echo_canceller import EARLIEST, EchoCanceller
from asr.audio.echo_path import Numbers, Wave
from asr.audio.leg_history import FRAME, LOW, PIECE, LegHistory
from asr.audio.pcm import FULL_SCALE, Pcm, seconds, to_float32
from asr.types import Seconds

_COMPARED_EVERY: Final = 8
"""Frames of 20 ms."""

_COMPARED: Final = 24
_EARLIER: Final = 31
"""Echo comes up to 0.6 s late. So half a second of a leg is looked for in the last 1.1 s of the other one."""

_REVISED: Final = 76
"""A newly found echo is also taken out of the 1.5 s before. Nobody has read them by then."""

_SIZE: Final = 4_608
_BAND: Final = slice(250 * _SIZE // 4_000, 1_900 * _SIZE // 4_000)
_OFFSET: Final = _EARLIER * LOW // 2
_LAGS: Final = np.arange(-240, _OFFSET)
"""The delays that are compared, in samples at 4 kHz. They begin 60 ms early, because the legs' clocks may differ by so
much."""

_PEAK: Final = 9.0
_LASTING_PEAK: Final = 8.0
"""How far the phase correlation at one delay stands over that at all others, in standard deviations: at once, or
summed over a second. Two voices that talk over one another stay under 6."""

_FRAME_SECONDS: Final[Seconds] = seconds(FRAME)
_TOLD_AFTER: Final[Seconds] = 5.0
_OWN_AFTER: Final[Seconds] = 1.0
"""Channels count as equal once leg 0 has had 5 s of sound and all of it was leg 1's. They no longer do after 1 s of
sound of its own."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CleanAudio:
    """Samples of a leg without the other leg's echo, from `start` on. `revised` says that they replace samples that
    were given before."""

    leg: int
    start: int
    pcm: Pcm
    revised: bool = False


class Crosstalk:
    """Two legs, 0 and 1. Push every sample of each in order; what comes out is each leg's, in order and without a hole.

    A leg waits for the other: what is given out has been compared. Of channels that carry one signal it is leg 0's that
    is emptied. The way audio is cut into pushes changes nothing but when it comes out.
    """

    def __init__(self, begin: tuple[int, int] = (0, 0)) -> None:
        """`begin`: where each leg's first sample lies on its clock, in samples at 16 kHz."""
        self.equal = False
        """Both channels carry one signal: nobody can tell who says what."""
        self._alike = self._own = 0.0
        self._start(begin)

    def _start(self, begin: tuple[int, int]) -> None:
        self._begin = begin
        self._base = min(begin)
        self._legs = (LegHistory(), LegHistory())
        self._cancellers = (
            EchoCanceller(self._legs[0], self._legs[1], may_be_equal=True),
            EchoCanceller(self._legs[1], self._legs[0], may_be_equal=False),
        )
        self._pending = [np.zeros(first - self._base, np.float32) for first in begin]
        self._given = [0, 0]
        self._revise_from: list[int | None] = [None, None]
        self._frames = 0
        self._sums: list[Numbers] = [np.zeros(_LAGS.size), np.zeros(_LAGS.size)]
        self._retry = [0, 0]

    def push(self, leg: int, pcm: Pcm) -> list[CleanAudio]:
        """The leg's next samples at 16 kHz; what can be given out of both legs."""
        self._pending[leg] = np.concatenate([self._pending[leg], to_float32(pcm)])
        cleaned: list[CleanAudio] = []
        while min(pending.size for pending in self._pending) >= PIECE * FRAME:
            cleaned += self._advance()
        return cleaned

    def flush(self) -> list[CleanAudio]:
        """What is held, when nothing follows for now. The next push is compared anew."""
        ends = [self._frames * FRAME + pending.size for pending in self._pending]
        whole = max(ends) // FRAME + PIECE + max(self._ahead(0), self._ahead(1))
        whole += -whole % PIECE
        cleaned: list[CleanAudio] = []
        for leg, end in enumerate(ends):
            cleaned += self.push(leg, np.zeros(whole * FRAME - end, np.int16))
        kept = [self._base + ends[clean.leg] - clean.start for clean in cleaned]
        cleaned = [replace(clean, pcm=clean.pcm[:most]) for clean, most in zip(cleaned, kept, strict=True) if most > 0]
        self._start((self._base + ends[0], self._base + ends[1]))
        return cleaned

    def _placed(self, leg: int, start: int, wave: NDArray[np.floating], *, revised: bool) -> CleanAudio:
        """On the leg's clock, without what was put before its first sample."""
        place = self._base + start
        missing = max(0, self._begin[leg] - place)
        pcm = np.clip(np.rint(wave[missing:] * FULL_SCALE), -32_768, 32_767).astype(np.int16)
        return CleanAudio(leg=leg, start=place + missing, pcm=pcm, revised=revised)

    def _advance(self) -> list[CleanAudio]:
        """One piece of both legs."""
        for leg, history in enumerate(self._legs):
            history.write(self._pending[leg][: PIECE * FRAME])
            self._pending[leg] = self._pending[leg][PIECE * FRAME :]
        self._frames += PIECE
        cleaned = [*self._next(0), *self._next(1)]
        for canceller in self._cancellers:
            canceller.learn(self._frames)
        if self._frames % _COMPARED_EVERY == 0:
            for leg in (0, 1):
                self._compare(leg)
        return cleaned

    def _ahead(self, leg: int) -> int:
        """Frames of the other leg that must be known beyond what is given out of this one."""
        return -(-self._cancellers[leg].ahead // FRAME)

    def _next(self, leg: int) -> list[CleanAudio]:
        """What can be given out of a leg."""
        start, end = self._given[leg], self._frames - self._ahead(leg)
        if end <= start:
            return []
        cleaned: list[CleanAudio] = []
        if (revised := self._revise_from[leg]) is not None:
            cleaned.append(self._cleaned(leg, revised, start, revised=True))
            self._revise_from[leg] = None
        self._given[leg] = end
        return [*cleaned, self._cleaned(leg, start, end, revised=False)]

    def _cleaned(self, leg: int, start: int, end: int, *, revised: bool) -> CleanAudio:
        canceller, frames = self._cancellers[leg], list[Wave | Numbers]()
        if canceller.idle and not self.equal:
            return self._placed(
                leg, start * FRAME, self._legs[leg].pcm.read(start * FRAME, end * FRAME), revised=revised
            )
        for frame in range(start, end):
            frames.append(canceller.clean(frame))
            if leg == 0 and (canceller.equal or self.equal):
                self._count(frame)
        return self._placed(leg, start * FRAME, np.concatenate(frames), revised=revised)

    def _count(self, frame: int) -> None:
        """Follow for how long leg 0 has carried nothing but leg 1's sound."""
        if not self._legs[0].active.read(frame, frame + 1)[0]:
            return
        if self._cancellers[0].muted:
            self._alike = min(self._alike + _FRAME_SECONDS, _TOLD_AFTER)
            self._own = max(0.0, self._own - _FRAME_SECONDS / 4)
        else:
            self._own += _FRAME_SECONDS
        if self._own >= _OWN_AFTER:
            self._alike = self._own = 0.0
            self.equal = False
        elif self._alike >= _TOLD_AFTER:
            self.equal = True

    def _compare(self, leg: int) -> None:
        """Look for an echo in the leg; once one is found, what was given out of it lately is to be given anew."""
        now = self._frames
        if now < self._retry[leg] or not self._worth_comparing(leg):
            return
        lag = self._lag(leg)
        if lag is None or self._cancellers[leg].covers(lag):
            return
        other = self._cancellers[1 - leg]
        if other.covers(-lag) and (other.equal or lag < -EARLIEST):  # this leg's own sound, in the other
            return
        first = max(0, now - _REVISED)
        if self._cancellers[leg].find(lag, first, now):
            self._sums[leg][:] = 0
            self._revise_from[leg] = first
        else:
            self._retry[leg] = now + (_COMPARED_EVERY if lag > 0 else 2 * _COMPARED_EVERY)

    def _worth_comparing(self, leg: int) -> bool:
        """Whether both legs have sound: the leg now, the other within the longest delay."""
        now = self._frames
        sound = self._legs[leg].active.read(now - _COMPARED, now)
        earlier = self._legs[1 - leg].active.read(now - _COMPARED - _EARLIER, now)
        return sound[-_COMPARED_EVERY:].sum() >= 4 and sound.sum() >= 6 and earlier.sum() >= 8

    def _lag(self, leg: int) -> int | None:
        """How late, in samples at 8 kHz, sound of the other leg comes that is not being taken out; None without one.

        Phase correlation (GCC-PHAT) of the leg's residual with the other leg, at 4 kHz.
        """
        now, canceller = self._frames, self._cancellers[leg]
        early = canceller.early
        residual = np.pad(canceller.residual((now - _COMPARED) * LOW, now * LOW - early), (0, early))
        sound = self._legs[leg].even(now - _COMPARED, now, residual)
        begin = now - _COMPARED - _EARLIER
        other = self._legs[1 - leg]
        earlier = other.even(begin, now, other.low(begin * LOW, now * LOW))
        across = np.fft.rfft(sound, _SIZE)[_BAND] * np.fft.rfft(earlier, _SIZE)[_BAND].conj()
        spectrum = np.zeros(_SIZE // 2 + 1, np.complex128)
        spectrum[_BAND] = across / np.maximum(np.abs(across), 1e-12)
        correlation = np.fft.irfft(spectrum, _SIZE)
        scale = math.sqrt(float(np.square(correlation).mean()))
        if not scale:
            return None
        found = correlation[(_LAGS - _OFFSET) % _SIZE] / scale
        self._sums[leg] = 0.75 * self._sums[leg] + found
        return _peak(found, self._sums[leg])


def _peak(found: Numbers, lasting: Numbers) -> int | None:
    best = int(np.argmax(np.abs(found)))
    if abs(found[best]) > _PEAK:
        return 2 * int(_LAGS[best])
    summed = int(np.argmax(np.abs(lasting)))
    stands_out = abs(lasting[summed]) > _LASTING_PEAK * math.sqrt(float(np.square(lasting).mean()))
    return 2 * int(_LAGS[summed]) if stands_out and abs(summed - best) < 5 else None
