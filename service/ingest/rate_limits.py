"""Limits of how much may come in a while: messages, keys, audio."""

from __future__ import annotations

from typing import Final

from asr.types import Seconds
from service.ingest.events import ProtocolViolation

MESSAGES_A_SECOND: Final = 2000
"""Ten times real time, the fastest pace by default, for two tracks in packets of 10 ms each."""
MESSAGES_AT_ONCE: Final = 60_000
"""Ten minutes of two tracks in packets of 20 ms: the backlog of the longest stall that TCP outlives."""
AUDIO_AT_ONCE: Seconds = 60.0
"""Audio that may come at once beyond the time that has passed: a gateway may have waited this long for a connection
before its first `start`, and what it may send before `start` fits (1 MiB is 66 s of two legs of G.711)."""


class TokenBucket:
    """A token bucket that fills at `rate` per second and holds `most`."""

    def __init__(self, rate: float, most: float, now: Seconds) -> None:
        self._rate = rate
        self._most = most
        self._left = most
        self._now = now

    def take(self, now: Seconds) -> bool:
        """Takes one token; False if there is none."""
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


class PaceLimit:
    """A token bucket in seconds of audio, filled at `max_pace` seconds a second.

    It holds AUDIO_AT_ONCE and whatever real time has passed without its audio: a stalled network, a suspended service
    and a connection that was gone all bring at once what they kept back, and that is no more than the time that passed.
    So audio whose total never exceeds the time since `begun` always passes, and audio that keeps coming faster than
    `max_pace` never does for long. Time on hold counts as well: hours of it allow hours of audio at once. What that
    may cost is not bounded here but where audio waits, hop by hop (docs/architecture.md).
    """

    def __init__(self, max_pace: float, begun: Seconds) -> None:
        self._max_pace = max_pace
        self._begun = begun
        self._allowance = AUDIO_AT_ONCE
        self._received: Seconds = 0.0
        self._now = begun

    def received(self, audio: Seconds, now: Seconds) -> None:
        """`audio` more seconds have come, of the leg that brought most. Raises ProtocolViolation("audio")."""
        now = max(now, self._now)
        behind = max(0.0, now - self._begun - self._received)
        self._allowance = min(AUDIO_AT_ONCE + behind, self._allowance + self._max_pace * (now - self._now))
        self._now = now
        self._allowance -= audio
        self._received += audio
        if self._allowance < 0:
            raise ProtocolViolation("audio", f"comes faster than {self._max_pace:g} times real time")
