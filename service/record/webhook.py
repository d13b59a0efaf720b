"""Webhooks: who is told of what, in which shape; and their deliveries, each with what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from asr.types import Language
from detectors.contract import SEVERITIES, Severity
from service.record.outgoing import AlertTold, CallEndedTold, CallStartedTold, DigestTold, OutgoingEvent

ShapeName = Literal["cloudevents", "slack", "dingtalk", "wecom", "feishu"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """What a person says of a webhook, but for its URL and secret. `alerts_from`: the least severity it is told, None
    for no alerts. `digest_hour`: of `timezone`, None for no digest."""

    name: str
    shape: ShapeName = "cloudevents"
    language: Language = "zh"
    timezone: str = "UTC"
    alerts_from: Severity | None = None
    call_started: bool = False
    call_ended: bool = False
    digest_hour: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook(WebhookSettings):
    """A place that is told. Its URL may be all that a stranger needs to write there, so it is sealed like the secret;
    `origin` is as much of it as is shown.

    `failures`: tries in a row that failed, since `failing_since`. A stopped webhook is told nothing until one arrives.
    """

    created_at: datetime
    origin: str
    sealed_url: str
    sealed_secret: str = ""
    failures: int = 0
    failing_since: datetime | None = None
    stopped_at: datetime | None = None
    stopped_why: str = ""


DeliveryState = Literal["waiting", "delivered", "given_up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event on its way to a webhook. `due_at`: the next try, while it waits; after `until` there is none.

    Of the last try: `status`, the answer's HTTP status; `answer`, the first characters of it; `problem`, why it does
    not count as arrived.
    """

    id: int
    webhook: str
    event_id: str
    event: OutgoingEvent
    made_at: datetime
    until: datetime
    due_at: datetime | None
    state: DeliveryState = "waiting"
    tries: int = 0
    tried_at: datetime | None = None
    status: int | None = None
    answer: str = ""
    problem: str = ""


def wants(webhook: Webhook, event: OutgoingEvent) -> bool:
    """Whether the webhook is told of the event when it happens."""
    if webhook.stopped_at is not None:
        return False
    match event:
        case AlertTold():
            least = webhook.alerts_from
            return least is not None and SEVERITIES.index(event.severity) >= SEVERITIES.index(least)
        case CallStartedTold():
            return webhook.call_started
        case CallEndedTold():
            return webhook.call_ended
        case DigestTold():
            return webhook.digest_hour is not None
        case _:
            return False
