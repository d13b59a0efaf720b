"""uvicorn's protocols with limits: on the size of a request's head, on the time it takes, on how many connect.

The parser is h11: httptools has no limit on a header's size and takes quadratic time for it. h11 costs some tenths of a
millisecond a request, which no dashboard notices; frames of an open WebSocket never pass it.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import h11
import uvicorn
from starlette.requests import HTTPConnection
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from service.access.connection_guard import ConnectionGuard
from service.access.connections import Connection, Phase

MAX_HEAD_BYTES = 64 * 1024
"""Request line and headers together, and what stands around a body's chunks."""
_PIECE = 16 * 1024
"""What is parsed at once: how far a head can be over the limit before it is noticed."""
_MOST_DISCARDED = 2**20
_STATE_KEY = "callwarden.known"


class GuardedConfig(uvicorn.Config):
    """uvicorn's configuration, with the guard all its protocols share."""

    guard: ConnectionGuard


def mark_known(connection: HTTPConnection) -> None:
    """A key or session was verified: the TCP connection behind this request or socket is no stranger's any more."""
    known = connection.scope.get("state", {}).get(_STATE_KEY)
    if known is not None:
        known()


class GuardedHttp(H11Protocol):
    """HTTP/1.1 with limits."""

    config: GuardedConfig

    def __init__(
        self, config: GuardedConfig, server_state: ServerState, app_state: dict[str, Any], **more: Any
    ) -> None:
        super().__init__(config, server_state, app_state, **more)
        self._guard = config.guard
        self.slot: Connection | None = None
        self._refused = False
        self._discarded = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        slot = self.slot = self._guard.enter(self.client[0] if self.client else "", transport.abort)
        self.app_state = {**self.app_state, _STATE_KEY: lambda: self._guard.known(slot), "callwarden.slot": slot}

    def connection_lost(self, exc: Exception | None) -> None:
        if self.slot is not None:
            self._guard.leave(self.slot)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            self._discard(len(data))
            return
        for begin in range(0, len(data), _PIECE):
            if self._refused or self.transport.is_closing() or self.transport.get_protocol() is not self:
                break
            super().data_received(data[begin : begin + _PIECE])
        self._tell_phase()

    def send_400_response(self, msg: str) -> None:
        """Also for a head that is too long (431). Nothing, where an answer is being sent already."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()
            return
        too_long = len(self.conn.trailing_data[0]) > MAX_HEAD_BYTES
        status, code = (431, "headers_too_large") if too_long else (400, "malformed")
        told = f"A request's headers may have {MAX_HEAD_BYTES} bytes at most." if too_long else msg
        body = json.dumps({"error": {"code": code, "message": told, "field": None}}).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Connection", "close")]
        for event in (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self._refused = True
        self.transport.write_eof()

    def _discard(self, size: int) -> None:
        """A peer that is still sending gets to read its refusal only if what it sends is read too: closing at once
        would reset the connection. It may send so much, and has the patience of `closing`."""
        self._discarded += size
        if self._discarded > _MOST_DISCARDED:
            self.transport.abort()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._tell_phase()

    def shutdown(self) -> None:
        """A request that has not wholly come is not waited for."""
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY) and self.conn.our_state is not h11.SEND_BODY:
            self.transport.abort()
        else:
            super().shutdown()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._tell_stall(True)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._tell_stall(False)

    def _tell_stall(self, stalled: bool) -> None:
        if self.slot is not None:
            self._guard.stalls(self.slot, stalled)

    def _tell_phase(self) -> None:
        if self.slot is None or self.transport.get_protocol() is not self:
            return
        if self._refused or self.transport.is_closing():
            phase: Phase = "closing"
        elif self.conn.their_state is h11.IDLE:
            phase = "head"
        else:
            phase = "body" if self.conn.their_state is h11.SEND_BODY else "answer"
        self._guard.phase(self.slot, phase)


class GuardedWebSocket(WebSocketsSansIOProtocol):
    """A WebSocket that answers each handshake it cannot read, and does not wait for ever for a peer to leave."""

    config: GuardedConfig

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._slot: Connection = self.app_state["callwarden.slot"]
        self.config.guard.phase(self._slot, "handshake")

    def connection_lost(self, exc: Exception | None) -> None:
        self.config.guard.leave(self._slot)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            answer = b"".join(self.conn.data_to_send())
            self.transport.write(
                answer or b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            self.transport.close()

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.accept":
            self.config.guard.phase(self._slot, "answer")
        elif message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True  # turned down, but answered: no error of the application

    async def run_asgi(self) -> None:
        await super().run_asgi()
        self.config.guard.phase(self._slot, "closing")

    def pause_writing(self) -> None:
        super().pause_writing()
        self.config.guard.stalls(self._slot, True)

    def resume_writing(self) -> None:
        super().resume_writing()
        self.config.guard.stalls(self._slot, False)
