"""Telephone sounds that hold no speech, made from their definitions: int16 at 8 kHz, the same every time.

Tones after ITU-T E.180 (ring-back: China 450 Hz, 1 s on, 4 s off) and Q.23 (DTMF pairs).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from asr.audio.pcm import Pcm
from service.bench.channel import PHONE_RATE

Wave = NDArray[np.float64]

_ROWS, _COLUMNS = (697.0, 770.0, 852.0, 941.0), (1209.0, 1336.0, 1477.0, 1633.0)
_KEY_SECONDS, _KEY_PAUSE = 0.12, 0.38

_CHORDS = ((48, 55, 60, 64), (45, 52, 57, 60), (41, 48, 53, 57), (43, 50, 55, 59))
"""C, A minor, F, G, as MIDI notes."""
_TUNE = (72, 74, 76, 79, 76, 74, 72, 69, 71, 72, 74, 76, 77, 76, 74, 71)
_BEAT = 0.4
_FORMANTS = ((700.0, 130.0), (1_150.0, 150.0), (2_600.0, 200.0))
"""Centre and width in Hz: a sung "ah"."""


def silence(seconds: float) -> Pcm:
    """Digital silence."""
    return np.zeros(round(seconds * PHONE_RATE), np.int16)


def line_noise(seconds: float) -> Pcm:
    """Noise at about -50 dBFS whose power falls with frequency, 50 Hz hum with a harmonic, and now and then a click."""
    random = np.random.default_rng(1)
    count = round(seconds * PHONE_RATE)
    spectrum = np.fft.rfft(random.standard_normal(count))
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(1.0, np.arange(spectrum.size))), count)
    at = _times(seconds)
    hum = np.sin(2 * np.pi * 50 * at) + 0.5 * np.sin(2 * np.pi * 150 * at)
    wave = 0.0028 * pink / pink.std() + 0.0015 * hum
    clicks = random.integers(0, count, size=max(1, round(seconds / 4)))
    wave[clicks] += random.choice([-0.3, 0.3], size=clicks.size)
    return _pcm(wave)


def ring_back(seconds: float) -> Pcm:
    """450 Hz, one second of five, at -20 dBFS."""
    at = _times(seconds)
    return _pcm(0.14 * np.sin(2 * np.pi * 450 * at) * (at % 5.0 < 1.0))


def dtmf(seconds: float) -> Pcm:
    """One key after the other, two a second, all sixteen in turn."""
    at = _times(seconds)
    key = (at / (_KEY_SECONDS + _KEY_PAUSE)).astype(np.int64) % 16
    low, high = np.take(_ROWS, key // 4), np.take(_COLUMNS, key % 4)
    on = at % (_KEY_SECONDS + _KEY_PAUSE) < _KEY_SECONDS
    return _pcm(0.15 * (np.sin(2 * np.pi * low * at) + np.sin(2 * np.pi * high * at)) * on)


def hold_music(seconds: float) -> Pcm:
    """Chords with a tune above them, by turns on a reed, a bell and a singing voice."""
    at = _times(seconds)
    bar, beat = (at / (4 * _BEAT)).astype(np.int64), (at / _BEAT).astype(np.int64)
    chords = np.array([[_hertz(note) for note in chord] for chord in _CHORDS])[bar % len(_CHORDS)]
    pad = np.sin(2 * np.pi * chords * at[:, None]).sum(axis=1) * 0.03
    pitch = np.array([_hertz(note) for note in _TUNE])[beat % len(_TUNE)]
    voices = [_reed(pitch, at), _bell(pitch, at), _sung(pitch / 4, at)]
    turn = (bar // 4) % len(voices)
    tune = np.choose(turn, voices)
    return _pcm(pad + tune)


def _reed(pitch: Wave, at: Wave) -> Wave:
    return 0.06 * sum(np.sin(2 * np.pi * n * pitch * at) / n for n in (1, 3, 5))  # type: ignore[return-value]


def _bell(pitch: Wave, at: Wave) -> Wave:
    fading = np.exp(-4 * (at % _BEAT) / _BEAT)
    return 0.12 * fading * (np.sin(2 * np.pi * pitch * at) + 0.4 * np.sin(2 * np.pi * 2.76 * pitch * at))


def _sung(pitch: Wave, at: Wave) -> Wave:
    """Harmonics of a voice with vibrato, weighed by its formants."""
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.02 * np.sin(2 * np.pi * 5.5 * at))) / PHONE_RATE
    wave = np.zeros_like(at)
    for number in range(1, 16):
        hertz = number * pitch
        weight = sum(1 / (1 + ((hertz - centre) / width) ** 2) for centre, width in _FORMANTS)
        wave += (weight + 0.02) * np.sin(number * phase) * (hertz < PHONE_RATE / 2)
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * at / (2 * _BEAT))
    return 0.12 * wave * syllables


def _hertz(note: int) -> float:
    return 440.0 * 2 ** ((note - 69) / 12)


def _times(seconds: float) -> Wave:
    return np.arange(round(seconds * PHONE_RATE)) / PHONE_RATE


def _pcm(wave: Wave) -> Pcm:
    return (np.clip(wave, -1, 1) * 32_767).astype(np.int16)


SOUNDS: Mapping[str, Callable[[float], Pcm]] = MappingProxyType(
    {
        "digital silence": silence,
        "line noise": line_noise,
        "ring-back": ring_back,
        "DTMF": dtmf,
        "hold music": hold_music,
    }
)
"""The makers of the sounds, by name. Each takes a length in seconds."""
