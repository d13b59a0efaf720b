"""Twilio Media Streams, `WS /v1/twilio`: JSON text, base64 mu-law, one or two tracks in one socket.

Source: Twilio's "Media Streams - WebSocket Messages". A forked stream is never answered: whatever is sent back is
an error to Twilio, and on a two-way stream it would be played into the call.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Final, cast

from asr.types import ROLES, Role, Seconds
from service.ingest.dialect import ListeningDialect
from service.ingest.events import (
    CLOSE_UNSUPPORTED,
    AudioArrived,
    CallAnnounced,
    CallStopped,
    GatewayEvent,
    Irregularity,
    ProtocolViolation,
)
from service.ingest.fields import (
    Message,
    Notes,
    call_fields_at,
    call_id_at,
    digits_at,
    integer_at,
    metadata_at,
    object_at,
    parse_message,
    text_at,
    tolerated,
)
from service.ingest.source import Source

RATE: Final = 8000
MAX_EARLY_BYTES: Final = 128 * 1024
"""Audio kept until the start message comes: 8 s of two tracks."""

_MULAW: Final = frozenset({"audio/x-mulaw", "audio/mulaw", "audio/pcmu", "audio/basic", "mulaw", "ulaw", "pcmu"})
"""The names that Twilio and what speaks its protocol have for G.711 mu-law."""
_URL_SAFE: Final = str.maketrans("-_", "+/")
_KNOWN_PARAMETERS: Final = frozenset(
    {"call_id", "agent", "customer", "language", "jurisdiction", "started_at", "metadata"}
)
_PARAMETERS: Final = "start.customParameters."


class TwilioDialect(ListeningDialect):
    """One connection. The source's `first_track` is the party on Twilio's `inbound` track, the other is on `outbound`.

    Which party that is depends on the leg that runs the stream, not on who called whom, so it is configured for
    each source. Lost audio shows in the timestamps, other lost messages in the sequence numbers.
    """

    def __init__(self, source: Source) -> None:
        self._parties: dict[str, Role] = {"inbound": source.first_track, "outbound": source.second_track}
        self._call: CallAnnounced | None = None
        self._stopped = False
        self._early: list[Message] = []
        self._early_bytes = 0
        self._sequence: int | None = None

    def text(self, message: str) -> list[GatewayEvent]:
        """Raises ProtocolViolation. Unknown events and `mark` give nothing."""
        if self._call is None:
            return self._opening(parse_message(message), len(message))
        try:
            fields = parse_message(message)
        except ProtocolViolation as violation:
            return [tolerated(violation, "unreadable")]
        kind = fields.get("event")
        if self._stopped:
            return _after_stop(kind)
        try:
            return [*self._count(fields), *self._within(kind, fields, self._call)]
        except ProtocolViolation as violation:
            return [tolerated(violation, "unreadable")]

    def binary(self, message: bytes) -> list[GatewayEvent]:
        """Everything in this dialect is text. Raises ProtocolViolation before the start."""
        binary = f"{len(message)} bytes of binary; Twilio's media messages are text"
        if self._call is None:
            raise ProtocolViolation("message", binary, CLOSE_UNSUPPORTED)
        return [Irregularity(kind="unreadable", field="message", message=f"{binary}; it is left out")]

    def closed(self) -> list[GatewayEvent]:
        """A clean close stands for a stop message that never came."""
        if self._call is None or self._stopped:
            return []
        self._stopped = True
        return [CallStopped(call_over=False)]

    def _opening(self, fields: Message, size: int) -> list[GatewayEvent]:
        self._count(fields)
        kind = fields.get("event")
        if kind == "start":
            return self._start(fields)
        if kind == "media":
            self._keep_early(object_at(fields, "media"), size)
        if kind == "stop":
            raise ProtocolViolation("start", "must come before stop")
        return []

    def _within(self, kind: object, fields: Message, call: CallAnnounced) -> list[GatewayEvent]:
        if kind == "media":
            return self._audio(object_at(fields, "media"), call)
        if kind == "dtmf":
            return self._dtmf(object_at(fields, "dtmf"), call)
        if kind == "start":
            return self._started_again(fields, call)
        if kind == "stop":
            self._stopped = True
            return [CallStopped(call_over=False)]
        return []

    def _count(self, fields: Message) -> list[Irregularity]:
        """Numbers serve for counting only: on a line that doubles messages they come twice."""
        try:
            number = integer_at(fields, "sequenceNumber")
        except ProtocolViolation as violation:
            return [tolerated(violation, "sequence")]
        if number is None:
            return []
        before, self._sequence = self._sequence, number
        if before is None or number <= before + 1:
            return []
        told = "messages are missing; lost audio shows as gaps, lost digits do not"
        return [Irregularity(kind="sequence", field="sequenceNumber", message=told)]

    def _start(self, fields: Message) -> list[GatewayEvent]:
        notes: Notes = []
        self._call = call = self._announced(fields, notes)
        early, self._early = self._early, []
        return [call, *notes, *(event for media in early for event in self._audio(media, call))]

    def _started_again(self, fields: Message, call: CallAnnounced) -> list[GatewayEvent]:
        """The same call goes on; another call cannot be meant to be part of it."""
        try:
            again = self._announced(fields, [])
        except ProtocolViolation as violation:
            return [tolerated(violation, "order", "the second start is left out")]
        if again.call_id != call.call_id:
            self._stopped = True
            told = "came for another call, so this one is over; a new stream needs a new connection"
            return [Irregularity(kind="order", field="start", message=told), CallStopped()]
        return [Irregularity(kind="order", field="start", message="came twice; the call goes on")]

    def _announced(self, fields: Message, notes: Notes) -> CallAnnounced:
        start = object_at(fields, "start")
        _check_format(_optional_object_at(start, "mediaFormat", notes))
        parameters = _optional_object_at(start, "customParameters", notes)
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
            call_roles=ROLES,  # the other track may come on a socket of its own
            encoding="mulaw",
            rate=RATE,
            **call_fields_at(parameters, notes, _PARAMETERS),
            metadata=_metadata(parameters, notes),
        )

    def _roles(self, tracks: object) -> tuple[Role, ...]:
        """The parties on the announced tracks, the agent first; both where none is announced."""
        names = cast("list[object]", tracks) if isinstance(tracks, list) else []
        found = {role for name in names if (role := self._party(name)) is not None}
        return tuple(role for role in ROLES if role in found) or ROLES

    def _party(self, track: object) -> Role | None:
        """Twilio writes `inbound` in media and `inbound_track` in dtmf and TwiML."""
        return self._parties.get(track.removesuffix("_track")) if isinstance(track, str) else None

    def _keep_early(self, media: Message, size: int) -> None:
        self._early_bytes += size
        if self._early_bytes > MAX_EARLY_BYTES:
            raise ProtocolViolation("start", f"must come before {MAX_EARLY_BYTES} bytes of media messages")
        self._early.append(media)

    def _audio(self, media: Message, call: CallAnnounced) -> list[GatewayEvent]:
        track = media.get("track")
        role = self._parties["inbound"] if track is None else self._party(track)
        if role not in call.roles:
            told = "is none that start has announced; its audio is left out"
            return [Irregularity(kind="leg", field="media.track", message=told)]
        if not _is_mulaw(media.get("encoding")):
            told = "is none that is spoken here; its audio is left out"
            return [Irregularity(kind="format", field="media.encoding", message=told)]
        payload = _payload(media.get("payload"))
        if payload is None:
            return [Irregularity(kind="payload", field="media.payload", message="is not base64; it is left out")]
        if not payload:
            return []
        at, notes = _timestamp(media)
        return [AudioArrived(payload=payload, role=role, at=at), *notes]

    def _dtmf(self, dtmf: Message, call: CallAnnounced) -> list[GatewayEvent]:
        role = self._party(dtmf.get("track"))
        return [*digits_at(dtmf, "digit", role if role in call.roles else None, "dtmf.")]


def _after_stop(kind: object) -> list[GatewayEvent]:
    """Raises ProtocolViolation for a start: nothing would hear that call, so its gateway must be told."""
    if kind == "start":
        raise ProtocolViolation("start", "came after stop; a new stream needs a new connection", ends_call=False)
    if kind not in ("media", "dtmf", "stop"):
        return []
    return [Irregularity(kind="order", field=str(kind), message="came after stop; it is left out")]


def _optional_object_at(start: Message, name: str, notes: Notes) -> Message:
    try:
        return object_at(start, name, "start.")
    except ProtocolViolation as violation:
        notes.append(tolerated(violation, "value"))
        return {}


def _check_format(media_format: Message) -> None:
    """Media Streams has one format; what is left out is taken to be it."""
    where = "start.mediaFormat."
    encoding = text_at(media_format, "encoding", 64, where)
    if not _is_mulaw(encoding or None):
        raise ProtocolViolation(where + "encoding", f"must be audio/x-mulaw, is {encoding!r}", CLOSE_UNSUPPORTED)
    for name, expected in (("sampleRate", RATE), ("channels", 1)):
        if integer_at(media_format, name, where) not in (None, expected):
            raise ProtocolViolation(where + name, f"must be {expected}")


def _is_mulaw(encoding: object) -> bool:
    """Whether mu-law is meant; None stands for it."""
    return encoding is None or (isinstance(encoding, str) and encoding.partition(";")[0].strip().lower() in _MULAW)


def _metadata(parameters: Message, notes: Notes) -> dict[str, str]:
    """TwiML parameters are flat text: one named `metadata` may hold a JSON object, all unknown ones belong to it."""
    entries = {name: value for name, value in parameters.items() if name not in _KNOWN_PARAMETERS}
    packed = parameters.get("metadata")
    if isinstance(packed, str) and packed.strip():
        entries = {**_unpacked(packed, notes), **entries}
    elif isinstance(packed, dict):
        entries = {**cast("dict[str, object]", packed), **entries}
    return metadata_at({"metadata": entries}, "metadata", notes, _PARAMETERS)


def _unpacked(packed: str, notes: Notes) -> dict[str, object]:
    try:
        entries: object = json.loads(packed)
    except (ValueError, RecursionError):
        entries = None
    if isinstance(entries, dict):
        return cast("dict[str, object]", entries)
    told = "must be a JSON object in a string; it is left out"
    notes.append(Irregularity(kind="value", field=_PARAMETERS + "metadata", message=told))
    return {}


def _payload(encoded: object) -> bytes | None:
    """Base64 as in RFC 4648, of either alphabet, padded or not, in one line or several; a missing payload is empty.

    None for anything else.
    """
    if encoded is None:
        return b""
    if not isinstance(encoded, str):
        return None
    text = "".join(encoded.split()).translate(_URL_SAFE).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):  # ValueError: characters beyond ASCII
        return None


def _timestamp(media: Message) -> tuple[Seconds | None, list[Irregularity]]:
    """Milliseconds from the start of the stream, on both tracks. None, so that audio follows on, if unreadable."""
    try:
        milliseconds = integer_at(media, "timestamp", "media.")
    except ProtocolViolation as violation:
        return None, [tolerated(violation, "value", "its audio follows on")]
    return None if milliseconds is None else milliseconds / 1000, []
