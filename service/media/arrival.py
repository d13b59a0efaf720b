"""The clock of arrival: audio lies on the call's clock where it came, unless it came late and all at once. Plain."""

from __future__ import annotations

from dataclasses import dataclass, field

from asr.audio.pcm import Pcm, samples_in
from asr.types import Seconds

LAG: Seconds = 0.3
"""A leg may be so far behind: gateways send in bursts 250 ms apart. Past that it was silent, or the network stood."""
HOLD: Seconds = 0.2
"""How long audio is held that comes after such a pause. What the network kept back comes within that; what was never
sent does not."""


class ArrivalClock:
    """All legs of a call that are placed by when they come have one: a moment, and the sample reached by then."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._origin: tuple[Seconds, int] | None = None

    def begin(self, now: Seconds, reached: int) -> None:
        """The first audio of any leg came now, and reaches so far."""
        if self._origin is None:
            self._origin = now, reached

    def forget(self) -> None:
        """No connection was there for a while: the next audio begins anew."""
        self._origin = None

    def reached(self, now: Seconds) -> int:
        """The sample that is due by now."""
        assert self._origin is not None, "audio has come"
        since, reached = self._origin
        return reached + samples_in(max(0.0, now - since), self._rate)


@dataclass(slots=True)
class HeldAudio:
    """One leg's audio after a pause, until it is known what the pause was."""

    pieces: list[Pcm] = field(default_factory=list[Pcm])
    since: Seconds = 0.0

    @property
    def samples(self) -> int:
        return sum(piece.size for piece in self.pieces)

    def add(self, pcm: Pcm, now: Seconds) -> None:
        if not self.pieces:
            self.since = now
        self.pieces.append(pcm)

    def take(self) -> list[Pcm]:
        """All of it, which is held no longer."""
        taken, self.pieces = self.pieces, []
        return taken
