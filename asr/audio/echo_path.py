"""The way one leg's sound takes into the other, learnt by least squares, and what it carries there. Pure.

All of it works on 8 kHz audio in [-1, 1): a telephone line carries no more.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.float32]
Numbers = NDArray[np.float64]

LOW_RATE: Final = 8_000
TAPS: Final = 128
"""16 ms: a line's filters ring for some 8 ms around the delay."""

_KEPT: Final = 0.93
"""The share at which a piece of 80 ms still counts after the next one. So a line that has changed is learnt anew within
1 s of its echo."""

_LOADED: Final = 1e-4
"""Noise assumed in every band, relative to the reference: bands the line does not carry stay without gain."""

_FLAT_HZ: Final = (500, 3_000)
_FLAT_DB: Final = 2.0


class EchoPath:
    """A finite impulse response of `TAPS` samples that begins `first` samples after the sound in the reference."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.taps: Numbers = np.zeros(TAPS)
        self.gain_db = -math.inf
        """Power of what arrives to that of the reference."""
        self.learnt = 0
        """Pieces learnt from; those that it was found in count twice, for they are gone through twice."""
        self._row: Numbers = np.zeros(TAPS)
        self._loud: Numbers = np.zeros(TAPS)
        self._edges: Numbers = np.zeros((TAPS - 1, TAPS - 1))
        self._cross: Numbers = np.zeros(TAPS)

    def covers(self, lag: int) -> bool:
        """Whether sound that comes `lag` samples after the reference is this path's."""
        return self.first <= lag <= self.first + TAPS - TAPS // 4

    @property
    def flat(self) -> bool:
        """Whether all frequencies of a telephone line pass alike, as where two channels carry one signal."""
        decibels = 20 * np.log10(np.abs(np.fft.rfft(self.taps, 2 * TAPS)) + 1e-9)
        low, high = (hz * 2 * TAPS // LOW_RATE for hz in _FLAT_HZ)
        return bool(decibels[low:high].std() < _FLAT_DB)

    def echo(self, reference: Wave | Numbers) -> Numbers:
        """What arrives of the reference's last samples; its first TAPS - 1 only lead up to them."""
        return np.convolve(reference, self.taps, "valid")

    def learn(self, reference: Wave, arrived: Numbers, weight: float) -> None:
        """Take in a piece: `arrived`, and the reference at the same place with TAPS - 1 samples before it. `weight` is
        one over the power of what in it is no echo, so that what the leg's own party says hardly counts."""
        self.learnt += 1
        lead, known = TAPS - 1, reference.astype(np.float64)
        alike = np.correlate(known, known[lead:], "valid")[::-1]
        self._row = _KEPT * self._row + weight * alike
        self._loud = _KEPT * self._loud + alike
        self._cross = _KEPT * self._cross + weight * np.correlate(known, arrived, "valid")[::-1]
        before, last = known[lead - 1 :: -1], known[:-TAPS:-1]
        self._edges *= _KEPT
        self._edges += weight * (np.outer(before, before) - np.outer(last, last))

    def solve(self) -> None:
        """The response that explains best what was learnt."""
        if not self._row[0]:
            return
        matrix = np.empty((TAPS, TAPS))
        matrix[0] = matrix[:, 0] = self._row
        for row in range(1, TAPS):  # each diagonal goes on by what enters and leaves the piece at its edges
            np.add(matrix[row - 1, :-1], self._edges[row - 1], out=matrix[row, 1:])
        matrix.flat[:: TAPS + 1] += _LOADED * self._row[0]
        self.taps = np.linalg.solve(matrix, self._cross).astype(np.float64, copy=False)
        self.gain_db = 10 * math.log10(max(self._gain(), 1e-9))

    def _gain(self) -> float:
        """The gain over the loud pieces. In what is learnt from, quiet pieces count as much."""
        alike = np.correlate(self.taps, self.taps, "full")[TAPS - 1 :]
        return float(2 * alike @ self._loud - alike[0] * self._loud[0]) / self._loud[0]
