"""The small language rule packs are written in, compiled to linear-time regular expressions (RE2).

    不还…坐牢          literal, at most the default gap, literal         …15 sets the gap (characters; words in English)
    [打砍]断你的?腿      one of some characters; an optional character
    (上门|去你家)…闹     alternation; (…)? optional
    {pay_not}…{jail}   lists named in lists.yaml; {num} is any number
    ^操                only at the start of a clause; 滚$ only at its end
    A & B              both in one sentence, in either order
    threat* your? (son|daughter)   English: whole words, `*` any ending

Only bounded repetition can be written, and RE2 never backtracks: a hostile pack or sentence costs linear time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import re2

from asr.languages import traits_of
from asr.types import Language
from detectors.contract import DetectorError
from detectors.matching.folding import Folded, fold_char, fold_en, fold_zh, has_chinese, has_latin

Lists = Mapping[str, tuple[str, ...]]

_DEFAULT_GAP: dict[Language, int] = {"zh": 8, "en": 4}
_LONGEST_GAP = 40
_NUMBER: dict[Language, str] = {
    "zh": "[0-9零〇一二两三四五六七八九十百千万亿几半]{1,16}",
    "en": r"(?: (?:[0-9]+|a|an|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|"
    r"forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|grand|dozen|half|couple|few|several)\b){1,6}",
}
_KEY_EN = 4
_KEY_ZH = 4


class PatternError(DetectorError):
    """A pattern that cannot be read; the message says what and where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternPart:
    """A compiled part of a pattern: its expression and strings one of which any match must contain (None: unknown)."""

    regex: str
    keys: frozenset[str] | None = None

    @property
    def weight(self) -> tuple[int, int]:
        """How selective the keys are: the shortest key's length, then how few there are."""
        return (min(map(len, self.keys)), -len(self.keys)) if self.keys else (0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One match in a folded text; `gaps` are the stretches the pattern left open."""

    begin: int
    end: int
    gaps: tuple[tuple[int, int], ...] = ()


def fold(language: Language, text: str) -> Folded:
    """Fold into the language's form."""
    return fold_en(text) if traits_of(language).spaced else fold_zh(text)


def folds(text: str) -> dict[Language, Folded]:
    """The text in the form of every language that it holds something of: both where the speaker switches."""
    languages: list[Language] = ["zh"] if has_chinese(text) else []
    if has_latin(text) or not languages:
        languages.append("en")
    return {language: fold(language, text) for language in languages}


class _Parser:
    """Recursive descent over one pattern; every error names the position."""

    def __init__(self, source: str, language: Language, lists: Lists, path: tuple[str, ...] = ()) -> None:
        self._source = source.replace("...", "…")
        self._language: Language = language
        self._spaced = traits_of(language).spaced
        self._lists = lists
        self._path = path
        self._at = 0

    def parse(self) -> PatternPart:
        """The whole pattern. Raises PatternError."""
        piece = self._alternatives()
        if self._at < len(self._source):
            raise self._error(f"unexpected {self._source[self._at]!r}")
        return piece

    def _error(self, what: str) -> PatternError:
        return PatternError(f"pattern {self._source!r}, character {self._at + 1}: {what}")

    def _peek(self) -> str:
        return self._source[self._at : self._at + 1]

    def _alternatives(self) -> PatternPart:
        branches = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            branches.append(self._sequence())
        return branches[0] if len(branches) == 1 else _either(branches)

    def _sequence(self) -> PatternPart:
        pieces: list[PatternPart] = []
        while (char := self._peek()) and char not in "|)":
            if char == " ":
                self._at += 1
            else:
                pieces.append(self._optional(self._item(char)))
        if not pieces:
            raise self._error("empty alternative")
        best = max(pieces, key=lambda piece: piece.weight)
        return PatternPart(regex="".join(piece.regex for piece in pieces), keys=best.keys)

    def _item(self, char: str) -> PatternPart:
        if char == "(":
            return self._group()
        if char == "[":
            return self._characters()
        if char == "{":
            return self._reference()
        if char == "…":
            return self._gap()
        if char in "]}?*^$&":
            raise self._error(f"{char!r} cannot stand here")
        return self._literal_en() if self._spaced else self._literal_zh(char)

    def _optional(self, piece: PatternPart) -> PatternPart:
        if self._peek() != "?":
            return piece
        self._at += 1
        return PatternPart(regex=f"(?:{piece.regex})?")

    def _group(self) -> PatternPart:
        self._at += 1
        piece = self._alternatives()
        if self._peek() != ")":
            raise self._error("a '(' is not closed")
        self._at += 1
        return PatternPart(regex=f"(?:{piece.regex})", keys=piece.keys)

    def _until(self, closing: str) -> str:
        end = self._source.find(closing, self._at)
        if end < 0:
            raise self._error(f"{closing!r} is missing")
        inside, self._at = self._source[self._at + 1 : end], end + 1
        return inside

    def _characters(self) -> PatternPart:
        if self._spaced:
            raise self._error("[…] is for Chinese patterns; write (a|b)")
        folded = [fold_char(char) for char in self._until("]")]
        if not folded or not all(char.isalnum() for char in folded):
            raise self._error("[…] takes letters and characters only")
        return _either([_character(char) for char in folded])

    def _reference(self) -> PatternPart:
        name = self._until("}")
        if name == "num":
            return PatternPart(regex=_NUMBER[self._language])
        if name in self._path:
            raise self._error(f"list {name!r} contains itself")
        if name not in self._lists:
            raise self._error(f"no list is named {name!r}")
        path = (*self._path, name)
        return _either([_Parser(entry, self._language, self._lists, path).parse() for entry in self._lists[name]])

    def _gap(self) -> PatternPart:
        self._at += 1
        digits = ""
        while self._peek().isdigit() and self._peek().isascii():
            digits, self._at = digits + self._peek(), self._at + 1
        size = int(digits) if digits else _DEFAULT_GAP[self._language]
        if not 1 <= size <= _LONGEST_GAP:
            raise self._error(f"a gap spans 1 to {_LONGEST_GAP}")
        return PatternPart(regex=f"((?: [^ ]+){{0,{size}}}?)" if self._spaced else f"(.{{0,{size}}}?)")

    def _literal_zh(self, char: str) -> PatternPart:
        begin = self._at
        while self._peek() and self._peek() not in "()[]{}|?…^$& ":
            self._at += 1
        if self._peek() == "?" and self._at - begin > 1:
            self._at -= 1  # the mark makes only the last character optional
        letters = [fold_char(letter) for letter in self._source[begin : self._at]]
        kept = [letter for letter in letters if letter.isalnum()]
        if not kept:
            raise self._error(f"{char!r} never occurs in folded text")
        regex = "".join(_character(letter).regex for letter in kept)
        return PatternPart(regex=regex, keys=frozenset({key_text("".join(kept))[:_KEY_ZH]}))

    def _literal_en(self) -> PatternPart:
        begin = self._at
        while self._peek() and self._peek() not in "()[]{}|?…^$&* ":
            self._at += 1
        word = self._source[begin : self._at]
        words = fold_en(word).text.split()
        if not words:
            raise self._error(f"{word!r} never occurs in folded text")
        ending = r"\b"
        if self._peek() == "*":
            self._at += 1
            ending = "[a-z]*"
            if len(words[-1]) < _KEY_EN:
                raise self._error(f"'*' needs at least {_KEY_EN} letters before it")
        regex = " " + r"\b ".join(re2.escape(each) for each in words) + ending
        return PatternPart(regex=regex, keys=frozenset({max(words, key=len)[:_KEY_EN]}))


def _character(char: str) -> PatternPart:
    """A Chinese `你` also meets `您`, for recognisers mix the two up; `您` is the courteous one alone."""
    return PatternPart(regex="[你您]" if char == "你" else re2.escape(char), keys=frozenset({key_text(char)}))


def _either(branches: list[PatternPart]) -> PatternPart:
    known = [branch.keys for branch in branches if branch.keys]
    keys = frozenset[str]().union(*known) if len(known) == len(branches) else None
    return PatternPart(regex="(?:" + "|".join(branch.regex for branch in branches) + ")", keys=keys)


def key_text(text: str) -> str:
    """The form in which a language's text is compared with keys."""
    return text.replace("您", "你")


def keys_of(language: Language, text: str) -> set[str]:
    """Every key that some pattern could ask of this folded text."""
    if traits_of(language).spaced:
        return {word[:_KEY_EN] for word in text.split()}
    text = key_text(text)
    return {text[at : at + size] for size in range(1, _KEY_ZH + 1) for at in range(len(text) - size + 1)}


def compile_regex(expression: str) -> Any:
    """An RE2 expression; RE2 has no back-references or look-around and never backtracks."""
    options: Any = re2.Options()
    options.log_errors = False
    return re2.compile(expression, options)


class Pattern:
    """One line of a pack, ready to search a folded text."""

    def __init__(self, source: str, language: Language, lists: Lists) -> None:
        """Raises PatternError where the line cannot be read or would match nearly anything."""
        self.source = source
        self.language: Language = language
        body = source.strip()
        self._at_start, self._at_end = body.startswith("^"), body.endswith("$")
        body = body.removeprefix("^").removesuffix("$")
        pieces = [_Parser(part.strip(), language, lists).parse() for part in body.split("&")]
        self._parts = [compile_regex(piece.regex) for piece in pieces]
        keys = max(pieces, key=lambda piece: piece.weight).keys
        if keys is None:
            raise PatternError(f"pattern {source!r}: at least one word must be certain to occur")
        self.keys = keys

    def spans(self, folded: Folded) -> Iterator[Span]:
        """Matches from left to right, not overlapping."""
        for found in self._parts[0].finditer(folded.text):
            span = self._complete(folded, _span(found))
            if span and self._anchored(folded, span):
                yield span

    def _complete(self, folded: Folded, first: Span) -> Span | None:
        """Widen over the other `&` parts, each looked for in the same sentence."""
        if len(self._parts) == 1:
            return first
        left, right = folded.sentence(first.begin, first.end)
        spans = [first]
        for part in self._parts[1:]:
            found = part.search(folded.text[left:right])
            if found is None:
                return None
            spans.append(_span(found, left))
        return Span(
            begin=min(span.begin for span in spans),
            end=max(span.end for span in spans),
            gaps=tuple(gap for span in spans for gap in span.gaps),
        )

    def _anchored(self, folded: Folded, span: Span) -> bool:
        left, right = folded.clause(span.begin, span.end)
        return (not self._at_start or span.begin == left) and (not self._at_end or span.end == right)


def _span(found: Any, offset: int = 0) -> Span:
    groups = range(1, int(found.re.groups) + 1)
    return Span(
        begin=int(found.start()) + offset,
        end=int(found.end()) + offset,
        gaps=tuple(
            (int(found.start(group)) + offset, int(found.end(group)) + offset)
            for group in groups
            if found.start(group) >= 0
        ),
    )


def compile_piece(source: str, language: Language, lists: Lists) -> PatternPart:
    """A single expression without anchors or `&`, for those who combine several into one. Raises PatternError."""
    return _Parser(source.strip(), language, lists).parse()
