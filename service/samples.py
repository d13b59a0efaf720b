"""The bundled sample calls: synthesised, with what is said in them. They feed the demo and the tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import soxr
from pydantic import TypeAdapter

from asr.audio.pcm import SAMPLE_RATE, to_float32, to_int16
from asr.types import ROLES, Language, Role, Seconds
from detectors.contract import Bilingual, Jurisdiction
from service.audio_files.call import read_call_audio


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one party says, and when in the audio."""

    speaker: Role
    start: Seconds
    end: Seconds
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedFinding:
    """A violation that is in the words: the turn's index and its category."""

    category: str
    speaker: Role
    turn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a perfect monitor finds in a sample call."""

    findings: tuple[ExpectedFinding, ...] = ()
    duties_missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleCall:
    """One sample call. Its audio is `<id>.flac` beside the JSON it was read from."""

    id: str
    title: Bilingual
    lang: Language
    jurisdiction: Jurisdiction
    started_at: datetime
    agent: str
    customer: str
    turns: tuple[Turn, ...]
    expected: Expected
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def audio(self) -> Path:
        """The stereo FLAC: left agent, right customer, 8 kHz."""
        return samples_dir() / f"{self.id}.flac"


_SAMPLE: TypeAdapter[SampleCall] = TypeAdapter(SampleCall)


def samples_dir() -> Path:
    """The folder of the samples: inside an installed package, or beside it in a checkout."""
    installed = Path(__file__).parent / "samples"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "samples" / "calls"


def sample_calls() -> list[SampleCall]:
    """Every sample call, by id. FileNotFoundError where none are."""
    found = [_SAMPLE.validate_json(path.read_bytes()) for path in sorted(samples_dir().glob("*.json"))]
    if not found:
        raise FileNotFoundError(f"no sample calls in {samples_dir()}")
    return found


def a_few_words() -> bytes:
    """The first four seconds of speech of a Mandarin sample call, int16 at 16 kHz. FileNotFoundError where there
    is none, AudioUnusable where it is damaged."""
    sample = next(sample for sample in sample_calls() if sample.lang == "zh")
    audio, turn = read_call_audio(sample.audio), sample.turns[0]
    first = round(turn.start * audio.rate)
    pcm = audio.pcm[first : first + 4 * audio.rate, ROLES.index(turn.speaker)]
    return to_int16(np.asarray(soxr.resample(to_float32(pcm), audio.rate, SAMPLE_RATE), dtype=np.float32)).tobytes()
