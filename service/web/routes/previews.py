"""What came of late from the gateways, how it was understood, and what was refused: for whoever sets them up."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import TypeAdapter
from starlette.responses import Response

from service.web.auth import Admin, Keeper
from service.web.json_answer import large_answer
from service.web.request_context import ContextDep, steady_now
from service.web.schemas import ConnectionsAnswer

router = APIRouter(prefix="/api/v1", tags=["sources"])

_CONNECTIONS = TypeAdapter(ConnectionsAnswer)


@router.get("/sources/{name}/connections", response_model=ConnectionsAnswer)
async def connections(name: str, keeper: Keeper, request: Request, context: ContextDep) -> Response:
    """The last connections of a source, also those that were refused. To be asked each second. Metadata, and who talks
    to whom, are told to admins alone."""
    previews = context.parts.gateways.previews
    if not previews.knows(name):
        await context.parts.store.source(name)
    found = previews.of(name, steady_now(), context.parts.settings)
    return await large_answer(_CONNECTIONS, ConnectionsAnswer(connections=found), keeper.view, request)


@router.get("/connections/unmatched", response_model=ConnectionsAnswer)
async def unmatched_connections(admin: Admin, request: Request, context: ContextDep) -> Response:
    """The last connections that were refused and fit no source."""
    found = context.parts.gateways.previews.unmatched(steady_now(), context.parts.settings)
    return await large_answer(_CONNECTIONS, ConnectionsAnswer(connections=found), admin.view, request)
