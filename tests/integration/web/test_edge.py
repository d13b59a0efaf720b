"""What a peer that means no good can do with bytes alone: raw sockets against a served instance."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from typing import cast

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from service.access.connections import PATIENCE, Connection, Phase
from tests.integration.web.conftest import House, OpenHouse, cookie_of

UPGRADE = (
    b"GET /v1/stream HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
GET = b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST /api/v1/session HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"


@asynccontextmanager
async def raw(house: House) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def answer_to(house: House, *parts: bytes) -> bytes:
    """Everything that comes back until the service closes."""
    async with raw(house) as (reader, writer):
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
        except ConnectionError:
            pass
        received = bytearray()
        try:
            while part := await reader.read(65536):
                received += part
        except ConnectionError:
            pass
        return bytes(received)


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


LONG = b"a" * 2**18


@pytest.mark.parametrize(
    "parts",
    [
        [b"GET / HTTP/1.1\r\nHost: h\r\nX: ", LONG],
        [b"GET / HTTP/1.1\r\nHost: h\r\n", b"x: y\r\n" * 20_000],
        [b"GET /", LONG],
        [b"GET / HTTP/1.1\r\nHost: h\r\n", LONG],
        [LONG],
        [b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 100_000 + b"\r\n\r\n"],
        [UPGRADE, b"X: ", LONG],
        [UPGRADE + b"X: " + b"a" * 10_000 + b"\r\n\r\n"],
        [UPGRADE + b"x: y\r\n" * 200 + b"\r\n"],
    ],
    ids=["line", "many", "url", "name", "method", "one packet", "upgrade line", "upgrade long", "upgrade many"],
)
async def test_headers_over_64_kib_are_refused_before_they_are_complete(house: House, parts: list[bytes]) -> None:
    assert status(await answer_to(house, *parts)) == 431


@pytest.mark.parametrize(
    "parts",
    [
        [b"Transfer-Encoding: chunked\r\n\r\n1;", LONG],
        [b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX: ", LONG],
        [b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"x: y\r\n" * 20_000],
        [b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 100_000],
        [b"Content-Length: 10000000\r\n\r\n", LONG],
    ],
    ids=["extension", "trailer line", "trailers", "chunks", "length"],
)
async def test_what_stands_around_a_body_is_bounded_too(house: House, parts: list[bytes]) -> None:
    assert status(await answer_to(house, POST, *parts)) in (400, 413, 431)


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\0" * 100,
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        POST + b"Content-Length: x\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_answered_and_closed(house: House, rubbish: bytes) -> None:
    assert status(await answer_to(house, rubbish)) == 400


async def test_a_line_without_end_is_cut_off(house: House) -> None:
    async with raw(house) as (_reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\nX: ")
        with pytest.raises(ConnectionError):
            await send(writer, LONG * 256)


async def send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()
    await writer.drain()


async def test_a_head_of_almost_64_kib_is_taken(house: House) -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX: " + b"a" * 65_000 + b"\r\n\r\n"
    assert status(await answer_to(house, head)) == 200


@dataclass
class Later:
    """A clock that a test puts forward."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


@pytest.fixture
def later() -> Later:
    return Later()


@pytest.fixture
async def impatient(open_house: OpenHouse, later: Later) -> House:
    return await open_house(clock=later)


async def until(true: Callable[[Connection], bool], house: House) -> None:
    """One of its connections is so."""
    while True:
        if any(map(true, house.guard._table._open)):
            return
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("begun", "phase"),
    [
        (b"", "head"),
        (b"GET", "head"),
        (GET[:-2], "head"),
        (POST + b"Content-Length: 9\r\n\r\n{", "body"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n", "body"),
    ],
    ids=["nothing", "method", "head", "body", "chunk"],
)
async def test_half_a_request_is_not_waited_for(impatient: House, later: Later, begun: bytes, phase: Phase) -> None:
    async with raw(impatient) as (reader, writer):
        writer.write(begun)
        await until(lambda connection: connection.phase == phase, impatient)
        later.ahead = PATIENCE.of(phase) + 1.0
        with suppress(ConnectionError):
            assert await reader.read() == b""


async def test_a_byte_now_and_then_buys_no_time(impatient: House, later: Later) -> None:
    async with raw(impatient) as (reader, writer):
        writer.write(GET)
        assert await reader.readuntil(b'{"status":"ok"}')
        for _ in range(5):
            writer.write(b"G")
            await asyncio.sleep(0.02)
            later.ahead += PATIENCE.head / 4
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(1)


async def test_a_stranger_that_reads_no_answer_is_dropped(impatient: House, later: Later) -> None:
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1000)  # or the service's side buffers megabytes
    narrow.setblocking(False)
    await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", impatient.port))
    reader, writer = await asyncio.open_connection(sock=narrow)
    with closing(writer):
        reader.set_exception(ConnectionError("not read"))
        cast(asyncio.Transport, writer.transport).pause_reading()
        writer.write(GET * 20_000)
        await until(lambda connection: connection.stalled_since is not None, impatient)
        later.ahead = PATIENCE.stalled + 1.0
        with pytest.raises(ConnectionError):
            await writer.drain()


async def test_open_sockets_are_waited_for(impatient: House, later: Later) -> None:
    client = await impatient.logged_in("supervisor")
    headers = {"Authorization": f"Bearer {await impatient.key()}"}
    async with (
        connect(f"{impatient.ws}/v1/stream", additional_headers=headers, proxy=None) as gateway,
        connect(f"{impatient.ws}/api/v1/live", additional_headers=cookie_of(client), proxy=None) as live,
        raw(impatient) as (half, writer),
    ):
        await live.recv()
        writer.write(b"GET")
        await until(lambda connection: connection.stranger, impatient)
        later.ahead = 3600.0
        assert await half.read() == b"", "who is late is looked for"
        await (await gateway.ping())
        await (await live.ping())


async def test_a_flood_of_half_requests_keeps_no_gateway_out(open_house: OpenHouse) -> None:
    house = await open_house(descriptors=256)  # 32 connections, 8 strangers
    headers = {"Authorization": f"Bearer {await house.key()}"}
    async with connect(f"{house.ws}/v1/stream", additional_headers=headers, proxy=None) as before:
        flood = [await asyncio.open_connection("127.0.0.1", house.port) for _ in range(60)]
        for _reader, writer in flood:
            writer.write(b"GET /")
        client = await house.stranger()
        assert (await client.get("/healthz")).status_code == 200
        async with connect(f"{house.ws}/v1/stream", additional_headers=headers, proxy=None) as after:
            await (await after.ping())
        await (await before.ping())
        for _reader, writer in flood:
            writer.transport.abort()


async def reserved(house: House) -> bytes:
    """The first frame of a leg whose call is reserved."""
    headers = {"Authorization": f"Bearer {await house.key()}"}
    told = {"call_id": "a-1", "legs": ["agent"]}
    answer = await (await house.stranger()).post("/v1/reservations", json=told, headers=headers)
    return b"\x01\x00\x10" + uuid.UUID(answer.json()["tokens"]["agent"]).bytes


async def test_a_flood_of_silent_audiosockets_keeps_no_gateway_out(open_house: OpenHouse) -> None:
    house = await open_house(descriptors=256)  # 32 connections, 8 strangers
    hello = await reserved(house)
    async with house.tcp() as address:
        flood = [await asyncio.open_connection(*address) for _ in range(60)]
        answers, leg = await asyncio.open_connection(*address)
        leg.write(hello)
        async with asyncio.timeout(30):
            connection = await house.calls.connections.get()
            for reader, _writer in flood[:52]:
                assert await reader.read() == b"", "the longest silent give way"
        late = [await asyncio.open_connection(*address) for _ in range(20)]
        assert (await (await house.stranger()).get("/healthz")).status_code == 200
        assert not connection.was_lost.is_set(), "who has shown a token is no stranger"
        for _reader, writer in (*flood, *late, (answers, leg)):
            writer.transport.abort()


async def test_a_silent_audiosocket_is_not_waited_for(impatient: House, later: Later) -> None:
    async with impatient.tcp() as address:
        reader, writer = await asyncio.open_connection(*address)
        await until(lambda connection: connection.stranger, impatient)
        later.ahead = PATIENCE.head + 1.0
        assert await reader.read() == b""
        writer.close()


async def test_pipelined_requests_are_answered_one_after_the_other(house: House) -> None:
    last = b"GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    assert (await answer_to(house, GET * 300 + last)).count(b'{"status":"ok"}') == 301


async def test_a_handshake_turned_down_is_no_error_in_the_log(house: House, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        for path in ("/v1/stream", "/v1/twilio/cw_none", "/api/v1/live"):
            with pytest.raises(InvalidStatus) as refused:
                await connect(house.ws + path, proxy=None)
            assert json.loads(refused.value.response.body)["error"]["code"] in ("key", "not_logged_in")
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
