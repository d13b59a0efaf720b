"""Exotel's Stream and Voicebot applets, `WS /v1/exotel`: 16-bit little-endian PCM, one leg.

Source: Exotel's "AgentStream WebSocket protocol" and "Stream and Voicebot applet". The beta of the applet may send
mu-law, and both tracks under their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from asr.audio.pcm import Encoding
from asr.types import Role
from service.ingest.dialects.media_streams import MULAW, PCM, SNAKE_CASE, MediaStreamDialect
from service.ingest.fields import Message, Notes

_RAW: Final[Mapping[str, Encoding]] = dict.fromkeys(("audio/x-raw", "raw/slin", "raw", "slin", "base64"), "pcm_s16le")
"""Exotel's documents name its PCM in several ways."""
ENCODINGS: Final[Mapping[str, Encoding]] = {**_RAW, **PCM, **MULAW}


class ExotelDialect(MediaStreamDialect):
    """A stream that names no tracks carries the caller, who is the source's first track."""

    vendor = "Exotel"
    names = SNAKE_CASE
    ids = ("call_sid", "stream_sid")
    encodings = ENCODINGS
    rates = (8000, 16_000, 24_000)

    def _parameters(self, fields: Message, start: Message, notes: Notes) -> Message:
        numbers = {name: start.get(name) for name in ("from", "to")}
        return {**numbers, **super()._parameters(fields, start, notes)}

    def _roles(self, tracks: object) -> tuple[Role, ...]:
        return super()._roles(tracks) if tracks else (self._source.first_track,)
