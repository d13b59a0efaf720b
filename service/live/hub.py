"""Fan-out of what happens in live calls to the dashboards that watch. In one process, on one event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

from service.facts import CallClosed
from service.live.schema import Event, HealthChanged, Levels, LiveMessage, Resync, Snapshot
from service.live.schema import Health as Health
from service.storage.port import AlertPage, AlertQuery, LoggedFact, NotFound, StorageUnavailable, Store
from service.summary import CallSummary

MOST_WAITING = 1000
"""Messages kept for a dashboard that reads slowly: about a minute of 16 busy calls. Beyond, it starts anew."""
LEVELS_UNTIL = MOST_WAITING // 4
"""Levels are worth nothing once they are old: none are queued behind so many messages."""
ALERTS_SHOWN = 200
MISSED_PAGE = 500


class Subscription:
    """One dashboard's place at the hub. Iterate for a Snapshot, then what follows; never raises for slowness."""

    def __init__(self, hub: LiveHub) -> None:
        self._hub = hub
        self._waiting: deque[LiveMessage] = deque()
        self._wake = asyncio.Event()
        self._behind = True  # the first message is a snapshot, as after falling behind
        self._fresh = True

    def put(self, message: LiveMessage) -> bool:
        """Queue a message; False if this dashboard fell too far behind and will start anew."""
        if isinstance(message, Levels) and len(self._waiting) >= LEVELS_UNTIL:
            return True
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.clear()
            self._behind = True
            return False
        self._waiting.append(message)
        self._wake.set()
        return True

    async def resume(self, seqs: Mapping[str, int]) -> None:
        """Queue the events after these, each call's in order, before anything newer."""
        missed: list[LiveMessage] = []
        for call_id, seq in seqs.items():
            missed += await self._hub.missed(call_id, seq)
        self._waiting.extendleft(reversed(missed))
        self._wake.set()

    async def __aiter__(self) -> AsyncIterator[LiveMessage]:
        while True:
            if self._behind:
                if not self._fresh:
                    yield Resync()
                self._behind = self._fresh = False
                yield await self._hub.snapshot()
            while self._waiting and not self._behind:
                yield self._waiting.popleft()
            if not self._behind:
                self._wake.clear()
                await self._wake.wait()


class LiveHub:
    """Keeps every live call's newest summary, and passes on what is published.

    A subscriber is registered before its snapshot is taken, so nothing falls between the two; what comes twice has
    a `seq` that the snapshot's summary has reached already.
    """

    def __init__(
        self,
        store: Store,
        *,
        health: Callable[[], Health],
        wall: Callable[[], datetime],
        dropped: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._health = health
        self._wall = wall
        self._dropped = dropped
        self._live: dict[str, CallSummary] = {}
        self._subscriptions: set[Subscription] = set()

    def publish(self, logged: LoggedFact) -> None:
        """Show a stored fact to everyone."""
        if isinstance(logged.fact, CallClosed):
            self._live.pop(logged.call_id, None)
        elif logged.summary.state == "live":
            self._live[logged.call_id] = logged.summary
        self._send(_event(logged))

    def publish_levels(self, levels: Levels) -> None:
        """Show how loud a call is now."""
        self._send(levels)

    def publish_health(self) -> None:
        """Tell everyone how the service does."""
        self._send(HealthChanged(health=self._health()))

    @asynccontextmanager
    async def subscribe(self) -> AsyncGenerator[Subscription, None]:
        """A dashboard's place, for as long as it is there."""
        subscription = Subscription(self)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def snapshot(self) -> Snapshot:
        """All live calls and the newest alerts nobody has decided; without the alerts while the store is down."""
        try:
            undecided = await self._store.alerts(AlertQuery(states=("open", "acknowledged"), limit=ALERTS_SHOWN))
        except StorageUnavailable:
            undecided = AlertPage(alerts=(), next=None)
        return Snapshot(
            now=self._wall(), calls=tuple(self._live.values()), alerts=undecided.alerts, health=self._health()
        )

    async def missed(self, call_id: str, seq: int) -> list[Event]:
        """A call's events after `seq`; none for a call nobody knows."""
        events: list[Event] = []
        try:
            while page := await self._store.facts(call_id, after=seq, limit=MISSED_PAGE):
                events += [_event(logged) for logged in page]
                seq = page[-1].seq
        except (NotFound, StorageUnavailable):
            return events
        return events

    def _send(self, message: LiveMessage) -> None:
        for subscription in self._subscriptions:
            if not subscription.put(message):
                self._dropped()


def _event(logged: LoggedFact) -> Event:
    return Event(call_id=logged.call_id, seq=logged.seq, at=logged.at, fact=logged.fact, summary=logged.summary)
