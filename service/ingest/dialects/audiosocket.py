"""Asterisk's AudioSocket over TCP: frames of a type, a length and a payload; one leg, 16-bit PCM.

Source: Asterisk's res_audiosocket and app_audiosocket. The first frame holds a UUID and nothing else tells what call it
is, so the dialplan asks for one with a gateway key before it dials: the UUID is the token of that reservation.
"""

from __future__ import annotations

import uuid
from typing import Final

from service.ingest.dialect import ListeningDialect
from service.ingest.events import (
    AudioArrived,
    CallStopped,
    FormatChanged,
    GatewayEvent,
    Irregularity,
    ProtocolViolation,
    ReservedCallAnnounced,
)
from service.ingest.fields import digits_at
from service.ingest.frames import FrameAligner

RATE: Final = 8000
"""The rate of frames of type 0x10, the only type that older versions send."""

_HANGUP, _UUID, _DTMF, _ERROR = 0x00, 0x01, 0x03, 0xFF
_AUDIO_RATES: Final = {0x10: 8000, 0x11: 12_000, 0x12: 16_000, 0x13: 24_000, 0x14: 32_000, 0x15: 44_100, 0x16: 48_000}
_HEAD: Final = 3


class AudioSocketDialect(ListeningDialect):
    """One leg's connection. Its party is told by the reservation, so audio and digits name none."""

    def __init__(self) -> None:
        self._pending = b""
        self._announced = False
        self._stopped = False
        self._rate = RATE
        self._aligner = FrameAligner(2)

    def text(self, message: str) -> list[GatewayEvent]:
        """There is none over TCP."""
        raise ProtocolViolation("message", "text has no place on an AudioSocket")

    def binary(self, message: bytes) -> list[GatewayEvent]:
        """Bytes of the stream, cut anywhere. Raises ProtocolViolation until the UUID has come."""
        stream, at = self._pending + message, 0
        out: list[GatewayEvent] = []
        while len(stream) >= at + _HEAD:
            begin = at + _HEAD
            end = begin + int.from_bytes(stream[at + 1 : begin], "big")
            if end > len(stream):
                break
            out += self._frame(stream[at], stream[begin:end])
            at = end
        self._pending = stream[at:]
        return out

    def closed(self) -> list[GatewayEvent]:
        """Asterisk ends a leg by closing the stream."""
        return self._stop()

    def _frame(self, kind: int, payload: bytes) -> list[GatewayEvent]:
        if not self._announced:
            return self._opening(kind, payload)
        if kind in _AUDIO_RATES:
            return self._audio(_AUDIO_RATES[kind], payload)
        if kind == _DTMF:
            return [*digits_at({"digit": payload.decode("ascii", errors="replace")}, "digit", None)]
        if kind == _HANGUP:
            return [*self._stop()]
        if kind == _ERROR:
            return [Irregularity(kind="unreadable", field="error", message="Asterisk tells of an error of its own")]
        return []

    def _opening(self, kind: int, payload: bytes) -> list[GatewayEvent]:
        if kind != _UUID or len(payload) != 16:
            raise ProtocolViolation("uuid", "must be the first frame, of 16 bytes")
        self._announced = True
        token = str(uuid.UUID(bytes=payload))
        return [ReservedCallAnnounced(token=token, encoding="pcm_s16le", rate=RATE, clock="arrival")]

    def _audio(self, rate: int, payload: bytes) -> list[GatewayEvent]:
        changed: list[GatewayEvent] = []
        if rate != self._rate:
            self._rate = rate
            changed = [FormatChanged(encoding="pcm_s16le", rate=rate, roles=(), clock="arrival")]
        whole, _ = self._aligner.take(payload)
        return [*changed, AudioArrived(payload=whole)] if whole else changed

    def _stop(self) -> list[GatewayEvent]:
        if not self._announced or self._stopped:
            return []
        self._stopped = True
        return [CallStopped(call_over=False)]
