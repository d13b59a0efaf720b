"""A gateway's connection without a network; it passes the transport's contract suite."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from service.gateway.inbox import PeerClosed
from service.gateway.shell import Unsent


@dataclass
class FakeTransport:
    """`come` is what the peer sends; without more of it nothing comes. Keeps texts and close codes that are sent, each
    text once `on_the_way` has let it through."""

    come: asyncio.Queue[str | bytes | PeerClosed] = field(default_factory=asyncio.Queue[str | bytes | PeerClosed])
    sent: list[str] = field(default_factory=list[str])
    closes: list[int] = field(default_factory=list[int])
    on_the_way: Callable[[str], Awaitable[None]] | None = None

    async def receive(self) -> str | bytes | PeerClosed:
        return await self.come.get()

    async def send(self, text: str) -> None:
        if self.closes:
            raise Unsent
        if self.on_the_way is not None:
            await self.on_the_way(text)
        self.sent.append(text)

    async def close(self, code: int, reason: str) -> None:
        self.closes.append(code)
        self.come.put_nowait(PeerClosed(code=code))
