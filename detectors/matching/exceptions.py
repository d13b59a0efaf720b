"""Exceptions a rule shares with others: denial, other people's words, advice against the very thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from asr.languages import traits_of
from asr.types import LANGUAGES, Language
from detectors.matching.folding import Folded
from detectors.matching.pattern import Lists, Span, compile_piece, compile_regex

Where = Literal["before", "lead", "sentence", "whole"]
_OVERLAP: dict[Language, int] = {"zh": 1, "en": 0}
"""A Chinese cue may share its last character with the match: 不会 before 会联系您的同事."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionSpec:
    """An exception as data. `before`: the last `reach` characters (words in English) of the clause ahead of the match,
    and the match's own gaps; `lead`: the sentence up to the match; `sentence`: all of the sentence but the match;
    `whole`: all of it.

    `but_not` are longer phrases that contain a cue without its meaning ("会不会", "if you do not pay").
    """

    id: str
    where: Where
    reach: dict[Language, int]
    cues: dict[Language, tuple[str, ...]]
    but_not: dict[Language, tuple[str, ...]]


class RuleException:
    """A compiled exception: does it hold a match back?"""

    def __init__(self, spec: ExceptionSpec, lists: dict[Language, Lists]) -> None:
        self.id = spec.id
        self._where: Where = spec.where
        self._reach = spec.reach
        self._cues: dict[Language, Any] = {}
        for language in LANGUAGES:
            if spec.cues.get(language):
                hits = _alternation(spec.cues[language], language, lists[language])
                skips = _alternation(spec.but_not.get(language, ()), language, lists[language])
                self._cues[language] = compile_regex((f"(?:{skips})|" if skips else "") + f"(?P<cue>{hits})")

    def holds(self, language: Language, folded: Folded, span: Span) -> bool:
        """Whether a cue stands where this exception looks."""
        cues = self._cues.get(language)
        if cues is None:
            return False
        return any(
            found.group("cue") is not None
            for begin, end in self._regions(language, folded, span)
            if begin < end
            for found in cues.finditer(folded.text[begin:end])
        )

    def _regions(self, language: Language, folded: Folded, span: Span) -> list[tuple[int, int]]:
        if self._where == "before":
            left, _ = folded.clause(span.begin, span.end)
            begun = min(span.begin + _OVERLAP[language], span.end)
            return [(max(left, self._reached(language, folded, span.begin)), begun), *span.gaps]
        left, right = folded.sentence(span.begin, span.end)
        if self._where == "whole":
            return [(left, right)]
        lead = [(left, span.begin), *span.gaps]
        return lead if self._where == "lead" else [*lead, (span.end, right)]

    def _reached(self, language: Language, folded: Folded, begin: int) -> int:
        reach = self._reach[language]
        if not traits_of(language).spaced:
            return begin - reach
        at = begin
        for _ in range(reach):
            at = folded.text.rfind(" ", 0, at)
            if at < 0:
                return 0
        return at


def _alternation(sources: tuple[str, ...], language: Language, lists: Lists) -> str:
    return "|".join(compile_piece(source, language, lists).regex for source in sources)
