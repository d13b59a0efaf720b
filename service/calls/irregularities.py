"""What a gateway sends that it should not, as a person is told of it. Plain; one a call."""

from __future__ import annotations

from asr.types import Seconds
from service.facts import Notice
from service.gateway.events import DigitPressed, Irregularity, IrregularityKind
from service.gateway.flood import TokenBucket

MOST_TOLD = 32
"""Notices a call: a start message alone may hold 64 odd metadata entries."""
DIGITS_A_SECOND = 25.0
"""A key sounds for 40 ms at least, and so does the pause after it (ITU-T Q.24): 12.5 a second of each party."""
DIGITS_AT_ONCE = 250
"""The backlog of ten seconds of that, or of minutes of anything a hand can press."""
MOST_WORK = 4096
"""A call's work that may wait while the store stands still. Speech has a bound of its own, and gaps and notices are
few: digits, and the passing of time, of which an hour brings 3,600, are what is left out beyond it."""


class Irregularities:
    """Tells each kind once a field, and bounds how many digits a call may bring."""

    def __init__(self, now: Seconds) -> None:
        self._told: set[tuple[IrregularityKind, str]] = set()
        self._digits = TokenBucket(DIGITS_A_SECOND, DIGITS_AT_ONCE, now)

    def notice(self, seen: Irregularity, at: Seconds) -> Notice | None:
        """What is to be told of it when the audio clock stands at `at`; None if that was told, or too much else was."""
        if (seen.kind, seen.field) in self._told or len(self._told) >= MOST_TOLD:
            return None
        self._told.add((seen.kind, seen.field))
        more = "; what else is odd is only counted" if len(self._told) == MOST_TOLD else ""
        return Notice(code="gateway_irregular", message=f"{seen.field}: {seen.message}{more}", at=at)

    def flooding(self, pressed: DigitPressed, now: Seconds, *, waiting: int) -> Irregularity | None:
        """The digit is one of too many and has to be left out; `waiting` pieces of work wait already."""
        if self._digits.take(now) and waiting < MOST_WORK:
            return None
        whose = f" by the {pressed.role}" if pressed.role else ""
        told = f"more come{whose} than {DIGITS_A_SECOND:g} a second, or than can wait; the rest is left out"
        return Irregularity(kind="flood", field="digit", message=told)
