"""Gateways that connect over plain TCP: the listening socket and its connections."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from service.access.audit_log import AuditLog
from service.access.clock import steady_now, utc_now
from service.access.connection_guard import ConnectionGuard
from service.access.keys import credential_of
from service.gateway.inbox import PeerClosed
from service.gateway.reservations import Reservation
from service.gateway.shell import GatewayParts, GatewayShell, Unsent
from service.ingest.dialect import Handshake
from service.ingest.dialects.specs import DIALECTS
from service.ingest.events import CLOSE_ABNORMAL, CLOSE_NORMAL
from service.ingest.source import STRANGER
from service.preview.trace import ConnectionTrace
from service.preview.values import SeenHandshake

_READ_BYTES = 64 * 1024


class TcpTransport:
    """A connected stream. Its messages are whatever bytes come at once; the dialect finds the frames."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def receive(self) -> str | bytes | PeerClosed:
        try:
            received = await self._reader.read(_READ_BYTES)
        except OSError:
            return PeerClosed(code=CLOSE_ABNORMAL)
        return received or PeerClosed(code=CLOSE_NORMAL)

    async def send(self, text: str) -> None:
        try:
            self._writer.write(text.encode())
            await self._writer.drain()
        except OSError as gone:
            raise Unsent from gone

    async def close(self, code: int, reason: str) -> None:
        self._writer.close()


class TcpStranger:
    """Who connects over TCP: counted among the strangers of the whole service until its token is found. From then on
    `trace` shows among its source's connections."""

    def __init__(
        self, writer: asyncio.StreamWriter, dialect: str, parts: GatewayParts, guard: ConnectionGuard, audit: AuditLog
    ) -> None:
        peer = writer.get_extra_info("peername")
        self._address = str(peer[0]) if peer else "unknown"
        self._dialect = dialect
        self._previews = parts.previews
        seen = SeenHandshake(dialect=dialect, address=self._address)
        parties = DIALECTS[dialect].names_parties
        self.trace = ConnectionTrace(seen, steady_now(), utc_now(), names_parties=parties)
        self._reservations = parts.reservations
        self._guard = guard
        self._audit = audit
        self._connection = guard.enter(self._address, writer.transport.abort)
        self._token = ""

    def reserved(self, token: str) -> Reservation | None:
        found = self._reservations.connected(token, steady_now())
        if found is None:
            return None
        self._token = token
        if found.key.source.dialect not in (None, self._dialect):
            return None
        self._guard.known(self._connection)
        self._guard.phase(self._connection, "answer")
        self.trace.matched(credential_of(found.key))
        self._previews.let_in(self.trace, found.key.source.name)
        return found

    def refused(self, why: str) -> None:
        self._audit.note("handshake_denied", subject=self._dialect, address=self._address, detail=why)

    def left(self) -> None:
        """The connection is over."""
        self._guard.leave(self._connection)
        if self._token:
            self._reservations.gone(self._token, steady_now())
        elif self.trace.refusal is not None:
            self._previews.turned_away(self.trace)


class TcpGateway:
    """A port's connections, all in one dialect. None has a key: each names a reserved call by its token."""

    def __init__(self, dialect: str, parts: GatewayParts, guard: ConnectionGuard, audit: AuditLog) -> None:
        self._dialect = dialect
        self._parts = parts
        self._guard = guard
        self._audit = audit
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
        stranger = TcpStranger(writer, self._dialect, self._parts, self._guard, self._audit)
        dialect = DIALECTS[self._dialect].make(STRANGER, Handshake())
        try:
            with suppress(asyncio.CancelledError):  # `listening` ended it; asyncio 3.11 would log that as a fault
                transport = TcpTransport(reader, writer)
                await GatewayShell(transport, self._parts, dialect, stranger.trace, None, stranger).serve()
        finally:
            self._open.discard(task)
            stranger.left()
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
