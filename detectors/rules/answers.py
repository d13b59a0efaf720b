"""What the answer of whoever is on the line does: confirm, deny, put the question back, name the debt as their own.

A text is taken apart twice: at its marks, and at words that ask back, for a recogniser writes "是我你哪位" without
marks. Each piece does one thing, the first of `ORDER` whose patterns it meets; most do nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from detectors.rules.person_names import AskedNames
from detectors.rules.wording import Clause, IndexedText, Patterns, clauses, places, read, says

Act = Literal[
    "voicemail",
    "hands_over",
    "other",
    "elsewhere",
    "unclear",
    "names",
    "absent",
    "owns",
    "refuses",
    "affirms",
    "murmurs",
    "details",
    "listens",
    "screens",
    "asks_back",
]
ORDER: tuple[Act, ...] = get_args(Act)
_IN_A_CLAUSE: tuple[Act, ...] = ("voicemail", "hands_over")
"""Their wordings hold words that would ask back on their own: "how can I put you through"."""
_ASSERTED: frozenset[Act] = frozenset({"names", "owns", "affirms", "murmurs"})
"""A question asserts none of these acts: "我？", "yes?"."""
_LETTERS = re.compile(r"[^\W_]+")
_DIGITS_OF_DETAILS = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnswerPatterns:
    """The wordings of each act. `murmurs` are words, compared without marks and spaces."""

    acts: Mapping[Act, Patterns]
    murmurs: frozenset[str]
    name_leads: Patterns
    name_tails: Patterns

    @property
    def _cuts(self) -> Patterns:
        return (*self.acts["listens"], *self.acts["screens"], *self.acts["asks_back"])

    def read(self, text: str, names: AskedNames) -> tuple[Act, ...]:
        """The acts of an answer, in order. Details may run over marks ("eight, eight, one, three")."""
        acts: list[Act] = [act for clause in clauses(text) for act in self._clause(clause, names)]
        if self._tells_details(text):
            acts.append("details")
        return tuple(acts)

    def _tells_details(self, text: str) -> bool:
        return sum(map(str.isdigit, text)) >= _DIGITS_OF_DETAILS or says(text, self.acts["details"])

    def _clause(self, clause: Clause, names: AskedNames) -> Iterator[Act]:
        reading = read(clause.text)
        for whole in _IN_A_CLAUSE:
            if reading.says(self.acts[whole]):
                yield whole
                return
        for piece in self._pieces(clause):
            act = self._act(piece, names)
            if act is not None:
                yield act

    def _pieces(self, clause: Clause) -> Iterator[Clause]:
        """The clause, cut around words that ask back or let the agent go on."""
        at = 0
        for begin, end in places(clause.text, self._cuts):
            if begin >= at:
                yield Clause(text=clause.text[at:begin], asked=False)
                yield Clause(text=clause.text[begin:end], asked=clause.asked)
            at = max(at, end)
        yield Clause(text=clause.text[at:], asked=clause.asked)

    def _act(self, piece: Clause, names: AskedNames) -> Act | None:
        if _bare(piece.text) in self.murmurs:
            return None if piece.asked else "murmurs"
        reading = read(piece.text)
        for act in ORDER:
            if act in ("murmurs", "details") or (piece.asked and act in _ASSERTED):
                continue
            if reading.says(self.acts[act]) or (act == "names" and self._names(reading, names)):
                return act
        return None

    def _names(self, reading: IndexedText, names: AskedNames) -> bool:
        return any(
            names.given(language, folded.text[span.end :]) for language, folded, span in reading.spans(self.name_leads)
        ) or any(
            names.given(language, folded.text[: span.begin], whole=True)
            for language, folded, span in reading.spans(self.name_tails)
        )


def _bare(text: str) -> str:
    return "".join(_LETTERS.findall(text)).lower()


def murmurs_of(words: Iterable[str]) -> frozenset[str]:
    """Words in the form in which a piece is compared with them."""
    return frozenset(map(_bare, words))
