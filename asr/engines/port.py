"""What a recogniser promises. Engines live in `asr/engines`; only the recogniser calls one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from asr.audio.pcm import SAMPLE_BYTES, SAMPLE_RATE, samples_of
from asr.types import Language, Seconds, Transcript


class RecognitionError(Exception):
    """Base of everything a recogniser raises."""


class ModelMissing(RecognitionError):
    """The model's files are absent or do not match their sha256; the message says which and how to get them."""


class RecognitionFailed(RecognitionError):
    """One batch could not be decoded; the engine itself is still usable."""


Effort = Literal["quick", "normal", "careful", "full"]
"""How hard the engine tries. `quick`: as fast as it can. `normal`: as it was set up to. `careful`: otherwise than
before, at some three times the cost. `full`: with all that it has, at eight times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BiasTerm:
    """A word that a call is likely to hold. `mishearings` are what recognisers write in its place: of the same length,
    ordinary words or not."""

    text: str
    mishearings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Biasing:
    """What a call is likely to hold in one language: the `prompt` that the decoder has before it, and `terms` that are
    restored where the text holds something that sounds like them, and the audio bears it out."""

    prompt: str = ""
    terms: tuple[BiasTerm, ...] = ()


NO_BIASING = Biasing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """One stretch of speech to recognise: int16 mono at 16 kHz as bytes, 0.1 to 30 s. A plain value, compared as one.

    Where `language` is None the engine hears which it is: `leaning` is how much likelier Mandarin is than English
    before it has seen the audio (log odds, in nats). `biasing` is vocabulary that the call is likely to hold, in each
    language that it may be in.

    `text` is given where it is known already and only the times of its words are asked for: `Transcript.words`, in
    seconds from the stretch's start.
    """

    pcm: bytes
    language: Language | None = None
    leaning: float = 0.0
    biasing: Mapping[Language, Biasing] = field(default_factory=dict[Language, Biasing], hash=False)
    effort: Effort = "normal"
    text: str | None = None

    @property
    def seconds(self) -> Seconds:
        """Its length."""
        return len(self.pcm) / (SAMPLE_BYTES * SAMPLE_RATE)

    @property
    def samples(self) -> NDArray[np.float32]:
        """Its audio in [-1, 1), as models take it."""
        return samples_of(self.pcm)

    def biasing_in(self, language: Language | None) -> Biasing:
        """The vocabulary that is likely in a language; none where the language is to be detected."""
        return NO_BIASING if language is None else self.biasing.get(language, NO_BIASING)

    def without_prompt(self) -> Speech:
        """The same with terms to restore but nothing for the decoder to repeat."""
        bare = {language: replace(biasing, prompt="") for language, biasing in self.biasing.items()}
        return replace(self, biasing=bare)


class Engine(Protocol):
    """A speech recogniser. Blocking; called from at most `workers` threads at a time, never from the event loop."""

    @property
    def name(self) -> str:
        """The model's name and compute type, as shown to users."""
        ...

    @property
    def workers(self) -> int:
        """Batches it works on side by side, each called from a thread of its own; at least 1."""
        ...

    def transcribe(self, batch: Sequence[Speech]) -> list[Transcript]:
        """Recognise every item, in order. Raises RecognitionFailed for the whole batch."""
        ...

    def close(self) -> None:
        """Free the model's memory; no call may follow."""
        ...
