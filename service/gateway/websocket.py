"""A gateway's connection over a WebSocket."""

from __future__ import annotations

from starlette.websockets import WebSocket, WebSocketDisconnect

from service.gateway.shell import Gone, Unsent

_REASON_BYTES = 123
"""RFC 6455, 5.5.1: what a close frame has room for."""

_UNSENT = (WebSocketDisconnect, RuntimeError)
"""What a send ends in when the peer is gone: starlette says it in two ways."""


class WebSocketTransport:
    """An accepted WebSocket."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def receive(self) -> str | bytes | Gone:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            return Gone(code=message.get("code", 1006))
        text = message.get("text")
        return text if text is not None else message.get("bytes") or b""

    async def send(self, text: str) -> None:
        try:
            await self._websocket.send_text(text)
        except _UNSENT as gone:
            raise Unsent from gone

    async def close(self, code: int, reason: str) -> None:
        try:
            await self._websocket.close(code, reason.encode()[:_REASON_BYTES].decode(errors="ignore"))
        except _UNSENT as gone:
            raise Unsent from gone
