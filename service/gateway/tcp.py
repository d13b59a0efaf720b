"""Gateways that connect over plain TCP: the listening socket and its connections."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

import structlog

from service.gateway.shell import GatewayParts, GatewayShell, Gone, Unsent
from service.ingest.dialect import Dialect
from service.ingest.events import CLOSE_NORMAL

MOST_CONNECTIONS = 1_024
"""What one address may hold open, with a call or before it has one; later ones are closed at once."""
_READ_BYTES = 64 * 1024
_ABNORMAL = 1006

log = structlog.get_logger(__name__)


class TcpTransport:
    """A connected stream. Its messages are whatever bytes come at once; the dialect finds the frames."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def receive(self) -> str | bytes | Gone:
        try:
            received = await self._reader.read(_READ_BYTES)
        except OSError:
            return Gone(code=_ABNORMAL)
        return received or Gone(code=CLOSE_NORMAL)

    async def send(self, text: str) -> None:
        try:
            self._writer.write(text.encode())
            await self._writer.drain()
        except OSError as gone:
            raise Unsent from gone

    async def close(self, code: int, reason: str) -> None:
        self._writer.close()


class TcpGateway:
    """One port's connections. None has a key: each names a reserved call by its token."""

    def __init__(self, parts: GatewayParts, make_dialect: Callable[[], Dialect]) -> None:
        self._parts = parts
        self._make_dialect = make_dialect
        self._open: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self, bound: socket.socket) -> AsyncGenerator[None]:
        """Takes connections of the bound socket until it is left; then those that are open are ended."""
        server = await asyncio.start_server(self._connected, sock=bound, limit=_READ_BYTES)
        try:
            yield
        finally:
            server.close()
            for task in list(self._open):
                task.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "asyncio calls this in a task of its own"
        self._open.add(task)
        try:
            if len(self._open) <= MOST_CONNECTIONS:
                transport = TcpTransport(reader, writer)
                await GatewayShell(transport, self._parts, self._make_dialect(), key=None).serve()
            else:
                log.warning("gateway turned away: too many connections", most=MOST_CONNECTIONS)
        finally:
            self._open.discard(task)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
