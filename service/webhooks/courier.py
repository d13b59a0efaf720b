"""One delivery, tried once: made, sent, and what came of it stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from random import random
from secrets import token_hex
from typing import Protocol

import structlog

from detectors.timezones.zones import read_zone
from service.access.audit_log import AuditLog
from service.access.sealing import Sealer
from service.metrics import Metrics
from service.record.outgoing import TrialTold, event_id
from service.record.webhook import Delivery, Webhook
from service.storage.outbox_port import CLAIMED_FOR, Outbox
from service.unusable import Unusable
from service.webhooks.http_client import HttpAnswer, HttpRequest, Undeliverable
from service.webhooks.retries import next_try, stop_reason
from service.webhooks.rules import url_and_secret
from service.webhooks.shapes.letter import Letter
from service.webhooks.shapes.registry import SHAPES

log = structlog.get_logger(__name__)

_SHOWN = 200
"""Characters of an answer that are kept."""


class Client(Protocol):
    async def post(self, request: HttpRequest) -> HttpAnswer:
        """Raises Undeliverable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    status: int | None = None
    answer: str = ""
    problem: str = ""
    retry_after: float | None = None


class Courier:
    """`public_url`: where people reach the service, for links."""

    def __init__(
        self,
        outbox: Outbox,
        client: Client,
        sealer: Sealer,
        audit: AuditLog,
        metrics: Metrics,
        wall: Callable[[], datetime],
        *,
        public_url: str = "",
        chance: Callable[[], float] = random,
    ) -> None:
        self._outbox = outbox
        self._client = client
        self._sealer = sealer
        self._audit = audit
        self._metrics = metrics
        self._wall = wall
        self._public_url = public_url
        self._chance = chance

    async def test(self, name: str) -> Delivery:
        """Send a test message now, once: whoever asked for it sees what came of it. Raises NotFound,
        StorageUnavailable."""
        now = self._wall()
        trial = TrialTold(asked_at=now)
        made = await self._outbox.put(name, event_id("test", token_hex(16)), trial, now, now + CLAIMED_FOR)
        assert made is not None, "an id of random bits is a new one"
        return await self.deliver(replace(made, until=now))

    async def resend(self, name: str, delivery_id: int) -> Delivery:
        """Send a delivery again now, under its id. Raises NotFound, StorageUnavailable."""
        now = self._wall()
        return await self.deliver(await self._outbox.claim_again(name, delivery_id, now, now + CLAIMED_FOR))

    async def deliver(self, delivery: Delivery) -> Delivery:
        """Try one that is claimed. The delivery with what came of it, as it is stored now. Raises NotFound,
        StorageUnavailable."""
        webhook = await self._outbox.webhook(delivery.webhook)
        outcome = await self._sent(webhook, delivery)
        tried = self._tried(delivery, outcome)
        self._metrics.webhook_tries.labels(webhook.shape, tried.state).inc()
        after = await self._outbox.settle(tried)
        if after is not None and tried.state != "delivered":
            log.info("webhook failed", webhook=webhook.name, tries=tried.tries, problem=outcome.problem)
            await self._stop_if_hopeless(after, tried)
        return tried

    async def _sent(self, webhook: Webhook, delivery: Delivery) -> _Outcome:
        shape = SHAPES[webhook.shape]
        try:
            url, secret = await asyncio.to_thread(url_and_secret, webhook, self._sealer)
            answer = await self._client.post(shape.request(self._letter(webhook, delivery, url, secret)))
        except (Unusable, Undeliverable) as problem:
            return _Outcome(problem=str(problem))
        return _Outcome(
            status=answer.status,
            answer=answer.body.decode(errors="replace")[:_SHOWN],
            problem=_refusal(answer) or shape.refusal(answer.body),
            retry_after=answer.retry_after,
        )

    def _letter(self, webhook: Webhook, delivery: Delivery, url: str, secret: str) -> Letter:
        zone = read_zone(webhook.timezone)
        assert zone is not None, "it was checked when the webhook was made"
        return Letter(
            url=url,
            secret=secret,
            event_id=delivery.event_id,
            event=delivery.event,
            made_at=delivery.made_at,
            now=self._wall(),
            language=webhook.language,
            clock=zone.clock,
            public_url=self._public_url,
        )

    def _tried(self, delivery: Delivery, outcome: _Outcome) -> Delivery:
        now, tries = self._wall(), delivery.tries + 1
        tried = replace(
            delivery,
            tries=tries,
            tried_at=now,
            status=outcome.status,
            answer=outcome.answer,
            problem=outcome.problem,
            due_at=None,
        )
        if not outcome.problem:
            return replace(tried, state="delivered")
        again = next_try(tries, now, self._chance(), outcome.retry_after)
        return replace(tried, state="given_up") if again > delivery.until else replace(tried, due_at=again)

    async def _stop_if_hopeless(self, webhook: Webhook, tried: Delivery) -> None:
        now = self._wall()
        if why := stop_reason(webhook, tried.status, now):
            await self._outbox.stop_webhook(webhook.name, why, now)
            log.error("webhook stopped", webhook=webhook.name, why=why)
            self._audit.note("webhook_stopped", subject=webhook.name, detail=why)


def _refusal(answer: HttpAnswer) -> str:
    if 200 <= answer.status < 300:
        return ""
    if 300 <= answer.status < 400:
        return f"HTTP {answer.status}: redirects are not followed; give the URL that it leads to"
    return f"HTTP {answer.status}"
