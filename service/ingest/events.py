"""What a gateway tells us, whatever its dialect: a call started, audio came, a key was pressed, it stopped.

A dialect is a plain class without IO: one per connection, fed whole WebSocket messages, giving back events.
Until its start message is accepted it raises ProtocolViolation for what cannot begin a call. From then on a call is
live, and only what is too big breaks the protocol: everything else that is odd is an Irregularity.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

from asr.audio.pcm import Encoding
from asr.types import CallLanguage, Role, Seconds
from detectors.contract import Jurisdiction

CLOSE_UNSUPPORTED = 1003
"""RFC 6455 7.4.1: a type of data that cannot be accepted."""
CLOSE_POLICY = 1008
CLOSE_TOO_BIG = 1009

MAX_TEXT_BYTES = 64 * 1024
MAX_AUDIO_BYTES = 1024 * 1024


class ProtocolViolation(Exception):
    """What ends a connection: `field` names what was wrong, `close_code` is RFC 6455's. `retry_after` seconds may
    help, where it is no fault of the peer's. `ends_call`: its call is over too, as rejected."""

    def __init__(
        self,
        field: str,
        message: str,
        close_code: int = CLOSE_POLICY,
        retry_after: Seconds | None = None,
        *,
        ends_call: bool = True,
    ) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
        self.close_code = close_code
        self.retry_after = retry_after
        self.ends_call = ends_call


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
class FormatChanged:
    """From here on this connection's audio has this form. `roles` as in CallAnnounced."""

    encoding: Encoding
    rate: int
    roles: tuple[Role, ...]


IrregularityKind = Literal["unreadable", "order", "value", "digit", "leg", "format", "payload", "sequence", "flood"]
"""What is odd: a message that cannot be read; one that comes when it should not; a field's value; a key that no
telephone has; a party or track that the call does not have; an encoding, rate or half a sample frame; audio that
cannot be decoded; messages missing; more than anybody could mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Irregularity:
    """Something that should not have come and ends nothing: it is told once a kind and field on the call.

    `field` names it, `message` tells what is odd and what was done about it.
    """

    kind: IrregularityKind
    field: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStopped:
    """The gateway says that the call is over; or only this stream of it (`call_over` False), as vendors do whose
    streams may be stopped and started while a call goes on."""

    call_over: bool = True


LineEvent: TypeAlias = AudioArrived | DigitPressed | FormatChanged | Irregularity
"""What happens within a call."""
GatewayEvent: TypeAlias = CallAnnounced | LineEvent | CallStopped


class Dialect(Protocol):
    """One vendor's wire on one connection. Plain: bytes in, events out."""

    def text(self, message: str) -> list[GatewayEvent]:
        """A text message. Raises ProtocolViolation: before the start for what cannot begin a call, later for size."""
        ...

    def binary(self, message: bytes) -> list[GatewayEvent]:
        """A binary message. Raises ProtocolViolation as `text` does."""
        ...

    def closed(self) -> list[GatewayEvent]:
        """The peer closed cleanly (code 1000): some vendors mean CallStopped by it. Abnormal closes are not told."""
        ...
