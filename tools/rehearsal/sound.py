"""What a play sounds like, and a range of it over HTTP."""

from __future__ import annotations

import io

import numpy as np
import soundfile
from fastapi import Response
from numpy.typing import NDArray

from tools.rehearsal.plays import ROOT, Play, PlayedTurn

RATE = 8000


def wav_of(play: Play) -> bytes:
    """The play's sound as a WAV file."""
    wav = io.BytesIO()
    soundfile.write(wav, sound_of(play), RATE, format="WAV", subtype="PCM_16")
    return wav.getvalue()


def sound_of(play: Play) -> NDArray[np.float32]:
    """The play's own recording where it has one, else voice-like noise where someone speaks. 8 kHz stereo."""
    if play.recording is not None:
        recorded, _rate = soundfile.read(ROOT / play.recording, dtype="float32")
        return np.asarray(recorded, np.float32)
    noise = np.random.default_rng(7)
    data = (noise.standard_normal((int(play.duration * RATE), 2)) * 0.002).astype(np.float32)
    for turn in play.turns:
        begin, end = int(turn.start * RATE), min(int(turn.end * RATE), len(data))
        data[begin:end, 0 if turn.role == "agent" else 1] += _voice(turn, end - begin, noise)
    return data


def _voice(turn: PlayedTurn, samples: int, noise: np.random.Generator) -> NDArray[np.float32]:
    t = np.arange(samples) / RATE
    syllables = np.abs(np.sin(t * np.pi * 4.3)) * (0.6 + 0.4 * np.sin(t * 2.1))
    tone = np.sin(2 * np.pi * (140 if turn.role == "agent" else 210) * t) + 0.3 * noise.standard_normal(samples)
    loud = 0.35 + 0.4 * max(0.0, -turn.sentiment)
    return (syllables * tone * loud * 0.5).astype(np.float32)


def ranged(data: bytes, header: str | None) -> Response:
    common = {"Accept-Ranges": "bytes"}
    if header is None:
        return Response(data, media_type="audio/wav", headers=common)
    first, _, last = header.removeprefix("bytes=").partition("-")
    begin, end = int(first or 0), min(int(last or len(data) - 1), len(data) - 1)
    headers = {**common, "Content-Range": f"bytes {begin}-{end}/{len(data)}"}
    return Response(data[begin : end + 1], 206, media_type="audio/wav", headers=headers)
