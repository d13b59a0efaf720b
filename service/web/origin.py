"""Does a request come from our own pages? Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def same_origin(origin: str | None, host: str | None, public_url: str) -> bool:
    """True if no Origin was sent (then it is no browser's cross-site request) or it is ours.

    With a public URL the whole origin must be that one. Without, the authority must be the Host that was asked for;
    the scheme is left open, since a proxy may have taken TLS off.
    """
    if origin is None:
        return True
    if public_url:
        ours = _origin(public_url)
        return ours is not None and _origin(origin) == ours
    sent = urlsplit(origin)
    return sent.scheme in ("http", "https") and sent.netloc != "" and sent.netloc.lower() == (host or "").lower()


def _origin(url: str) -> tuple[str, str, int | None] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    return parts.scheme, (parts.hostname or "").lower(), port
