"""Learns from people's decisions about alerts: rules that are often wrong must be surer.

Nobody decides about what was not told. So decisions make rules quieter, and never louder.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from detectors.contract import DetectorError
from detectors.semantic.judgement import Judgement

LEAST: Final = 20
"""Decisions on a category without a pattern before its threshold is moved."""
HIGHEST: Final = 0.99
"""No threshold goes above it: a category is never silenced."""
PRIOR: Final = 10
"""So many decisions weigh as much as the trust that a rule comes with."""
_STEP: Final = 0.005


class BadCalibration(DetectorError):
    """The file does not hold what is needed; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """An alert that a person has decided on. `rule`: the pattern's, None if meaning alone told it. `score` in (0,
    1]."""

    category: str
    rule: str | None
    score: float
    right: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Trust of each rule and threshold of each category, in place of the shipped ones; each in [0, 1]."""

    trust: Mapping[str, float]
    thresholds: Mapping[str, float]

    def __bool__(self) -> bool:
        """Whether it changes anything."""
        return bool(self.trust or self.thresholds)

    def of(self, judgement: Judgement) -> Judgement:
        """The judgement with them, where they make it quieter: they may be older than it is. What it does not know is
        left out."""
        trust = {rule: min(value, judgement.trust_of(rule)) for rule, value in self.trust.items()}
        asked = {name: max(value, self.thresholds.get(name, 0.0)) for name, value in judgement.thresholds.items()}
        return replace(judgement, trust={**judgement.trust, **trust}, thresholds=asked)

    def to_json(self) -> bytes:
        """The file that `load_calibration` reads."""
        told = {"trust": dict(self.trust), "thresholds": dict(self.thresholds)}
        return json.dumps(told, indent=2, sort_keys=True).encode() + b"\n"


def calibrate(judgement: Judgement, decided: Sequence[Decided], precision: float) -> Calibration:
    """The calibration that the decisions call for. `precision`: the share of right alerts that a category without a
    pattern should reach."""
    rules = sorted({each.rule for each in decided if each.rule is not None})
    trust = {rule: _trust(judgement, [each for each in decided if each.rule == rule], rule) for rule in rules}
    thresholds = {
        name: _threshold(before, [each for each in decided if each.rule is None and each.category == name], precision)
        for name, before in judgement.thresholds.items()
    }
    return Calibration(
        trust={rule: value for rule, value in trust.items() if value < judgement.trust_of(rule)},
        thresholds={name: value for name, value in thresholds.items() if value > judgement.thresholds[name]},
    )


def load_calibration(path: Path) -> Calibration | None:
    """Read the file; None if there is none. Raises BadCalibration."""
    try:
        raw: Any = json.loads(path.read_bytes())
        return Calibration(trust=_shares(raw["trust"]), thresholds=_shares(raw["thresholds"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise BadCalibration(f"{path} cannot be used: {problem!r}; make it anew or delete it") from problem


def _shares(raw: Any) -> dict[str, float]:
    shares = {str(name): float(value) for name, value in raw.items()}
    for name, value in shares.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{name} is {value}, not a number from 0 to 1")
    return shares


def _trust(judgement: Judgement, decided: Sequence[Decided], rule: str) -> float:
    """How often the rule is right. What it ships with counts as PRIOR decisions."""
    right = sum(each.right for each in decided)
    return round((right + PRIOR * judgement.trust_of(rule)) / (len(decided) + PRIOR), 3)


def _threshold(before: float, decided: Sequence[Decided], precision: float) -> float:
    """The lowest threshold, from `before` to HIGHEST, above which enough of the alerts were right."""
    if len(decided) < LEAST:
        return before
    steps = range(math.ceil(before / _STEP), round(HIGHEST / _STEP))
    return next((step * _STEP for step in steps if _share_right(decided, step * _STEP) >= precision), HIGHEST)


def _share_right(decided: Iterable[Decided], threshold: float) -> float:
    """The share of right alerts from that score on, by Laplace's rule of succession."""
    told = [each.right for each in decided if each.score >= threshold]
    return (sum(told) + 1) / (len(told) + 2)
