"""A dashboard's socket while it is being closed."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from starlette.types import Message
from starlette.websockets import WebSocket

from service.access.sessions import COOKIE
from service.web.ports import LiveTimes
from service.web.request_context import RequestContext
from service.web.routes.live import LiveSocket
from tests.fakes.live_feed import FakeLiveFeed
from tests.scenes import HEALTH


async def test_what_is_sent_while_the_socket_is_being_closed_is_no_fault() -> None:
    closing = asyncio.Event()
    came: list[Message] = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "what?"}]

    async def receive() -> Message:
        return came.pop(0)

    async def send(message: Message) -> None:
        if message["type"] == "websocket.close":
            closing.set()
            await asyncio.Event().wait()  # the peer reads nothing

    headers = [(b"cookie", f"{COOKIE}=x".encode())]
    websocket = WebSocket({"type": "websocket", "path": "/", "headers": headers}, receive, send)
    await websocket.accept()
    times = LiveTimes(heartbeat=0.001)
    context: Any = SimpleNamespace(parts=SimpleNamespace(live_times=times, health=lambda: HEALTH))
    async with asyncio.timeout(30), FakeLiveFeed().subscribe() as subscription:
        await LiveSocket(websocket, cast(RequestContext, context), subscription, "supervisor").serve()
    assert closing.is_set()
