"""Weighs all signals into one judgement: what a line means, how its speaker stands to it, and which patterns it
meets."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from detectors.contract import DetectorError
from detectors.semantic.encoder import FOLDER
from detectors.semantic.heads import Meaning, Stance

AGAINST: Final[tuple[Stance, ...]] = ("denies", "quotes", "asks", "warns_against", "offers_help")
"""Stances of those who name a violation without committing it."""

FEATURES: Final = ("one", "category", "violates", "pattern", "pattern_against", "against")


class BadJudgement(DetectorError):
    """The file of weights and thresholds lacks something; the message names it."""


def against(meaning: Meaning) -> float:
    """Probability that the speaker denies, quotes, asks about, or warns of what is named."""
    return sum(meaning.stances[stance] for stance in AGAINST)


def features(meaning: Meaning, category: str, pattern: float) -> tuple[float, ...]:
    """The signals for one category, in the order of FEATURES. `pattern`: the trust in a rule of the category that is
    met, in [0, 1]; 0 if none is met."""
    turned = against(meaning)
    return 1.0, meaning.categories[category], meaning.violates, pattern, pattern * turned, turned


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """`weights` of FEATURES; `thresholds`: the probability from which a category is told, and `with_pattern` where a
    rule is met; `says`: the log odds from which a statement counts as made; `trust`: how often each rule is right where
    it is met, and `trust_in_other_rules` for those that were never met."""

    weights: Sequence[float]
    thresholds: Mapping[str, float]
    with_pattern: float
    says: Mapping[str, float]
    trust: Mapping[str, float]
    trust_in_other_rules: float

    def probability(self, meaning: Meaning, category: str, rule: str | None = None) -> float:
        """The probability that the line commits the category. `rule`: the rule that is met, if any."""
        pattern = 0.0 if rule is None else self.trust_of(rule)
        weighed = zip(self.weights, features(meaning, category, pattern), strict=True)
        odds = sum(weight * value for weight, value in weighed)
        return 1.0 / (1.0 + math.exp(-max(-40.0, min(40.0, odds))))

    def trust_of(self, rule: str) -> float:
        """The trust in a rule that is met, in [0, 1]."""
        return self.trust.get(rule, self.trust_in_other_rules)

    def tells(self, category: str, probability: float, rule: str | None = None) -> bool:
        """Whether the probability is high enough for a finding."""
        return probability >= (self.thresholds[category] if rule is None else self.with_pattern)


def load_judgement(folder: Path = FOLDER) -> Judgement:
    """The weights and thresholds that ship with the encoder. Raises BadJudgement."""
    path = folder / "judgement.json"
    try:
        raw: Any = json.loads(path.read_text(encoding="utf-8"))
        weights = [float(raw["weights"][name]) for name in FEATURES]
        thresholds, trust, says = (
            {str(name): float(value) for name, value in raw[field].items()} for field in ("thresholds", "trust", "says")
        )
        others, with_pattern = float(raw["trust_in_other_rules"]), float(raw["with_pattern"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise BadJudgement(f"{path.name} in {folder} cannot be used: {problem!r}") from problem
    return Judgement(
        weights=weights,
        thresholds=thresholds,
        with_pattern=with_pattern,
        says=says,
        trust=trust,
        trust_in_other_rules=others,
    )
