"""Exceptions a rule shares with others: denial, other people's words, advice against the very thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from detectors.pattern import Lists, Plane, Span, compile_piece, compile_regex
from detectors.text import Folded

Where = Literal["before", "lead", "sentence", "whole"]
_OVERLAP: dict[Plane, int] = {"zh": 1, "en": 0}
"""A Chinese cue may share its last character with the match: 不会 before 会联系您的同事."""

PLANES: tuple[Plane, ...] = get_args(Plane)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSpec:
    """A guard as data. `before`: the last `reach` characters (words in English) of the clause ahead of the match,
    and the match's own gaps; `lead`: the sentence up to the match; `sentence`: all of the sentence but the match;
    `whole`: all of it.

    `but_not` are longer phrases that contain a cue without its meaning ("会不会", "if you do not pay").
    """

    id: str
    where: Where
    reach: dict[Plane, int]
    cues: dict[Plane, tuple[str, ...]]
    but_not: dict[Plane, tuple[str, ...]]


class Guard:
    """A compiled guard: does it hold a match back?"""

    def __init__(self, spec: GuardSpec, lists: dict[Plane, Lists]) -> None:
        self.id = spec.id
        self._where: Where = spec.where
        self._reach = spec.reach
        self._cues: dict[Plane, Any] = {}
        for plane in PLANES:
            if spec.cues.get(plane):
                hits = _alternation(spec.cues[plane], plane, lists[plane])
                skips = _alternation(spec.but_not.get(plane, ()), plane, lists[plane])
                self._cues[plane] = compile_regex((f"(?:{skips})|" if skips else "") + f"(?P<cue>{hits})")

    def holds(self, plane: Plane, folded: Folded, span: Span) -> bool:
        """Whether a cue stands where this guard looks."""
        cues = self._cues.get(plane)
        if cues is None:
            return False
        return any(
            found.group("cue") is not None
            for begin, end in self._regions(plane, folded, span)
            if begin < end
            for found in cues.finditer(folded.text[begin:end])
        )

    def _regions(self, plane: Plane, folded: Folded, span: Span) -> list[tuple[int, int]]:
        if self._where == "before":
            left, _ = folded.clause(span.begin, span.end)
            begun = min(span.begin + _OVERLAP[plane], span.end)
            return [(max(left, self._reached(plane, folded, span.begin)), begun), *span.gaps]
        left, right = folded.sentence(span.begin, span.end)
        if self._where == "whole":
            return [(left, right)]
        lead = [(left, span.begin), *span.gaps]
        return lead if self._where == "lead" else [*lead, (span.end, right)]

    def _reached(self, plane: Plane, folded: Folded, begin: int) -> int:
        reach = self._reach[plane]
        if plane == "zh":
            return begin - reach
        at = begin
        for _ in range(reach):
            at = folded.text.rfind(" ", 0, at)
            if at < 0:
                return 0
        return at


def _alternation(sources: tuple[str, ...], plane: Plane, lists: Lists) -> str:
    return "|".join(compile_piece(source, plane, lists).regex for source in sources)
