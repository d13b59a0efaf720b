"""What a send over a WebSocket ends in when its peer is gone, or when it is being closed meanwhile."""

from __future__ import annotations

from starlette.websockets import WebSocketDisconnect

UNSENT = (WebSocketDisconnect, RuntimeError)
"""starlette says it in two ways."""
