"""Webhooks: made, tried, removed; what became of their deliveries, and one of them sent again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import TypeAdapter
from starlette.responses import Response

from service.invalid_field import InvalidField
from service.storage.port import AuditEvent
from service.unusable import Unusable
from service.web.addresses import client_address
from service.web.auth import Admin, Principal
from service.web.errors import Refused
from service.web.json_answer import json_answer
from service.web.request_context import ContextDep, RequestContext, utc_now
from service.web.webhook_bodies import (
    DeliveriesAnswer,
    DeliveryAnswer,
    NewWebhook,
    NewWebhookAnswer,
    WebhooksAnswer,
    delivery_answer,
    new_webhook_answer,
    webhook_answer,
)
from service.webhooks.rules import new_webhook

router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"])

MOST_DELIVERY_ID = 2**31 - 1
"""PostgreSQL's integer."""
DeliveryId = Annotated[int, Path(ge=1, le=MOST_DELIVERY_ID)]

_WEBHOOKS = TypeAdapter(WebhooksAnswer)
_NEW = TypeAdapter(NewWebhookAnswer)
_DELIVERY = TypeAdapter(DeliveryAnswer)
_DELIVERIES = TypeAdapter(DeliveriesAnswer)


@router.get("", response_model=WebhooksAnswer)
async def webhooks(admin: Admin, context: ContextDep) -> Response:
    """All webhooks, by name."""
    stored = await context.parts.store.webhooks()
    return json_answer(_WEBHOOKS, WebhooksAnswer(webhooks=tuple(map(webhook_answer, stored))), admin.view)


@router.post("", response_model=NewWebhookAnswer, status_code=201)
async def add_webhook(new: NewWebhook, admin: Admin, request: Request, context: ContextDep) -> Response:
    """Make a webhook. The secret that requests are signed with is in this answer and nowhere else."""
    parts = context.parts
    said, allowed = new.said(parts.settings.home_zone), parts.settings.private_webhook_networks
    try:
        made, secret = await new_webhook(parts.store, parts.sealer, said, allowed, utc_now())
    except InvalidField as problem:
        raise Refused(422, "invalid", str(problem), field=problem.field) from problem
    except Unusable as problem:
        raise Refused(503, "secret", str(problem)) from problem
    await parts.store.add_webhook(made)
    _note("webhook_added", made.name, f"{made.shape} {made.origin}", admin, request, context)
    response = json_answer(_NEW, new_webhook_answer(made, secret), admin.view, 201)
    response.headers["Cache-Control"] = "no-store"
    return response


@router.delete("/{name}", status_code=204)
async def remove_webhook(name: str, admin: Admin, request: Request, context: ContextDep) -> Response:
    """Remove a webhook with its deliveries."""
    await context.parts.store.remove_webhook(name)
    _note("webhook_removed", name, "", admin, request, context)
    return Response(status_code=204)


@router.post("/{name}/test", response_model=DeliveryAnswer)
async def try_webhook(name: str, admin: Admin, request: Request, context: ContextDep) -> Response:
    """Send a test message, and tell what came of it. One that arrives starts a stopped webhook again."""
    tried = await context.parts.courier.test(name)
    _note("webhook_tested", name, tried.problem or "delivered", admin, request, context)
    return json_answer(_DELIVERY, delivery_answer(tried), admin.view)


@router.get("/{name}/deliveries", response_model=DeliveriesAnswer)
async def deliveries(
    name: str,
    admin: Admin,
    context: ContextDep,
    before: Annotated[int, Query(ge=1, le=MOST_DELIVERY_ID)] | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """The delivery log, newest first."""
    found = await context.parts.store.deliveries(name, before, limit + 1)
    page = found[:limit]
    more = page[-1].id if len(found) > limit else None
    answer = DeliveriesAnswer(deliveries=tuple(map(delivery_answer, page)), next=more)
    return json_answer(_DELIVERIES, answer, admin.view)


@router.post("/{name}/deliveries/{delivery_id}/resend", response_model=DeliveryAnswer)
async def resend_delivery(
    name: str, delivery_id: DeliveryId, admin: Admin, request: Request, context: ContextDep
) -> Response:
    """Send a delivery again now, under its id, and tell what came of it."""
    tried = await context.parts.courier.resend(name, delivery_id)
    _note("delivery_resent", name, f"{tried.event_id}: {tried.problem or 'delivered'}", admin, request, context)
    return json_answer(_DELIVERY, delivery_answer(tried), admin.view)


def _note(
    event: AuditEvent, name: str, detail: str, admin: Principal, request: Request, context: RequestContext
) -> None:
    who, address = admin.user.name, client_address(request)
    context.audit.note(event, who=who, subject=name, address=address, detail=detail)
