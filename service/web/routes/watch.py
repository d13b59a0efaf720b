"""Is it alive, is it ready, how does it do: for orchestrators and Prometheus."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import TypeAdapter
from starlette.responses import JSONResponse, Response

from service.storage.port import GatewayKey
from service.web.auth import ADMINS, EVERYONE, Anyone, Principal, allow_key_or
from service.web.json_answer import json_answer
from service.web.room import RoomDep
from service.web.wire import Alive, Readiness

router = APIRouter(tags=["watch"])

_READINESS = TypeAdapter(Readiness)

KeyOrAnyone = Annotated[Principal | GatewayKey, Depends(allow_key_or(*EVERYONE))]
KeyOrAdmin = Annotated[Principal | GatewayKey, Depends(allow_key_or(*ADMINS))]


@router.get("/healthz")
async def healthz() -> Alive:
    """The process answers. Open to all; tells nothing else."""
    return Alive()


@router.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}})
async def readyz(_asker: KeyOrAnyone, room: RoomDep) -> Response:
    """Can calls be taken? 503 and the reason if not."""
    checks = dict(await room.parts.checks())
    ready = all(check.ok for check in checks.values())
    return json_answer(_READINESS, Readiness(ready=ready, checks=checks), 200 if ready else 503)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(_asker: KeyOrAdmin, room: RoomDep) -> Response:
    """Prometheus text."""
    text = await asyncio.to_thread(room.parts.metrics.text)  # reads /proc
    return Response(text, headers={"Content-Type": room.parts.metrics.content_type})


@router.get("/api/v1/openapi.json", include_in_schema=False)
async def openapi(_anyone: Anyone, request: Request) -> Response:
    """This interface's description, live messages included."""
    return JSONResponse(request.app.openapi())
