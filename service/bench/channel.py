"""What is left of speech after a telephone line: 8 kHz, 300 to 3400 Hz, G.711."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

from asr.audio.highpass import HighPass
from asr.audio.pcm import SAMPLE_RATE, Pcm, decode, encode, to_float32

PHONE_RATE = 8_000
_BAND = (300.0, 3_400.0)
"""The telephone's band, ITU-T G.712."""


def telephone(pcm: NDArray[np.float32], rate: int) -> Pcm:
    """Speech in [-1, 1] at `rate` Hz, as int16 at 8 kHz as a gateway would send it: band-limited with a fourth-order
    Butterworth's slopes, mu-law there and back."""
    narrow = soxr.resample(pcm, rate, PHONE_RATE)
    hertz = np.fft.rfftfreq(len(narrow), 1 / PHONE_RATE)
    low, high = _BAND
    gain = 1 / np.sqrt((1 + (hertz / high) ** 8) * (1 + (low / np.maximum(hertz, 1.0)) ** 8))
    band = np.fft.irfft(np.fft.rfft(narrow) * gain, len(narrow))
    return decode(encode((np.clip(band, -1, 1) * 32_767).astype(np.int16), "mulaw"), "mulaw")


def at_the_recogniser(phone: Pcm) -> NDArray[np.float32]:
    """Telephone audio as the recogniser is given it: without what lies below speech, 16 kHz, in [-1, 1]."""
    return np.asarray(
        soxr.resample(to_float32(HighPass(PHONE_RATE).push(phone)), PHONE_RATE, SAMPLE_RATE), dtype=np.float32
    )
