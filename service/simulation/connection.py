"""One connection of a simulated gateway: what its client says is sent, and what the service says reaches the client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Literal

from asr.types import Seconds
from service.client import StreamFailed
from service.simulation.gateway_client import GatewayClient, Message, SessionFailed
from service.simulation.links import Link, LinkClosed, open_link

READY_SECONDS: Final[Seconds] = 5.0
OVER_SECONDS: Final[Seconds] = 10.0

Ending = Literal["told", "closed", "broken"]
"""The vendor's own end and a close; a close alone; a connection that breaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Callbacks about a connection: `received` messages, the seconds of the call that were `sent`, and how it was
    `closed`, in words."""

    received: Callable[[Message], None]
    sent: Callable[[Seconds], None]
    closed: Callable[[str], None]


class SimulatedConnection:
    """`client` says what is sent. Once the connection has failed, everything raises StreamFailed with the reason."""

    def __init__(self, client: GatewayClient, link: Link, listener: Listener) -> None:
        self.client = client
        self._link = link
        self._listener = listener
        self._received = asyncio.Event()
        self._failure = ""
        self._gone = ""

    async def begin(self) -> None:
        """Returns once audio may be sent."""
        await self.send(self.client.begin())
        await self._wait(lambda: self.client.ready, READY_SECONDS, "did not let the stream begin")

    async def send(self, messages: Sequence[Message]) -> None:
        if self._failure or self._gone:
            raise StreamFailed(self._failure) if self._failure else _ended(self._gone)
        try:
            for message in messages:
                await self._link.send(message)
        except LinkClosed as gone:
            raise _ended(str(gone)) from gone

    async def end(self, ending: Ending) -> None:
        if ending == "broken":
            self._link.abort()
            self._listener.closed("broken off")
            return
        await self.send(self.client.end() if ending == "told" else [])
        if ending == "told":
            await self._wait(lambda: self.client.over, OVER_SECONDS, "did not confirm the end")
        try:
            self._listener.closed(await self._link.close())
        except LinkClosed as gone:
            raise _ended(str(gone)) from gone

    async def listen(self) -> None:
        """Until the connection is over."""
        try:
            while True:
                message = await self._link.receive()
                self._listener.received(message)
                for answer in self.client.received(message):
                    await self._link.send(answer)
                self._received.set()
        except LinkClosed as gone:
            self._gone = str(gone)
        except SessionFailed as failed:
            self._failure = str(failed)
        finally:
            self._received.set()

    async def _wait(self, reached: Callable[[], bool], seconds: Seconds, told: str) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not reached():
                    await self.send([])
                    self._received.clear()
                    await self._received.wait()
        except TimeoutError as late:
            raise StreamFailed(f"the service {told} within {seconds:g} s") from late


@asynccontextmanager
async def connected(client: GatewayClient, listener: Listener) -> AsyncGenerator[SimulatedConnection]:
    """Raises StreamFailed."""
    link = await open_link(client.opening())
    connection = SimulatedConnection(client, link, listener)
    listening = asyncio.create_task(connection.listen())
    try:
        yield connection
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        link.abort()


def _ended(how: str) -> StreamFailed:
    return StreamFailed(f"the service ended the connection: {how}")
