"""Alerts, and what people make of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import TypeAdapter
from starlette.responses import Response

from detectors.contract import Severity
from service.access.view import DECIDERS
from service.record.facts import UNDECIDED, Alert, AlertState
from service.storage.port import AlertPage, AlertQuery
from service.web.addresses import client_address
from service.web.auth import Watcher, require_role
from service.web.json_answer import json_answer
from service.web.request_context import ContextDep, utc_now
from service.web.schemas import StateChange

router = APIRouter(prefix="/api/v1/alerts", tags=["alerts"])

_PAGE = TypeAdapter(AlertPage)
_ALERT = TypeAdapter(Alert)


@router.get("", response_model=AlertPage)
async def alerts(
    watcher: Watcher,
    context: ContextDep,
    state: Annotated[list[AlertState] | None, Query(max_length=4)] = None,
    severity: Annotated[list[Severity] | None, Query(max_length=4)] = None,
    call_id: Annotated[str | None, Query(max_length=200)] = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """Alerts, newest first. `state` and `severity` may be repeated."""
    query = AlertQuery(
        states=tuple(state or ()), severities=tuple(severity or ()), call_id=call_id, cursor=cursor, limit=limit
    )
    return json_answer(_PAGE, await context.parts.store.alerts(query), watcher.view)


@router.put("/{alert_id}/state", response_model=Alert)
async def change_state(
    alert_id: str, change: StateChange, watcher: Watcher, request: Request, context: ContextDep
) -> Response:
    """Acknowledge an alert (any watcher) or decide it (compliance): stored first, then shown to everyone.

    A decision is only ever changed by one who saw it and says so (`seen`): of two who decide at once, the second gets
    409 and the first one's decision to see.
    """
    if change.state != "acknowledged":
        require_role(watcher, DECIDERS)
    among = UNDECIDED if change.seen is None or change.seen in UNDECIDED else (change.seen,)
    by, now = watcher.user.name, utc_now()
    alert = await context.parts.decisions.decide(alert_id, change.state, by, now, change.note, among)
    who, address = watcher.user.name, client_address(request)
    context.audit.note("alert_changed", who=who, subject=alert_id, address=address, detail=change.state)
    return json_answer(_ALERT, alert, watcher.view)
