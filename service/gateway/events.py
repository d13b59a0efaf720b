"""What a gateway tells us, whatever its dialect: a call started, audio came, a key was pressed, it stopped.

A dialect is a plain class without IO: one per connection, fed whole WebSocket messages, giving back events
and the replies its vendor allows. It raises ProtocolViolation for what it cannot accept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias

from asr.audio import Encoding
from asr.types import CallLanguage, Role, Seconds
from detectors.api import Jurisdiction

CLOSE_UNSUPPORTED = 1003
"""RFC 6455 7.4.1: a type of data that cannot be accepted."""
CLOSE_POLICY = 1008
CLOSE_TOO_BIG = 1009

MAX_TEXT_BYTES = 64 * 1024
MAX_AUDIO_BYTES = 1024 * 1024


class ProtocolViolation(Exception):
    """The peer broke its dialect: `field` names what was wrong, `close_code` is RFC 6455's. `retry_after` seconds
    may help, where it is no fault of the peer's."""

    def __init__(
        self, field: str, message: str, close_code: int = CLOSE_POLICY, retry_after: Seconds | None = None
    ) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
        self.close_code = close_code
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAnnounced:
    """The start message. `roles[i]` is channel i of interleaved audio, or the parties that will come on tracks.

    None for language, jurisdiction or started_at leaves it to the source's or the service's default.
    `wants_events` asks for transcript, sentiment and alerts back on the same socket.
    """

    call_id: str
    roles: tuple[Role, ...]
    encoding: Encoding
    rate: int
    language: CallLanguage | None = None
    jurisdiction: Jurisdiction | None = None
    started_at: datetime | None = None
    agent: str = ""
    customer: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    wants_events: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioArrived:
    """Encoded audio. `role` None: all roles interleaved, in the announced order. `at` is the source's own time
    of its first sample on the call's clock, None where the wire carries none (then it follows on)."""

    payload: bytes
    role: Role | None = None
    at: Seconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitPressed:
    digit: str
    role: Role | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStopped:
    """The gateway says that the call is over."""


GatewayEvent: TypeAlias = CallAnnounced | AudioArrived | DigitPressed | CallStopped


class Dialect(Protocol):
    """One vendor's wire on one connection. Plain: bytes in, events out."""

    def text(self, message: str) -> list[GatewayEvent]:
        """A text message. Raises ProtocolViolation."""
        ...

    def binary(self, message: bytes) -> list[GatewayEvent]:
        """A binary message. Raises ProtocolViolation."""
        ...

    def closed(self) -> list[GatewayEvent]:
        """The peer closed cleanly (code 1000): some vendors mean CallStopped by it. Abnormal closes are not told."""
        ...
