"""A live feed whose messages a test puts in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from service.live.messages import LiveMessage, Snapshot
from service.storage.port import LoggedFact
from tests import scenes


@dataclass
class FakeSubscription:
    messages: asyncio.Queue[LiveMessage] = field(default_factory=asyncio.Queue)
    resumes: asyncio.Queue[Mapping[str, int]] = field(default_factory=asyncio.Queue)

    async def __aiter__(self) -> AsyncIterator[LiveMessage]:
        while True:
            yield await self.messages.get()

    async def resume(self, seqs: Mapping[str, int]) -> None:
        self.resumes.put_nowait(seqs)


@dataclass
class FakeLiveFeed:
    """Everyone who subscribes gets a Snapshot first."""

    published: list[LoggedFact] = field(default_factory=list)
    subscriptions: asyncio.Queue[FakeSubscription] = field(default_factory=asyncio.Queue)
    open: int = 0

    def publish(self, *logged: LoggedFact) -> None:
        self.published += logged

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[FakeSubscription]:
        subscription = FakeSubscription()
        subscription.messages.put_nowait(Snapshot(now=scenes.NOON, calls=(), alerts=(), health=scenes.HEALTH))
        self.subscriptions.put_nowait(subscription)
        self.open += 1
        try:
            yield subscription
        finally:
            self.open -= 1
