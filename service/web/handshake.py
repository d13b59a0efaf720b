"""Turning a WebSocket down with an HTTP answer, before it is accepted."""

from __future__ import annotations

from starlette.websockets import WebSocket

from service.web.errors import Refused, refusal


async def deny(websocket: WebSocket, refused: Refused) -> None:
    """Answer the handshake with the refusal's status (ASGI's WebSocket Denial Response)."""
    await websocket.send_denial_response(refusal(refused))
