"""Whole sample frames out of binary messages that may end anywhere."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from asr.types import Role, Seconds
from service.ingest.events import AudioArrived, GatewayEvent, Irregularity

Outcome: TypeAlias = Literal["whole", "split", "stray"]
"""How a message came out. `whole`: it holds whole frames. `split`: it ends in half a frame, kept for the next. `stray`:
the half frame before it belonged to nothing and is left out."""

STRAYS_UNTIL_DROPPED: Final = 50
"""A source that splits frames may by chance send so many whole ones in a row while half a frame waits once in 2**50."""


class FrameAligner:
    """Keeps the samples of one connection in their frames.

    Some sources cut a stream of bytes wherever a buffer was full: the rest of a frame comes with the next message.
    Others add a byte that belongs to nothing: carried on, it would turn all that follows into noise, or give each
    party's words to the other. The next message tells which: if it is whole by itself, the half frame belonged to
    nothing; if only both together are whole, the source splits frames, and from then on its halves are carried.
    """

    def __init__(self, frame: int) -> None:
        """`frame`: bytes of one sample of every channel."""
        self._frame = frame
        self._half = b""
        self._splits = False
        self._whole_in_row = 0

    def take(self, message: bytes) -> tuple[bytes, Outcome]:
        """What is whole now, and how the message came out."""
        outcome: Outcome = "whole"
        if self._half and message and self._belongs_to_nothing(message):
            self._half = b""
            outcome = "stray"
        joined = self._half + message
        rest = len(joined) % self._frame
        whole, self._half = (joined[:-rest], joined[-rest:]) if rest else (joined, b"")
        return whole, "split" if rest and message else outcome

    def arrived(
        self, message: bytes, *, role: Role | None = None, at: Seconds | None = None, field: str = "audio"
    ) -> list[GatewayEvent]:
        """A message's whole frames as audio, and the irregularity if it ends within a frame, under the name of its
        `field`."""
        payload, outcome = self.take(message)
        audio: list[GatewayEvent] = [AudioArrived(payload=payload, role=role, at=at)] if payload else []
        if outcome == "whole":
            return audio
        done = "the rest comes with the next" if outcome == "split" else "what is left of one belongs to no other"
        told = f"does not end with whole sample frames; {done}"
        return [*audio, Irregularity(kind="format", field=field, message=told)]

    def _belongs_to_nothing(self, message: bytes) -> bool:
        if len(message) % self._frame:
            self._whole_in_row = 0
            self._splits = self._splits or (len(self._half) + len(message)) % self._frame == 0
            return False
        self._whole_in_row += 1
        return not self._splits or self._whole_in_row > STRAYS_UNTIL_DROPPED
