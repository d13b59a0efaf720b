"""Audio files with a tone in them, in any form that a file may have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

RATE = 8_000
SECONDS = 2


def tone(seconds: float = SECONDS, rate: int = RATE, channels: int = 2) -> np.ndarray:
    """A quiet tone, another in each channel: of int16's own levels, so that 16 bits hold it exactly."""
    at = np.arange(round(seconds * rate)) / rate
    wave = np.stack([np.sin(2 * np.pi * (300 + 140 * n) * at) for n in range(channels)], axis=1)
    return np.rint(wave * 0.3 * 32768) / 32768


def saved(folder: Path, kind: str, subtype: str, sound: np.ndarray | None = None, rate: int = RATE) -> Path:
    path = folder / f"{kind}-{subtype}.audio"
    soundfile.write(path, tone() if sound is None else sound, rate, subtype=subtype, format=kind)
    return path
