"""Callwarden's own dialect, `WS /v1/stream`: a JSON start, binary audio, dtmf, stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast, get_args

from asr.audio import Encoding
from asr.types import Role
from service.gateway.events import (
    CLOSE_UNSUPPORTED,
    MAX_AUDIO_BYTES,
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
    check_audio_size,
    digit_at,
    flag_at,
    integer_at,
    jurisdiction_at,
    language_at,
    metadata_at,
    moment_at,
    parse_message,
    role_named,
    text_at,
)

RATES: Final = (8000, 16_000)
MAX_EARLY_BYTES: Final = MAX_AUDIO_BYTES
"""Audio kept until the start message comes: 16 s of the widest form, two legs of 16 kHz PCM."""


class NativeDialect:
    """One connection. Audio that comes before the start message is kept, up to MAX_EARLY_BYTES, and follows it.

    Close codes: 1003 for what cannot be read (not JSON, an unknown encoding, half a sample frame), 1009 for what is
    too big, 1008 for everything else. Unknown fields are ignored, and so are unknown message types after the start.
    """

    def __init__(self) -> None:
        self._call: CallAnnounced | None = None
        self._stopped = False
        self._early: list[bytes] = []
        self._early_bytes = 0

    def text(self, message: str) -> list[GatewayEvent]:
        """Raises ProtocolViolation."""
        fields = parse_message(message)
        kind = text_at(fields, "type", 64)
        if kind == "start":
            return self._start(fields)
        if kind == "dtmf":
            call = self._running("dtmf")
            return [_digit(fields, call.roles)]
        if kind == "stop":
            self._running("stop")
            self._stopped = True
            return [CallStopped()]
        if self._call is None:
            raise ProtocolViolation("type", "must be one of start, dtmf, stop")
        return []

    def binary(self, message: bytes) -> list[GatewayEvent]:
        """Raises ProtocolViolation."""
        check_audio_size(message)
        if self._call is None and not self._stopped:
            return self._keep_early(message)
        return _audio(message, self._running("audio"))

    def closed(self) -> list[GatewayEvent]:
        """A clean close after the start stands for a stop message that was never sent."""
        if self._call is None or self._stopped:
            return []
        self._stopped = True
        return [CallStopped()]

    def _running(self, field: str) -> CallAnnounced:
        if self._stopped:
            raise ProtocolViolation(field, "came after stop; a new call needs a new connection")
        if self._call is None:
            raise ProtocolViolation("start", f"must come before {field}")
        return self._call

    def _start(self, fields: Message) -> list[GatewayEvent]:
        if self._call is not None:
            raise ProtocolViolation("start", "came twice; a new call needs a new connection")
        call = _announced(fields)
        early = [event for payload in self._early for event in _audio(payload, call)]
        self._call = call
        self._early = []
        return [call, *early]

    def _keep_early(self, payload: bytes) -> list[GatewayEvent]:
        self._early_bytes += len(payload)
        if self._early_bytes > MAX_EARLY_BYTES:
            raise ProtocolViolation("start", f"must come before {MAX_EARLY_BYTES} bytes of audio")
        if payload:  # empty messages are free for the peer, so they may not cost memory here
            self._early.append(payload)
        return []


def _announced(fields: Message) -> CallAnnounced:
    call_id = call_id_at(fields, "call_id")
    if not call_id:
        raise ProtocolViolation("call_id", "is missing")
    roles = _roles(fields)
    return CallAnnounced(
        call_id=call_id,
        roles=roles,
        encoding=_encoding(fields),
        rate=_rate(fields),
        language=language_at(fields, "language"),
        jurisdiction=jurisdiction_at(fields, "jurisdiction"),
        started_at=moment_at(fields, "started_at"),
        agent=text_at(fields, "agent", MAX_PARTY_LENGTH),
        customer=text_at(fields, "customer", MAX_PARTY_LENGTH),
        metadata=metadata_at(fields, "metadata"),
        wants_events=flag_at(fields, "events"),
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


def _role(leg: object, where: str) -> Role:
    if isinstance(leg, dict):
        return role_named(cast("Message", leg).get("role"), f"{where}.role")
    return role_named(leg, where)


def _encoding(fields: Message) -> Encoding:
    name = text_at(fields, "encoding", 64).lower()
    for encoding in get_args(Encoding):
        if name == encoding:
            return encoding
    raise ProtocolViolation("encoding", f"must be one of {', '.join(get_args(Encoding))}", CLOSE_UNSUPPORTED)


def _rate(fields: Message) -> int:
    rate = integer_at(fields, "rate")
    if rate not in RATES:
        raise ProtocolViolation("rate", f"must be one of {', '.join(map(str, RATES))} samples a second")
    return rate


def _digit(fields: Message, roles: Sequence[Role]) -> DigitPressed:
    role = fields.get("role")
    if role is None:
        return DigitPressed(digit=digit_at(fields, "digit"))
    pressed_by = role_named(role, "role")
    if pressed_by not in roles:
        raise ProtocolViolation("role", f"this call has no leg of the {pressed_by}")
    return DigitPressed(digit=digit_at(fields, "digit"), role=pressed_by)


def _audio(payload: bytes, call: CallAnnounced) -> list[GatewayEvent]:
    frame = len(call.roles) * (2 if call.encoding == "pcm_s16le" else 1)
    if len(payload) % frame:
        raise ProtocolViolation(
            "audio", f"{len(payload)} bytes are not whole sample frames of {frame} bytes", CLOSE_UNSUPPORTED
        )
    return [AudioArrived(payload=payload)] if payload else []
