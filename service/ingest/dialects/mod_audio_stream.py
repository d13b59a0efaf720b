"""FreeSWITCH's mod_audio_stream, `WS /v1/mod_audio_stream`: perhaps a text of any kind, then binary PCM.

Source: the module's README and code. It passes any JSON that is sent to it on as an event of FreeSWITCH, and plays
only what calls itself `streamAudio`.
"""

from __future__ import annotations

from typing import Final

from service.ingest.dialect import Handshake
from service.ingest.dialects.event_message import event_message
from service.ingest.dialects.freeswitch import ForkDialect, ForkWire
from service.ingest.source import Source

_WIRE: Final = ForkWire(event=event_message)


class ModAudioStreamDialect(ForkDialect):
    """One connection."""

    def __init__(self, source: Source, handshake: Handshake) -> None:
        super().__init__(_WIRE, source, handshake)
