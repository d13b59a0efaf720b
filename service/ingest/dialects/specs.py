"""Every dialect that is spoken: routes, log masks and the test of the documents read it here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from service.ingest.dialect import Dialect, Handshake
from service.ingest.dialects.audiohook import AudioHookDialect
from service.ingest.dialects.audiosocket import AudioSocketDialect
from service.ingest.dialects.native import NativeDialect
from service.ingest.dialects.twilio import TwilioDialect
from service.ingest.dialects.vonage import VonageDialect
from service.ingest.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class DialectSpec:
    """`make` gives the dialect of one connection. `path` is where it connects over a WebSocket, None for plain TCP.
    `key_in_path`: the key may follow the path, for vendors that can send no header.

    `answering` gives the dialect instead, for a vendor that wants to be told on the accepted socket that its key is not
    good, and whose request says more than a key. Without it such a request is denied."""

    make: Callable[[Source], Dialect]
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
        "native": DialectSpec(make=lambda _: NativeDialect(), path="/v1/stream"),
        "twilio": DialectSpec(make=TwilioDialect, path="/v1/twilio", key_in_path=True),
        "vonage": DialectSpec(make=VonageDialect, path="/v1/vonage", key_in_path=True),
        "audiohook": DialectSpec(
            make=lambda _: AudioHookDialect(Handshake()), path="/v1/audiohook", answering=AudioHookDialect
        ),
        "audiosocket": DialectSpec(make=lambda _: AudioSocketDialect(), path=None),
    }
)
"""By name. A new one is a file, an entry here and a page `docs/gateways/NAME.md`."""
