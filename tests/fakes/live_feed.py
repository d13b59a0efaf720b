"""A live feed into which a test can also put messages of its own; it passes the live feed's contract suite."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from service.live.messages import LiveMessage, Snapshot, events_of
from service.record.facts import CallClosed
from service.record.summary import CallSummary
from service.storage.port import LoggedFact
from tests import scenes
from tests.fakes.live_bus import FakeLiveBus


@dataclass
class FakeSubscription:
    """`messages` are on their way to the dashboard; `resumes` is what it asked for."""

    feed: FakeLiveFeed
    messages: asyncio.Queue[LiveMessage] = field(default_factory=asyncio.Queue)
    resumes: asyncio.Queue[Mapping[str, int]] = field(default_factory=asyncio.Queue)

    async def __aiter__(self) -> AsyncIterator[LiveMessage]:
        while True:
            yield await self.messages.get()

    async def resume(self, seqs: Mapping[str, int]) -> None:
        self.resumes.put_nowait(seqs)
        for call_id, seq in seqs.items():
            missed = [each for each in self.feed.published if each.call_id == call_id and each.seq > seq]
            self.put(missed)

    def put(self, logged: list[LoggedFact]) -> None:
        for event in events_of(logged):
            self.messages.put_nowait(event)


@dataclass
class FakeLiveFeed(FakeLiveBus):
    """Everyone who subscribes gets a Snapshot first, and then what is published on the bus, as at the hub."""

    subscriptions: asyncio.Queue[FakeSubscription] = field(default_factory=asyncio.Queue)
    watching: list[FakeSubscription] = field(default_factory=list)

    def publish(self, *logged: LoggedFact) -> None:
        super().publish(*logged)
        for subscription in self.watching:
            subscription.put([*logged])

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[FakeSubscription]:
        subscription = FakeSubscription(self)
        snapshot = Snapshot(now=scenes.NOON, calls=self._live_calls(), alerts=(), health=scenes.HEALTH)
        subscription.messages.put_nowait(snapshot)
        self.subscriptions.put_nowait(subscription)
        self.watching.append(subscription)
        try:
            yield subscription
        finally:
            self.watching.remove(subscription)

    def _live_calls(self) -> tuple[CallSummary, ...]:
        newest = {logged.call_id: logged for logged in self.published}
        return tuple(logged.summary for logged in newest.values() if not isinstance(logged.fact, CallClosed))
