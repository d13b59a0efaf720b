"""How many of something may come in a while."""

from __future__ import annotations

from typing import Final

from asr.types import Seconds
from service.ingest.events import ProtocolViolation

MESSAGES_A_SECOND: Final = 2000
"""Ten times real time, the fastest pace there is by default, of two tracks in packets of 10 ms each."""
MESSAGES_AT_ONCE: Final = 60_000
"""Ten minutes of two tracks in packets of 20 ms: the backlog of the longest stall that TCP outlives."""


class TokenBucket:
    """`rate` a second, and `most` at once."""

    def __init__(self, rate: float, most: float, now: Seconds) -> None:
        self._rate = rate
        self._most = most
        self._left = most
        self._now = now

    def take(self, now: Seconds) -> bool:
        """One more came; False if that is too many."""
        self._left = min(self._most, self._left + self._rate * max(0.0, now - self._now))
        self._now = max(now, self._now)
        if self._left < 1:
            return False
        self._left -= 1
        return True


class MessageLimit:
    """Bounds the messages of one connection, whatever they hold: each costs the event loop that all calls share."""

    def __init__(self, now: Seconds, *, a_second: float = MESSAGES_A_SECOND, at_once: float = MESSAGES_AT_ONCE) -> None:
        self._a_second = a_second
        self._bucket = TokenBucket(a_second, at_once, now)

    def count(self, now: Seconds) -> None:
        """One more message came. Raises ProtocolViolation("message")."""
        if not self._bucket.take(now):
            raise ProtocolViolation("message", f"more than {self._a_second:g} messages a second keep coming")
