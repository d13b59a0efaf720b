"""How a stretch of speech is decoded: the tokens that ask for it, a prompt within its budget, which context length, how
many tokens, and when the result looks wrong. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from faster_whisper.tokenizer import Tokenizer as WordSplitter
from tokenizers import Tokenizer

from asr.engines.port import BiasTerm, ModelMissing
from asr.normalisation import occurrences
from asr.types import LANGUAGES, Language

FULL_CONTEXT = 30.0
"""Seconds of audio Whisper was trained on."""

CONTEXTS = (3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 15.0, 20.0, FULL_CONTEXT)
"""Lengths the audio is padded to with zeros; `encoder_frames` lends the short ones a longer end."""

TAIL = 0.5
"""Least zeros behind the speech, in seconds."""

MAX_TOKENS = 448

PROMPT_BUDGET = 80
"""Whisper's decoder would take 223; each token of a prompt costs every utterance time, and so do terms past the most
useful ones."""
QUICK_PROMPT_BUDGET = 24
"""The budget where time is short. The whole budget costs a fifth of the speed of greedy decoding in batches of two,
this one a twelfth."""
_TERM_ENDS = "、,，"
_SENTENCE_ENDS = ".。"

_WIDER = 15.0

_LEAST_LOGPROB = -0.7
_LEAST_LOGPROB_OF_NUMBERS = -0.4
_DIGITS_OF_NUMBERS = 4
"""A short context's second commonest fault: 零九七三九六九五 recognised as 1973、1969、1955."""
_GREATEST_COMPRESSION = 2.0
_PLAUSIBLE_RATE = 9.0
_PLAUSIBLE_SPARE = 4
_REPEATED_CHARACTERS = 5
_REPEATED_WORDS = 4
_TERM_WORTH = 1.0
"""Nats. With the prompt it finds all 26 terms in 382 English utterances of the trade, the prompt alone 24; up to six
nats nothing else is taken for one. (Mandarin terms are short and many: half a nat puts some where nobody said them, and
`ForcedDecoder.restored` finds more.)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """One hypothesis: its text tokens, their text, and the figures it is judged by."""

    tokens: tuple[int, ...]
    text: str
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float


def context_for(seconds: float) -> float:
    """The shortest context that holds the speech and a tail of silence."""
    return _shortest(seconds + TAIL)


def wider_context_for(seconds: float) -> float:
    """For a second look while time is short: wider than the first look's, by real silence, at 0.37 of the cost of the
    full context.

    Of 351 Mandarin utterances, two thirds of them at other speeds, 14 % look wrong after greedy decoding; looked at so,
    they bring the error rate from 26.7 to 25.6 %, and in the full context to 26.1 %. With noise 15 dB below the speech
    and a prompt the full context is better, by 0.6 of 30.5 points after greedy decoding, by 0.9 of 28.5 after a beam
    of 5: it is for the time there is.
    """
    return _shortest(max(_WIDER, context_for(seconds) + TAIL))


def _shortest(seconds: float) -> float:
    return next((context for context in CONTEXTS if seconds <= context), FULL_CONTEXT)


def token_limit(seconds: float) -> int:
    """The most text tokens that much speech can need.

    The fastest Mandarin is about 8 syllables a second, rarely more than 1.5 tokens each. The limit ends an
    endless repetition after a few seconds' worth instead of at 448 tokens, while the batch waits for it.
    """
    return min(224, 24 + round(12 * seconds))


def compression_ratio(text: str) -> float:
    """UTF-8 length over zlib length; an endless repetition compresses well."""
    encoded = text.encode()
    return len(encoded) / len(zlib.compress(encoded)) if encoded else 0.0


def looks_wrong(decoded: Hypothesis, seconds: float) -> bool:
    """True when a second look is worth its time."""
    if not decoded.tokens:
        return False
    return (
        decoded.avg_logprob < _least_logprob(decoded.text)
        or decoded.compression_ratio > _GREATEST_COMPRESSION
        or says_twice(decoded.text)
        or len(decoded.tokens) > _PLAUSIBLE_SPARE + _PLAUSIBLE_RATE * seconds
    )


def preferred(hypotheses: Sequence[Hypothesis], terms: Sequence[BiasTerm]) -> Hypothesis:
    """The likeliest hypothesis, which is the first, or one that is nearly as likely and holds more of the expected
    terms."""
    first, *others = hypotheses

    def more(hypothesis: Hypothesis) -> int:
        return sum(occurrences(hypothesis.text, term.text) - occurrences(first.text, term.text) for term in terms)

    def worth(hypothesis: Hypothesis) -> float:
        return hypothesis.avg_logprob + _TERM_WORTH * more(hypothesis) / (len(hypothesis.tokens) + 1)

    return max([first, *(other for other in others if more(other) > 0)], key=worth)


def _least_logprob(text: str) -> float:
    digits = sum(char.isdecimal() for char in text)
    return _LEAST_LOGPROB if digits < _DIGITS_OF_NUMBERS else _LEAST_LOGPROB_OF_NUMBERS


def says_twice(text: str) -> bool:
    """True when a stretch of five characters or more comes back: a short context's commonest fault.

    People do say things twice; the slower decode will then say so too.
    """
    said = "".join(char for char in text.lower() if char.isalnum())
    if said.isascii():  # a word, not a character, is the unit of English
        words = text.lower().split()
        return _comes_back([*words], _REPEATED_WORDS)
    return _comes_back([*said], _REPEATED_CHARACTERS)


def _comes_back(units: list[str], length: int) -> bool:
    seen: dict[tuple[str, ...], int] = {}
    for start in range(len(units) - length + 1):
        if start - seen.setdefault(tuple(units[start : start + length]), start) >= length:
            return True
    return False


class TokenIds:
    """The tokenizer of one model folder."""

    def __init__(self, folder: Path) -> None:
        path = folder / "tokenizer.json"
        if not path.is_file():
            raise ModelMissing(f"{path} is missing; get it with: callwarden models pull base")
        self._tokenizer = Tokenizer.from_file(str(path))
        self._splitters = {
            code: WordSplitter(self._tokenizer, multilingual=True, task="transcribe", language=code)
            for code in LANGUAGES
        }
        self.end_of_text = self._id("<|endoftext|>")
        self.start_of_prompt = self._id("<|startofprev|>")
        self._fitting = lru_cache(maxsize=64)(self._cut_to_budget)  # a call's prompt comes again with every utterance
        self._ask = {code: self._ask_for(code) for code in LANGUAGES}

    def ask(self, language: Language) -> list[int]:
        """The prefix that asks for a transcript in that language, without timestamps."""
        return list(self._ask[language])

    def prompt(self, text: str, budget: int = PROMPT_BUDGET) -> list[int]:
        """The prompt's tokens with its marker; empty for an empty prompt. Past the budget its last terms are dropped,
        whole where commas part them; a full stop stays."""
        if not text.strip():
            return []
        return [self.start_of_prompt, *self._fitting(text.strip(), budget)]

    def text_tokens(self, tokens: list[int]) -> list[int]:
        """The tokens that are text: markers and timestamps left out."""
        return [token for token in tokens if token < self.end_of_text]

    def tokens(self, text: str) -> list[int]:
        """The tokens of a text."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def text(self, tokens: list[int]) -> str:
        """The text of text tokens."""
        return str(self._tokenizer.decode(tokens)).strip()

    def words(self, tokens: list[int], language: Language) -> list[tuple[str, int]]:
        """(word, its number of tokens) in order; for Chinese the smallest runs of whole characters."""
        words, runs = self._splitters[language].split_to_word_tokens([*tokens, self.end_of_text])
        return [(word, len(run)) for word, run in zip(words, runs, strict=True)][:-1]

    def _cut_to_budget(self, text: str, budget: int) -> tuple[int, ...]:
        # Behind an unfinished sentence English goes on in the midst of one: "You are a" is recognised as "your".
        closing = text[-1] if text[-1] in _SENTENCE_ENDS else ""
        tokens = self.tokens(" " + text)
        while len(tokens) > budget and (end := max(map(text.rfind, _TERM_ENDS))) > 0:
            text = text[:end]
            tokens = self.tokens(" " + text + closing)
        return tuple(tokens[:budget])

    def _ask_for(self, language: Language) -> list[int]:
        markers = ("<|startoftranscript|>", f"<|{language}|>", "<|transcribe|>", "<|notimestamps|>")
        return [self._id(marker) for marker in markers]

    def _id(self, marker: str) -> int:
        token = self._tokenizer.token_to_id(marker)
        if token is None:
            raise ModelMissing(f"The model's tokenizer.json knows no {marker}: it is no multilingual Whisper model")
        return int(token)
