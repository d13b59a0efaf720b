"""Undoing recognition errors that sound right: 老蓝 for 老赖, 千款 for 欠款.

Only terms of the pack's own vocabulary are restored, and only where what was heard is no ordinary word itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from asr.phonetics import all_syllables, near, syllables


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneticTerm:
    """A word worth restoring. `mishearings` are known ones, taken as they are; `fuzzy` lets one syllable be near."""

    text: str
    mishearings: tuple[str, ...] = ()
    fuzzy: bool = False


class PhoneticRepair:
    """Restores misheard terms in a text in the Chinese form, character for character."""

    def __init__(self, terms: tuple[PhoneticTerm, ...], ordinary: frozenset[str]) -> None:
        """`ordinary` are real words that sound like a term and must be left alone."""
        self._ordinary = ordinary
        self._heard: Mapping[str, str] = {heard: term.text for term in terms for heard in term.mishearings}
        self._exact: dict[tuple[str, str], list[PhoneticTerm]] = defaultdict(list)
        for term in terms:
            for key in _keys(term):
                self._exact[key].append(term)

    def repair(self, text: str) -> str | None:
        """The text with every misheard term restored, same length; None where nothing changes."""
        restored = list(text)
        for heard, term in self._heard.items():
            at = text.find(heard)
            if at >= 0:
                restored[at : at + len(term)] = term
        for at, term in self._candidates(text):
            window = text[at : at + len(term.text)]
            if window != term.text and not self._protected(text, at, len(window)) and _sounds(window, term):
                restored[at : at + len(window)] = term.text
        joined = "".join(restored)
        return joined if joined != text else None

    def _candidates(self, text: str) -> Iterator[tuple[int, PhoneticTerm]]:
        readings = [syllables(char) for char in text]
        for at in range(len(text) - 1):
            for first in readings[at]:
                for second in readings[at + 1]:
                    for term in self._exact.get((first, second), ()):
                        if at + len(term.text) <= len(text):
                            yield at, term

    def _protected(self, text: str, at: int, size: int) -> bool:
        """Whether an ordinary word overlaps the window by two characters or more."""
        around = range(max(0, at - 2), at + size - 1)
        return any(text[begin : begin + width] in self._ordinary for begin in around for width in (2, 3, 4))


def _keys(term: PhoneticTerm) -> set[tuple[str, str]]:
    """The first two syllables a mishearing may have: as written, or one of them near where the term allows it."""
    first, second = (sorted(syllables(char)) for char in term.text[:2])
    keys = {(a, b) for a in first for b in second}
    if term.fuzzy:
        every = all_syllables()
        keys |= {(near_a, b) for a in first for b in second for near_a in every if near(a, near_a)}
        keys |= {(a, near_b) for a in first for b in second for near_b in every if near(b, near_b)}
    return keys


def _sounds(window: str, term: PhoneticTerm) -> bool:
    """Every syllable agrees, but for at most one near one in a fuzzy term."""
    misses = 0
    for heard, meant in zip(window, term.text, strict=True):
        if heard == meant or syllables(heard) & syllables(meant):
            continue
        misses += 1
        if misses > int(term.fuzzy) or not any(near(a, b) for a in syllables(heard) for b in syllables(meant)):
            return False
    return True
