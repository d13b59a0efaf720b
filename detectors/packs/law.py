"""The law's figures, read from the pack: hours, and limits of rules over several turns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from types import MappingProxyType
from typing import Any

from detectors.contract import Jurisdiction
from detectors.packs.taxonomy import JURISDICTIONS, PACKS, PackError, Taxonomy, read_yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class NightHours:
    """The hours in which nobody may be called: from `begins` past midnight until before `ends`."""

    begins: time
    ends: time

    def holds(self, at: time) -> bool:
        """Is this a forbidden hour?"""
        return at >= self.begins or at < self.ends


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceLimit:
    """`category`: the taxonomy's id. `score` in (0, 1]. `turns`: the agent's turn after the customer's words in which
    what was asked for must have been done, 0 where that does not count."""

    category: str
    score: float
    turns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LawFigures:
    """`night` by jurisdiction, `sequence` by rule."""

    night: Mapping[Jurisdiction, NightHours]
    sequence: Mapping[str, SequenceLimit]


def load_law_figures(taxonomy: Taxonomy, path: Path = PACKS / "law.yaml") -> LawFigures:
    """Read law.yaml. Raises PackError."""
    raw = read_yaml(path)
    try:
        night: dict[Jurisdiction, NightHours] = {each: _night(raw["night"][each]) for each in JURISDICTIONS}
        sequence = {str(rule): _limit(limit) for rule, limit in raw["sequence"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise PackError(f"{path.name}: {problem!r}") from problem
    for rule, limit in sequence.items():
        if limit.category not in taxonomy.categories:
            raise PackError(f"{path.name}: sequence: {rule}: no category is named {limit.category!r}")
    return LawFigures(night=MappingProxyType(night), sequence=MappingProxyType(sequence))


def _night(raw: Any) -> NightHours:
    night = NightHours(begins=time.fromisoformat(raw["begins"]), ends=time.fromisoformat(raw["ends"]))
    if night.begins <= night.ends:
        raise ValueError(f"a night from {night.begins} to {night.ends} does not run past midnight")
    return night


def _limit(raw: Any) -> SequenceLimit:
    limit = SequenceLimit(category=str(raw["category"]), score=float(raw["score"]), turns=int(raw.get("turns", 0)))
    if not 0 < limit.score <= 1 or limit.turns < 0:
        raise ValueError(f"{limit} is out of bounds")
    return limit
