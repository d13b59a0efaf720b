"""Audio may come faster than it is spoken (a backlog, a file played in), within a bound."""

from __future__ import annotations

from asr.types import Seconds
from service.gateway.events import ProtocolViolation

BURST: Seconds = 10.0
"""Audio that may come at once on top of the rate: what is kept before a start message, and a stalled line's backlog."""


class PaceLimit:
    """A token bucket in seconds of audio, filled at `max_pace` seconds a second and holding BURST.

    It is charged with how far the call's audio clock moves, silence put in for lost audio included.
    """

    def __init__(self, max_pace: float, now: Seconds) -> None:
        self._max_pace = max_pace
        self._allowance = BURST
        self._position: Seconds = 0.0
        self._now = now

    def advance(self, position: Seconds, now: Seconds) -> None:
        """The call's clock stands at `position` seconds. Raises ProtocolViolation("audio") beyond the limit."""
        earned = self._max_pace * max(0.0, now - self._now)
        self._allowance = max(self._allowance, min(BURST, self._allowance + earned))
        self._now = now
        self._allowance -= max(0.0, position - self._position)
        self._position = max(position, self._position)
        if self._allowance < 0:
            raise ProtocolViolation("audio", f"comes faster than {self._max_pace:g} times real time")

    def resumed(self, away: Seconds) -> None:
        """The source is back: neither the gap on the clock nor a backlog as long as it counts against it."""
        self._allowance += 2 * max(0.0, away)
