"""Vonage Voice API WebSockets, `WS /v1/vonage`: one JSON text, then binary PCM; a socket a leg.

Source: Vonage's "WebSockets guide". What the endpoint's `headers` in the NCCO hold stands in the first message: there
the integrator names the call, the leg's party and everything else. A close ends the leg; nothing is sent back, for
binary would be played into the call.
"""

from __future__ import annotations

import re
from typing import Final

from asr.audio.codecs import RATES
from asr.types import ROLES
from service.ingest.dialect import StreamDialect
from service.ingest.events import (
    CLOSE_UNSUPPORTED,
    CallAnnounced,
    GatewayEvent,
    ProtocolViolation,
)
from service.ingest.fields import (
    Message,
    Notes,
    call_fields_at,
    call_id_at,
    check_audio_size,
    digits_at,
    metadata_at,
    parse_message,
    role_named,
    text_at,
    tolerated,
)
from service.ingest.frames import FrameAligner
from service.ingest.source import Source

_CONTENT_TYPE: Final = re.compile(r"audio/l16\s*;\s*rate=(\d{4,5})", re.IGNORECASE)
_KNOWN: Final = frozenset(
    ("event", "content-type", "call_id", "role", "agent", "customer", "language", "jurisdiction", "started_at")
)


class VonageDialect(StreamDialect):
    """One leg's connection. Where its headers name no `role` it carries the source's first track."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source
        self._aligner = FrameAligner(2)

    def text(self, message: str) -> list[GatewayEvent]:
        """Raises ProtocolViolation. Unknown events give nothing."""
        if self._call is None:
            return self._opening(parse_message(message))
        try:
            fields = parse_message(message)
        except ProtocolViolation as violation:
            return [tolerated(violation, "unreadable")]
        if fields.get("event") == "websocket:dtmf":
            return [*digits_at(fields, "digit", self._call.roles[0])]
        return []

    def binary(self, message: bytes) -> list[GatewayEvent]:
        """Raises ProtocolViolation."""
        check_audio_size(message)
        if self._call is None:
            raise ProtocolViolation("websocket:connected", "must come before audio")
        return self._aligner.arrived(message, role=self._call.roles[0])

    def _opening(self, fields: Message) -> list[GatewayEvent]:
        if fields.get("event") != "websocket:connected":
            raise ProtocolViolation("event", "must be websocket:connected first")
        notes: Notes = []
        self._call = call = self._announced(fields, notes)
        return [call, *notes]

    def _announced(self, fields: Message, notes: Notes) -> CallAnnounced:
        call_id = call_id_at(fields, "call_id")
        if not call_id:
            raise ProtocolViolation("call_id", "is missing: name the call in the endpoint's headers")
        named = fields.get("role")
        return CallAnnounced(
            call_id=call_id,
            roles=(self._source.first_track if named is None else role_named(named, "role"),),
            call_roles=ROLES,
            clock="arrival",
            encoding="pcm_s16le",
            rate=_rate(fields),
            **call_fields_at(fields, notes),
            metadata=metadata_at({"headers": {k: v for k, v in fields.items() if k not in _KNOWN}}, "headers", notes),
        )


def _rate(fields: Message) -> int:
    """Vonage sends 16-bit linear PCM at the rate that the NCCO asks for."""
    content_type = text_at(fields, "content-type", 64)
    form = _CONTENT_TYPE.fullmatch(content_type)
    if form is None or int(form[1]) not in RATES["pcm_s16le"]:
        told = f"must be audio/l16 with a rate of {', '.join(map(str, RATES['pcm_s16le']))}, is {content_type!r}"
        raise ProtocolViolation("content-type", told, CLOSE_UNSUPPORTED)
    return int(form[1])
