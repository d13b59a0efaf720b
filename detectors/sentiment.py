"""How each utterance sounds, from its words: weighed words, turned by negation, strengthened by degree.

Plain and fast, a fraction of a millisecond an utterance. It hears words only: irony and tone of voice escape it.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, cast

from asr.types import Role, Seconds, Utterance
from detectors.api import CallContext, Emotion, Observation, Sentiment, SentimentLabel
from detectors.guard import PLANES
from detectors.pattern import Plane
from detectors.taxonomy import PACKS, PackError, read_yaml
from detectors.text import fold_en, fold_zh, has_chinese

_NEGATIVE: Final = frozenset({"anger", "fear", "sadness", "frustration", "bad"})
_EMOTIONLESS: Final = frozenset({"good", "bad"})
_REACH: Final[dict[Plane, int]] = {"zh": 4, "en": 18}
"""Characters before a word in which a negator or an adverb of degree belongs to it."""
_TURNED: Final = -0.5
"""A negated word says less than its opposite: 不满意 is mildly bad, "not angry" mildly good."""
NEUTRAL: Final = 0.15
"""Scores within it on either side are neutral."""
TREND_SECONDS: Final[Seconds] = 12.0
"""Speech after which the past weighs 1/e in the rolling mean: about three utterances."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeling:
    """One utterance's score in [-1, 1], label and emotion."""

    score: float
    label: SentimentLabel
    emotion: Emotion


class SentimentLexicon:
    """The weighed words of one language. `plane` tells how text is folded."""

    def __init__(self, plane: Plane, raw: Any) -> None:
        self._plane: Plane = plane
        self._weights: dict[str, tuple[str, float]] = {}
        for emotion, strengths in raw["words"].items():
            for strength, words in strengths.items():
                for word in words:
                    self._weights[word] = (emotion, float(strength))
        self._degrees = {str(word): float(factor) for word, factor in raw["intensifiers"].items()}
        self._words = _longest_first(self._weights, plane)
        self._negators = _longest_first(raw["negators"], plane)
        self._adverbs = _longest_first(self._degrees, plane)

    def feel(self, folded: str) -> Feeling:
        """Judge folded text."""
        sums: dict[str, float] = defaultdict(float)
        for found in self._words.finditer(folded):
            emotion, strength = self._weights[found[0]]
            before = folded[max(0, found.start() - _REACH[self._plane]) : found.start()]
            for adverb in self._adverbs.findall(before):
                strength *= self._degrees[adverb]
            turned = len(self._negators.findall(before)) % 2 == 1
            sign = -1.0 if emotion in _NEGATIVE else 1.0
            if turned:
                sums["good" if sign < 0 else "bad"] += sign * strength * _TURNED
            else:
                sums[emotion] += sign * strength
        return _feeling(sums)


def _feeling(sums: Mapping[str, float]) -> Feeling:
    score = round(math.tanh(sum(sums.values())), 3)
    label: SentimentLabel = "neutral" if abs(score) < NEUTRAL else "positive" if score > 0 else "negative"
    felt = {emotion: abs(amount) for emotion, amount in sums.items() if emotion not in _EMOTIONLESS and amount}
    alike = {emotion: amount for emotion, amount in felt.items() if (emotion in _NEGATIVE) == (score < 0)}
    if label == "neutral" or not alike:
        return Feeling(score=score, label=label, emotion="neutral")
    return Feeling(score=score, label=label, emotion=cast(Emotion, max(alike, key=lambda emotion: alike[emotion])))


def _longest_first(words: Any, plane: Plane) -> re.Pattern[str]:
    alternatives = "|".join(re.escape(str(word)) for word in sorted(words, key=lambda word: -len(str(word))))
    return re.compile(alternatives if plane == "zh" else rf"\b(?:{alternatives})\b")


def load_lexicons(path: Path = PACKS / "sentiment.yaml") -> dict[Plane, SentimentLexicon]:
    """Read sentiment.yaml. Raises PackError."""
    raw = read_yaml(path)
    try:
        lexicons: dict[Plane, SentimentLexicon] = {plane: SentimentLexicon(plane, raw[plane]) for plane in PLANES}
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise PackError(f"{path.name}: {problem!r}") from problem
    return lexicons


class SentimentDetector:
    """Scores every utterance of both parties."""

    id: ClassVar[str] = "sentiment"

    def __init__(self, lexicons: dict[Plane, SentimentLexicon]) -> None:
        self._lexicons = lexicons

    def feel(self, text: str) -> Feeling:
        """One text on its own."""
        if has_chinese(text):
            return self._lexicons["zh"].feel(fold_zh(text).text)
        return self._lexicons["en"].feel(fold_en(text).text)

    def open(self, call: CallContext) -> SentimentCall:
        return SentimentCall(self)


class SentimentCall:
    """One call's rolling means."""

    def __init__(self, detector: SentimentDetector) -> None:
        self._detector = detector
        self._trends: dict[Role, float] = {}

    def heard(self, utterance: Utterance) -> list[Observation]:
        feeling = self._detector.feel(utterance.text)
        sentiment = Sentiment(
            utterance_id=utterance.id,
            role=utterance.role,
            at=utterance.end,
            score=feeling.score,
            label=feeling.label,
            emotion=feeling.emotion,
            trend=self._trend(utterance, feeling.score),
        )
        return [sentiment]

    def elapsed(self, at: Seconds) -> list[Observation]:
        return []

    def closed(self, at: Seconds) -> list[Observation]:
        return []

    def _trend(self, utterance: Utterance, score: float) -> float:
        """Exponential mean, weighed by how long was spoken."""
        kept = math.exp(-(utterance.end - utterance.start) / TREND_SECONDS)
        before = self._trends.get(utterance.role)
        trend = score if before is None else kept * before + (1 - kept) * score
        self._trends[utterance.role] = trend
        return round(trend, 3)
