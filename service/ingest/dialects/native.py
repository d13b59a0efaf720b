"""Callwarden's own dialect, `WS /v1/stream`: a JSON start, binary audio, dtmf, stop; one JSON text message a reply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast, get_args

from asr.audio.pcm import Encoding, PacketEncoding, sample_bytes
from asr.types import Role
from service.ingest.dialect import (
    CallTaken,
    ConnectionRefused,
    FactStored,
    ListeningDialect,
    News,
    Reply,
    SendText,
)
from service.ingest.dialects.event_message import event_message, json_text
from service.ingest.events import (
    CLOSE_UNSUPPORTED,
    MAX_AUDIO_BYTES,
    CallAnnounced,
    CallStopped,
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
    check_audio_size,
    digits_at,
    flag_at,
    integer_at,
    metadata_at,
    parse_message,
    rate_at,
    role_named,
    text_at,
    tolerated,
)
from service.ingest.frames import FrameAligner
from service.record.facts import CallClosed

MAX_EARLY_BYTES: Final = MAX_AUDIO_BYTES
"""Audio kept until the start message comes: 16 s of two legs of 16 kHz PCM, 5 s of the widest form."""
_OTHERS: Final = "came after the start of another call"


class NativeDialect(ListeningDialect):
    """One connection. Audio that comes before the start message is kept, up to MAX_EARLY_BYTES, and follows it.

    A start is refused with 1003 for what cannot be read (not JSON, an unknown encoding), with 1009 for what is too big,
    with 1008 for everything else. Once it is taken only size breaks the protocol. Unknown fields are ignored, and so
    are unknown message types after the start.
    """

    def __init__(self) -> None:
        self._call: CallAnnounced | None = None
        self._aligner = FrameAligner(1)
        self._stopped = False
        self._others = False  # what comes belongs to another call
        self._early: list[bytes] = []
        self._early_bytes = 0

    def text(self, message: str) -> list[GatewayEvent]:
        """Raises ProtocolViolation."""
        if self._call is None:
            return self._opening(parse_message(message))
        try:
            fields = parse_message(message)
            kind = text_at(fields, "type", 64)
        except ProtocolViolation as violation:
            return [tolerated(violation, "unreadable")]
        if self._stopped:
            return self._after_stop(kind)
        if kind == "start":
            return self._started_again(fields, self._call)
        if self._others:
            return _left_out(kind, _OTHERS)
        if kind == "dtmf":
            return _digits(fields, self._call.roles)
        if kind == "stop":
            self._stopped = True
            return [CallStopped()]
        return []

    def binary(self, message: bytes) -> list[GatewayEvent]:
        """Raises ProtocolViolation."""
        check_audio_size(message)
        if self._call is None:
            return self._keep_early(message)
        if self._stopped:
            return self._after_stop("audio")
        return _left_out("audio", _OTHERS) if self._others else self._audio(message)

    def closed(self) -> list[GatewayEvent]:
        """A clean close after the start stands for a stop message that was never sent, unless it is another call's."""
        if self._call is None or self._stopped or self._others:
            return []
        self._stopped = True
        return [CallStopped()]

    def tell(self, news: News) -> Sequence[Reply]:
        match news:
            case CallTaken():
                return [SendText(text=_ready(news))]
            case FactStored(fact=fact):
                wanted = [json_text(event_message(news))] if self._call is not None and self._call.wants_events else []
                finished = [_finished(news.call_id, fact)] if isinstance(fact, CallClosed) else []
                return [SendText(text=text) for text in (*wanted, *finished)]
            case ConnectionRefused(violation=violation):
                return [SendText(text=_error(violation)), *super().tell(news)]
            case _:
                return super().tell(news)

    def _opening(self, fields: Message) -> list[GatewayEvent]:
        kind = text_at(fields, "type", 64)
        if kind in ("dtmf", "stop"):
            raise ProtocolViolation("start", f"must come before {kind}")
        if kind != "start":
            raise ProtocolViolation("type", "must be one of start, dtmf, stop")
        notes: Notes = []
        self._begin(call := _announced(fields, notes))
        early, self._early = self._early, []
        return [call, *notes, *(event for payload in early for event in self._audio(payload))]

    def _begin(self, call: CallAnnounced) -> None:
        self._call = call
        self._aligner = FrameAligner(len(call.roles) * sample_bytes(call.encoding))

    def _started_again(self, fields: Message, call: CallAnnounced) -> list[GatewayEvent]:
        """The same call goes on, in the form announced now. Another call is no part of it, nor its end. Nothing tells
        whose audio comes from then on, so that is nobody's until this call is named again."""
        try:
            again = _announced(fields, [])
        except ProtocolViolation as violation:
            return [tolerated(violation, "order", "the second start is left out")]
        self._others = again.call_id != call.call_id
        if self._others:
            told = "names another call, which nobody hears: a new call needs a new connection"
            return [Irregularity(kind="order", field="call_id", message=told)]
        told = Irregularity(kind="order", field="start", message="came twice; the call goes on")
        if (again.encoding, again.rate, again.roles) == (call.encoding, call.rate, call.roles):
            return [told]
        self._begin(again)
        return [told, FormatChanged(encoding=again.encoding, rate=again.rate, roles=again.roles)]

    def _after_stop(self, kind: str) -> list[GatewayEvent]:
        """Raises ProtocolViolation for a start: nothing would hear that call, so its gateway must be told."""
        if kind == "start":
            raise ProtocolViolation("start", "came after stop; a new call needs a new connection", ends_call=False)
        return _left_out(kind, "came after stop")

    def _audio(self, message: bytes) -> list[GatewayEvent]:
        return self._aligner.arrived(message)

    def _keep_early(self, payload: bytes) -> list[GatewayEvent]:
        self._early_bytes += len(payload)
        if self._early_bytes > MAX_EARLY_BYTES:
            raise ProtocolViolation("start", f"must come before {MAX_EARLY_BYTES} bytes of audio")
        if payload:  # empty messages are free for the peer, so they may not cost memory here
            self._early.append(payload)
        return []


def _left_out(kind: str, why: str) -> list[GatewayEvent]:
    """A message that would mean something to a live call."""
    if kind not in ("audio", "dtmf", "stop"):
        return []
    return [Irregularity(kind="order", field=kind, message=f"{why}; it is left out")]


def _announced(fields: Message, notes: Notes) -> CallAnnounced:
    call_id = call_id_at(fields, "call_id")
    if not call_id:
        raise ProtocolViolation("call_id", "is missing")
    return CallAnnounced(
        call_id=call_id,
        roles=(roles := _roles(fields)),
        call_roles=_call_roles(fields, roles),
        encoding=(encoding := _encoding(fields, roles)),
        rate=rate_at(fields, "rate", encoding),
        **call_fields_at(fields, notes),
        metadata=metadata_at(fields, "metadata", notes),
        wants_events=flag_at(fields, "events", notes),
    )


def _roles(fields: Message) -> tuple[Role, ...]:
    legs = fields.get("legs")
    if not isinstance(legs, list) or not 1 <= len(cast("list[object]", legs)) <= 2:
        raise ProtocolViolation("legs", 'must list one or two legs, such as [{"role":"agent"},{"role":"customer"}]')
    roles: tuple[Role, ...] = tuple(
        _role(leg, f"legs[{index}]") for index, leg in enumerate(cast("list[object]", legs))
    )
    if len(set(roles)) != len(roles):
        raise ProtocolViolation("legs", f"names {roles[0]} twice")
    channels = integer_at(fields, "channels")
    if channels is not None and channels != len(roles):
        raise ProtocolViolation("channels", f"is {channels}, but legs names {len(roles)}")
    return roles


def _call_roles(fields: Message, roles: tuple[Role, ...]) -> tuple[Role, ...]:
    """The legs of the call, where other connections bring some of them."""
    named = fields.get("call_legs")
    if named is None:
        return ()
    if not isinstance(named, list):
        raise ProtocolViolation("call_legs", 'must list the parties, such as ["agent","customer"]')
    legs: tuple[Role, ...] = tuple(_role(leg, "call_legs") for leg in cast("list[object]", named))
    if len(set(legs)) != len(legs) or not set(roles) <= set(legs):
        raise ProtocolViolation("call_legs", "must name each party once, those of legs among them")
    return legs


def _role(leg: object, where: str) -> Role:
    if isinstance(leg, dict):
        return role_named(cast("Message", leg).get("role"), f"{where}.role")
    return role_named(leg, where)


def _encoding(fields: Message, roles: Sequence[Role]) -> Encoding:
    name = text_at(fields, "encoding", 64).lower()
    if name in get_args(PacketEncoding) and len(roles) > 1:
        told = f"must name one leg for {name}, whose packets are of one; the other leg needs a connection of its own"
        raise ProtocolViolation("legs", told)
    for encoding in get_args(Encoding):
        if name == encoding:
            return encoding
    raise ProtocolViolation("encoding", f"must be one of {', '.join(get_args(Encoding))}", CLOSE_UNSUPPORTED)


def _digits(fields: Message, roles: Sequence[Role]) -> list[GatewayEvent]:
    pressed_by: Role | None = None
    told: list[GatewayEvent] = []
    try:
        if fields.get("role") is not None:
            pressed_by = role_named(fields["role"], "role")
    except ProtocolViolation as violation:
        told.append(tolerated(violation, "leg", "who pressed the key is not known"))
    if pressed_by is not None and pressed_by not in roles:
        no_leg = f"this call has no leg of the {pressed_by}; who pressed the key is not known"
        told.append(Irregularity(kind="leg", field="role", message=no_leg))
        pressed_by = None
    return [*digits_at(fields, "digit", pressed_by), *told]


def _ready(taken: CallTaken) -> str:
    """The call is taken."""
    return json_text({"type": "ready", "call_id": taken.call_id, "resumed": taken.resumed})


def _error(violation: ProtocolViolation) -> str:
    """The last message before the socket is closed with the same code."""
    told: dict[str, object] = {"field": violation.field, "message": violation.message, "code": violation.close_code}
    if violation.retry_after is not None:
        told["retry_after"] = violation.retry_after
    return json_text({"type": "error", **told})


def _finished(call_id: str, closed: CallClosed) -> str:
    """Everything that was sent is transcribed, judged and stored; the socket is closed with 1000 next."""
    told = {"call_id": call_id, "duration": round(closed.duration, 3), "ending": closed.ending}
    return json_text({"type": "finished", **told})
