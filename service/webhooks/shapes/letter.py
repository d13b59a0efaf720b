"""What a shape makes a request of, and what it says of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal, TypeAlias

from asr.types import Language
from service.record.outgoing import OutgoingEvent
from service.webhooks.http_client import HttpRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """An event for a webhook, at one try. `url`, `secret`: the webhook's, in the clear. `public_url`: where people
    reach the service, empty where that is not known. `clock`: the readers'."""

    url: str
    secret: str
    event_id: str
    event: OutgoingEvent
    made_at: datetime
    now: datetime
    language: Language
    clock: tzinfo
    public_url: str


Request: TypeAlias = Callable[[Letter], HttpRequest]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """`refusal`: why an answer of status 2xx says no all the same, by its body; empty where it does not. `signs`: with
    a secret of our own, or of the vendor's, which may be left out. `a_minute`: the most messages that are taken."""

    request: Request
    refusal: Callable[[bytes], str] = lambda _body: ""
    signs: Literal["own", "vendors", "no"] = "no"
    a_minute: int = 600
