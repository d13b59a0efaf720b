"""FreeSWITCH's mod_audio_fork of drachtio and jambonz, `WS /v1/mod_audio_fork`: perhaps a text, then binary PCM.

Source: the module's README and code. Of what is sent to it, it passes on a few types; the rest are errors in its log.
A `transcription` may hold any object.
"""

from __future__ import annotations

from typing import Final

from service.ingest.dialect import FactStored, Handshake
from service.ingest.dialects.event_message import event_message
from service.ingest.dialects.freeswitch import ForkDialect, ForkWire
from service.ingest.source import Source


def _transcription(stored: FactStored) -> dict[str, object]:
    return {"type": "transcription", "data": event_message(stored)}


_WIRE: Final = ForkWire(event=_transcription)


class ModAudioForkDialect(ForkDialect):
    """One connection."""

    def __init__(self, source: Source, handshake: Handshake) -> None:
        super().__init__(_WIRE, source, handshake)
