"""Audio may come faster than it is spoken (a backlog, a file played in), within a bound."""

from __future__ import annotations

from asr.types import Seconds
from service.ingest.events import ProtocolViolation

BURST: Seconds = 60.0
"""Audio that may come at once beyond the time that has passed: a gateway may have waited this long for a connection
before its first `start`, and what it may send before `start` fits (1 MiB is 66 s of two legs of G.711)."""


class PaceLimit:
    """A token bucket in seconds of audio, filled at `max_pace` seconds a second.

    It holds BURST and whatever real time has passed without its audio: a stalled network, a suspended service and a
    connection that was gone all bring at once what they kept back, and that is no more than the time that passed. So
    audio whose total never exceeds the time since `begun` always passes, and audio that keeps coming faster than
    `max_pace` never does for long. Time on hold counts as well: hours of it allow hours of audio at once. What that
    may cost is not bounded here but where audio waits, hop by hop (docs/architecture.md).
    """

    def __init__(self, max_pace: float, begun: Seconds) -> None:
        self._max_pace = max_pace
        self._begun = begun
        self._allowance = BURST
        self._received: Seconds = 0.0
        self._now = begun

    def received(self, audio: Seconds, now: Seconds) -> None:
        """`audio` more seconds have come, of the leg that brought most. Raises ProtocolViolation("audio")."""
        now = max(now, self._now)
        behind = max(0.0, now - self._begun - self._received)
        self._allowance = min(BURST + behind, self._allowance + self._max_pace * (now - self._now))
        self._now = now
        self._allowance -= audio
        self._received += audio
        if self._allowance < 0:
            raise ProtocolViolation("audio", f"comes faster than {self._max_pace:g} times real time")
