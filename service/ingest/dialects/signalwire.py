"""SignalWire's `<Stream>`, `WS /v1/signalwire`: Twilio's messages, with G.711 A-law and linear PCM beside mu-law.

Source: SignalWire's "cXML <Stream>". Its examples show each message within another one, as `rawEvent`, while clients
in use read it as it is: both are taken. PCM is little-endian, as those clients pass it on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from asr.audio.pcm import Encoding
from service.ingest.dialects.media_streams import ALAW, MULAW, PCM, MediaStreamDialect
from service.ingest.fields import Message

ENCODINGS: Final[Mapping[str, Encoding]] = {**MULAW, **ALAW, **PCM}


def unwrapped(fields: Message) -> Message:
    """The message itself."""
    inner = fields.get("rawEvent")
    return cast("Message", inner) if isinstance(inner, dict) else fields


class SignalWireDialect(MediaStreamDialect):
    """`channels` may count both tracks, though each has messages of its own."""

    vendor = "SignalWire"
    ids = ("callSid", "streamSid")
    encodings = ENCODINGS
    rates = (8000, 16_000, 24_000)

    def _read(self, message: str) -> Message:
        return unwrapped(super()._read(message))

    def _check_channels(self, channels: int | None, where: str) -> None:
        super()._check_channels(None if channels == len(self._parties) else channels, where)
