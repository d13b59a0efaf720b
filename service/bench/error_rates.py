"""The difference between recognised and spoken text. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from asr.languages import traits_of
from asr.normalisation import comparable
from asr.types import Language

NORMALISER = (
    "asr.normalisation.comparable on both sides: Unicode NFKC, lower case; Chinese in simplified script, digits as "
    "the numerals they are read as, 两 as 二 and 幺 as 一, no marks or spaces; English as words of letters, digits and "
    "apostrophes"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """The edits from the spoken to the recognised text, and how many units were spoken. Units are characters for
    Chinese, words for English."""

    said: int = 0
    substituted: int = 0
    deleted: int = 0
    inserted: int = 0

    @property
    def rate(self) -> float | None:
        """Edits per unit said: the CER or WER; above 1 where much is inserted, None where nothing was said."""
        return (self.substituted + self.deleted + self.inserted) / self.said if self.said else None

    def __add__(self, other: Edits) -> Edits:
        return Edits(
            said=self.said + other.said,
            substituted=self.substituted + other.substituted,
            deleted=self.deleted + other.deleted,
            inserted=self.inserted + other.inserted,
        )


def edits_over(pairs: Iterable[tuple[str, str]], language: Language) -> Edits:
    """The edits over texts as written, pairs of (said, recognised)."""
    return sum((edits(units(said, language), units(recognised, language)) for said, recognised in pairs), Edits())


def units(text: str, language: Language) -> Sequence[str]:
    """The units of a text: characters or words of its normalised form."""
    return comparable(text).split() if traits_of(language).spaced else comparable(text)


def edits(said: Sequence[str], recognised: Sequence[str]) -> Edits:
    """The fewest edits (Levenshtein)."""
    steps = Levenshtein.editops(said, recognised).as_list()
    kinds = Counter(step[0] for step in steps)
    return Edits(said=len(said), substituted=kinds["replace"], deleted=kinds["delete"], inserted=kinds["insert"])
