"""What is asked of a store for webhooks: who they are, and a durable outbox of what each is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from service.record.outgoing import DigestTold, OutgoingEvent
from service.record.webhook import Delivery, Webhook

MOST_WEBHOOKS = 32
MOST_WAITING = 10_000
"""Deliveries that wait for one webhook; beyond that the oldest are given up. As many that are over are kept."""
CLAIMED_FOR = timedelta(minutes=1)
"""Longer than a try takes. What a process that was killed had claimed is due again by then."""
DEADLINE = timedelta(hours=24)
"""A delivery that has not arrived by then is given up."""
KEPT_FOR = timedelta(days=14)
"""How long the delivery log goes back."""


class Webhooks(Protocol):
    """Who is told. Every method may raise StorageUnavailable."""

    async def add_webhook(self, webhook: Webhook) -> None:
        """AlreadyExists; TooManyWebhooks where there are MOST_WEBHOOKS."""
        ...

    async def webhook(self, name: str) -> Webhook:
        """A webhook by its name; NotFound."""
        ...

    async def webhooks(self) -> list[Webhook]:
        """All webhooks, by name."""
        ...

    async def remove_webhook(self, name: str) -> None:
        """Remove it with its deliveries. NotFound."""
        ...

    async def stop_webhook(self, name: str, why: str, at: datetime) -> None:
        """It is told nothing until a delivery arrives; those that wait are given up. NotFound."""
        ...


class Outbox(Webhooks, Protocol):
    """What they are told. A store with an outbox puts in what happens in calls, with the fact and in its transaction.
    Every method may raise StorageUnavailable.

    Whoever claims a delivery has it for itself until the given time, then it is due again: a process that is killed
    leaves none behind.
    """

    async def put(
        self, webhook: str, event_id: str, event: OutgoingEvent, at: datetime, due_at: datetime
    ) -> Delivery | None:
        """A delivery that is due then; None where the webhook has been told of this id. NotFound."""
        ...

    async def due(self, now: datetime) -> list[str]:
        """The webhooks that deliveries are due for."""
        ...

    async def claim(self, webhook: str, now: datetime, until: datetime, limit: int) -> list[Delivery]:
        """The oldest that are due, `limit` at most."""
        ...

    async def claim_again(self, webhook: str, delivery_id: int, now: datetime, until: datetime) -> Delivery:
        """One that a person sends again, whatever became of it; it has its whole time once more. NotFound."""
        ...

    async def settle(self, tried: Delivery) -> Webhook | None:
        """What came of a try. The webhook with its failures counted; None where it was removed meanwhile. Where one
        arrives at a webhook that failed, those that wait for it longer than CLAIMED_FOR are due now."""
        ...

    async def deliveries(self, webhook: str, before: int | None = None, limit: int = 50) -> list[Delivery]:
        """Newest first; `before`: those with a smaller id. NotFound."""
        ...

    async def prune_deliveries(self, now: datetime) -> None:
        """Give up those whose time is over, forget those that are older than KEPT_FOR, and hold every webhook to
        MOST_WAITING."""
        ...

    async def digest(self, since: datetime, until: datetime) -> DigestTold:
        """What happened from then to then."""
        ...
