"""What a gateway sends that it should not, as a person is told about it. Plain; one for each call."""

from __future__ import annotations

from typing import Final

from asr.types import Role, Seconds
from service.ingest.events import DigitPressed, FormatChanged, Irregularity, IrregularityKind
from service.ingest.rate_limits import TokenBucket
from service.media.absence import Absence
from service.record.facts import Notice

MOST_TOLD = 32
"""So many notices of a call are told. A start message alone may hold 64 odd metadata entries."""
DIGITS_A_SECOND = 25.0
"""A key sounds for 40 ms at least, and so does the pause after it (ITU-T Q.24): 12.5 a second of each party."""
DIGITS_AT_ONCE = 250
"""So many digits may come at once: ten seconds of that rate, or minutes of anything that a hand can press."""

IMPOSSIBLE_TIME: Final = Irregularity(
    kind="value", field="timestamp", message="cannot be: far ahead, or seconds back; its audio follows on"
)
DAMAGED_PACKET: Final = Irregularity(
    kind="payload", field="audio", message="holds no packet of its codec; silence stands for it"
)


class Irregularities:
    """Tells each kind once for each field, and bounds how many digits a call may bring."""

    def __init__(self, now: Seconds) -> None:
        self._told: set[tuple[IrregularityKind, str]] = set()
        self._digits = TokenBucket(DIGITS_A_SECOND, DIGITS_AT_ONCE, now)

    def notice(self, seen: Irregularity, at: Seconds) -> Notice | None:
        """The notice of an irregularity when the audio clock stands at `at`. None if it was told before, or too much
        else was."""
        if (seen.kind, seen.field) in self._told or len(self._told) >= MOST_TOLD:
            return None
        self._told.add((seen.kind, seen.field))
        more = "; what else is odd is only counted" if len(self._told) == MOST_TOLD else ""
        return Notice(code="gateway_irregular", message=f"{seen.field}: {seen.message}{more}", at=at)

    def may_press(self, now: Seconds) -> bool:
        """Whether the call may bring one more digit."""
        return self._digits.take(now)


def flood_of(pressed: DigitPressed) -> Irregularity:
    """The irregularity that too many digits came and this one is left out."""
    whose = f" by the {pressed.role}" if pressed.role else ""
    told = f"more come{whose} than {DIGITS_A_SECOND:g} a second, or than can wait; the rest is left out"
    return Irregularity(kind="flood", field="digit", message=told)


def absence_notice(absence: Absence) -> Notice:
    """The notice that nothing came for a while, which the call's clock does not show."""
    told = f"no audio came for {absence.seconds:.0f} s; the call's clock stood still meanwhile"
    return Notice(code="audio_missing", message=told, at=absence.at, missing=absence.seconds)


def changes_of_form(before: FormatChanged, now: FormatChanged, legs: tuple[Role, ...]) -> list[Irregularity]:
    """The irregularities of a new audio form, for a call of these `legs`."""
    odd: list[Irregularity] = []
    if (before.encoding, before.rate) != (now.encoding, now.rate):
        told = f"was {_form(before)}, is {_form(now)} from here on; the recording keeps its rate"
        odd.append(Irregularity(kind="format", field="encoding", message=told))
    if before.roles != now.roles:
        told = f"were {_legs(before)}, are {_legs(now)} from here on"
        if strange := [role for role in now.roles if role not in legs]:
            told += f"; this call never had a leg of the {strange[0]}, whose audio is left out"
        if gone := [role for role in before.roles if role in legs and role not in now.roles]:
            told += f"; silence stands for the {gone[0]} until a connection brings that leg"
        odd.append(Irregularity(kind="leg", field="legs", message=told))
    return odd


def _form(form: FormatChanged) -> str:
    return f"{form.encoding} at {form.rate} samples a second"


def _legs(form: FormatChanged) -> str:
    return " and ".join(form.roles)
