"""CloudEvents 1.0 in the structured JSON form, signed as Standard Webhooks has it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from service.record.outgoing import OUTGOING, call_id_of
from service.webhooks.http_client import HttpRequest
from service.webhooks.shapes.letter import Letter
from service.webhooks.shapes.links import call_link
from service.webhooks.signing import signature_headers

TYPES: Mapping[str, str] = MappingProxyType(
    {
        "alert": "callwarden.alert.raised",
        "call_started": "callwarden.call.started",
        "call_ended": "callwarden.call.ended",
        "digest": "callwarden.digest.daily",
        "test": "callwarden.test",
    }
)


def request(letter: Letter) -> HttpRequest:
    body = json.dumps(_envelope(letter), ensure_ascii=False, separators=(",", ":")).encode()
    signed = signature_headers(letter.secret, letter.event_id, int(letter.now.timestamp()), body)
    return HttpRequest(
        url=letter.url,
        headers={"Content-Type": "application/cloudevents+json; charset=utf-8", **signed},
        body=body,
    )


def _envelope(letter: Letter) -> dict[str, Any]:
    subject = call_id_of(letter.event)
    return {
        "specversion": "1.0",
        "id": letter.event_id,
        "source": letter.public_url or "urn:callwarden",
        "type": TYPES[letter.event.type],
        **({"subject": subject} if subject else {}),
        "time": letter.made_at.isoformat(),
        "datacontenttype": "application/json",
        "data": _data(letter),
    }


def _data(letter: Letter) -> dict[str, Any]:
    told: dict[str, Any] = OUTGOING.dump_python(letter.event, mode="json")
    del told["type"]
    link = call_link(letter)
    return {**told, "link": link} if link else told
