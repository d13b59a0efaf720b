"""Does a request come from our own pages? Pure."""

from __future__ import annotations

from typing import TypeAlias
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}

_Origin: TypeAlias = tuple[str, str, int]


def same_origin(origin: str | None, host: str | None, public_url: str) -> bool:
    """True if no Origin was sent (then it is no browser's cross-site request) or it is ours.

    With a public URL the whole origin must be that one. Without, the authority must be the Host that was asked for;
    the scheme is left open, since a proxy may have taken TLS off.
    """
    if origin is None:
        return True
    sent = _origin(origin)
    if sent is None:
        return False
    if public_url:
        return sent in _public(public_url)
    return urlsplit(origin).netloc.lower() == (host or "").lower()


def _public(url: str) -> tuple[_Origin | None, ...]:
    """The origins a public URL stands for: where no scheme is written, that host by HTTP and by HTTPS."""
    if "://" in url:
        return (_origin(url),)
    return tuple(_origin(f"{scheme}://{url}") for scheme in _DEFAULT_PORTS)


def _origin(url: str) -> _Origin | None:
    """Scheme, host and port of an http(s) URL; None for anything else, however malformed."""
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or port is None:
        return None
    return parts.scheme, parts.hostname.lower(), port
