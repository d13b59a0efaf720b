"""The sentences of a Chinese or English text, the one around given words, and how much a text says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 300
"""So many characters of one sentence are shown. Twenty seconds of speech without any mark have as many."""

CUT: Final = "…"

_SENTENCE: Final = re.compile(r"[^。！？；!?;.\n]+[。！？；!?;.\n]*")
A_TURN: Final = 3
"""So many characters, or words, of one party end the other one's turn. After "嗯" or "okay" the other goes on."""

_UNIT: Final = re.compile(r"[\u4e00-\u9fff]|[A-Za-z0-9']+")
_LEAST: Final = 4
"""A sentence of fewer characters ("哎。", "No.") says nothing by itself and stays with the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """The sentence, or the sentences, that hold some words of a text; `lead`: the one before, empty at the beginning.

    Both have LONGEST characters at most: where the sentence is longer it is cut around the words, the lead at its
    front, and `…` tells where. Words that are longer themselves lose their end.
    """

    sentence: str
    lead: str


def sentences(text: str) -> list[tuple[int, int]]:
    """The begin and end of each sentence of a text, without the spaces around it; at least one."""
    spans: list[tuple[int, int]] = []
    begin = 0
    for match in _SENTENCE.finditer(text):
        if match.end() - begin >= _LEAST or match.end() == len(text):
            spans.append((begin, match.end()))
            begin = match.end()
    spans = [_trimmed(text, *span) for span in spans if text[slice(*span)].strip()]
    return spans or [(0, len(text))]


def passage_of(text: str, begin: int, end: int) -> Passage:
    """The passage around `text[begin:end]`, 0 <= begin < end <= len(text)."""
    spans = sentences(text)
    touched = [place for place, span in enumerate(spans) if span[0] < end and span[1] > begin] or [0]
    first, last = touched[0], touched[-1]
    start, stop = min(begin, spans[first][0]), max(end, spans[last][1])
    lead = text[slice(*spans[first - 1])] if first else ""
    return Passage(sentence=_cut_around(text[start:stop], begin - start, end - start), lead=_end_of(lead))


def last_sentence(text: str) -> str:
    """The sentence that a text ends with, LONGEST characters at most; empty where nothing was said."""
    return _end_of(text[slice(*sentences(text)[-1])].strip())


def unit_count(text: str) -> int:
    """Chinese characters and Latin words."""
    return len(_UNIT.findall(text))


def _cut_around(said: str, begin: int, end: int) -> str:
    """A part of a long sentence around `said[begin:end]`: equally much on either side, or more on one side where the
    other has less."""
    if len(said) <= LONGEST:
        return said
    room = max(0, LONGEST - 2 * len(CUT) - (end - begin))
    start = max(0, min(begin - room // 2, len(said) - (end - begin) - room))
    stop = min(len(said), start + LONGEST - 2 * len(CUT))
    return (CUT if start else "") + said[start:stop] + (CUT if stop < len(said) else "")


def _end_of(said: str) -> str:
    return said if len(said) <= LONGEST else CUT + said[len(CUT) - LONGEST :]


def _trimmed(text: str, begin: int, end: int) -> tuple[int, int]:
    said = text[begin:end]
    return begin + len(said) - len(said.lstrip()), begin + len(said.rstrip())
