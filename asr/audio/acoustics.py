"""How an utterance sounds: its level, and how high the voice is, by autocorrelation.

The telephone cuts the fundamental of most voices away. What is left still repeats with its period, which is what
autocorrelation finds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asr.audio.pcm import SAMPLE_RATE, dbfs, energy
from asr.types import Acoustics

MEASURED = 5
"""The pitch is found in the first seconds of an utterance: in so many."""
LOWEST_HZ, HIGHEST_HZ = 70, 420
_EACH = 4
"""One sample of so many is kept. The periods that are looked for need no more."""
_LOW = np.hanning(18).astype(np.float32) / np.hanning(18).sum(dtype=np.float32)
"""A low-pass of 1 kHz. Peaks of higher harmonics are narrower than the step between two lags."""
_RATE = SAMPLE_RATE // _EACH
_FRAME, _HOP, _FFT = round(0.05 * _RATE), round(0.025 * _RATE), 512
_WINDOW = np.hanning(_FRAME).astype(np.float32)
_VOICED = 0.55
"""A frame is voiced where this share of its power repeats."""
_LOUD = 0.01
"""A frame that has less than this share of the loudest frame's power is no vowel."""
_NEARLY = 0.93
"""A peak counts if it has at least this share of the highest one. A third of the period repeats well, too, where the
telephone leaves the third harmonic first."""
_FEWEST = 8
"""The pitch needs at least so many voiced frames: a fifth of a second."""


def acoustics_of(pcm: bytes) -> Acoustics:
    """The sound of an utterance: int16 at 16 kHz, at least one sample. Figures are rounded to a tenth. It takes some
    milliseconds at most."""
    samples = np.frombuffer(pcm, np.int16)
    peak = int(np.abs(samples.astype(np.int32)).max())
    return Acoustics(
        level_dbfs=round(dbfs(energy(samples) / samples.size), 1),
        peak_dbfs=round(dbfs(float(peak**2)), 1),
        pitch_hz=pitch_of(samples[: MEASURED * SAMPLE_RATE]),
    )


def pitch_of(samples: NDArray[np.int16]) -> float | None:
    """The pitch of int16 samples at 16 kHz, in hertz; None where too little is voiced."""
    if samples.size < _EACH * _FRAME:
        return None
    whole = np.convolve(samples.astype(np.float32), _LOW, "same")[::_EACH]
    frames = np.lib.stride_tricks.sliding_window_view(whole, _FRAME)[::_HOP]
    frames = (frames - frames.mean(axis=1, keepdims=True)) * _WINDOW
    repeats = _autocorrelation(frames)
    power = repeats[:, 0]
    loud = power > _LOUD * power.max()
    shortest, longest = _RATE // HIGHEST_HZ, _RATE // LOWEST_HZ + 1
    windows = _autocorrelation(_WINDOW[None])[0, : longest + 2]
    shares = repeats[loud, : longest + 2] / np.maximum(power[loud, None], 1e-9) * (windows[0] / windows)
    lags = _first_peaks(shares, shortest, longest)
    return round(float(_RATE / np.median(lags)), 1) if len(lags) >= _FEWEST else None


def _autocorrelation(frames: NDArray[np.floating]) -> NDArray[np.floating]:
    """The autocorrelation of each row, shape (rows, lags)."""
    spectrum = np.fft.rfft(frames, _FFT)
    return np.fft.irfft(spectrum.real**2 + spectrum.imag**2, _FFT)[:, :_FRAME]


def _first_peaks(shares: NDArray[np.floating], shortest: int, longest: int) -> NDArray[np.floating]:
    """The lag of each voiced frame, between samples. Of peaks that are nearly as high as the highest the first one
    counts, for twice a period repeats as well."""
    left, top, right = (shares[:, shortest + step : longest + 1 + step] for step in (-1, 0, 1))
    curve = np.minimum(left - 2 * top + right, -1e-9)
    heights = np.where((top >= left) & (top >= right), top - (left - right) ** 2 / (8 * curve), 0.0)
    highest = heights.max(axis=1)
    voiced = np.flatnonzero(highest >= _VOICED)
    places = (heights[voiced] >= _NEARLY * highest[voiced, None]).argmax(axis=1)
    shift = (left - right)[voiced, places] / (2 * curve[voiced, places])
    return shortest + places + np.clip(shift, -0.5, 0.5)
