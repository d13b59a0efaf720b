"""Every dialect that is spoken: routes, log masks and the test of the documents read it here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

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

Maker: TypeAlias = Callable[[Source, Handshake], Dialect]


@dataclass(frozen=True, slots=True, kw_only=True)
class DialectSpec:
    """A dialect as the service offers it. `make` gives the dialect of one connection. `path` is its WebSocket path,
    None for plain TCP. `key_in_path`: the key may follow the path, for vendors that can send no header; a source's name
    may follow in any case. `tells_refusals`: the vendor wants to be told on the accepted socket that its key is not
    good; otherwise the handshake is denied. `names_parties`: its messages say who is on which leg, so a source's first
    track means nothing."""

    make: Maker
    path: str | None
    key_in_path: bool = False
    tells_refusals: bool = False
    names_parties: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """The routes of the dialect."""
        plain = () if self.path is None else (self.path,)
        return (*plain, *(f"{path}/{{key}}" for path in plain))


def _alone(make: Callable[[], Dialect]) -> Maker:
    """Makes a dialect that needs nothing but its messages."""
    return lambda _source, _handshake: make()


def _by_handshake(make: Callable[[Handshake], Dialect]) -> Maker:
    """Makes a dialect that also reads its handshake."""
    return lambda _source, handshake: make(handshake)


def _by_source(make: Callable[[Source], Dialect]) -> Maker:
    """Makes a dialect whose source says which party is on which track."""
    return lambda source, _handshake: make(source)


_SPECS: dict[str, DialectSpec] = {
    "native": DialectSpec(make=_alone(NativeDialect), path="/v1/stream", names_parties=True),
    "twilio": DialectSpec(make=_by_source(TwilioDialect), path="/v1/twilio", key_in_path=True),
    "signalwire": DialectSpec(make=_by_source(SignalWireDialect), path="/v1/signalwire", key_in_path=True),
    "telnyx": DialectSpec(make=_by_source(TelnyxDialect), path="/v1/telnyx", key_in_path=True),
    "plivo": DialectSpec(make=_by_source(PlivoDialect), path="/v1/plivo", key_in_path=True),
    "exotel": DialectSpec(make=_by_source(ExotelDialect), path="/v1/exotel", key_in_path=True),
    "media-streams": DialectSpec(make=_by_source(AnyMediaStreamDialect), path="/v1/media-streams", key_in_path=True),
    "vonage": DialectSpec(make=_by_source(VonageDialect), path="/v1/vonage", key_in_path=True),
    "audiohook": DialectSpec(
        make=_by_handshake(AudioHookDialect), path="/v1/audiohook", tells_refusals=True, names_parties=True
    ),
    "audiosocket": DialectSpec(make=_alone(AudioSocketDialect), path=None, names_parties=True),
    "chan_websocket": DialectSpec(make=ChanWebsocketDialect, path="/v1/asterisk"),
    "mod_audio_stream": DialectSpec(make=ModAudioStreamDialect, path="/v1/mod_audio_stream", key_in_path=True),
    "mod_audio_fork": DialectSpec(make=ModAudioForkDialect, path="/v1/mod_audio_fork", key_in_path=True),
    "jambonz": DialectSpec(make=JambonzDialect, path="/v1/jambonz", key_in_path=True),
    "yeastar": DialectSpec(make=YeastarDialect, path="/v1/yeastar"),
}

DIALECTS: Mapping[str, DialectSpec] = MappingProxyType(_SPECS)
"""By name. A new one is a file, an entry above and a page `docs/gateways/NAME.md`."""


def over_tcp() -> list[str]:
    """The names of those that connect over plain TCP: each has a port of its own, and calls that are reserved."""
    return [name for name, spec in DIALECTS.items() if spec.path is None]
