"""Folding what was said into the form patterns are matched in, with the way back to the very words.

One form a language: `fold_zh` drops spaces and marks (recognisers punctuate Chinese as they please), `fold_en` keeps
one space before each word and opens contractions, so that a pattern written once meets "don't", "do not", "DON’T".
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate, pairwise

import opencc
import rjieba

_HARD = frozenset("。!?.…;")
_SOFT = frozenset("，,:—-")  # not 、: in a list ("不会骂人、上门") what comes first governs the rest
_FILLERS_ZH = frozenset("嗯呃唔")
_SAME_PERSON = str.maketrans({"她": "他", "它": "他"})

_CONTRACTIONS: tuple[tuple[str, str], ...] = (
    ("can't", "can not"),
    ("won't", "will not"),
    ("shan't", "shall not"),
    ("ain't", "is not"),
    ("let's", "let us"),
    ("y'all", "you all"),
    ("n't", " not"),
    ("'re", " are"),
    ("'ve", " have"),
    ("'ll", " will"),
    ("'m", " am"),
    ("'d", " would"),
)
_IS_CONTRACTIONS = frozenset(
    [
        "it",
        "that",
        "there",
        "here",
        "he",
        "she",
        "who",
        "what",
        "where",
        "how",
        "when",
        "this",
        "everyone",
        "everybody",
        "nobody",
        "somebody",
    ]
)
_SPELLINGS = {
    "cannot": "can not",
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "got to",
    "dunno": "do not know",
    "lemme": "let me",
    "gimme": "give me",
    "em": "them",
    "cuz": "because",
    "ok": "okay",
    "dont": "do not",
    "wont": "will not",
    "cant": "can not",
    "youre": "you are",
}
_FILLERS_EN = frozenset({"uh", "um", "erm", "uhm"})
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)*|[^\s\x00-\x7f]|[^\sa-z0-9]")
_LATIN = re.compile(r"[A-Za-z\uff21-\uff5a]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """Text in one form. `text[i]` came from `original[starts[i]:ends[i]]`.

    `soft` and `hard` hold the positions in `text` before which a clause or a sentence ended in the original.
    """

    original: str
    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    soft: frozenset[int]
    hard: frozenset[int]

    def origin(self, begin: int, end: int) -> tuple[int, int]:
        """The span of the original that `text[begin:end]` stands for; begin < end."""
        while begin < end - 1 and self.text[begin] == " ":
            begin += 1
        return self.starts[begin], self.ends[end - 1]

    def clause(self, begin: int, end: int) -> tuple[int, int]:
        """The stretch around a span that no mark interrupts."""
        return self._within(self.soft | self.hard, begin, end)

    def sentence(self, begin: int, end: int) -> tuple[int, int]:
        """The stretch around a span that no full stop, question or exclamation mark interrupts."""
        return self._within(self.hard, begin, end)

    def _within(self, marks: frozenset[int], begin: int, end: int) -> tuple[int, int]:
        left = max((m for m in marks if m <= begin), default=0)
        right = min((m for m in marks if m >= end), default=len(self.text))
        return left, right


_DATES = re.compile(r"[0-9零〇一二三四五六七八九十两]+(?:年|个?月|日|号)")
"""A number and its unit are one word: 15日你 holds no 日你."""


def word_borders(folded: Folded) -> frozenset[int]:
    """The borders of the words of a Chinese form, told by a dictionary and the words around; all marks are borders
    too."""
    borders = {0, len(folded.text), *folded.soft, *folded.hard}
    for begin, end in pairwise(sorted(borders)):
        borders.update(accumulate(map(len, rjieba.cut(folded.text[begin:end], False)), initial=begin))
    within = (at for found in _DATES.finditer(folded.text) for at in range(found.start() + 1, found.end()))
    return frozenset(borders) - frozenset(within)


class _Builder:
    def __init__(self, original: str) -> None:
        self._original = original
        self._text: list[str] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._soft: set[int] = set()
        self._hard: set[int] = set()

    def put(self, text: str, start: int, end: int) -> None:
        """Add what `original[start:end]` folds to; inside, positions spread evenly only where lengths agree."""
        same = len(text) == end - start
        for offset, char in enumerate(text):
            self._text.append(char)
            self._starts.append(start + offset if same else start)
            self._ends.append(start + offset + 1 if same else end)

    def mark(self, char: str) -> None:
        """Where a sentence ends or pauses it leaves a mark; other characters leave none."""
        if char in _HARD:
            self._hard.add(len(self._text))
        elif char in _SOFT:
            self._soft.add(len(self._text))

    def done(self) -> Folded:
        """The whole text as it is folded."""
        return Folded(
            original=self._original,
            text="".join(self._text),
            starts=tuple(self._starts),
            ends=tuple(self._ends),
            soft=frozenset(self._soft),
            hard=frozenset(self._hard),
        )


@cache
def _simplified() -> dict[int, str]:
    """Traditional to simplified, character by character; one conversion for the whole block at first use."""
    block = [chr(code) for code in range(0x4E00, 0xA000)]
    converted = str(opencc.OpenCC("t2s").convert("\n".join(block))).split("\n")
    return {ord(a): b for a, b in zip(block, converted, strict=True) if a != b and len(b) == 1}


@lru_cache(maxsize=1 << 16)
def fold_char(char: str) -> str:
    """Half width, lower case, simplified, one third person; still exactly one character, or `char` itself."""
    folded = unicodedata.normalize("NFKC", char).lower()
    if len(folded) != 1:
        folded = char
    return folded.translate(_simplified()).translate(_SAME_PERSON)


def has_chinese(text: str) -> bool:
    """Whether any character lies in the basic CJK block."""
    return any("\u4e00" <= char <= "\u9fff" for char in text)


def has_latin(text: str) -> bool:
    """Whether any Latin letter, of either width, is in it."""
    return _LATIN.search(text) is not None


def fold_zh(text: str) -> Folded:
    """The Chinese form: letters, digits and characters only, nothing between them."""
    built = _Builder(text)
    for at, char in enumerate(text):
        folded = fold_char(char)
        if folded.isalnum() and folded not in _FILLERS_ZH:
            built.put(folded, at, at + 1)
        else:
            built.mark(folded)
    return built.done()


def _open(word: str) -> str:
    """One lower-case word without contraction, possibly several words."""
    if word in _SPELLINGS:
        return _SPELLINGS[word]
    for ending, replacement in _CONTRACTIONS:
        if word.endswith(ending):
            return (word[: -len(ending)] + replacement).strip()
    stem, apostrophe, tail = word.partition("'")
    if tail == "s" and stem in _IS_CONTRACTIONS:
        return f"{stem} is"
    return stem + tail if apostrophe else word


def fold_en(text: str) -> Folded:
    """The English form: every word lower-case with one space before it, Chinese characters each their own word."""
    lowered = "".join(fold_char(char) for char in text.replace("’", "'"))
    built = _Builder(text)
    for found in _WORD.finditer(lowered):
        word = found.group()
        if not word[0].isalnum():
            _mark_en(built, found, lowered)
        elif word not in _FILLERS_EN:
            built.put(" ", found.start(), found.start())
            built.put(_open(word), found.start(), found.end())
    return built.done()


def _mark_en(built: _Builder, found: re.Match[str], lowered: str) -> None:
    """A hyphen or a point inside a word ("co-worker", "3.50", "p.m.") ends no clause."""
    after = lowered[found.end() : found.end() + 1]
    before = lowered[max(0, found.start() - 1) : found.start()]
    if not (before.isalnum() and after.isalnum()):
        built.mark(found.group())
