"""The port of a vendor's wire: messages become events, and the service's news become messages.

A dialect is a plain class without IO, one for each connection. Each has a file in `service/ingest/dialects/`, and an
entry in `specs.py` there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias

from asr.types import Role, Seconds
from service.ingest.events import CLOSE_NORMAL, CallAnnounced, CallStopped, GatewayEvent, ProtocolViolation
from service.record.facts import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class SendText:
    """Sends a text message to the peer."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Ends the connection; `code` is RFC 6455's and has no meaning on a plain TCP connection."""

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """The request that a WebSocket begins with. `query`: the URL's, the last value of a name that comes twice.
    `headers`: by names in lower case. `refused`: why it is let in for nothing but to be told so; None where its key is
    good."""

    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    refused: ProtocolViolation | None = None


Reply: TypeAlias = SendText | Close
DialectOutput: TypeAlias = GatewayEvent | Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTaken:
    """The announced call is monitored. `resumed`: it was known already and this connection goes on with it."""

    call_id: str
    resumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FactStored:
    """One more fact of the call, in `seq` order."""

    call_id: str
    seq: int
    at: datetime
    fact: Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialRecognised:
    """The words so far of the utterance that began at `start`. Empty: there is no partial text any more."""

    call_id: str
    role: Role
    start: Seconds
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallProcessed:
    """Everything that was sent is transcribed, judged and stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRefused:
    """This side ends the connection, for this reason."""

    violation: ProtocolViolation


News: TypeAlias = CallTaken | FactStored | PartialRecognised | CallProcessed | ConnectionRefused
"""What the service may have to say to a gateway."""


class Dialect(Protocol):
    """One vendor's wire on one connection. Plain: messages in, events and replies out."""

    def text(self, message: str) -> Sequence[DialectOutput]:
        """A text message. Raises ProtocolViolation: before the start for what cannot begin a call, later for size."""
        ...

    def binary(self, message: bytes) -> Sequence[DialectOutput]:
        """A binary message, or bytes of a TCP stream. Raises ProtocolViolation as `text` does."""
        ...

    def closed(self) -> list[GatewayEvent]:
        """The peer closed cleanly: some vendors mean CallStopped by it. Abnormal closes are not told."""
        ...

    def held(self) -> list[GatewayEvent]:
        """The connection is over, however it ended: what was kept for what might still have come before it."""
        ...

    def tell(self, news: News) -> Sequence[Reply]:
        """The messages to the peer about the news. A Close belongs to CallProcessed and ConnectionRefused, unless the
        vendor's protocol lets the peer close."""
        ...

    def deadline(self) -> Seconds | None:
        """When `tick` is to be called, on the clock of `tick`. None if nothing is due."""
        ...

    def tick(self, now: Seconds) -> Sequence[DialectOutput]:
        """The deadline has passed. Raises ProtocolViolation if the peer has missed it. `now`: seconds of a steady
        clock."""
        ...


class ListeningDialect:
    """The base of dialects whose vendor takes no messages back and sets no deadlines. The close code and its reason are
    all that the peer is told."""

    def held(self) -> list[GatewayEvent]:
        return []

    def tell(self, news: News) -> Sequence[Reply]:
        if isinstance(news, CallProcessed):
            return [Close(code=CLOSE_NORMAL)]
        if isinstance(news, ConnectionRefused):
            return [Close(code=news.violation.close_code, reason=str(news.violation))]
        return []

    def deadline(self) -> Seconds | None:
        return None

    def tick(self, now: Seconds) -> Sequence[DialectOutput]:
        return []


class StreamDialect(ListeningDialect):
    """What a dialect has in common whose connection is one stream of a call: it begins once `_call` is announced, and a
    clean close stands for the end that never came."""

    def __init__(self) -> None:
        self._call: CallAnnounced | None = None
        self._stopped = False

    def closed(self) -> list[GatewayEvent]:
        return [] if self._call is None or self._stopped else self._stop()

    def _stop(self) -> list[GatewayEvent]:
        """The stream is over, and not the call: another one may follow."""
        self._stopped = True
        return [CallStopped(call_over=False)]
