"""Connections to the service: a WebSocket, or a TCP stream. Each sends, receives, closes, or breaks off."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol
from urllib.parse import urlsplit

import websockets
from websockets.frames import CloseCode
from websockets.typing import Subprotocol

from asr.types import Seconds
from service.client import StreamFailed, refusal
from service.simulation.gateway_client import ConnectionRequest, Message

OPEN_SECONDS: Final[Seconds] = 10.0
SEND_SECONDS: Final[Seconds] = 30.0
CLOSE_SECONDS: Final[Seconds] = 10.0
_READ_BYTES: Final = 64 * 1024


class LinkClosed(Exception):
    """The connection is over; the message says how."""


class Link(Protocol):
    """An open connection to the service."""

    async def send(self, message: Message) -> None:
        """Raises LinkClosed."""
        ...

    async def receive(self) -> Message:
        """Raises LinkClosed."""
        ...

    async def close(self) -> str:
        """Gives how it closed. Raises LinkClosed where the service has ended it for another reason."""
        ...

    def abort(self) -> None:
        """Break off without a word."""
        ...


async def open_link(opening: ConnectionRequest) -> Link:
    """Raises StreamFailed."""
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            return await (_tcp(opening) if opening.url.startswith("tcp:") else _websocket(opening))
    except websockets.InvalidStatus as refused:
        raise StreamFailed(refusal(refused.response.status_code)) from refused
    except TimeoutError as late:
        raise StreamFailed(f"{_place(opening)}: no connection within {OPEN_SECONDS:g} s") from late
    except websockets.InvalidURI as cause:
        raise StreamFailed("the URL is none of a WebSocket; it must be ws://HOST:PORT/… or wss://…") from cause
    except (OSError, ValueError, websockets.WebSocketException) as cause:
        raise StreamFailed(f"{_place(opening)}: {cause}") from cause


async def _websocket(opening: ConnectionRequest) -> Link:
    socket = await websockets.connect(
        opening.url,
        additional_headers=opening.headers,
        subprotocols=None if opening.subprotocol is None else [Subprotocol(opening.subprotocol)],
        compression="deflate" if opening.deflate else None,
        ping_interval=None,
        max_size=2**20,
        proxy=None,
        close_timeout=CLOSE_SECONDS,
    )
    return _WebSocketLink(socket)


async def _tcp(opening: ConnectionRequest) -> Link:
    place = urlsplit(opening.url)
    if not (place.hostname and place.port):
        raise ValueError("must be tcp://HOST:PORT")
    return _TcpLink(*await asyncio.open_connection(place.hostname, place.port))


def _place(opening: ConnectionRequest) -> str:
    """The address without the key that its path may hold."""
    parts = urlsplit(opening.url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


class _WebSocketLink:
    def __init__(self, socket: websockets.ClientConnection) -> None:
        self._socket = socket

    async def send(self, message: Message) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._socket.send(message)
        except TimeoutError as stalled:
            raise LinkClosed(f"the service took nothing for {SEND_SECONDS:g} s") from stalled
        except websockets.ConnectionClosed as closed:
            raise self._gone() from closed

    async def receive(self) -> Message:
        try:
            return await self._socket.recv()
        except websockets.ConnectionClosed as closed:
            raise self._gone() from closed

    async def close(self) -> str:
        await self._socket.close()
        if self._socket.close_code != CloseCode.NORMAL_CLOSURE:
            raise self._gone()
        return str(self._gone())

    def abort(self) -> None:
        self._socket.transport.abort()

    def _gone(self) -> LinkClosed:
        code, reason = self._socket.close_code, self._socket.close_reason
        if code in (None, 1006):
            return LinkClosed("the connection broke")
        return LinkClosed(f"closed with {code}{f': {reason}' if reason else ''}")


class _TcpLink:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, message: Message) -> None:
        try:
            self._writer.write(message if isinstance(message, bytes) else message.encode())
            async with asyncio.timeout(SEND_SECONDS):
                await self._writer.drain()
        except TimeoutError as stalled:
            raise LinkClosed(f"the service took nothing for {SEND_SECONDS:g} s") from stalled
        except OSError as broken:
            raise LinkClosed("the connection broke") from broken

    async def receive(self) -> Message:
        try:
            received = await self._reader.read(_READ_BYTES)
        except OSError as broken:
            raise LinkClosed("the connection broke") from broken
        if not received:
            raise LinkClosed("the stream ended")
        return received

    async def close(self) -> str:
        self._writer.close()
        return "the stream ended"

    def abort(self) -> None:
        self._writer.transport.abort()
