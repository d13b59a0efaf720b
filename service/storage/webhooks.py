"""The part of the SQL store that knows webhooks and what they are told."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from service.record.outgoing import DigestTold, OutgoingEvent
from service.record.webhook import Delivery, Webhook
from service.storage import outbox
from service.storage.database import Database


class SqlOutbox:
    """Webhooks by name, deliveries by number."""

    _database: Database

    async def add_webhook(self, webhook: Webhook) -> None:
        work = partial(outbox.add_webhook, webhook=webhook)
        await self._database.write(f"add webhook {webhook.name}", work)

    async def webhook(self, name: str) -> Webhook:
        return await self._database.read(f"read webhook {name}", partial(outbox.find_webhook, name=name))

    async def webhooks(self) -> list[Webhook]:
        return await self._database.read("read webhooks", outbox.every_webhook)

    async def remove_webhook(self, name: str) -> None:
        await self._database.write(f"remove webhook {name}", partial(outbox.remove_webhook, name=name))

    async def stop_webhook(self, name: str, why: str, at: datetime) -> None:
        await self._database.write(f"stop webhook {name}", partial(outbox.stop_webhook, name=name, why=why, at=at))

    async def put(
        self, webhook: str, event_id: str, event: OutgoingEvent, at: datetime, due_at: datetime
    ) -> Delivery | None:
        work = partial(outbox.put, webhook=webhook, event_id=event_id, event=event, at=at, due_at=due_at)
        return await self._database.write(f"put an event out for webhook {webhook}", work)

    async def due(self, now: datetime) -> list[str]:
        return await self._database.read("look for deliveries that are due", partial(outbox.due, now=now))

    async def claim(self, webhook: str, now: datetime, until: datetime, limit: int) -> list[Delivery]:
        work = partial(outbox.claim, webhook=webhook, now=now, until=until, limit=limit)
        return await self._database.write(f"take up deliveries of webhook {webhook}", work)

    async def claim_again(self, webhook: str, delivery_id: int, now: datetime, until: datetime) -> Delivery:
        work = partial(outbox.claim_again, webhook=webhook, delivery_id=delivery_id, now=now, until=until)
        return await self._database.write(f"take up delivery {delivery_id} again", work)

    async def settle(self, tried: Delivery) -> Webhook | None:
        return await self._database.write(f"settle delivery {tried.id}", partial(outbox.settle, tried=tried))

    async def deliveries(self, webhook: str, before: int | None = None, limit: int = 50) -> list[Delivery]:
        work = partial(outbox.newest, webhook=webhook, before=before, limit=limit)
        return await self._database.read(f"read deliveries of webhook {webhook}", work)

    async def prune_deliveries(self, now: datetime) -> None:
        await self._database.write("forget old deliveries", partial(outbox.prune, now=now))

    async def digest(self, since: datetime, until: datetime) -> DigestTold:
        return await self._database.read("count a day", partial(outbox.digest, since=since, until=until))
