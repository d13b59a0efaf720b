"""A vendor's wire that nobody speaks; it passes the dialects' contract suite."""

from __future__ import annotations

from collections.abc import Sequence

from service.ingest.dialect import DialectOutput, ListeningDialect, SendText
from service.ingest.events import CallAnnounced, GatewayEvent, ProtocolViolation


class FakeDialect(ListeningDialect):
    """Announces `call` at the first message. It is due at `due`, says so each time, and ends the connection at the
    third time."""

    def __init__(self, call: CallAnnounced, *, due: float | None = None) -> None:
        self._call = call
        self._due = due
        self._announced = False
        self._ticks = 0

    def text(self, message: str) -> list[GatewayEvent]:
        first, self._announced = not self._announced, True
        return [self._call] if first else []

    def binary(self, message: bytes) -> list[GatewayEvent]:
        return []

    def closed(self) -> list[GatewayEvent]:
        return []

    def deadline(self) -> float | None:
        return self._due

    def tick(self, now: float) -> Sequence[DialectOutput]:
        self._ticks += 1
        if self._ticks == 3:
            raise ProtocolViolation("ping", "did not come")
        return [SendText(text=f"tick {self._ticks}")]
