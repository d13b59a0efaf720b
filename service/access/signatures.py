"""Whether a vendor's signature of a handshake is right. Pure; each is checked against the URL that the vendor connects
to, for what arrives here may have come through a proxy that wrote it anew.

None of them names a time: TLS keeps a handshake from being overheard and sent again. Telnyx signs its webhooks and not
its WebSockets; it sends a token there, for which a gateway key stands.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TypeAlias
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from service.ingest.source import CredentialKind

Headers: TypeAlias = Mapping[str, str]
"""Headers by name, in any case."""

_SCHEMES = {"wss": ("wss", "https"), "https": ("wss", "https"), "ws": ("ws", "http"), "http": ("ws", "http")}
_PORTS = {"wss": 443, "https": 443, "ws": 80, "http": 80}


def spellings(url: str) -> list[str]:
    """The ways that vendors write one URL: as a WebSocket's or as the request it begins as, without its port and with
    it. What each of them means is the same place."""
    parts = urlsplit(url)
    host = parts.netloc.removesuffix(f":{parts.port}")
    port = parts.port or _PORTS[parts.scheme]
    netlocs = (host, f"{host}:{port}")
    return [urlunsplit(parts._replace(scheme=s, netloc=n)) for s in _SCHEMES[parts.scheme] for n in netlocs]


def twilio_signature(token: str, url: str) -> str:
    """Twilio's and SignalWire's: HMAC-SHA1 of the URL (a handshake has no parameters but those in it)."""
    return base64.b64encode(hmac.new(token.encode(), url.encode(), hashlib.sha1).digest()).decode()


def plivo_signature(token: str, url: str, nonce: str) -> str:
    """Plivo's V3: HMAC-SHA256 of the URL, its query in order of names, and the nonce."""
    parts = urlsplit(url)
    query = "&".join(f"{name}={value}" for name, value in sorted(parse_qsl(parts.query, keep_blank_values=True)))
    signed = f"{urlunsplit(parts._replace(query=query))}.{nonce}"
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha256).digest()).decode()


def signed_by_twilio(token: str, url: str, headers: Headers) -> bool:
    """Whether Twilio signed the handshake to this URL with the auth token."""
    return _is_one_of(headers.get("x-twilio-signature", ""), _by_url(token, url))


def signed_by_signalwire(token: str, url: str, headers: Headers) -> bool:
    """Whether SignalWire signed the handshake to this URL with the signing key."""
    return _is_one_of(headers.get("x-signalwire-signature", ""), _by_url(token, url))


def signed_by_plivo(token: str, url: str, headers: Headers) -> bool:
    """Whether Plivo signed the handshake, with the token of the streaming account or of its main account. No document
    says whether a WebSocket's signature covers the URL's query, so both are taken."""
    nonce = headers.get("x-plivo-signature-v3-nonce", "")
    sent = ",".join(headers.get(name, "") for name in ("x-plivo-signature-v3", "x-plivo-signature-ma-v3"))
    urls = {spelt for read in (url, url.partition("?")[0]) for spelt in spellings(read)}
    wanted = [plivo_signature(token, spelt, nonce) for spelt in urls]
    return bool(nonce) and any(_is_one_of(each.strip(), wanted) for each in sent.split(","))


SIGNATURES: Mapping[CredentialKind, Callable[[str, str, Headers], bool]] = MappingProxyType(
    {"twilio": signed_by_twilio, "signalwire": signed_by_signalwire, "plivo": signed_by_plivo}
)
"""The check of each credential that is a signature. Its arguments are the secret, the public URL and the handshake's
headers."""


def _by_url(token: str, url: str) -> list[str]:
    return [twilio_signature(token, spelt) for spelt in spellings(url)]


def _is_one_of(sent: str, wanted: Iterable[str]) -> bool:
    return any(hmac.compare_digest(sent.encode(), each.encode()) for each in wanted)
