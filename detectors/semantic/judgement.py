"""Weighs all signals into one judgement: what a line means, how its speaker stands to it, and which patterns it
meets."""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from detectors.contract import DetectorError
from detectors.semantic.encoder import FOLDER
from detectors.semantic.heads import Meaning, Stance, sigmoid

AGAINST: Final[tuple[Stance, ...]] = ("denies", "quotes", "asks", "warns_against", "offers_help")
"""Stances of those who name a violation without committing it."""

LINE_FEATURES: Final = ("one", "violates", "length", "pattern", "pattern_against", "earlier")
"""What is weighed for whether a line violates anything."""
CATEGORY_FEATURES: Final = ("one", "category", "violates", "pattern", "pattern_against", "against")
"""What is weighed for one category."""

REMEMBERED: Final = 6
"""The agent's utterances that tell how he speaks in this call. More would let a calm hour excuse a minute."""
EXPECTED: Final = 0.3
EXPECTED_WEIGHT: Final = 3.0
"""Before an agent is known he counts as one of whose EXPECTED_WEIGHT utterances this share violates."""


class BadJudgement(DetectorError):
    """The file of weights and thresholds lacks something; the message names it."""


class EarlierUtterances:
    """How the agent has spoken in this call, by his last utterances."""

    def __init__(self) -> None:
        self._violate: deque[float] = deque(maxlen=REMEMBERED)

    def add(self, meaning: Meaning) -> None:
        """Remember an utterance of the agent."""
        self._violate.append(sigmoid(meaning.violates))

    @property
    def odds(self) -> float:
        """Log odds that an utterance of this agent violates something, less those of an unknown agent."""
        share = (sum(self._violate) + EXPECTED_WEIGHT * EXPECTED) / (len(self._violate) + EXPECTED_WEIGHT)
        return _logit(share) - _logit(EXPECTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One utterance of an agent. `rules`: those whose patterns it meets, by category. `earlier`: `EarlierUtterances`'
    odds before it."""

    meaning: Meaning
    text: str
    rules: Mapping[str, str] = field(default_factory=dict[str, str])
    earlier: float = 0.0


def against(meaning: Meaning) -> float:
    """Probability that the speaker denies, quotes, asks about, or warns of what is named."""
    return sum(meaning.stances[stance] for stance in AGAINST)


def line_features(line: Line, trust: float) -> tuple[float, ...]:
    """In the order of LINE_FEATURES. `trust`: how far the surest rule that is met can be trusted, in [0, 1]; 0 where
    none is met. A line's length is that of its UTF-8 bytes, of which a Chinese character has three."""
    length = math.log(max(1, len(line.text.encode())))
    return 1.0, line.meaning.violates, length, trust, trust * against(line.meaning), line.earlier


def category_features(meaning: Meaning, category: str, trust: float) -> tuple[float, ...]:
    """In the order of CATEGORY_FEATURES. `trust`: as in `line_features`, of the category's rule."""
    turned = against(meaning)
    return 1.0, meaning.categories[category], meaning.violates, trust, trust * turned, turned


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Whether a line violates anything, and what.

    `line`, `category`: weights of LINE_FEATURES and CATEGORY_FEATURES. `thresholds`: the probability that a line
    violates anything from which a category is told, and `with_pattern` where a rule of the category is met. Of the
    categories' own probabilities the likeliest one's must then be `likeliest` or more, and another one's `another`.
    `says`: the log odds from which a statement counts as made. `trust`: how often each rule is right where it is met,
    and `trust_in_other_rules` for those that were never met.
    """

    line: Sequence[float]
    category: Sequence[float]
    thresholds: Mapping[str, float]
    with_pattern: float
    likeliest: float
    another: float
    says: Mapping[str, float]
    trust: Mapping[str, float]
    trust_in_other_rules: float

    def violates(self, line: Line) -> float:
        """The probability that it violates anything, by everything known of it."""
        trust = max(map(self.trust_of, line.rules.values()), default=0.0)
        return sigmoid(_weighed(self.line, line_features(line, trust)))

    def told(self, line: Line, categories: Iterable[str]) -> list[str]:
        """Of these categories the ones that the line commits."""
        violates, each = self.violates(line), {name: self._probability(line, name) for name in categories}
        highest = max(each.values(), default=0.0)
        least = min(self.another, max(self.likeliest, highest))
        return [name for name, share in each.items() if share >= least and violates >= self._threshold(line, name)]

    def trust_of(self, rule: str) -> float:
        """The trust in a rule that is met, in [0, 1]."""
        return self.trust.get(rule, self.trust_in_other_rules)

    def _threshold(self, line: Line, category: str) -> float:
        return self.with_pattern if category in line.rules else self.thresholds[category]

    def _probability(self, line: Line, category: str) -> float:
        rule = line.rules.get(category)
        trust = 0.0 if rule is None else self.trust_of(rule)
        return sigmoid(_weighed(self.category, category_features(line.meaning, category, trust)))


def _weighed(weights: Sequence[float], features: Sequence[float]) -> float:
    return sum(weight * value for weight, value in zip(weights, features, strict=True))


def _logit(probability: float) -> float:
    return math.log(probability / (1.0 - probability))


_SINGLE: Final = ("trust_in_other_rules", "with_pattern", "likeliest", "another")


def load_judgement(folder: Path = FOLDER) -> Judgement:
    """The weights and thresholds that ship with the encoder. Raises BadJudgement."""
    path = folder / "judgement.json"
    try:
        raw: Any = json.loads(path.read_text(encoding="utf-8"))
        line = [float(raw["line"][name]) for name in LINE_FEATURES]
        category = [float(raw["category"][name]) for name in CATEGORY_FEATURES]
        thresholds, trust, says = (
            {str(name): float(value) for name, value in raw[field].items()} for field in ("thresholds", "trust", "says")
        )
        others, with_pattern, likeliest, another = (float(raw[name]) for name in _SINGLE)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise BadJudgement(f"{path.name} in {folder} cannot be used: {problem!r}") from problem
    return Judgement(
        line=line,
        category=category,
        thresholds=thresholds,
        with_pattern=with_pattern,
        likeliest=likeliest,
        another=another,
        says=says,
        trust=trust,
        trust_in_other_rules=others,
    )
