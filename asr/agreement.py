"""What can be shown of an utterance that still goes on: words that two hypotheses in a row agree on. Pure.

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
"""Units that must stand where they stood for a hypothesis that changed its mind further ahead to be followed on."""


@dataclass(frozen=True, slots=True)
class _Unit:
    form: str
    end: int


class Agreement:
    """Of one utterance in progress."""

    def __init__(self) -> None:
        self.text = ""
        """What has been agreed so far. It only ever grows."""
        self._agreed: list[str] = []
        self._last: list[_Unit] = []

    def hear(self, hypothesis: str) -> str:
        """The next hypothesis, of all that has been said since the utterance began; returns what is agreed now.

        Where it takes back what has been agreed, that stays as it is, and goes on growing once the words before the
        new ones stand where they stood.
        """
        units = [_Unit(match[0].lower(), match.end()) for match in _UNIT.finditer(hypothesis)]
        known = len(self._agreed)
        common = _common(units, self._last)
        if common > known and self._goes_on(units):
            begin = units[known - 1].end if known else 0
            self.text += hypothesis[begin : units[common - 1].end]
            self._agreed += [unit.form for unit in units[known:common]]
        self._last = units
        return self.text

    def _goes_on(self, units: list[_Unit]) -> bool:
        known = len(self._agreed)
        first = max(0, known - _ANCHOR)
        return [unit.form for unit in units[first:known]] == self._agreed[first:]


def _common(some: list[_Unit], others: list[_Unit]) -> int:
    """How many units both begin with."""
    count = 0
    for one, other in zip(some, others, strict=False):
        if one.form != other.form:
            break
        count += 1
    return count
