"""One address for every vendor of the family, `WS /v1/media-streams`: its start message tells which it is."""

from __future__ import annotations

from typing import Final

from service.ingest.dialect import ListeningDialect
from service.ingest.dialects.exotel import ExotelDialect
from service.ingest.dialects.media_streams import MAX_EARLY_BYTES, MediaStreamDialect
from service.ingest.dialects.plivo import PlivoDialect
from service.ingest.dialects.signalwire import SignalWireDialect, unwrapped
from service.ingest.dialects.telnyx import TelnyxDialect
from service.ingest.dialects.twilio import TwilioDialect
from service.ingest.events import CLOSE_UNSUPPORTED, GatewayEvent, ProtocolViolation
from service.ingest.fields import Message, object_at, parse_message
from service.ingest.source import Source

_TWILIO_CALL: Final = "CA"
"""Twilio's call ids begin so; SignalWire's, in the same fields, are UUIDs."""


class AnyMediaStreamDialect(ListeningDialect):
    """One connection. Media that come before the start message are kept, up to MAX_EARLY_BYTES, and read after it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._dialect: MediaStreamDialect | None = None
        self._early: list[str] = []
        self._early_bytes = 0

    def text(self, message: str) -> list[GatewayEvent]:
        """Raises ProtocolViolation."""
        return self._opening(message) if self._dialect is None else self._dialect.text(message)

    def binary(self, message: bytes) -> list[GatewayEvent]:
        """Raises ProtocolViolation before the start."""
        if self._dialect is None:
            raise ProtocolViolation("message", "binary; every vendor's messages are text", CLOSE_UNSUPPORTED)
        return self._dialect.binary(message)

    def closed(self) -> list[GatewayEvent]:
        return [] if self._dialect is None else self._dialect.closed()

    def held(self) -> list[GatewayEvent]:
        return [] if self._dialect is None else self._dialect.held()

    def _opening(self, message: str) -> list[GatewayEvent]:
        fields = unwrapped(parse_message(message))
        kind = fields.get("event")
        if kind == "start":
            return self._start(fields, message)
        if kind == "media":
            self._keep_early(message)
        if kind == "stop":
            raise ProtocolViolation("start", "must come before stop")
        return []

    def _keep_early(self, message: str) -> None:
        self._early_bytes += len(message)
        if self._early_bytes > MAX_EARLY_BYTES:
            raise ProtocolViolation("start", f"must come before {MAX_EARLY_BYTES} bytes of media messages")
        self._early.append(message)

    def _start(self, fields: Message, message: str) -> list[GatewayEvent]:
        dialect = vendor_of(fields)(self._source)
        events = [event for each in (*self._early, message) for event in dialect.text(each)]
        self._dialect, self._early = dialect, []
        return events


def vendor_of(fields: Message) -> type[MediaStreamDialect]:
    """The dialect of a start message, by the ids that it has. Raises ProtocolViolation for one that has none's."""
    start = object_at(fields, "start")
    if "stream_id" in fields or "call_control_id" in start:
        return TelnyxDialect
    if "call_sid" in start:
        return ExotelDialect
    if "callId" in start:
        return PlivoDialect
    if "callSid" in start:
        call_sid = start["callSid"]
        twilio = isinstance(call_sid, str) and call_sid.startswith(_TWILIO_CALL)
        return TwilioDialect if twilio else SignalWireDialect
    told = "has no vendor's ids: none of callSid, callId, call_sid, call_control_id and stream_id"
    raise ProtocolViolation("start", told)
