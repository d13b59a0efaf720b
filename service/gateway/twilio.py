"""Twilio Media Streams, `WS /v1/twilio`: JSON text, base64 mu-law, one or two tracks in one socket.

Source: Twilio's "Media Streams - WebSocket Messages". A forked stream is never answered: whatever is sent back is
an error to Twilio, and on a two-way stream it would be played into the call.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Final, Literal, cast

from asr.types import ROLES, Role, Seconds
from service.gateway.events import (
    CLOSE_UNSUPPORTED,
    AudioArrived,
    CallAnnounced,
    CallStopped,
    DigitPressed,
    GatewayEvent,
    ProtocolViolation,
)
from service.gateway.wire import (
    MAX_PARTY_LENGTH,
    Message,
    call_id_at,
    digit_at,
    integer_at,
    jurisdiction_at,
    language_at,
    metadata_at,
    moment_at,
    object_at,
    parse_message,
    text_at,
)

Track = Literal["inbound", "outbound"]

RATE: Final = 8000
MAX_EARLY_BYTES: Final = 128 * 1024
"""Audio kept until the start message comes: 8 s of two tracks."""

_KNOWN_PARAMETERS: Final = frozenset(
    {"call_id", "agent", "customer", "language", "jurisdiction", "started_at", "metadata"}
)
_PARAMETERS: Final = "start.customParameters."


class TwilioDialect:
    """One connection. `first_track` is the party on Twilio's `inbound` track, the other one is on `outbound`.

    Which party that is depends on the leg that runs the stream, not on who called whom, so it is configured for
    each source. `lost_messages` counts holes in the sequence numbers; lost audio shows in the timestamps.
    """

    def __init__(self, first_track: Role) -> None:
        other: Role = "customer" if first_track == "agent" else "agent"
        self._parties: dict[str, Role] = {"inbound": first_track, "outbound": other}
        self._call: CallAnnounced | None = None
        self._stopped = False
        self._early: list[Message] = []
        self._early_bytes = 0
        self._sequence: int | None = None
        self.lost_messages = 0

    def text(self, message: str) -> list[GatewayEvent]:
        """Raises ProtocolViolation. Unknown events and `mark` give nothing."""
        fields = parse_message(message)
        self._count(fields)
        kind = fields.get("event")
        if kind == "start":
            return self._start(fields)
        if kind == "media":
            return self._media(fields, len(message))
        if kind == "dtmf":
            return self._dtmf(fields)
        if kind == "stop":
            return self._stop()
        return []

    def binary(self, message: bytes) -> list[GatewayEvent]:
        """Raises ProtocolViolation always: everything in this dialect is text."""
        raise ProtocolViolation(
            "message", f"{len(message)} bytes of binary; Twilio's media messages are text", CLOSE_UNSUPPORTED
        )

    def closed(self) -> list[GatewayEvent]:
        """A clean close stands for a stop message that never came."""
        if self._call is None or self._stopped:
            return []
        self._stopped = True
        return [CallStopped()]

    def _count(self, fields: Message) -> None:
        try:
            number = integer_at(fields, "sequenceNumber")
        except ProtocolViolation:
            return  # it serves for counting only; a call is not ended for it
        if number is None:
            return
        if self._sequence is not None and number > self._sequence + 1:
            self.lost_messages += number - self._sequence - 1
        self._sequence = number

    def _start(self, fields: Message) -> list[GatewayEvent]:
        if self._call is not None:
            raise ProtocolViolation("start", "came twice; a new stream needs a new connection")
        start = object_at(fields, "start")
        _check_format(object_at(start, "mediaFormat", "start."))
        self._call = call = self._announced(fields, start)
        early, self._early = self._early, []
        return [call, *(event for media in early for event in self._audio(media, call))]

    def _announced(self, fields: Message, start: Message) -> CallAnnounced:
        parameters = object_at(start, "customParameters", "start.")
        call_id = (
            call_id_at(parameters, "call_id", _PARAMETERS)
            or call_id_at(start, "callSid", "start.")
            or call_id_at(fields, "streamSid")
        )
        if not call_id:
            raise ProtocolViolation("start.callSid", "is missing")
        return CallAnnounced(
            call_id=call_id,
            roles=self._roles(start.get("tracks")),
            encoding="mulaw",
            rate=RATE,
            language=language_at(parameters, "language", _PARAMETERS),
            jurisdiction=jurisdiction_at(parameters, "jurisdiction", _PARAMETERS),
            started_at=moment_at(parameters, "started_at", _PARAMETERS),
            agent=text_at(parameters, "agent", MAX_PARTY_LENGTH, _PARAMETERS),
            customer=text_at(parameters, "customer", MAX_PARTY_LENGTH, _PARAMETERS),
            metadata=_metadata(parameters),
        )

    def _roles(self, tracks: object) -> tuple[Role, ...]:
        """The parties on the announced tracks, the agent first; both where none is announced."""
        names = cast("list[object]", tracks) if isinstance(tracks, list) else []
        found = {role for name in names if isinstance(name, str) and (role := self._party(name)) is not None}
        return tuple(role for role in ROLES if role in found) or ROLES

    def _party(self, track: str) -> Role | None:
        """Twilio writes `inbound` in media and `inbound_track` in dtmf and TwiML."""
        return self._parties.get(track.removesuffix("_track"))

    def _media(self, fields: Message, size: int) -> list[GatewayEvent]:
        media = object_at(fields, "media")
        if self._stopped:
            raise ProtocolViolation("media", "came after stop")
        if self._call is not None:
            return self._audio(media, self._call)
        self._early_bytes += size
        if self._early_bytes > MAX_EARLY_BYTES:
            raise ProtocolViolation("start", f"must come before {MAX_EARLY_BYTES} bytes of media messages")
        self._early.append(media)
        return []

    def _audio(self, media: Message, call: CallAnnounced) -> list[GatewayEvent]:
        track = media.get("track")
        role = self._parties["inbound"] if track is None else self._party(str(track))
        payload = _payload(media.get("payload"))
        if role not in call.roles or not payload:
            return []
        return [AudioArrived(payload=payload, role=role, at=_timestamp(media))]

    def _dtmf(self, fields: Message) -> list[GatewayEvent]:
        if self._call is None or self._stopped:
            return []
        dtmf = object_at(fields, "dtmf")
        role = self._party(str(dtmf.get("track")))
        known = role if role in self._call.roles else None
        return [DigitPressed(digit=digit_at(dtmf, "digit", "dtmf."), role=known)]

    def _stop(self) -> list[GatewayEvent]:
        if self._stopped:
            raise ProtocolViolation("stop", "came twice")
        if self._call is None:
            raise ProtocolViolation("start", "must come before stop")
        self._stopped = True
        return [CallStopped()]


def _check_format(media_format: Message) -> None:
    """Media Streams has one format; what is left out is taken to be it."""
    where = "start.mediaFormat."
    encoding = text_at(media_format, "encoding", 64, where).lower()
    if encoding not in ("", "audio/x-mulaw"):
        raise ProtocolViolation(where + "encoding", f"must be audio/x-mulaw, is {encoding!r}", CLOSE_UNSUPPORTED)
    for name, expected in (("sampleRate", RATE), ("channels", 1)):
        if integer_at(media_format, name, where) not in (None, expected):
            raise ProtocolViolation(where + name, f"must be {expected}")


def _metadata(parameters: Message) -> dict[str, str]:
    """TwiML parameters are flat text: one named `metadata` may hold a JSON object, all unknown ones belong to it."""
    entries = {name: value for name, value in parameters.items() if name not in _KNOWN_PARAMETERS}
    packed = parameters.get("metadata")
    if isinstance(packed, str) and packed.strip():
        entries = {**_unpacked(packed), **entries}
    elif isinstance(packed, dict):
        entries = {**cast("dict[str, object]", packed), **entries}
    return metadata_at({"metadata": entries}, "metadata", _PARAMETERS)


def _unpacked(packed: str) -> dict[str, object]:
    try:
        entries: object = json.loads(packed)
    except (ValueError, RecursionError) as error:
        raise ProtocolViolation(_PARAMETERS + "metadata", "must be a JSON object in a string") from error
    if not isinstance(entries, dict):
        raise ProtocolViolation(_PARAMETERS + "metadata", "must be a JSON object in a string")
    return cast("dict[str, object]", entries)


def _payload(encoded: object) -> bytes:
    """Base64 as in RFC 4648; a missing payload is empty."""
    try:
        return base64.b64decode(str(encoded or ""), validate=True)
    except (binascii.Error, ValueError) as error:  # ValueError: characters beyond ASCII
        raise ProtocolViolation("media.payload", "is not base64", CLOSE_UNSUPPORTED) from error


def _timestamp(media: Message) -> Seconds | None:
    """Milliseconds from the start of the stream, on both tracks. None, so that audio follows on, if unreadable."""
    try:
        milliseconds = integer_at(media, "timestamp")
    except ProtocolViolation:
        return None
    return None if milliseconds is None else milliseconds / 1000
