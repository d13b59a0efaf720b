"""What the encoder is trained with: the corpus with its labels, and public text that knows less."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.corpus.check import EMOTIONS, LABELS, LINES, SAYS, SENTIMENTS, STANCES, read, split_of

CATEGORIES = tuple(sorted(LABELS))
STANCE_NAMES = tuple(sorted(STANCES))
SENTIMENT_NAMES = ("negative", "neutral", "positive")
EMOTION_NAMES = tuple(sorted(EMOTIONS))
SAYS_NAMES = (*sorted(SAYS["customer"]), *sorted(SAYS["agent"]))
"""What belongs into the record of a call: what the customer says, then what the agent does."""
assert frozenset(SENTIMENT_NAMES) == SENTIMENTS

PUBLIC = (
    "cped_zh_emotion",
    "smile_zh_distress_support",
    "teleantifraud_zh_fraud",
    "teleantifraud_zh_normal",
    "crosswoz_zh_service",
    "coldataset_zh_offensive",
    "debt_calls_en_turns",
    "davidson_en_offensive",
    "convabuse_en_abuse",
    "goemotions_en_emotion",
    "banking77_en_customer_queries",
    "multidogo_en_finance_customer",
    "taskmaster4_en_service",
)
"""The public sets that are near to spoken calls, by file name; the model's card names their licences."""

HARMLESS = {
    "teleantifraud_zh_normal": "caller",
    "crosswoz_zh_service": "agent",
    "smile_zh_distress_support": "counselor",
    "taskmaster4_en_service": "agent",
    "debt_calls_en_turns": "agent",
}
"""Public sets in which this speaker breaks no rule of collection."""

FEELINGS = {
    "anger": ("negative", "anger"),
    "annoyance": ("negative", "frustration"),
    "disappointment": ("negative", "frustration"),
    "depress": ("negative", "sadness"),
    "sadness": ("negative", "sadness"),
    "grief": ("negative", "sadness"),
    "remorse": ("negative", "sadness"),
    "worried": ("negative", "fear"),
    "fear": ("negative", "fear"),
    "nervousness": ("negative", "fear"),
    "negative-other": ("negative", None),
    "disapproval": ("negative", None),
    "neutral": ("neutral", "neutral"),
    "curiosity": ("neutral", None),
    "realization": ("neutral", None),
    "happy": ("positive", "joy"),
    "joy": ("positive", "joy"),
    "gratitude": ("positive", "joy"),
    "grateful": ("positive", "joy"),
    "relief": ("positive", "relief"),
    "positive-other": ("positive", None),
    "admiration": ("positive", None),
    "optimism": ("positive", None),
}
"""The public sets' emotions in ours; what has no sure place is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A line and what is known of it: None where nothing is. `before`: the one or two turns before, oldest first."""

    lang: str
    speaker: str
    text: str
    before: tuple[tuple[str, str], ...] = ()
    labels: frozenset[str] | None = None
    stance: str | None = None
    sentiment: str | None = None
    emotion: str | None = None
    kind: str = ""
    scenario: str = ""
    says: frozenset[str] | None = None


def corpus(split: str) -> list[Example]:
    """The corpus' lines of one split."""
    lines = [line for _, _, line in read(sorted(LINES.glob("*.jsonl")))]
    return [_example(line) for line in lines if split_of(line["scenario"]) == split]


def _example(line: dict[str, Any]) -> Example:
    is_agent = line["speaker"] == "agent"
    return Example(
        lang=line["lang"],
        speaker=line["speaker"],
        text=line["text"],
        before=tuple((speaker, text) for speaker, text in line["before"]),
        labels=frozenset(line["labels"]) if is_agent else None,
        stance=line["stance"] if is_agent else None,
        sentiment=line["sentiment"],
        emotion=line["emotion"],
        kind=line["kind"],
        scenario=line["scenario"],
        says=frozenset(line["says"]) if "says" in line else None,
    )


def public_texts(folder: Path) -> Iterator[str]:
    """Every text of the public sets, file by file."""
    for name in PUBLIC:
        yield from (line["text"] for line in _lines(folder, name))


def harmless(folder: Path, each: int) -> list[Example]:
    """Service talk that breaks no rule of collection, `each` lines a set, the same ones each time."""
    found: list[Example] = []
    for name, speaker in HARMLESS.items():
        said = [line for line in _lines(folder, name) if _is_harmless(line, speaker)]
        picked = random.Random(name).sample(said, min(each, len(said)))
        found += [Example(lang=line["lang"], speaker="agent", text=line["text"], labels=frozenset()) for line in picked]
    return found


def _is_harmless(line: dict[str, Any], speaker: str) -> bool:
    said_by = line.get("speaker", line["label"])
    return said_by == speaker and not any(line.get(doubt) for doubt in ("kw_profanity", "kw_legal_or_threat"))


def feelings(folder: Path, each: int) -> list[Example]:
    """Emotions of television dialogue and of comments, `each` lines a set."""
    found: list[Example] = []
    for name, lang in (("cped_zh_emotion", "zh"), ("goemotions_en_emotion", "en")):
        known = [(line["text"], FEELINGS.get(line.get("first", line["label"]))) for line in _lines(folder, name)]
        sure = [(text, feeling) for text, feeling in known if feeling is not None]
        for text, (sentiment, emotion) in random.Random(name).sample(sure, min(each, len(sure))):
            found.append(Example(lang=lang, speaker="customer", text=text, sentiment=sentiment, emotion=emotion))
    return found


def _lines(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
