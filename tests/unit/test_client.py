"""What the gateway of our own says of a connection that ends early."""

from __future__ import annotations

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import CloseCode

from service.audio_files.call import CallAudio
from service.client import CallStart, StreamFailed, stream_call


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (CloseCode.SERVICE_RESTART, "the service is stopping"),
        (CloseCode.INTERNAL_ERROR, "the connection broke"),
        (CloseCode.NORMAL_CLOSURE, "the service closed the connection"),
    ],
)
async def test_a_connection_that_ends_early_is_told_by_its_close_code(code: CloseCode, told: str):
    async def closing(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.close(code)

    async with serve(closing, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        second = CallAudio(pcm=np.zeros((8000, 2), np.int16), rate=8000)
        call = CallStart(call_id="c", language="zh")
        with pytest.raises(StreamFailed, match=told):
            await stream_call(second, call, url=f"ws://127.0.0.1:{port}", key="k", seen=lambda _: None)
