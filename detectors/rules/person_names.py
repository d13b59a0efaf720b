"""Is the name that somebody gives the one that the agent asked for? Told by sound: recognisers spell as they hear.

The transcript is all there is: no record says whom the call is for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile
from types import MappingProxyType

from asr.phonetics import syllables
from asr.types import Language
from detectors.matching.pattern import Span
from detectors.rules.wording import Clause, Patterns, read

_WORD = re.compile(r"[A-Za-z'-]+")
_NEAR = 0.75
"""Two spellings of an English name count as one name from this likeness on."""
_DENYING = frozenset({"no", "not"})
_LONGEST = 3
"""A name must begin within so many characters, or words."""
_WINDOW = 8
"""A name lies within so many characters, or words, of the question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameWords:
    """Words, or Chinese characters, near a question that are no name; and those of them that greet or are titles."""

    none: Mapping[Language, frozenset[str]]
    greetings: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Naming:
    """How names go in one language. `parts` of a text that may be names; what of them is `kept`, and which of that is
    the `same`. `around`: the text near a place. `led`: a word may stand before a name."""

    parts: Callable[[str], list[str]]
    kept: Callable[[str], Collection[str]]
    same: Callable[[str, str], bool]
    around: Callable[[str, Span], str]
    led: bool


def _words_around(text: str, span: Span) -> str:
    return " ".join([*text[: span.begin].split()[-2:], *text[span.begin :].split()[:_WINDOW]])


_NAMING: Mapping[Language, _Naming] = MappingProxyType(
    {
        "zh": _Naming(
            parts=list,
            kept=syllables,
            same=str.__eq__,
            around=lambda text, span: text[max(0, span.begin - _WINDOW) : span.end + _WINDOW],
            led=True,
        ),
        "en": _Naming(
            parts=str.split,
            kept=lambda word: (word,),
            same=lambda one, other: SequenceMatcher(None, one, other).ratio() >= _NEAR,
            around=_words_around,
            led=False,
        ),
    }
)


class AskedNames:
    """The names that the agent asked for: syllables of Chinese characters and English words near the questions."""

    def __init__(self, words: NameWords) -> None:
        self._words = words
        self._known: dict[Language, set[str]] = {"zh": set(), "en": set()}

    def __bool__(self) -> bool:
        return any(self._known.values())

    def asked(self, clause: str, patterns: Patterns) -> None:
        """The agent asks for the person in this clause, by one of the patterns."""
        for language, folded, span in read(clause).spans(patterns):
            self._known[language] |= self._around(language, folded.text, span)

    def called(self, clause: Clause) -> bool:
        """Whether a clause is nothing but a name, put as a question or with a greeting: "Leonard Voss?", "Hi Kyle"."""
        return self._called_en(clause) or self._called_zh(clause)

    def _called_en(self, clause: Clause) -> bool:
        words = _WORD.findall(clause.text)
        names = [word for word in words if word.lower() not in self._words.greetings]
        if not clause.asked and len(names) == len(words):
            return False
        if not 1 <= len(names) <= _LONGEST or not all(map(str.istitle, names)):
            return False
        if len(self._parts("en", " ".join(names).lower())) < len(names):
            return False
        self._known["en"] |= {name.lower() for name in names}
        return True

    def _called_zh(self, clause: Clause) -> bool:
        chars = [char for char in clause.text if char.isalnum()]
        if not (clause.asked and 2 <= len(chars) <= _LONGEST and chars == self._parts("zh", "".join(chars))):
            return False
        self._known["zh"] |= {sound for char in chars for sound in syllables(char)}
        return True

    def given(self, language: Language, name: str, *, whole: bool = False) -> bool:
        """Whether a folded text begins with a name that was asked for, or is nothing else; any name where none was.

        小 may stand before a Chinese surname. In English the first word must be the first name that was asked for, or
        the surname where the agent said no more: John's brother has his surname.
        """
        if not self:
            return bool(name.strip())
        parts = list(takewhile(lambda part: part not in _DENYING, self._parts(language, name)))
        if whole:
            return bool(parts) and all(self._alike(language, part) for part in self._parts(language, name))
        first = _LONGEST if _NAMING[language].led or len(self._known[language]) == 1 else 1
        return any(self._alike(language, part) for part in parts[:first])

    def _alike(self, language: Language, part: str) -> bool:
        naming, asked = _NAMING[language], self._known[language]
        return any(naming.same(one, other) for one in naming.kept(part) for other in asked)

    def _around(self, language: Language, text: str, span: Span) -> set[str]:
        naming = _NAMING[language]
        return {kept for part in self._parts(language, naming.around(text, span)) for kept in naming.kept(part)}

    def _parts(self, language: Language, text: str) -> list[str]:
        return [part for part in _NAMING[language].parts(text) if part not in self._words.none[language]]
