"""Takes what is due out of the outbox and has it delivered: a few at once for each webhook, so that one that is dead
holds up nobody else's.

The outbox is looked at every second. Nothing calls the dispatcher, so nothing waits for it: a call's facts are stored
with what is told of them, and go on.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import structlog

from asr.lifetime import Lifetime
from detectors.timezones.zones import read_zone
from service.metrics import Metrics
from service.record.outgoing import event_id
from service.record.webhook import Delivery, Webhook
from service.storage.outbox_port import CLAIMED_FOR, Outbox
from service.storage.port import NotFound, StorageError
from service.webhooks.courier import Courier
from service.webhooks.digests import digest_span
from service.webhooks.rate import SlidingWindow
from service.webhooks.shapes.registry import SHAPES

log = structlog.get_logger(__name__)

LOOK_EVERY = 1.0
"""Seconds."""
AT_ONCE = 2
"""Tries of one webhook's deliveries that go on at the same time. With MOST_WEBHOOKS it bounds them all."""
_KEEP_HOUSE_EVERY = timedelta(minutes=1)


class Dispatcher(Lifetime):
    """Use as an async context manager. Leaving it ends tries that go on; they are tried again later."""

    def __init__(
        self,
        outbox: Outbox,
        courier: Courier,
        metrics: Metrics,
        wall: Callable[[], datetime],
        *,
        look_every: float = LOOK_EVERY,
    ) -> None:
        self._outbox = outbox
        self._courier = courier
        self._wall = wall
        self._look_every = look_every
        self._sending: Counter[str] = Counter()
        self._windows: defaultdict[str, SlidingWindow] = defaultdict(SlidingWindow)
        self._arrived = asyncio.Event()
        self._kept_house_at: datetime | None = None
        self._digested: dict[str, datetime] = {}
        self._stopped: Sequence[str] = ()
        metrics.webhooks_stopped.set_function(lambda: len(self._stopped))

    @property
    def stopped(self) -> Sequence[str]:
        """The webhooks that were stopped, when last looked at."""
        return self._stopped

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None, None]:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self._run())
            try:
                yield
            finally:
                running.cancel()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tries:
            while True:
                try:
                    await self.look(tries)
                except StorageError as problem:  # the store's watch tells of it
                    log.debug("outbox not looked at", problem=str(problem))
                except Exception:
                    log.exception("outbox not looked at")
                await self._pause()

    async def _pause(self) -> None:
        """Until it is time to look again; one that arrived makes room for the next at once."""
        self._arrived.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._look_every):
                await self._arrived.wait()

    async def look(self, tries: asyncio.TaskGroup) -> None:
        """Take what is due and begin to deliver it, in tasks of the group. Raises StorageUnavailable."""
        now = self._wall()
        if self._kept_house_at is None or now - self._kept_house_at >= _KEEP_HOUSE_EVERY:
            self._kept_house_at = now
            await self._keep_house(now)
        due = await self._outbox.due(now)
        known = {webhook.name: webhook for webhook in await self._outbox.webhooks()} if due else {}
        for name in due:
            if name in known:
                await self._claim(known[name], now, tries)

    async def _claim(self, webhook: Webhook, now: datetime, tries: asyncio.TaskGroup) -> None:
        name, window = webhook.name, self._windows[webhook.name]
        room = min(AT_ONCE - self._sending[name], window.room(now, SHAPES[webhook.shape].a_minute))
        if room <= 0:
            return
        claimed = await self._outbox.claim(name, now, now + CLAIMED_FOR, room)
        window.add(now, len(claimed))
        self._sending[name] += len(claimed)
        for delivery in claimed:
            tries.create_task(self._deliver(delivery))

    async def _deliver(self, delivery: Delivery) -> None:
        """A defect in one ends nothing."""
        arrived = False
        try:
            arrived = (await self._courier.deliver(delivery)).state == "delivered"
        except (NotFound, StorageError) as problem:
            log.warning("delivery not settled", webhook=delivery.webhook, problem=str(problem))
        except Exception:
            log.exception("delivery failed", webhook=delivery.webhook)
        finally:
            self._sending[delivery.webhook] -= 1
            if arrived:
                self._arrived.set()

    async def _keep_house(self, now: datetime) -> None:
        webhooks = await self._outbox.webhooks()
        self._stopped = [webhook.name for webhook in webhooks if webhook.stopped_at is not None]
        await self._outbox.prune_deliveries(now)
        for webhook in webhooks:
            await self._put_digest(webhook, now)

    async def _put_digest(self, webhook: Webhook, now: datetime) -> None:
        """The last day's, if it is not there yet: the outbox takes an id once."""
        zone = read_zone(webhook.timezone)
        if webhook.digest_hour is None or webhook.stopped_at is not None or zone is None:
            return
        since, until = digest_span(webhook.digest_hour, zone.clock, now)
        if until <= max(webhook.created_at, self._digested.get(webhook.name, webhook.created_at)):
            return
        told = await self._outbox.digest(since, until)
        await self._outbox.put(webhook.name, event_id("digest", webhook.name, until.isoformat()), told, now, now)
        self._digested[webhook.name] = until
