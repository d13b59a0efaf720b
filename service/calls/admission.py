"""Whether one more call is taken, and whose turn it is. Plain: the clock is an argument.

With nothing live a call is always taken: recognition that is slow is worth more than none. Else one is taken while what
all calls say would have its text in time. Sources take turns: one that was refused and is expected back finds a place
kept from those that have more calls live, a call that sends faster than it is spoken counting as so many.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from asr.recognition.load import CALLS_SPEECH, unseen
from asr.types import Seconds

RETRY_AFTER: Seconds = 10.0
"""What a refused gateway is told: calls end every few seconds on a floor that fills this service."""
_EXPECTED: Seconds = 1.2 * RETRY_AFTER
"""For so long a refused call is expected back, and its place kept."""
_REMEMBERED = 1000
"""Refusals; what a flood of them could make of the turns is bounded by what others have live."""
_OTHERS = 1.2
"""A call of another source counts as so many at most: what is sent faster than it is spoken waits for others' turns."""
_AGAIN = 1.05
"""Once a call had to be refused there must be so much more room than is needed, for the floor not to open and close by
turns."""

_TURN = "another source's turn comes first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Whose call it is: a source, the most live calls it may have, and the most of what recognition carries."""

    source: str
    max_calls: int | None = None
    max_share: float | None = None


RefusalCode = Literal["capacity", "overload", "quota"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCall:
    """A call that is live, or being taken in: whose it is, and for how long it has been."""

    call_id: str
    source: str
    age: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why no further call is taken: as many are live as may be (`capacity`), as much is said as can be recognised in
    time (`overload`), or the source has its share (`quota`). `retry_after` seconds may help."""

    code: RefusalCode
    message: str
    retry_after: Seconds = RETRY_AFTER


class Pace(Protocol):
    """What recognition can carry (asr.recognition.recogniser.BatchRecogniser)."""

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
        self._refused: deque[tuple[float, str]] = deque(maxlen=_REMEMBERED)
        self._short = False

    def ask(self, asker: Asker, live: Sequence[LiveCall], now: float) -> Refusal | None:
        """Whether this source's next call is taken beside those; None if it is. Each answer counts for the turns, but
        for one that the source's own quota gives."""
        source = asker.source
        if (over := self._over_quota(asker, live)) is not None:
            return over
        refusal = self._refusal(source, live, now)
        if refusal is not None:
            self._refused.append((now, source))
        elif (first := next((each for each in self._refused if each[1] == source), None)) is not None:
            self._refused.remove(first)
        self._short = refusal is not None
        return refusal

    def closed(self, live: Sequence[LiveCall], now: float) -> str:
        """Why not even a source without a call would get one now; empty if it would."""
        refusal = self._refusal("", live, now)
        return refusal.message if refusal else ""

    def _over_quota(self, asker: Asker, live: Sequence[LiveCall]) -> Refusal | None:
        """A source without a live call has its first whatever its share."""
        own = [call for call in live if call.source == asker.source]
        if asker.max_calls is not None and len(own) >= asker.max_calls:
            return Refusal(code="quota", message=f"{len(own)} calls of this source are live, as many as it may have")
        asked = CALLS_SPEECH + sum(map(self._speech, own))
        if own and asker.max_share is not None and not self._pace.carries(asked / asker.max_share):
            return Refusal(code="quota", message=f"{len(own)} calls of this source have its share of recognition")
        return None

    def _refusal(self, source: str, live: Sequence[LiveCall], now: float) -> Refusal | None:
        if not live:
            return None
        kept = self._kept(source, live, now)
        if self._most is not None and len(live) + kept >= self._most:
            told = f"{len(live)} calls are live, as many as this service takes"
            return Refusal(code="capacity", message=told if not kept else _TURN)
        asked = self._asked(source, live) + CALLS_SPEECH
        margin = _AGAIN if self._short else 1.0
        if not self._pace.carries(margin * asked):
            return Refusal(code="overload", message=f"recognition is busy with the {len(live)} calls that are live")
        if kept and not self._pace.carries(margin * (asked + kept * CALLS_SPEECH)):
            return Refusal(code="overload", message=_TURN)
        return None

    def _kept(self, source: str, live: Sequence[LiveCall], now: float) -> int:
        """Places kept for calls of other sources that were refused and are expected back: as many as bring each of them
        up to what this one has."""
        while self._refused and self._refused[0][0] < now - _EXPECTED:
            self._refused.popleft()
        own = self._weight(source, live)
        expected = Counter(other for _, other in self._refused if other != source)
        return sum(min(calls, max(0, math.ceil(own - self._weight(other, live)))) for other, calls in expected.items())

    def _weight(self, source: str, live: Sequence[LiveCall]) -> float:
        """A source's live calls, in calls that come as they are spoken."""
        return sum(max(1.0, self._speech(call) / CALLS_SPEECH) for call in live if call.source == source)

    def _asked(self, source: str, live: Sequence[LiveCall]) -> float:
        """Seconds of speech a second that come in already, as far as this source must wait for them."""
        most = _OTHERS * CALLS_SPEECH
        return sum(self._speech(call) if call.source == source else min(most, self._speech(call)) for call in live)

    def _speech(self, call: LiveCall) -> float:
        """Seconds of speech a second that a call brings; what a young one will bring is counted in before it shows."""
        return self._pace.speech_of(call.call_id) + CALLS_SPEECH * unseen(call.age)
