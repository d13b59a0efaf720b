"""Counts a vocabulary's terms in recognised texts: those that were said, and those that nobody said. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from asr.normalisation import occurrences

Pair: TypeAlias = tuple[str, str]
"""(what was said, what was recognised), as written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TermScore:
    """Occurrences of terms over some texts. `missed` names the terms that were said and not recognised, and how
    often."""

    said: int
    recognised: int
    inserted: int
    missed: tuple[tuple[str, int], ...]

    @property
    def recall(self) -> float | None:
        """Share of the occurrences that were recognised, 0 to 1; None where none was said."""
        return self.recognised / self.said if self.said else None


def score_terms(pairs: Iterable[Pair], terms: Sequence[str]) -> TermScore:
    """Terms are looked for in `comparable` texts, words of English as whole words. A term inside a longer one counts
    as well: 还款 is recognised in 分期还款. Inserted is what was recognised more often than it was said."""
    said_sum = recognised_sum = inserted = 0
    missed: Counter[str] = Counter()
    for said, recognised in pairs:
        for term in terms:
            there, found = occurrences(said, term), occurrences(recognised, term)
            said_sum += there
            recognised_sum += min(there, found)
            inserted += max(0, found - there)
            missed[term] += max(0, there - found)
    return TermScore(said=said_sum, recognised=recognised_sum, inserted=inserted, missed=tuple((+missed).most_common()))
