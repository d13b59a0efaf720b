"""Questions that several rules ask of a text: its clauses, and whether one of some patterns occurs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from asr.types import LANGUAGES, Language
from detectors.matching.folding import Folded
from detectors.matching.pattern import Pattern, Span, folds, keys_of
from detectors.packs.loader import PackVocabulary

Patterns = tuple[Pattern, ...]
Place = tuple[int, int]
"""The begin and the end of something in a text."""

_TITLE = re.compile(r"\b(mr|mrs|ms|dr|st)\.", re.IGNORECASE)
_CLAUSE = re.compile(r"[^。！？!?.…;；，,：:—\n]+[。！？!?.…;；，,：:—\n]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A clause, or a part of one. `asked`: it ends with a question mark."""

    text: str
    asked: bool


def clauses(text: str) -> Iterator[Clause]:
    """The text's clauses by its marks."""
    for found in _CLAUSE.finditer(_TITLE.sub(r"\1 ", text)):
        yield Clause(text=found.group(), asked="?" in found.group() or "？" in found.group())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IndexedText:
    """A text that was folded once for many patterns. `keys` rule out most patterns without a search."""

    folded: Mapping[Language, Folded]
    keys: Mapping[Language, set[str]]

    def spans(self, patterns: Patterns) -> Iterator[tuple[Language, Folded, Span]]:
        """Every match, by pattern."""
        for pattern in patterns:
            folded = self.folded.get(pattern.language)
            if folded is not None and not pattern.keys.isdisjoint(self.keys[pattern.language]):
                for span in pattern.spans(folded):
                    yield pattern.language, folded, span

    def says(self, patterns: Patterns) -> bool:
        """Whether one of the patterns is met."""
        return next(self.spans(patterns), None) is not None


def read(text: str) -> IndexedText:
    """Fold a text in each language that it may be in."""
    folded = folds(text)
    return IndexedText(
        folded=folded, keys={language: keys_of(language, each.text) for language, each in folded.items()}
    )


def says(text: str, patterns: Patterns) -> bool:
    """Whether any of the patterns is in the text."""
    return read(text).says(patterns)


def compile_patterns(raw: Any, vocabulary: PackVocabulary) -> Patterns:
    """The zh and en patterns of one entry. Raises PatternError."""
    return tuple(
        Pattern(source, language, vocabulary.lists[language])
        for language in LANGUAGES
        for source in raw.get(language, ())
    )


def places(text: str, patterns: Patterns) -> list[Place]:
    """The places where the patterns are met, in the text's own offsets, from left to right."""
    return sorted(
        folded.origin(span.begin, span.end)
        for _language, folded, span in read(text).spans(patterns)
        if span.begin < span.end
    )
