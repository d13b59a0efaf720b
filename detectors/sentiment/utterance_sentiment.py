"""The sentiment of each utterance, by its meaning or else its words, and the trend of each party's mood."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Final

from asr.types import Language, Role, Seconds, Utterance
from detectors.contract import CallContext, Embedding, Emotion, Jurisdiction, Observation, Sentiment
from detectors.matching.pattern import folds
from detectors.packs.taxonomy import Category
from detectors.semantic.heads import Conversation, Heads, Meaning
from detectors.sentiment.lexicon import EMOTIONS, Feeling, Lexicon, feeling_of
from detectors.sentiment.mood_alerts import MoodAlerts

TREND_SECONDS: Final[Seconds] = 12.0
"""Speech after which the past weighs 1/e in the rolling mean: about three utterances."""


class SentimentDetector:
    """Scores every utterance of both parties: by `heads` if there is an encoder, else by the lexicons. `categories`:
    the taxonomy's, for alerts on moods."""

    id: ClassVar[str] = "sentiment"

    def __init__(
        self, lexicons: dict[Language, Lexicon], categories: Mapping[str, Category], heads: Heads | None = None
    ) -> None:
        self._lexicons = lexicons
        self.categories = categories
        self._heads = heads

    def feel(self, text: str) -> Feeling:
        """The feeling of one text on its own. If its speaker switches, the words of both languages count."""
        totals: dict[Emotion, float] = dict.fromkeys(EMOTIONS, 0.0)
        for language in folds(text):
            for emotion, weight in self._lexicons[language].weigh(text).items():
                totals[emotion] += weight
        return feeling_of(totals)

    def open(self, call: CallContext) -> SentimentCall:
        if self._heads is None:
            return SentimentCall(self, call.jurisdiction)
        return UnderstandingSentimentCall(self, call.jurisdiction, self._heads)


def feeling_meant(meaning: Meaning) -> Feeling:
    """The likeliest label and emotion. The score is the probability of positive less that of negative."""
    sentiments, emotions = meaning.sentiments, meaning.emotions
    return Feeling(
        score=round(sentiments["positive"] - sentiments["negative"], 3),
        label=max(sentiments, key=lambda label: sentiments[label]),
        emotion=max(emotions, key=lambda emotion: emotions[emotion]),
    )


class SentimentCall:
    """One call's rolling means."""

    def __init__(self, detector: SentimentDetector, jurisdiction: Jurisdiction) -> None:
        self._detector = detector
        self._alerts = MoodAlerts(detector.categories, jurisdiction)
        self._trends: dict[Role, float] = {}

    def heard(self, utterance: Utterance) -> list[Observation]:
        return self._felt(utterance, self._detector.feel(utterance.text))

    def _felt(self, utterance: Utterance, feeling: Feeling) -> list[Observation]:
        sentiment = Sentiment(
            utterance_id=utterance.id,
            role=utterance.role,
            at=utterance.end,
            score=feeling.score,
            label=feeling.label,
            emotion=feeling.emotion,
            trend=self._trend(utterance, feeling.score),
        )
        return [sentiment, *self._alerts.felt(utterance, sentiment)]

    def elapsed(self, at: Seconds) -> list[Observation]:
        return []

    def closed(self, at: Seconds) -> list[Observation]:
        return []

    def _trend(self, utterance: Utterance, score: float) -> float:
        """Exponential mean, weighed by how long was spoken."""
        kept = math.exp(-max(0.0, utterance.end - utterance.start) / TREND_SECONDS)
        before = self._trends.get(utterance.role)
        trend = score if before is None else kept * before + (1 - kept) * score
        self._trends[utterance.role] = trend
        return round(trend, 3)


class UnderstandingSentimentCall(SentimentCall):
    """Also remembers the last turns, which the meaning of the next one depends on."""

    def __init__(self, detector: SentimentDetector, jurisdiction: Jurisdiction, heads: Heads) -> None:
        super().__init__(detector, jurisdiction)
        self._conversation = Conversation(heads)

    def understood(self, utterance: Utterance, embedding: Embedding) -> list[Observation]:
        return self._felt(utterance, feeling_meant(self._conversation.heard(utterance.role, embedding)))
