"""How uvicorn runs the web layer, and how keys are kept out of its logs."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import uvicorn
from fastapi import FastAPI

from asr.types import Seconds
from service.access.connection_guard import ConnectionGuard
from service.access.keys import redacted
from service.ingest.events import MAX_AUDIO_BYTES
from service.web.descriptors import Sparing
from service.web.http_limits import MAX_HEAD_BYTES, GuardedConfig, GuardedHttp, GuardedWebSocket

WS_MAX_BYTES = 2 * MAX_AUDIO_BYTES
"""Twice what a dialect takes, so that a message somewhat too big is answered in words; beyond, only with 1009."""

SHUTDOWN_SECONDS = 2
"""How long open connections may take to end once the service is told to stop: half a request must not keep what was
said last from being written. Gateways' are closed at once."""


class SocketLike(Protocol):
    """A listening socket, or asyncio's view of one."""

    def setsockopt(self, level: int, name: int, value: int, /) -> None: ...


BACKLOG = 100
"""Connections accepted in one turn of the event loop: each takes a descriptor before it can be counted."""


class KeysRedacted(logging.Filter):
    """Masks gateway keys in what uvicorn logs: Twilio's come in the path."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true; the record's arguments are changed."""
        if isinstance(record.args, tuple):
            record.args = tuple(_masked(argument) for argument in record.args)
        if isinstance(record.msg, str):
            record.msg = redacted(record.msg)
        return True


def server_config(
    app: FastAPI,
    host: str,
    port: int,
    guard: ConnectionGuard,
    *,
    trusted_proxies: Sequence[str] = (),
    **options: Any,
) -> uvicorn.Config:
    """uvicorn's configuration for an application of `create_web`.

    `guard`: counts the connections, and ends those that are too many or too slow.
    `trusted_proxies`: networks whose X-Forwarded-For and X-Forwarded-Proto are believed. Nobody's by default,
    loopback's neither: whoever reaches it could give each guess at a password another address.

    No socket gets pings, since uvicorn knows no difference between them: pings end real calls on some gateways.
    Nothing is compressed: telephone audio hardly gets smaller, and it all takes the event loop's time.
    """
    config = GuardedConfig(
        app,
        host=host,
        port=port,
        http=GuardedHttp,
        ws=GuardedWebSocket,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        backlog=BACKLOG,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        ws_ping_interval=None,
        ws_max_size=WS_MAX_BYTES,
        ws_per_message_deflate=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        **options,
    )
    config.guard = guard
    _filter_logs()
    return config


def _filter_logs() -> None:
    """Keep keys out of the server's own logs, and floods."""
    for name in ("uvicorn.error", "uvicorn.access", "asyncio"):
        _add_once(logging.getLogger(name), KeysRedacted)
        _add_once(logging.getLogger(name), Sparing)


def notice_dead_peers(listening: Iterable[SocketLike], within: Seconds) -> None:
    """Let TCP end connections, accepted from now on, whose peer cannot be reached: `within` seconds of unanswered
    keep-alive probes, or of unacknowledged data.

    No WebSocket pings: some gateways hang the call up on one. Linux's accepted sockets inherit these options.
    """
    probes = 4
    interval = max(1, round(within / (probes + 2)))
    for listener in listening:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if sys.platform == "linux":
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 2 * interval)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, interval)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, probes)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(within * 1000))


def _add_once(logger: logging.Logger, kind: type[logging.Filter]) -> None:
    if not any(isinstance(known, kind) for known in logger.filters):
        logger.addFilter(kind())


def _masked(argument: object) -> object:
    return redacted(argument) if isinstance(argument, str) else argument
