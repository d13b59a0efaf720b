"""Whether one more call is taken, and whose turn it is. Plain: the clock is an argument.

With nothing live a call is always taken: recognition that is slow is worth more than none. Else one is taken while what
all calls say would have its text in time. Keys take turns: one that was refused and is expected back finds a place kept
from those that have more calls live, a call that sends faster than it is spoken counting as so many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from asr.load import CALLS_SPEECH, unseen
from asr.types import Seconds

RETRY_AFTER: Seconds = 10.0
"""What a refused gateway is told: calls end every few seconds on a floor that fills this service."""
_EXPECTED: Seconds = 1.5 * RETRY_AFTER
"""For so long a refused key's place is kept."""
_OTHERS = 1.2
"""A call of another key counts as so many at most: what is sent faster than it is spoken waits for others' turns."""
_AGAIN = 1.05
"""Once a call had to be refused there must be so much more room than is needed, for the floor not to open and close by
turns."""

_TURN = "another source's turn comes first"

RefusalCode = Literal["capacity", "overload", "quota"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCall:
    """A call that is live, or being taken in: whose it is, and for how long it has been."""

    call_id: str
    key_id: str
    age: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why no further call is taken: as many are live as may be (`capacity`), as much is said as can be recognised in
    time (`overload`), or the key has its share (`quota`). `retry_after` seconds may help."""

    code: RefusalCode
    message: str
    retry_after: Seconds = RETRY_AFTER


class Pace(Protocol):
    """What recognition can carry (asr.scheduler.Scheduler)."""

    def speech_of(self, call_id: str) -> float:
        """Seconds of speech a second that the call has brought of late."""
        ...

    def carries(self, speech: float) -> bool:
        """Whether so many seconds of speech a second, of all calls together, would have their texts in time."""
        ...


class Admission:
    """`most` calls at once, where a number is set."""

    def __init__(self, pace: Pace, most: int | None = None) -> None:
        self._pace = pace
        self._most = most
        self._expected_back: dict[str, float] = {}
        self._short = False

    def ask(self, key_id: str, live: Sequence[LiveCall], now: float) -> Refusal | None:
        """Whether this key's next call is taken beside those; None if it is. Each answer counts for the turns."""
        refusal = self._refusal(key_id, live, now)
        if refusal is None:
            self._expected_back.pop(key_id, None)
        else:
            self._expected_back[key_id] = now + _EXPECTED
        self._short = refusal is not None
        return refusal

    def closed(self, live: Sequence[LiveCall], now: float) -> str:
        """Why not even a key without a call would get one now; empty if it would."""
        refusal = self._refusal("", live, now)
        return refusal.message if refusal else ""

    def _refusal(self, key_id: str, live: Sequence[LiveCall], now: float) -> Refusal | None:
        if not live:
            return None
        kept = self._kept(key_id, live, now)
        if self._most is not None and len(live) + kept >= self._most:
            told = f"{len(live)} calls are live, as many as this service takes"
            return Refusal(code="capacity", message=told if not kept else _TURN)
        asked = self._asked(key_id, live) + CALLS_SPEECH
        margin = _AGAIN if self._short else 1.0
        if not self._pace.carries(margin * asked):
            return Refusal(code="overload", message=f"recognition is busy with the {len(live)} calls that are live")
        if kept and not self._pace.carries(margin * (asked + kept * CALLS_SPEECH)):
            return Refusal(code="overload", message=_TURN)
        return None

    def _kept(self, key_id: str, live: Sequence[LiveCall], now: float) -> int:
        """Places kept for keys that were refused and have fewer calls live."""
        self._expected_back = {key: until for key, until in self._expected_back.items() if until > now}
        own = self._weight(key_id, live)
        return sum(self._weight(key, live) < own for key in self._expected_back if key != key_id)

    def _weight(self, key_id: str, live: Sequence[LiveCall]) -> float:
        """A key's live calls, in calls that come as they are spoken."""
        return sum(max(1.0, self._speech(call) / CALLS_SPEECH) for call in live if call.key_id == key_id)

    def _asked(self, key_id: str, live: Sequence[LiveCall]) -> float:
        """Seconds of speech a second that come in already, as far as this key must wait for them."""
        most = _OTHERS * CALLS_SPEECH
        return sum(self._speech(call) if call.key_id == key_id else min(most, self._speech(call)) for call in live)

    def _speech(self, call: LiveCall) -> float:
        """Seconds of speech a second that a call brings; what a young one will bring is counted in before it shows."""
        return self._pace.speech_of(call.call_id) + CALLS_SPEECH * unseen(call.age)
