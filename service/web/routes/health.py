"""Liveness, readiness and metrics, for orchestrators and Prometheus."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import TypeAdapter
from starlette.responses import JSONResponse, Response

from service.access.view import ADMINS
from service.storage.port import GatewayKey
from service.web.auth import Anyone, Principal, allow_key_or, key_or_session, view_of
from service.web.json_answer import json_answer
from service.web.request_context import ContextDep
from service.web.schemas import Alive, Readiness

router = APIRouter(tags=["watch"])

_ALIVE = TypeAdapter(Alive)
_READINESS = TypeAdapter(Readiness)

Asker = Annotated[Principal | GatewayKey | None, Depends(key_or_session)]
MetricsKeyOrAdmin = Annotated[Principal | GatewayKey, Depends(allow_key_or(*ADMINS, right="metrics"))]


@router.get("/healthz", response_model=Alive)
async def healthz() -> Response:
    """The process answers. Open to all; tells nothing else."""
    return json_answer(_ALIVE, Alive(), "stranger")


@router.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}})
async def readyz(asker: Asker, context: ContextDep) -> Response:
    """Can calls be taken? 503 and the reason if not. Open to all, for load balancers; the reasons are told to gateway
    keys and users."""
    checks = dict(await context.parts.checks())
    ready = all(check.ok for check in checks.values() if check.required)
    return json_answer(_READINESS, Readiness(ready=ready, checks=checks), view_of(asker), 200 if ready else 503)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(_asker: MetricsKeyOrAdmin, context: ContextDep) -> Response:
    """Prometheus text, for admins and keys with the right `metrics`."""
    text = await asyncio.to_thread(context.parts.metrics.text)  # reads /proc
    return Response(text, headers={"Content-Type": context.parts.metrics.content_type})


@router.get("/api/v1/openapi.json", include_in_schema=False)
async def openapi(_anyone: Anyone, request: Request) -> Response:
    """This interface's description, live messages included."""
    return JSONResponse(request.app.openapi())
