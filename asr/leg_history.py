"""The last seconds of one leg as the comparison of legs reads them: sound at two rates, levels, noise floor. Pure."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from asr.echo import Wave

FRAME: Final = 320
"""20 ms at 16 kHz."""
LOW: Final = FRAME // 2
"""The same at 8 kHz."""

_KEPT_FRAMES: Final = 160
_HALF: Final = 15
DELAY: Final = _HALF
"""Samples at 16 kHz by which the low-passed sound lags."""

_QUIETEST: Final = 1e-7
"""-70 dB under full scale: what is weaker is no speech, however quiet the line."""
_ABOVE_FLOOR: Final = 4.0

_BLOCK_FRAMES: Final = 25
_FLOOR_BLOCKS: Final = 8


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

    def read(self, start: int, end: int) -> Wave:
        """A view; hold it until the next write at most."""
        begin = self._next - self.written + start
        assert self._next - self._capacity <= begin, "no longer kept"
        assert end <= self.written, "not there yet"
        return self._numbers[begin : begin + end - start]


class LegHistory:
    """Written frame by frame, in [-1, 1). `pcm` is the sound at 16 kHz, `smooth` the same low-passed and `DELAY` late,
    `low` that at 8 kHz; `active` has 1.0 for frames that stand out of the noise."""

    def __init__(self) -> None:
        self.pcm = _Tape(_KEPT_FRAMES * FRAME)
        self.smooth = _Tape(_KEPT_FRAMES * FRAME)
        self.low = _Tape(_KEPT_FRAMES * LOW)
        self.active = _Tape(_KEPT_FRAMES)
        self._lead = np.zeros(2 * _HALF, np.float32)
        self._block: list[float] = []
        self._floors: deque[float] = deque(maxlen=_FLOOR_BLOCKS)
        self.floor = _QUIETEST / _ABOVE_FLOOR
        """Mean square of the leg's noise: the least of the last four seconds."""

    def write(self, pcm: Wave) -> None:
        """Whole frames."""
        self.pcm.write(pcm)
        led = np.concatenate([self._lead, pcm])
        self._lead = led[-2 * _HALF :]
        smooth = np.convolve(led, _LOW_PASS, "valid").astype(np.float32)
        self.smooth.write(smooth)
        self.low.write(smooth[::2])
        powers = np.square(pcm).reshape(-1, FRAME).mean(axis=1)
        self.active.write((powers > _ABOVE_FLOOR * self.floor).astype(np.float32))
        for power in powers.tolist():
            self._track_floor(power)

    def even(self, start: int, end: int, low: NDArray[np.floating]) -> Wave:
        """`low`, the leg's sound at 8 kHz in frames [start, end), at 4 kHz with all active frames equally loud and
        nothing else: a weak echo counts as much as the loud voice before it."""
        frames = low.reshape(end - start, LOW)
        power = np.square(frames).mean(axis=1)
        gain = np.where(power > _ABOVE_FLOOR * self.floor, 1 / np.sqrt(power + 1e-12), 0.0)
        halved = frames.reshape(end - start, LOW // 2, 2).mean(axis=2)
        return (halved * gain[:, None]).ravel()

    def _track_floor(self, power: float) -> None:
        self._block.append(power)
        if len(self._block) == _BLOCK_FRAMES:
            threes = np.convolve(self._block, np.full(3, 1 / 3), "valid")
            self._floors.append(float(threes.min()))
            self._block.clear()
            self.floor = max(min(self._floors), _QUIETEST / _ABOVE_FLOOR)
