"""Values that recognition hands on: who spoke, when, and what was understood."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal, TypeAlias

Role = Literal["agent", "customer"]
"""Which party a leg carries. Fixed by the gateway's role map, never guessed from the audio."""

ROLES: tuple[Role, ...] = ("agent", "customer")

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
CallLanguage = Literal["zh", "en", "auto"]
"""What is known of a call before a word is said; `auto`: each party's language is to be detected."""

Seconds: TypeAlias = float
"""Seconds on the call's audio clock: 0 is the call's first sample, gaps are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One recognised word (for Chinese: usually one or two characters) with its time span."""

    text: str
    start: Seconds
    end: Seconds
    probability: float


FilterReason = Literal["empty", "no_speech", "known_phrase", "repetition", "leaked_prompt", "pace", "foreign_script"]
"""Why words were taken out of a transcript: nobody said them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What was understood of one stretch of speech, with the figures that the hallucination filter judges it by.

    `avg_logprob` is the mean log probability a token (<= 0), `no_speech_prob` lies in [0, 1],
    `compression_ratio` is UTF-8 length over its zlib length, `tokens` the number of text tokens.
    `doubtful` tells that it looks wrong, and that more effort is worth its time. `language_odds` is how much likelier
    Mandarin is than English by this stretch alone (log odds, in nats), 0 where its language was given.
    Words are empty unless they were asked for. `filtered`: why the filter took some of the text out, or all of it.
    """

    text: str
    language: Language
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    tokens: int
    doubtful: bool = False
    language_odds: float = 0.0
    words: tuple[Word, ...] = ()
    filtered: FilterReason | None = None

    @property
    def dropped(self) -> bool:
        """There was a text, and the filter took out all of it."""
        return not self.text and self.filtered not in (None, "empty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Acoustics:
    """How an utterance sounds: its mean level (RMS) and its loudest sample, dBFS, -96 to 0; the median pitch of its
    voice, hertz, None where too little is voiced and in records older than the field."""

    level_dbfs: float
    peak_dbfs: float
    pitch_hz: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """What one party said between two pauses: the unit that is stored, judged and shown.

    `index` counts a call's utterances of that role from 0; `id` is `<role>-<index>` and unique in
    its call. `confidence` is the mean token probability, exp(avg_logprob), in [0, 1]. `acoustics` are None while it
    goes on, and in records older than the field.
    """

    id: str
    call_id: str
    role: Role
    index: int
    start: Seconds
    end: Seconds
    text: str
    language: Language
    confidence: float
    words: tuple[Word, ...] = field(default=())
    acoustics: Acoustics | None = None

    def span_in_time(self, begin: int, end: int) -> tuple[Seconds, Seconds]:
        """Where in the audio `text[begin:end]` lies, 0 <= begin < end; never outside the utterance.

        By its words where the engine timed them; the text may differ from the words in script and marks, so letters
        are counted in proportion. Without words, speech is taken to run evenly over the utterance.
        """
        size = max(1, len(self.text))
        first, last = begin / size, min(1.0, end / size)
        if self.words:
            start, stop = _by_words(self.words, first, last)
        else:
            length = self.end - self.start
            start, stop = self.start + length * first, self.start + length * last
        start = min(max(round(start, 3), self.start), self.end)
        return start, min(max(round(stop, 3), start), self.end)


def _by_words(words: tuple[Word, ...], first: float, last: float) -> tuple[Seconds, Seconds]:
    reach = list(accumulate(max(1, len(word.text)) for word in words))
    lower, upper = first * reach[-1], last * reach[-1]
    begins = next((word for word, until in zip(words, reach, strict=True) if until > lower + 1e-9), words[-1])
    ends = next((word for word, until in zip(words, reach, strict=True) if until >= upper - 1e-9), words[-1])
    return begins.start, ends.end
