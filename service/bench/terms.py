"""What a prompt does to a text: its terms heard where they were said, or put where nobody said them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from asr.normalisation import occurrences

Pair: TypeAlias = tuple[str, str]
"""(what was said, what was heard), as written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TermScore:
    """Occurrences of terms over some texts. `missed` names the terms that were said and not heard, and how often."""

    said: int
    heard: int
    inserted: int
    missed: tuple[tuple[str, int], ...]

    @property
    def recall(self) -> float | None:
        """Share of the occurrences that were heard, 0 to 1; None where none was said."""
        return self.heard / self.said if self.said else None


def score_terms(pairs: Iterable[Pair], terms: Sequence[str]) -> TermScore:
    """Terms are looked for in `comparable` texts, words of English as whole words. A term inside a longer one counts
    as well: 还款 is heard in 分期还款. Inserted is what was heard more often than it was said."""
    said_sum = heard_sum = inserted = 0
    missed: Counter[str] = Counter()
    for said, heard in pairs:
        for term in terms:
            there, found = occurrences(said, term), occurrences(heard, term)
            said_sum += there
            heard_sum += min(there, found)
            inserted += max(0, found - there)
            missed[term] += max(0, there - found)
    return TermScore(said=said_sum, heard=heard_sum, inserted=inserted, missed=tuple((+missed).most_common()))
