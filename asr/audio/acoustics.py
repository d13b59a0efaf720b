"""What can be told of an utterance's sound without a model. Pure."""

from __future__ import annotations

import numpy as np

from asr.audio.pcm import dbfs, energy
from asr.types import Acoustics


def acoustics_of(pcm: bytes) -> Acoustics:
    """Of int16 samples at 16 kHz, at least one. Rounded to a tenth of a decibel."""
    samples = np.frombuffer(pcm, np.int16)
    peak = int(np.abs(samples.astype(np.int32)).max())
    return Acoustics(
        level_dbfs=round(dbfs(energy(samples) / samples.size), 1), peak_dbfs=round(dbfs(float(peak**2)), 1)
    )
