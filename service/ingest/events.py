"""What a gateway tells us, whatever its dialect: a call started, audio came, a key was pressed, it stopped.

Until a dialect (`service.ingest.dialect`) has accepted a start message it raises ProtocolViolation for what cannot
begin a call. From then on a call is live, and only what is too big breaks the protocol, or what the vendor's own rules
end a session for: everything else that is odd is an Irregularity.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from asr.audio.pcm import Encoding
from asr.types import CallLanguage, Role, Seconds
from detectors.contract import Jurisdiction
from service.ingest.source import Clock

CLOSE_NORMAL = 1000
CLOSE_UNSUPPORTED = 1003
"""RFC 6455 7.4.1: a type of data that cannot be accepted."""
CLOSE_ABNORMAL = 1006
"""RFC 6455 7.4.1: the connection broke off. It is never sent."""
CLOSE_BAD_TEXT = 1007
CLOSE_POLICY = 1008
CLOSE_TOO_BIG = 1009
CLOSE_INTERNAL_ERROR = 1011
CLOSE_RESTARTING = 1012
CLOSE_TRY_LATER = 1013
CLOSE_UNAUTHORIZED = 3000
"""IANA's code, for peers that are told on an accepted WebSocket that their key is not good."""

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
    """The start message. `roles[i]` is channel i of interleaved audio, or the parties that will come on tracks: the
    legs that this connection brings. `call_roles` are those of the call, where others may bring some of them. `rate` is
    what the call is kept at (`asr.audio.codecs.leg_rate`), whatever a vendor announces with g722 and opus.

    None for language, jurisdiction or started_at leaves it to the source's or the service's default.
    `wants_events` asks for transcript, sentiment and alerts back on the same socket. `vendor`: which of several that
    share an address.
    """

    call_id: str
    roles: tuple[Role, ...]
    encoding: Encoding
    rate: int
    call_roles: tuple[Role, ...] = ()
    clock: Clock = "timestamps"
    language: CallLanguage | None = None
    jurisdiction: Jurisdiction | None = None
    started_at: datetime | None = None
    agent: str = ""
    customer: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    wants_events: bool = False
    vendor: str = ""

    @property
    def all_roles(self) -> tuple[Role, ...]:
        """The legs of the call, this connection's among them."""
        return self.call_roles or self.roles


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedCallAnnounced:
    """A connection that can say nothing but a token: what call it is, and whose, was told before with a gateway key.
    `encoding`, `rate` and `clock` are those of its leg, as in CallAnnounced."""

    token: str
    encoding: Encoding
    rate: int
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioArrived:
    """Encoded audio. `role` None: all roles interleaved, in the announced order, or the only one. `at` is the source's
    own time of its first sample on the call's clock, None where the wire carries none (then it follows on). Of g722 and
    opus it is one packet of one leg."""

    payload: bytes
    role: Role | None = None
    at: Seconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitPressed:
    digit: str
    role: Role | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatChanged:
    """The audio of these legs has this form from here on. `rate`, `roles` and `clock` as in CallAnnounced; empty roles
    stand for all legs of the connection."""

    encoding: Encoding
    rate: int
    roles: tuple[Role, ...]
    clock: Clock = "timestamps"


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
GatewayEvent: TypeAlias = CallAnnounced | ReservedCallAnnounced | LineEvent | CallStopped
