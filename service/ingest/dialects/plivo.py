"""Plivo's Audio Streaming, `WS /v1/plivo`: mu-law or 16-bit little-endian PCM, one or two tracks in one socket.

Source: Plivo's "Stream Event Protocol" and "The Stream element". The documents leave the byte order of `audio/x-l16`
open; clients in use read it as little-endian. There is no `stop` in them: a stream ends by its close.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, cast

from asr.audio.pcm import Encoding
from service.ingest.dialects.media_streams import CAMEL_CASE, MULAW, PCM, MediaStreamDialect
from service.ingest.fields import Message, Notes
from service.ingest.parameters import object_in
from service.ingest.source import Source

ENCODINGS: Final[Mapping[str, Encoding]] = {**MULAW, **PCM}
_SPELLED: Final = {"callid": "call_id"}
"""The names of extra headers hold letters and digits only."""


class PlivoDialect(MediaStreamDialect):
    """Timestamps are Unix time, so they are counted from the first one."""

    vendor = "Plivo"
    names = replace(CAMEL_CASE, parameters="extra_headers")
    ids = ("callId", "streamId")
    encodings = ENCODINGS
    rates = (8000, 16_000)

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._first: int | None = None

    @property
    def _parameters_at(self) -> str:
        return "extra_headers."

    def _parameters(self, fields: Message, start: Message, notes: Notes) -> Message:
        return {
            _SPELLED.get(name.lower(), name): value for name, value in _headers(fields.get("extra_headers")).items()
        }

    def _since_start(self, timestamp: int) -> int:
        if self._first is None:
            self._first = timestamp
        return timestamp - self._first


def _headers(told: object) -> Message:
    """`name=value;name=value`, with the commas of the XML instead, or a JSON object, as one or as text."""
    if isinstance(told, dict):
        return cast("Message", told)
    if not isinstance(told, str):
        return {}
    pairs = (pair.partition("=") for pair in re.split("[;,]", told))
    return object_in(told) or {name.strip(): value.strip() for name, equals, value in pairs if equals}
