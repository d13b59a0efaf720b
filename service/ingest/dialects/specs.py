"""Every dialect that is spoken: routes, log masks and the test of the documents read it here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from service.ingest.dialect import Dialect, Handshake
from service.ingest.dialects.any_media_stream import AnyMediaStreamDialect
from service.ingest.dialects.audiohook import AudioHookDialect
from service.ingest.dialects.audiosocket import AudioSocketDialect
from service.ingest.dialects.chan_websocket import ChanWebsocketDialect
from service.ingest.dialects.exotel import ExotelDialect
from service.ingest.dialects.jambonz import JambonzDialect
from service.ingest.dialects.mod_audio_fork import ModAudioForkDialect
from service.ingest.dialects.mod_audio_stream import ModAudioStreamDialect
from service.ingest.dialects.native import NativeDialect
from service.ingest.dialects.plivo import PlivoDialect
from service.ingest.dialects.signalwire import SignalWireDialect
from service.ingest.dialects.telnyx import TelnyxDialect
from service.ingest.dialects.twilio import TwilioDialect
from service.ingest.dialects.vonage import VonageDialect
from service.ingest.dialects.yeastar import YeastarDialect
from service.ingest.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class DialectSpec:
    """`make` gives the dialect of one connection. `path` is where it connects over a WebSocket, None for plain TCP.
    `key_in_path`: the key may follow the path, for vendors that can send no header.

    `answering` gives the dialect for a vendor that wants to be told on the accepted socket that its key is not good.
    Without it such a request is denied."""

    make: Callable[[Source, Handshake], Dialect]
    path: str | None
    key_in_path: bool = False
    answering: Callable[[Handshake], Dialect] | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """As routes."""
        plain = () if self.path is None else (self.path,)
        return (*plain, *(f"{path}/{{key}}" for path in plain if self.key_in_path))


DIALECTS: Mapping[str, DialectSpec] = MappingProxyType(
    {
        "native": DialectSpec(make=lambda _source, _handshake: NativeDialect(), path="/v1/stream"),
        "twilio": DialectSpec(make=lambda source, _: TwilioDialect(source), path="/v1/twilio", key_in_path=True),
        "signalwire": DialectSpec(
            make=lambda source, _: SignalWireDialect(source), path="/v1/signalwire", key_in_path=True
        ),
        "telnyx": DialectSpec(make=lambda source, _: TelnyxDialect(source), path="/v1/telnyx", key_in_path=True),
        "plivo": DialectSpec(make=lambda source, _: PlivoDialect(source), path="/v1/plivo", key_in_path=True),
        "exotel": DialectSpec(make=lambda source, _: ExotelDialect(source), path="/v1/exotel", key_in_path=True),
        "media-streams": DialectSpec(
            make=lambda source, _: AnyMediaStreamDialect(source), path="/v1/media-streams", key_in_path=True
        ),
        "vonage": DialectSpec(make=lambda source, _: VonageDialect(source), path="/v1/vonage", key_in_path=True),
        "audiohook": DialectSpec(
            make=lambda _, handshake: AudioHookDialect(handshake), path="/v1/audiohook", answering=AudioHookDialect
        ),
        "audiosocket": DialectSpec(make=lambda _source, _handshake: AudioSocketDialect(), path=None),
        "mod_audio_stream": DialectSpec(make=ModAudioStreamDialect, path="/v1/mod_audio_stream", key_in_path=True),
        "mod_audio_fork": DialectSpec(make=ModAudioForkDialect, path="/v1/mod_audio_fork", key_in_path=True),
        "jambonz": DialectSpec(make=JambonzDialect, path="/v1/jambonz", key_in_path=True),
        "chan_websocket": DialectSpec(make=ChanWebsocketDialect, path="/v1/asterisk"),
        "yeastar": DialectSpec(make=YeastarDialect, path="/v1/yeastar"),
    }
)
"""By name. A new one is a file, an entry here and a page `docs/gateways/NAME.md`."""
