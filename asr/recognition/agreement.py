"""Which words of an utterance in progress can be shown: those that two hypotheses in a row agree on. Pure.

LocalAgreement-2 (Liu et al. 2020, "Low-latency sequence-to-sequence speech recognition"; Macháček et al. 2023, "Turning
Whisper into real-time transcription system"): a word is shown once the recogniser, given more audio, says it again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNIT = re.compile(
    r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\W\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+(?:['’]\w+)*"
)
"""A Chinese character, or a word of other letters and digits; marks and spaces only stand between."""

_ANCHOR = 3
"""A hypothesis may have changed its mind about words further ahead. It is still followed if it holds so many of the
agreed units."""
_SHIFTS = (0, 1, -1, 2, -2, 3, -3)
"""Agreed units may have moved by so many places: a word recognised as two, a filler that is missing now."""


@dataclass(frozen=True, slots=True)
class _Unit:
    form: str
    end: int


class Agreement:
    """The agreed words of one utterance in progress."""

    def __init__(self) -> None:
        self.text = ""
        """What has been agreed so far. It only ever grows."""
        self._agreed: list[str] = []
        self._last: list[_Unit] = []

    def add(self, hypothesis: str) -> str:
        """Takes the next hypothesis, of all that has been said since the utterance began, and returns the agreed words.
        If it takes back agreed words, they stay. They grow again once a hypothesis holds the words before the new ones,
        about where they were."""
        units = [_Unit(match[0].lower(), match.end()) for match in _UNIT.finditer(hypothesis)]
        known = self._known(units)
        common = _common(units, self._last)
        if known is not None and common > known:
            begin = units[known - 1].end if known else 0
            self.text += hypothesis[begin : units[common - 1].end]
            self._agreed += [unit.form for unit in units[known:common]]
        self._last = units
        return self.text

    def _known(self, units: list[_Unit]) -> int | None:
        """How many of the units come before what would be new; None where that cannot be told."""
        anchor = self._agreed[-_ANCHOR:]
        for known in (len(self._agreed) + shift for shift in _SHIFTS):
            first = known - len(anchor)
            if first >= 0 and [unit.form for unit in units[first:known]] == anchor:
                return known
        return None


def _common(some: list[_Unit], others: list[_Unit]) -> int:
    """How many units both begin with."""
    count = 0
    for one, other in zip(some, others, strict=False):
        if one.form != other.form:
            break
        count += 1
    return count
