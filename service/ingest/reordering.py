"""Messages of one track that may overtake each other, put in order again, with no clock but their own numbers.

The call's timeline does so too, for samples. What decodes or filters with a memory, before it, needs the order here.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from typing import Final

from service.ingest.fields import Message

OVERTAKEN: Final = 10
"""So many messages of the stream may come before one that belongs before them: at 20 ms each, 100 ms of two tracks."""
_CONTIGUOUS: Final = 5
"""Milliseconds: as of the timeline, no packet is so short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedMedia:
    """`at` and `until` are milliseconds of the stream, `chunk` counts from 1; None for what is not told."""

    at: int | None
    until: float
    chunk: int | None
    media: Message

    @property
    def place(self) -> tuple[int, int]:
        return self.at or 0, self.chunk or 0


class ReorderWindow:
    """One track. A message that follows on from the one before passes at once. One that leaves a hole waits for what
    belongs there, until OVERTAKEN messages of the stream came after it.

    Nothing is left out: what comes later than that passes as it comes, and so does what has no number.
    """

    def __init__(self) -> None:
        self._held: list[tuple[NumberedMedia, int]] = []
        self._last = NumberedMedia(at=0, until=0.0, chunk=0, media={})

    def push(self, message: NumberedMedia, arrived: int) -> None:
        """`arrived` counts the messages of the stream, over all its tracks."""
        insort(self._held, (message, arrived), key=_place)

    def ready(self, arrived: int) -> list[Message]:
        """The messages that are in order by now, or have waited long enough."""
        given: list[Message] = []
        while self._held and (self._follows_on(self._held[0][0]) or self._waited(arrived)):
            message, _ = self._held.pop(0)
            given.append(message.media)
            if message.place >= self._last.place:
                self._last = message
        return given

    def flush(self) -> list[Message]:
        """Returns all messages that wait, in order."""
        held, self._held = self._held, []
        return [message.media for message, _ in held]

    def _follows_on(self, message: NumberedMedia) -> bool:
        last = self._last
        if message.place <= last.place or message.chunk == (last.chunk or 0) + 1:
            return True
        return message.at is not None and message.at <= last.until + _CONTIGUOUS

    def _waited(self, arrived: int) -> bool:
        return min(since for _, since in self._held) <= arrived - OVERTAKEN


def _place(held: tuple[NumberedMedia, int]) -> tuple[int, int]:
    return held[0].place
