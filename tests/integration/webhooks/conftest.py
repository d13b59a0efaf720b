"""A store that tells, a dispatcher over it, and a client that may reach this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from service.access.audit_log import AuditLog
from service.access.sealing import Sealer
from service.metrics import Metrics
from service.record.webhook import Delivery, Webhook
from service.storage.sql import SqlStore
from service.webhooks.courier import Courier
from service.webhooks.dispatcher import Dispatcher
from service.webhooks.http_client import HttpClient
from service.webhooks.rules import SaidWebhook, new_webhook
from tests.scenes import NOON
from tests.webhook_receivers import Judge, Receiver, receiving

HERE = (ip_network("127.0.0.0/8"),)
PUBLIC_URL = "https://calls.example.org"


@dataclass
class Post:
    """Everything that delivers, by a clock that stands still until a test moves it."""

    store: SqlStore
    sealer: Sealer
    client: HttpClient
    stack: AsyncExitStack
    now: datetime = NOON
    metrics: Metrics = field(default_factory=Metrics)

    def __post_init__(self) -> None:
        self.audit = AuditLog(self.store)
        self.courier = self.make_courier()

    def make_courier(self, **changes: Any) -> Courier:
        parts = {"public_url": PUBLIC_URL, "chance": lambda: 0.0} | changes
        return Courier(self.store, self.client, self.sealer, self.audit, self.metrics, lambda: self.now, **parts)

    def dispatcher(self) -> Dispatcher:
        return Dispatcher(self.store, self.courier, self.metrics, lambda: self.now, look_every=0.01)

    async def round(self, dispatcher: Dispatcher) -> None:
        """What is due is tried."""
        async with asyncio.TaskGroup() as tries:
            await dispatcher.look(tries)

    async def told(self, webhook: str = "team") -> list[Delivery]:
        """Oldest first."""
        return (await self.store.deliveries(webhook))[::-1]

    async def dispatching(self) -> Dispatcher:
        """One that runs until the test is over."""
        return await self.stack.enter_async_context(self.dispatcher())

    async def receiver(self, judge: Judge | None = None, *, silent: bool = False) -> Receiver:
        receiver = Receiver(silent=silent) if judge is None else Receiver(judge)
        return await self.stack.enter_async_context(receiving(receiver))

    async def webhook(self, url: str, **said: Any) -> tuple[Webhook, str]:
        """Stored, with the secret that was made for it."""
        given: dict[str, Any] = {"name": "team", "alerts_from": "low"} | said
        webhook, secret = await new_webhook(self.store, self.sealer, SaidWebhook(url=url, **given), HERE, NOON)
        await self.store.add_webhook(webhook)
        return webhook, secret

    def later(self, wait: timedelta) -> None:
        self.now += wait


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(SqlStore(f"sqlite:///{tmp_path}/callwarden.db", telling=True))
        client = await stack.enter_async_context(HttpClient(HERE, seconds=60.0))
        yield Post(store, Sealer(tmp_path / "master.key"), client, stack)
