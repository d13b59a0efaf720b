"""What a gateway has sent and its call has not taken in yet, and whose turn it is to be taken in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from asr.types import Seconds
from service.access.clock import steady_now
from service.ingest.events import AudioArrived, GatewayEvent, ProtocolViolation

MOST_BYTES: Final = 4 * 1024 * 1024
"""Four minutes of two legs of G.711, while a call is being opened, or the event loop has more to do than it can."""
_EVENT_BYTES: Final = 256
"""What an event costs beside its audio, about."""

AT_ONCE: Seconds = 0.005
"""After so much work with what gateways sent the event loop reads and answers, before more of it is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerClosed:
    """The connection is over; `code` is RFC 6455's: 1000 where the peer ended it cleanly."""

    code: int


Received: TypeAlias = Sequence[GatewayEvent] | ProtocolViolation | PeerClosed
"""What a message came to, one that breaks the protocol, or the end."""


class Inbox:
    """One connection's. Whoever reads it from the wire answers at once what needs no call, and puts the rest here."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Received] = asyncio.Queue()
        self._bytes = 0
        self._room = asyncio.Event()
        self._room.set()

    async def put(self, received: Received) -> None:
        """Returns once there is room for more: then the peer is held back by TCP, and nothing is lost."""
        self._queue.put_nowait(received)
        self._count(_size(received))
        await self._room.wait()

    async def take(self) -> Received:
        """The next one."""
        received = await self._queue.get()
        self._count(-_size(received))
        return received

    def _count(self, size: int) -> None:
        self._bytes += size
        if self._bytes < MOST_BYTES:
            self._room.set()
        else:
            self._room.clear()


class Turns:
    """All connections share one, as they share the event loop.

    Whoever takes in what a gateway sent asks for a turn first. So however much there is of it, each gateway is read,
    and answered, between two stretches of AT_ONCE.
    """

    def __init__(self) -> None:
        self._until: Seconds = 0.0
        self._renewing = False

    async def next(self) -> None:
        """Returns when it is the caller's turn, until it awaits something."""
        while steady_now() >= self._until:
            if not self._renewing:
                self._renewing = True
                asyncio.get_running_loop().call_soon(self._renew)
            await asyncio.sleep(0)

    def _renew(self) -> None:
        self._renewing = False
        self._until = steady_now() + AT_ONCE


def _size(received: Received) -> int:
    if isinstance(received, ProtocolViolation | PeerClosed):
        return _EVENT_BYTES
    return sum(_EVENT_BYTES + (len(event.payload) if isinstance(event, AudioArrived) else 0) for event in received)
