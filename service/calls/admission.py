"""Whether one more call is taken, and which source's turn it is. Plain: the clock is an argument.

If nothing is live, a call is always taken, because slow recognition is worth more than none. Otherwise a call is taken
while the texts of all calls would come in time.

Sources take turns. A place is kept for a source that was refused and is expected back, if others have more calls live.
A call that sends faster than it is spoken counts as several there.
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
"""When a refused gateway is told to try again. On a floor that fills this service, calls end every few seconds."""
_EXPECTED: Seconds = 1.2 * RETRY_AFTER
"""A refused call is expected back for so long, and its place is kept."""
_REMEMBERED = 1000
"""So many refusals are remembered. However many there are, the calls that others have live bound what they can do to
the turns."""
_OTHERS = 1.2
"""A call of another source counts as so many at most: what is sent faster than it is spoken waits for others' turns."""
_AGAIN = 1.05
"""After a refusal so much more must be free than a call needs. Otherwise calls would be taken and refused by turns."""

_TURN = "another source's turn comes first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who offers a call: a source, the most live calls that it may have, and the greatest share of recognition."""

    source: str
    max_calls: int | None = None
    max_share: float | None = None


RefusalCode = Literal["capacity", "overload", "quota"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCall:
    """A call that is live or being taken in: its source, and how long it has been."""

    call_id: str
    source: str
    age: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The reason why no further call is taken. `capacity`: as many are live as may be. `overload`: no more speech can
    be recognised in time. `quota`: the source has its share. After `retry_after` seconds another try may help."""

    code: RefusalCode
    message: str
    retry_after: Seconds = RETRY_AFTER


class Pace(Protocol):
    """What recognition can carry (asr.recognition.recogniser.BatchRecogniser)."""

    def speech_of(self, call_id: str) -> float:
        """Seconds of speech per second that the call has brought recently."""
        ...

    def carries(self, speech: float) -> bool:
        """Whether texts would come in time at so many seconds of speech per second, of all calls together."""
        ...


class Admission:
    """Decides about calls. `most` are live at once, if a number is set."""

    def __init__(self, pace: Pace, most: int | None = None) -> None:
        self._pace = pace
        self._most = most
        self._refused: deque[tuple[float, str]] = deque(maxlen=_REMEMBERED)
        self._short = False

    def ask(self, asker: Asker, live: Sequence[LiveCall], now: float) -> Refusal | None:
        """Why this source's next call is not taken beside the live ones; None if it is taken. Each answer counts for
        the turns, except for a refusal by the source's own quota."""
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
        """Why even a source without a live call would be refused now; empty if it would not."""
        refusal = self._refusal("", live, now)
        return refusal.message if refusal else ""

    def _over_quota(self, asker: Asker, live: Sequence[LiveCall]) -> Refusal | None:
        """The refusal by the source's own quota, if any. A source without a live call gets its first one whatever its
        share."""
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
        """The places that are kept for other sources that were refused and are expected back: so many that each of them
        reaches what this one has."""
        while self._refused and self._refused[0][0] < now - _EXPECTED:
            self._refused.popleft()
        own = self._weight(source, live)
        expected = Counter(other for _, other in self._refused if other != source)
        return sum(min(calls, max(0, math.ceil(own - self._weight(other, live)))) for other, calls in expected.items())

    def _weight(self, source: str, live: Sequence[LiveCall]) -> float:
        """A source's live calls, in calls that come as they are spoken."""
        return sum(max(1.0, self._speech(call) / CALLS_SPEECH) for call in live if call.source == source)

    def _asked(self, source: str, live: Sequence[LiveCall]) -> float:
        """The seconds of speech per second that come in already, as far as this source must wait for them."""
        most = _OTHERS * CALLS_SPEECH
        return sum(self._speech(call) if call.source == source else min(most, self._speech(call)) for call in live)

    def _speech(self, call: LiveCall) -> float:
        """The seconds of speech per second that a call brings. What a young call will bring is counted in before it
        shows."""
        return self._pace.speech_of(call.call_id) + CALLS_SPEECH * unseen(call.age)
