"""Bodies about webhooks that cross the HTTP edge. URL and secret go in; neither comes out again, but for a secret that
was made here, once."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from asr.types import Language
from detectors.contract import Severity
from detectors.timezones.zones import LONGEST
from service.access.view import ADMINS, shown_to
from service.names import NAME_PATTERN
from service.record.outgoing import call_id_of
from service.record.webhook import Delivery, DeliveryState, ShapeName, Webhook
from service.webhooks.rules import LONGEST_SECRET, LONGEST_URL, SaidWebhook


class NewWebhook(BaseModel):
    """A webhook. `secret`: the vendor's, for DingTalk's and Feishu's robots. `timezone`: of the digest's hour and of
    the times in messages; empty: the service's. `alerts_from`: the least severity; absent: no alerts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    url: Annotated[str, Field(max_length=LONGEST_URL)]
    secret: Annotated[str, Field(max_length=LONGEST_SECRET)] = ""
    shape: ShapeName = "cloudevents"
    language: Language = "zh"
    timezone: Annotated[str, Field(max_length=LONGEST)] = ""
    alerts_from: Severity | None = None
    call_started: bool = False
    call_ended: bool = False
    digest_hour: Annotated[int, Field(ge=0, le=23)] | None = None

    def said(self, home_zone: str) -> SaidWebhook:
        """`home_zone`: where none is named."""
        said = SaidWebhook(**self.model_dump())
        return said if said.timezone else replace(said, timezone=home_zone)


@shown_to(ADMINS)
@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAnswer:
    """`origin`: as much of the URL as is shown. `failing_since`, `stopped_at`: null while deliveries arrive."""

    name: str
    origin: str
    shape: ShapeName
    language: Language
    timezone: str
    alerts_from: Severity | None
    call_started: bool
    call_ended: bool
    digest_hour: int | None
    created_at: datetime
    failing_since: datetime | None
    stopped_at: datetime | None
    stopped_why: str


@shown_to(ADMINS)
@dataclass(frozen=True, slots=True, kw_only=True)
class WebhooksAnswer:
    webhooks: tuple[WebhookAnswer, ...]


@shown_to(ADMINS)
@dataclass(frozen=True, slots=True, kw_only=True)
class NewWebhookAnswer(WebhookAnswer):
    """The one time that the secret is shown with which requests are signed; empty where nothing of ours signs them."""

    secret: str


@shown_to(ADMINS)
@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAnswer:
    """An event on its way. `type`, `call_id`: what it tells of; `call_id` is empty for a digest and a test. `due_at`:
    the next try. `status`, `answer`, `problem`: what came of the last one; `problem` is empty where it arrived."""

    id: int
    event_id: str
    type: str
    call_id: str
    made_at: datetime
    state: DeliveryState
    tries: int
    tried_at: datetime | None
    due_at: datetime | None
    status: int | None
    answer: str
    problem: str


@shown_to(ADMINS)
@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveriesAnswer:
    """Newest first. `next`: `before` of the page that follows; null after the last."""

    deliveries: tuple[DeliveryAnswer, ...]
    next: int | None


def webhook_answer(webhook: Webhook) -> WebhookAnswer:
    """The webhook without what is sealed."""
    shown: dict[str, Any] = {field.name: getattr(webhook, field.name) for field in fields(WebhookAnswer)}
    return WebhookAnswer(**shown)


def new_webhook_answer(webhook: Webhook, secret: str) -> NewWebhookAnswer:
    return NewWebhookAnswer(secret=secret, **asdict(webhook_answer(webhook)))


def delivery_answer(delivery: Delivery) -> DeliveryAnswer:
    told = {"type": delivery.event.type, "call_id": call_id_of(delivery.event)}
    names = [field.name for field in fields(DeliveryAnswer) if field.name not in told]
    shown: dict[str, Any] = {name: getattr(delivery, name) for name in names}
    return DeliveryAnswer(**told, **shown)
