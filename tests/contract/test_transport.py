"""What a gateway's connection relies on in what carries it, tried on the fake, on TCP and on a WebSocket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

import pytest
import uvicorn
from fastapi import FastAPI, WebSocket
from websockets.asyncio.client import connect

from service.gateway.inbox import PeerClosed
from service.gateway.shell import Transport
from service.gateway.tcp import TcpTransport
from service.web.routes.gateways import WebSocketTransport
from tests.fakes.transport import FakeTransport


@dataclass(frozen=True, slots=True)
class Subject:
    """A transport and its peer: what it sends, what it has got so far, and how it leaves in good order."""

    transport: Transport
    send: Callable[[bytes], Awaitable[None]]
    got: Callable[[], Awaitable[str]]
    leave: Callable[[], Awaitable[None]]


Opened: TypeAlias = Callable[[], AbstractAsyncContextManager[Subject]]


@asynccontextmanager
async def fake() -> AsyncIterator[Subject]:
    transport = FakeTransport()

    async def got() -> str:
        return transport.sent[-1]

    async def leave() -> None:
        await transport.come.put(PeerClosed(code=1000))

    yield Subject(transport, transport.come.put, got, leave)


@asynccontextmanager
async def tcp() -> AsyncIterator[Subject]:
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    peer_reads, peer = await asyncio.open_connection(sock=theirs)

    async def send(message: bytes) -> None:
        peer.write(message)

    async def got() -> str:
        return (await peer_reads.read(100)).decode()

    async def leave() -> None:
        peer.write_eof()

    yield Subject(TcpTransport(reader, writer), send, got, leave)
    for each in (writer, peer):
        each.close()


@asynccontextmanager
async def websocket() -> AsyncIterator[Subject]:
    app, opened, over = FastAPI(), asyncio.get_running_loop().create_future(), asyncio.Event()

    @app.websocket("/")
    async def connected(accepted: WebSocket) -> None:
        await accepted.accept()
        opened.set_result(accepted)
        await over.wait()

    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    bound = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve([bound]))
    async with connect(f"ws://127.0.0.1:{bound.getsockname()[1]}/", proxy=None) as peer:

        async def got() -> str:
            return str(await peer.recv())

        yield Subject(WebSocketTransport(await opened), peer.send, got, peer.close)
        over.set()
    server.should_exit = True
    await serving


@pytest.fixture(params=[fake, tcp, websocket], ids=["fake", "tcp", "websocket"])
def opened(request: pytest.FixtureRequest) -> Opened:
    return request.param


async def received(transport: Transport, size: int) -> bytes:
    """So many bytes, in however many messages they come."""
    come = b""
    while len(come) < size:
        message = await transport.receive()
        assert isinstance(message, bytes)
        come += message
    return come


async def test_what_the_peer_sends_comes_whole_and_in_order(opened: Opened) -> None:
    async with asyncio.timeout(30), opened() as subject:
        for message in (b"one", b"two", b"three"):
            await subject.send(message)
        assert await received(subject.transport, 11) == b"onetwothree"


async def test_a_wait_that_is_given_up_loses_nothing(opened: Opened) -> None:
    async with asyncio.timeout(30), opened() as subject:
        for _ in range(3):
            waiting = asyncio.ensure_future(subject.transport.receive())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        await subject.send(b"after all")
        assert await received(subject.transport, 9) == b"after all"


async def test_what_is_sent_reaches_the_peer(opened: Opened) -> None:
    async with asyncio.timeout(30), opened() as subject:
        await subject.transport.send("ready")
        assert await subject.got() == "ready"


async def test_a_peer_that_leaves_in_good_order_is_gone_with_1000(opened: Opened) -> None:
    async with asyncio.timeout(30), opened() as subject:
        await subject.send(b"last")
        await received(subject.transport, 4)
        leaving = asyncio.ensure_future(subject.leave())
        assert await subject.transport.receive() == PeerClosed(code=1000)
        await leaving


async def test_once_this_side_has_closed_nothing_comes_but_the_end(opened: Opened) -> None:
    async with asyncio.timeout(20), opened() as subject:
        await subject.transport.close(1008, "too much")
        assert isinstance(await subject.transport.receive(), PeerClosed)
