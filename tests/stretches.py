"""Made-up stretches of speech (noise), as an engine is given them, and what is recognised of them."""

from __future__ import annotations

import numpy as np

from asr.audio.pcm import to_int16
from asr.engines.port import Biasing, Speech
from asr.types import Language, Transcript

RATE = 16_000


def speech(seconds: float = 1.0, *, language: Language | None = "zh", prompt: str = "", level: float = 0.1) -> Speech:
    """A stretch of noise of that length."""
    noise = np.random.default_rng(round(seconds * 1000)).standard_normal(round(seconds * RATE))
    pcm = to_int16((level * noise).astype(np.float32)).tobytes()
    return Speech(pcm=pcm, language=language, biasing={language or "zh": Biasing(prompt=prompt)} if prompt else {})


def transcript(text: str, **figures: object) -> Transcript:
    """A believable transcript of that text."""
    given = {
        "language": "zh",
        "avg_logprob": -0.3,
        "no_speech_prob": 0.05,
        "compression_ratio": 0.9,
        "tokens": max(1, len(text)),
    }
    return Transcript(text=text, **{**given, **figures})  # type: ignore[arg-type]


def recognised(text: str, language: Language = "zh") -> Transcript:
    """That text, of which it is quite sure that it is in that language."""
    return transcript(text, language=language, language_odds=5.0 if language == "zh" else -5.0)
