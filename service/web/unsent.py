"""The errors of a WebSocket send whose peer is gone, or whose socket is being closed."""

from __future__ import annotations

from starlette.websockets import WebSocketDisconnect

UNSENT = (WebSocketDisconnect, RuntimeError)
"""starlette says it in two ways."""
