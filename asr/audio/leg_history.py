"""The last seconds of one leg as the comparison of legs reads them: sound at two rates, levels, noise floor. Pure."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from asr.audio.echo_path import Wave

FRAME: Final = 320
"""20 ms at 16 kHz."""
LOW: Final = FRAME // 2
"""The same at 8 kHz."""
PIECE: Final = 4
"""Frames that are written at once."""

_KEPT_FRAMES: Final = 160
_HALF: Final = 15
DELAY: Final = _HALF
"""Samples at 16 kHz by which the low-passed sound lags."""

_QUIETEST: Final = 1e-7
"""-70 dB under full scale: what is weaker is no speech, however quiet the line."""
_ABOVE_FLOOR: Final = 4.0
_NOISE: Final = 1.6
"""Noise lies within 2 dB of the floor; at 6 dB above it there may be something else."""

_PIECES: Final = (12, 50)
"""The noise floor is the least of the last 50 pieces of 80 ms: nobody speaks 4 s without a dip to it. Before 12 are
there it is taken to be as low as can be."""


def _half_band() -> Wave:
    at = np.arange(-_HALF, _HALF + 1)
    taps = np.sinc(at / 2) * np.hamming(at.size)
    return (taps / taps.sum()).astype(np.float32)


_LOW_PASS: Final = _half_band()


class _Tape:
    """The latest `capacity` numbers, read by their place; before the first there are zeros."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._numbers = np.zeros(4 * capacity, np.float32)
        self._next = capacity
        self.written = 0

    def write(self, numbers: Wave) -> None:
        """Append at most `capacity`."""
        if self._next + numbers.size > self._numbers.size:
            self._numbers[: self._capacity] = self._numbers[self._next - self._capacity : self._next].copy()
            self._next = self._capacity
        self._numbers[self._next : self._next + numbers.size] = numbers
        self._next += numbers.size
        self.written += numbers.size

    def skip(self, count: int) -> None:
        """Go on `count` numbers later, for nobody asked for what is kept."""
        self._numbers[:] = 0
        self.written += count

    def read(self, start: int, end: int) -> Wave:
        """A view; hold it until the next write at most."""
        begin = self._next - self.written + start
        assert self._next - self._capacity <= begin, "no longer kept"
        assert end <= self.written, "not there yet"
        return self._numbers[begin : begin + end - start]


class LegHistory:
    """Written piece by piece, in [-1, 1). `pcm` is the sound at 16 kHz; `active` has 1.0 for frames that stand out of
    the noise."""

    def __init__(self) -> None:
        self.pcm = _Tape(_KEPT_FRAMES * FRAME)
        self._smooth = _Tape(_KEPT_FRAMES * FRAME)
        self._low = _Tape(_KEPT_FRAMES * LOW)
        self.active = _Tape(_KEPT_FRAMES)
        self._least: deque[float] = deque(maxlen=_PIECES[1])
        self.noise_floor = _QUIETEST / _ABOVE_FLOOR
        """Mean square of the leg's noise: the least of the last four seconds."""

    def write(self, pcm: Wave) -> None:
        """A piece: 4 frames."""
        self.pcm.write(pcm)
        powers = np.square(pcm).reshape(PIECE, FRAME).sum(axis=1) / FRAME
        self.active.write((powers > _ABOVE_FLOOR * self.noise_floor).astype(np.float32))
        first, second, third, fourth = powers.tolist()
        self._least.append(min(first + second, second + third, third + fourth) / 2)
        if len(self._least) >= _PIECES[0]:
            self.noise_floor = max(min(self._least), _QUIETEST / _ABOVE_FLOOR)

    def smooth(self, start: int, end: int) -> Wave:
        """Low-passed sound at 16 kHz, `DELAY` samples late."""
        self._catch_up()
        return self._smooth.read(start, end)

    def low(self, start: int, end: int) -> Wave:
        """The same at 8 kHz."""
        self._catch_up()
        return self._low.read(start, end)

    def _catch_up(self) -> None:
        """Low-pass what has come since: most of a call nobody asks for it."""
        behind = self.pcm.written - self._smooth.written
        if behind > (_KEPT_FRAMES - 1) * FRAME:
            skipped = behind - (_KEPT_FRAMES - 1) * FRAME
            self._smooth.skip(skipped)
            self._low.skip(skipped // 2)
        elif not behind:
            return
        led = self.pcm.read(self._smooth.written - 2 * _HALF, self.pcm.written)
        smooth = np.convolve(led, _LOW_PASS, "valid").astype(np.float32)
        self._smooth.write(smooth)
        self._low.write(smooth[::2])

    def is_noise(self, power: float) -> bool:
        """Whether a frame of that mean square is the line's noise and nothing else."""
        return power <= _NOISE * self.noise_floor

    def noise_frames(self, most: int) -> list[Wave]:
        """The latest frames that are the line's noise and nothing else."""
        first = max(0, self.active.written - _KEPT_FRAMES)
        frames = self.pcm.read(first * FRAME, self.pcm.written).reshape(-1, FRAME)
        return [*frames[np.square(frames).sum(axis=1) <= _NOISE * self.noise_floor * FRAME][-most:].copy()]

    def even(self, start: int, end: int, low: NDArray[np.floating]) -> Wave:
        """`low`, the leg's sound at 8 kHz in frames [start, end), at 4 kHz with all active frames equally loud and
        nothing else: a weak echo counts as much as the loud voice before it."""
        frames = low.reshape(end - start, LOW)
        power = np.square(frames).mean(axis=1)
        gain = np.where(power > _ABOVE_FLOOR * self.noise_floor, 1 / np.sqrt(power + 1e-12), 0.0)
        halved = frames.reshape(end - start, LOW // 2, 2).mean(axis=2)
        return (halved * gain[:, None]).ravel()
