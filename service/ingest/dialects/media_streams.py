"""What the vendors share whose wire descends from Twilio's Media Streams: JSON text, base64 audio, a party a track.

A forked stream is never answered: whatever is sent back is an error to some vendors, and on a two-way stream it would
be played into the call. A vendor's file says how it spells the fields, where its ids stand and what it encodes with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Final, cast

from asr.audio.codecs import RATES, leg_rate
from asr.audio.pcm import Encoding, sample_bytes
from asr.types import ROLES, Role, Seconds
from service.ingest.base64_text import decoded
from service.ingest.dialect import StreamDialect
from service.ingest.events import (
    CLOSE_UNSUPPORTED,
    CallAnnounced,
    FormatChanged,
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
    object_at,
    optional_object_at,
    parse_message,
    text_at,
    tolerated,
)
from service.ingest.frames import FrameAligner
from service.ingest.parameters import metadata_among
from service.ingest.source import Source

MAX_EARLY_BYTES: Final = 128 * 1024
"""Media messages kept until the start message comes: 8 s of two tracks of G.711."""

MULAW: Final[Mapping[str, Encoding]] = dict.fromkeys(
    ("audio/x-mulaw", "audio/mulaw", "audio/pcmu", "audio/basic", "mulaw", "ulaw", "pcmu"), "mulaw"
)
ALAW: Final[Mapping[str, Encoding]] = dict.fromkeys(
    ("audio/x-alaw", "audio/alaw", "audio/pcma", "alaw", "pcma"), "alaw"
)
PCM: Final[Mapping[str, Encoding]] = dict.fromkeys(("audio/x-l16", "audio/l16", "l16"), "pcm_s16le")
"""The vendors' names, in small letters. All but Telnyx send their L16 little-endian, whatever RFC 2586 says of L16."""

_RATE: Final = re.compile(r";\s*rate=(\d{1,6})\b", re.ASCII | re.IGNORECASE)
"""The rate in a media type such as `audio/l16;rate=16000` (RFC 2586)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldNames:
    """How a vendor spells the fields that all have."""

    sequence: str
    media_format: str
    sample_rate: str
    parameters: str


CAMEL_CASE: Final = FieldNames(
    sequence="sequenceNumber", media_format="mediaFormat", sample_rate="sampleRate", parameters="customParameters"
)

SNAKE_CASE: Final = FieldNames(
    sequence="sequence_number", media_format="media_format", sample_rate="sample_rate", parameters="custom_parameters"
)


_STREAM_IDS: Final = ("streamSid", "streamId", "stream_sid", "stream_id")


class MediaStreamDialect(StreamDialect):
    """One connection. The source's `first_track` is the party on the `inbound` track, the other is on `outbound`.

    Which party that is depends on the leg that runs the stream, not on who called whom, so it is configured for
    each source. Lost audio shows in the timestamps, other lost messages in the sequence numbers.

    A vendor's class names what is its own: `ids` are the fields that name a call, the best first; `encodings` what it
    encodes with, by the vendor's names in small letters; a format that is left out is the first of them, at the first
    of `rates`.
    """

    vendor: ClassVar[str]
    names: ClassVar[FieldNames] = CAMEL_CASE
    ids: ClassVar[tuple[str, ...]]
    encodings: ClassVar[Mapping[str, Encoding]]
    rates: ClassVar[tuple[int, ...]]

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source
        self._parties: dict[str, Role] = {"inbound": source.first_track, "outbound": source.second_track}
        self._aligners: dict[Role, FrameAligner] = {}
        self._early: list[Message] = []
        self._early_bytes = 0
        self._sequence: int | None = None
        self._others: tuple[object, ...] = ()  # another call's stream

    def text(self, message: str) -> list[GatewayEvent]:
        """Raises ProtocolViolation. Unknown events and `mark` give nothing."""
        if self._call is None:
            return self._opening(self._read(message), len(message))
        try:
            fields = self._read(message)
        except ProtocolViolation as violation:
            return [tolerated(violation, "unreadable")]
        kind = fields.get("event")
        if self._stopped:
            return _after_stop(kind)
        if kind != "start" and _stream_of(fields) in self._others:
            return _left_out(kind, "belongs to another call")
        try:
            return [*self._count(fields), *self._within(kind, fields, self._call)]
        except ProtocolViolation as violation:
            return [tolerated(violation, "unreadable")]

    def binary(self, message: bytes) -> list[GatewayEvent]:
        """Everything in these dialects is text. Raises ProtocolViolation before the start."""
        binary = f"{len(message)} bytes of binary; {self.vendor}'s media messages are text"
        if self._call is None:
            raise ProtocolViolation("message", binary, CLOSE_UNSUPPORTED)
        return [Irregularity(kind="unreadable", field="message", message=f"{binary}; it is left out")]

    @property
    def _parameters_at(self) -> str:
        """The place of the integrator's parameters, as errors name it."""
        return f"start.{self.names.parameters}."

    def _read(self, message: str) -> Message:
        return parse_message(message)

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
            return self._media(object_at(fields, "media"), call)
        if kind == "dtmf":
            return self._dtmf(object_at(fields, "dtmf"), call)
        if kind == "start":
            return self._started_again(fields, call)
        if kind == "stop":
            return self._stop()
        return []

    def _count(self, fields: Message) -> list[Irregularity]:
        """Numbers serve for counting only: on a line that doubles messages they come twice."""
        name = self.names.sequence
        try:
            number = integer_at(fields, name)
        except ProtocolViolation as violation:
            return [tolerated(violation, "sequence")]
        if number is None:
            return []
        before, self._sequence = self._sequence, number
        if before is None or number <= before + 1:
            return []
        told = "messages are missing; lost audio shows as gaps, lost digits do not"
        return [Irregularity(kind="sequence", field=name, message=told)]

    def _start(self, fields: Message) -> list[GatewayEvent]:
        notes: Notes = []
        call = self._announced(fields, notes)
        self._begin(call)
        early, self._early = self._early, []
        return [call, *notes, *(event for media in early for event in self._media(media, call))]

    def _begin(self, call: CallAnnounced) -> None:
        """The call's audio has this form from here on."""
        self._call = call
        self._aligners = {role: FrameAligner(sample_bytes(call.encoding)) for role in call.roles}

    def _started_again(self, fields: Message, call: CallAnnounced) -> list[GatewayEvent]:
        """The same call goes on, in the form announced now; another call is no part of it and ends it not."""
        try:
            again = self._announced(fields, [])
        except ProtocolViolation as violation:
            return [tolerated(violation, "order", "the second start is left out")]
        if again.call_id != call.call_id:
            self._others = (_stream_of(fields),)
            told = "names another call, which nobody hears: a new stream needs a new connection"
            return [Irregularity(kind="order", field=f"start.{self.ids[0]}", message=told)]
        self._others = ()
        twice = Irregularity(kind="order", field="start", message="came twice; the call goes on")
        if (again.encoding, again.rate) == (call.encoding, call.rate):
            return [twice]
        self._begin(replace(call, encoding=again.encoding, rate=again.rate))
        return [twice, FormatChanged(encoding=again.encoding, rate=again.rate, roles=call.roles)]

    def _announced(self, fields: Message, notes: Notes) -> CallAnnounced:
        start = object_at(fields, "start")
        encoding, rate = self._form(optional_object_at(start, self.names.media_format, notes, "start."))
        parameters = self._parameters(fields, start, notes)
        return CallAnnounced(
            call_id=self._call_id(fields, start, parameters),
            roles=self._roles(start.get("tracks")),
            call_roles=ROLES,  # the other track may come on a socket of its own
            encoding=encoding,
            rate=rate,
            **call_fields_at(parameters, notes, self._parameters_at),
            metadata=metadata_among(parameters, notes, self._parameters_at),
            vendor=self.vendor,
        )

    def _parameters(self, fields: Message, start: Message, notes: Notes) -> Message:
        """What the integrator, and the vendor beside the ids, say of the call."""
        return optional_object_at(start, self.names.parameters, notes, "start.")

    def _call_id(self, fields: Message, start: Message, parameters: Message) -> str:
        call_id = call_id_at(parameters, "call_id", self._parameters_at)
        for name in self.ids:
            call_id = call_id or call_id_at(start, name, "start.") or call_id_at(fields, name)
        if not call_id:
            raise ProtocolViolation(f"start.{self.ids[0]}", "is missing")
        return call_id

    def _form(self, media_format: Message) -> tuple[Encoding, int]:
        where = f"start.{self.names.media_format}."
        named = text_at(media_format, "encoding", 64, where)
        encoding = self._encoding(named or None)
        if encoding is None:
            told = f"must be {_either(self.encodings.values())}, is {named!r}"
            raise ProtocolViolation(where + "encoding", told, CLOSE_UNSUPPORTED)
        rate = integer_at(media_format, self.names.sample_rate, where)
        if rate is None and (told_with_it := _RATE.search(named)):
            rate = int(told_with_it[1])
        rates = RATES[encoding] if encoding in ("g722", "opus") else self.rates
        if rate not in (None, *rates):
            raise ProtocolViolation(where + self.names.sample_rate, f"must be {_either(rates)}, is {rate}")
        self._check_channels(integer_at(media_format, "channels", where), where)
        return encoding, leg_rate(encoding, rates[0] if rate is None else rate)

    def _check_channels(self, channels: int | None, where: str) -> None:
        if channels not in (None, 1):
            told = f"must be 1, is {channels}: every track has messages of its own"
            raise ProtocolViolation(where + "channels", told)

    def _encoding(self, named: object) -> Encoding | None:
        """None for what is not taken."""
        if named is None:
            return next(iter(self.encodings.values()))
        return self.encodings.get(named.partition(";")[0].strip().lower()) if isinstance(named, str) else None

    def _roles(self, tracks: object) -> tuple[Role, ...]:
        """The parties on the announced tracks, the agent first; both where none is announced."""
        names = cast("list[object]", tracks) if isinstance(tracks, list) else []
        found = {role for name in names if (role := self._party(name)) is not None}
        return tuple(role for role in ROLES if role in found) or ROLES

    def _party(self, track: object) -> Role | None:
        """Vendors write `inbound` in media and some `inbound_track` in dtmf and in the XML."""
        return self._parties.get(track.removesuffix("_track")) if isinstance(track, str) else None

    def _role(self, media: Message, call: CallAnnounced) -> Role | None:
        """Whose audio it is; the first track's where none is told, None for one that was not announced."""
        track = media.get("track")
        role = self._parties["inbound"] if track is None else self._party(track)
        return role if role in call.roles else None

    def _keep_early(self, media: Message, size: int) -> None:
        self._early_bytes += size
        if self._early_bytes > MAX_EARLY_BYTES:
            raise ProtocolViolation("start", f"must come before {MAX_EARLY_BYTES} bytes of media messages")
        self._early.append(media)

    def _media(self, media: Message, call: CallAnnounced) -> list[GatewayEvent]:
        """A media message, in the order in which it came."""
        return self._audio(media, call)

    def _audio(self, media: Message, call: CallAnnounced) -> list[GatewayEvent]:
        role = self._role(media, call)
        if role is None:
            told = "is none that start has announced; its audio is left out"
            return [Irregularity(kind="leg", field="media.track", message=told)]
        if media.get("encoding") is not None and self._encoding(media["encoding"]) != call.encoding:
            told = "is not what start has announced; its audio is left out"
            return [Irregularity(kind="format", field="media.encoding", message=told)]
        payload = decoded(media.get("payload"))
        if payload is None:
            return [Irregularity(kind="payload", field="media.payload", message="is not base64; it is left out")]
        return self._samples(payload, role, media) if payload else []

    def _samples(self, payload: bytes, role: Role, media: Message) -> list[GatewayEvent]:
        at, notes = self._timestamp(media)
        return [*self._aligners[role].arrived(payload, role=role, at=at, field="media.payload"), *notes]

    def _timestamp(self, media: Message) -> tuple[Seconds | None, list[Irregularity]]:
        """None, so that audio follows on, if unreadable."""
        try:
            milliseconds = integer_at(media, "timestamp", "media.")
        except ProtocolViolation as violation:
            return None, [tolerated(violation, "value", "its audio follows on")]
        return None if milliseconds is None else self._since_start(milliseconds) / 1000, []

    def _since_start(self, timestamp: int) -> int:
        """A timestamp in milliseconds from the start of the stream."""
        return timestamp

    def _dtmf(self, dtmf: Message, call: CallAnnounced) -> list[GatewayEvent]:
        role = self._party(dtmf.get("track"))
        return [*digits_at(dtmf, "digit", role if role in call.roles else None, "dtmf.")]


def _after_stop(kind: object) -> list[GatewayEvent]:
    """Raises ProtocolViolation for a start: nothing would hear that call, so its gateway must be told."""
    if kind == "start":
        raise ProtocolViolation("start", "came after stop; a new stream needs a new connection", ends_call=False)
    return _left_out(kind, "came after stop")


def _left_out(kind: object, why: str) -> list[GatewayEvent]:
    if kind not in ("media", "dtmf", "stop"):
        return []
    return [Irregularity(kind="order", field=str(kind), message=f"{why}; it is left out")]


def _stream_of(fields: Message) -> object:
    """The id of the stream that a message belongs to, None where it names none."""
    return next((fields[name] for name in _STREAM_IDS if name in fields), None)


def _either(taken: Iterable[object]) -> str:
    return " or ".join(dict.fromkeys(map(str, taken)))
