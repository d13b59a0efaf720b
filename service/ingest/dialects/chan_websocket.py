"""Asterisk's chan_websocket, `WS /v1/asterisk`: events as JSON or in plain text, then binary audio; a socket a leg.

Source: Asterisk's chan_websocket and res_websocket_client. Nothing is sent back: binary would be played into the call,
and unknown text is a warning in Asterisk's log. There is no event for the end: a close ends the leg.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, cast

from asr.audio.pcm import Encoding, sample_bytes
from asr.types import ROLES, Seconds
from service.ingest.dialect import Handshake, StreamDialect
from service.ingest.events import (
    CLOSE_UNSUPPORTED,
    CallAnnounced,
    GatewayEvent,
    Irregularity,
    ProtocolViolation,
)
from service.ingest.fields import (
    Message,
    Notes,
    call_fields_at,
    call_id_at,
    check_audio_size,
    check_text_size,
    digits_at,
    metadata_at,
    parse_message,
    role_named,
    text_at,
    tolerated,
)
from service.ingest.frames import FrameAligner
from service.ingest.source import Source

MAX_EARLY_BYTES: Final = 256 * 1024
"""Messages kept until MEDIA_START comes: 8 s of 16 kHz. A busy Asterisk lets audio overtake it."""
SET_WITHIN: Final[Seconds] = 2.0
"""Between the second in which a dialplan reads `${EPOCH}` and the one in which Asterisk makes the channel it dials."""

_FORMATS: Final[Mapping[str, tuple[Encoding, int]]] = {
    "ulaw": ("mulaw", 8000),
    "alaw": ("alaw", 8000),
    "slin": ("pcm_s16le", 8000),
    "slin12": ("pcm_s16le", 12_000),
    "slin16": ("pcm_s16le", 16_000),
    "slin24": ("pcm_s16le", 24_000),
    "slin32": ("pcm_s16le", 32_000),
    "slin44": ("pcm_s16le", 44_100),
    "slin48": ("pcm_s16le", 48_000),
    "g722": ("g722", 16_000),
    "opus": ("opus", 16_000),
}
"""Asterisk's names of what is taken, as encoding and samples a second that the leg is kept at."""
_VARIABLES: Final = "CALLWARDEN_"
_KNOWN: Final = frozenset(("call_id", "role", "agent", "customer", "language", "jurisdiction", "started_at"))
_UNIQUE_ID: Final = re.compile(r"(?:.*-)?([0-9]{9,11})\.[0-9]+", re.DOTALL)
"""The system's name, if it has one; the second in which the channel was made; a number."""
_EPOCH: Final = re.compile("[0-9]{9,11}")


class ChanWebsocketDialect(StreamDialect):
    """One leg's connection. Messages that come before MEDIA_START are kept, up to MAX_EARLY_BYTES, and follow it.

    A call that nothing names goes by the channel's id. Where no `role` is named, the leg is the source's first track.
    """

    def __init__(self, source: Source, handshake: Handshake) -> None:
        super().__init__()
        self._source = source
        self._query = handshake.query
        self._aligner = FrameAligner(1)
        self._early: list[str | bytes] = []
        self._early_bytes = 0

    def text(self, message: str) -> list[GatewayEvent]:
        """Raises ProtocolViolation. Other events than MEDIA_START and DTMF_END give nothing."""
        if self._call is None:
            fields = _event(message)
            return self._start(fields) if fields.get("event") == "MEDIA_START" else self._keep_early(message)
        try:
            fields = _event(message)
        except ProtocolViolation as violation:
            return [tolerated(violation, "unreadable")]
        if fields.get("event") == "DTMF_END":
            return [*digits_at(fields, "digit", self._call.roles[0])]
        if fields.get("event") == "MEDIA_START":
            return [Irregularity(kind="order", field="MEDIA_START", message="came twice; the call goes on")]
        return []

    def binary(self, message: bytes) -> list[GatewayEvent]:
        """Raises ProtocolViolation."""
        check_audio_size(message)
        if self._call is None:
            return self._keep_early(message)
        return self._aligner.arrived(message, role=self._call.roles[0])

    def _keep_early(self, message: str | bytes) -> list[GatewayEvent]:
        self._early_bytes += len(message)
        if self._early_bytes > MAX_EARLY_BYTES:
            raise ProtocolViolation("MEDIA_START", f"must come before {MAX_EARLY_BYTES} bytes of other messages")
        if message:  # empty messages are free for the peer, so they may not cost memory here
            self._early.append(message)
        return []

    def _start(self, fields: Message) -> list[GatewayEvent]:
        notes: Notes = []
        self._call = call = self._announced(fields, notes)
        self._aligner = FrameAligner(sample_bytes(call.encoding))
        early, self._early = self._early, []
        return [call, *notes, *(event for message in early for event in self._again(message))]

    def _again(self, message: str | bytes) -> list[GatewayEvent]:
        return self.text(message) if isinstance(message, str) else self.binary(message)

    def _announced(self, fields: Message, notes: Notes) -> CallAnnounced:
        encoding, rate = _form(fields)
        told = self._told(fields, notes)
        call_id = call_id_at(told, "call_id") or call_id_at(fields, "channel_id")
        if not call_id:
            raise ProtocolViolation("channel_id", "is missing: this Asterisk is too old, or name the call")
        named = told.get("role")
        return CallAnnounced(
            call_id=call_id,
            roles=(self._source.first_track if named is None else role_named(named, "role"),),
            call_roles=ROLES,
            clock="arrival",
            encoding=encoding,
            rate=rate,
            **call_fields_at(told, notes),
            metadata=metadata_at({"told": {k: v for k, v in told.items() if k not in _KNOWN}}, "told", notes),
        )

    def _told(self, fields: Message, notes: Notes) -> Message:
        """What is told of the call: by the channel's variables, which are its own; or else by the URL."""
        if told := _told_by_variables(fields.get("channel_variables")):
            return told
        if not self._query:
            return {}
        if _is_of_channel(self._query, text_at(fields, "channel_id", 256)):
            return {name: value for name, value in self._query.items() if name != "at"}
        odd = (
            "may be an earlier call's, which Asterisk keeps: its `at` is not the second in which the channel was made; "
            "it is left out, so set at=${EPOCH} in v(), or channel variables and JSON"
        )
        notes.append(Irregularity(kind="value", field="query", message=odd))
        return {}


def _event(message: str) -> Message:
    """An event in either form: a JSON object, or its name and `field:value` pairs. Raises ProtocolViolation."""
    if message.lstrip().startswith("{"):
        return parse_message(message)
    check_text_size(message)
    name, *pairs = message.split() or [""]
    return {**{field: value for field, _, value in (pair.partition(":") for pair in pairs)}, "event": name}


def _form(fields: Message) -> tuple[Encoding, int]:
    """What comes: Asterisk transcodes into whatever its dial string asks for."""
    name = text_at(fields, "format", 64)
    if name not in _FORMATS:
        told = f"must be one of {', '.join(_FORMATS)}, is {name!r}: ask for one with c(slin16), or `format` in ARI"
        raise ProtocolViolation("format", told, CLOSE_UNSUPPORTED)
    return _FORMATS[name]


def _told_by_variables(variables: object) -> Message:
    """Those whose names begin with CALLWARDEN_, by the rest of their names in small letters. Before that may stand the
    underscores by which Asterisk lets channels inherit a variable."""
    held = cast("Message", variables) if isinstance(variables, dict) else {}
    named = {name.lstrip("_"): value for name, value in held.items()}
    return {
        name.removeprefix(_VARIABLES).lower(): value for name, value in named.items() if name.startswith(_VARIABLES)
    }


def _is_of_channel(query: Mapping[str, str], channel_id: str) -> bool:
    """Whether the URL's parameters were set for this channel: Asterisk keeps those of v() in the connection's
    configuration, so a call that sets none, or that connects in the same moment, gets those of another."""
    made, set_at = _UNIQUE_ID.fullmatch(channel_id), _EPOCH.fullmatch(query.get("at", ""))
    return made is not None and set_at is not None and abs(int(made[1]) - int(set_at[0])) <= SET_WITHIN
