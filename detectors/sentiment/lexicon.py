"""Weighed words of call-centre speech: longest match first, turned by negation, strengthened by degree.

Plain and fast, a fraction of a millisecond an utterance. It reads words only: irony and tone of voice escape it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from asr.languages import traits_of
from asr.types import LANGUAGES, Language
from detectors.contract import Emotion, SentimentLabel
from detectors.matching.pattern import fold
from detectors.packs.taxonomy import PACKS, PackError, read_yaml

EMOTIONS: tuple[Emotion, ...] = get_args(Emotion)
_PLEASANT: Final[frozenset[Emotion]] = frozenset({"relief", "joy"})
NEUTRAL: Final = 0.3
"""Scores nearer to zero are neutral."""
_REACH: Final[dict[Language, int]] = {"zh": 4, "en": 3}
"""Characters or words over which a negator or an adverb of degree still belongs to what follows."""
_TURNED_GOOD: Final = -0.8
"""不满意, "not happy": nearly as bad as the word is good."""
_TURNED_BAD: Final = -0.3
"""不生气了, "not angry": faint praise."""
_COARSE: Final = -0.9
"""The weight from which on a word keeps most of its sting when it is denied: "I don't give a shit"."""

_COURTESY: Final[dict[Language, int]] = {"zh": 24, "en": 14}
"""Beyond this length a kind word is taken for form: "Thank you. This is an attempt to collect a debt, …"."""

Kind = Literal["word", "negator", "degree", "neutral"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeling:
    """One utterance's score in [-1, 1], label and emotion."""

    score: float
    label: SentimentLabel
    emotion: Emotion


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One lexicon entry. `weight` is signed for a word and a factor for a degree."""

    kind: Kind
    weight: float = 1.0
    emotion: Emotion = "neutral"


class Lexicon:
    """One language's entries. Units are characters in Chinese and words in English."""

    def __init__(self, language: Language, entries: Mapping[tuple[str, ...], Entry]) -> None:
        self._language: Language = language
        self._entries = entries
        self._longest = max(map(len, entries), default=1)

    def weigh(self, text: str) -> dict[Emotion, float]:
        """How much of each emotion is in a text: signed, nothing in an empty or unknown one."""
        totals: dict[Emotion, float] = dict.fromkeys(EMOTIONS, 0.0)
        said = units(self._language, text)
        courtesy = min(1.0, _COURTESY[self._language] / max(1, len(said)))
        factor, negated, since = 1.0, False, 0
        for size, entry in self._entries_in(said):
            if entry is None or entry.kind == "neutral":
                since += size
                if since > _REACH[self._language]:
                    factor, negated = 1.0, False
                continue
            since = 0
            if entry.kind == "word":
                emotion, weight = _weigh(entry, factor, negated=negated)
                totals[emotion] += weight * courtesy if weight > 0 else weight
                factor, negated = 1.0, False
            elif entry.kind == "degree":
                factor *= entry.weight
            else:
                negated = True
        return totals

    def _entries_in(self, said: list[str]) -> Iterator[tuple[int, Entry | None]]:
        """The text as consecutive entries and single units without one."""
        at = 0
        while at < len(said):
            longest = min(self._longest, len(said) - at)
            size = next((size for size in range(longest, 0, -1) if tuple(said[at : at + size]) in self._entries), 0)
            yield max(1, size), self._entries[tuple(said[at : at + size])] if size else None
            at += max(1, size)


def _weigh(entry: Entry, factor: float, *, negated: bool) -> tuple[Emotion, float]:
    weight = entry.weight * factor
    if not negated:
        return entry.emotion, weight
    if entry.weight <= _COARSE:
        return entry.emotion, 0.6 * weight
    return ("frustration", _TURNED_GOOD * weight) if weight > 0 else ("relief", _TURNED_BAD * weight)


def units(language: Language, text: str) -> list[str]:
    """What a language's lexicon is made of."""
    folded = fold(language, text).text
    return folded.split() if traits_of(language).spaced else list(folded)


def feeling_of(totals: Mapping[Emotion, float]) -> Feeling:
    """What weighs most; neutral where little weighs."""
    score = round(math.tanh(sum(totals.values())), 3)
    if abs(score) < NEUTRAL:
        return Feeling(score=score, label="neutral", emotion="neutral")
    side: dict[Emotion, float] = {
        each: abs(total) for each, total in totals.items() if each != "neutral" and (each in _PLEASANT) == (score > 0)
    }
    strongest = max(side, key=lambda emotion: side[emotion])
    return Feeling(score=score, label="positive" if score > 0 else "negative", emotion=strongest)


def load_lexicons(folder: Path = PACKS) -> dict[Language, Lexicon]:
    """Read sentiment_zh.yaml and sentiment_en.yaml. Raises PackError."""
    lexicons: dict[Language, Lexicon] = {}
    for language in LANGUAGES:
        path = folder / f"sentiment_{language}.yaml"
        try:
            entries = {tuple(units(language, word)): entry for word, entry in _read(read_yaml(path))}
        except (KeyError, TypeError, AttributeError, ValueError) as problem:
            raise PackError(f"{path.name}: {problem}") from problem
        if () in entries:
            raise PackError(f"{path.name}: an entry is empty once folded")
        lexicons[language] = Lexicon(language, entries)
    return lexicons


def _read(raw: Any) -> Iterator[tuple[str, Entry]]:
    for emotion, groups in raw["words"].items():
        if emotion not in EMOTIONS:
            raise ValueError(f"words: {emotion!r} is none of {', '.join(EMOTIONS)}")
        sign = 1.0 if emotion in _PLEASANT else -1.0
        for weight, words in groups.items():
            for word in words:
                yield str(word), Entry(kind="word", weight=sign * float(weight), emotion=emotion)
    for word in raw["negators"]:
        yield str(word), Entry(kind="negator")
    for word, factor in raw["intensifiers"].items():
        yield str(word), Entry(kind="degree", weight=float(factor))
    for phrase in raw["neutral_phrases"]:
        yield str(phrase), Entry(kind="neutral")
