"""The client's address of a request."""

from __future__ import annotations

import structlog
from starlette.requests import HTTPConnection

log = structlog.get_logger(__name__)

_told: set[str] = set()


def client_address(connection: HTTPConnection) -> str:
    """The client's address: the peer's, or what a trusted proxy says of it (uvicorn has put that in its place)."""
    return connection.client.host[:64] if connection.client else "unknown"


def tell_of_proxy(connection: HTTPConnection, trusted_proxies: str) -> None:
    """Say once in the log that somebody's X-Forwarded-For is not believed: with a proxy in front and no setting, all
    users seem to come from one address."""
    if not trusted_proxies and "x-forwarded-for" in connection.headers and not _told:
        _told.add("x-forwarded-for")
        log.warning(
            "X-Forwarded-For is not believed: if a proxy is in front, name it in CALLWARDEN_TRUSTED_PROXIES",
            peer=client_address(connection),
        )
