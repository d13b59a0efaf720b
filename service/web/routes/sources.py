"""Sources: what is known of gateways, made and changed. Secrets go in and never come out."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import TypeAdapter
from starlette.responses import Response

from service.access.source_description import SaidCredential, described, differences
from service.ingest.source import Source
from service.invalid_field import InvalidField
from service.storage.port import AuditEvent
from service.unusable import Unusable
from service.web.addresses import client_address
from service.web.auth import Keeper, Principal
from service.web.errors import Refused
from service.web.json_answer import json_answer
from service.web.request_context import ContextDep, RequestContext
from service.web.schemas import NewSource, SourceAnswer, SourceChange, SourcesAnswer, source_answer

router = APIRouter(prefix="/api/v1/sources", tags=["sources"])

_SOURCES = TypeAdapter(SourcesAnswer)
_SOURCE = TypeAdapter(SourceAnswer)


@router.get("", response_model=SourcesAnswer)
async def sources(keeper: Keeper, context: ContextDep) -> Response:
    """All sources, by name."""
    stored = await context.parts.store.sources()
    return json_answer(_SOURCES, SourcesAnswer(sources=tuple(map(source_answer, stored))), keeper.view)


@router.get("/{name}", response_model=SourceAnswer)
async def source(name: str, keeper: Keeper, context: ContextDep) -> Response:
    """One source."""
    return json_answer(_SOURCE, source_answer(await context.parts.store.source(name)), keeper.view)


@router.post("", response_model=SourceAnswer, status_code=201)
async def add_source(new: NewSource, keeper: Keeper, request: Request, context: ContextDep) -> Response:
    """Make a source. Gateway keys are made for it by its name."""
    made = await _described(Source(name=new.name), new, context)
    await context.parts.store.add_source(made)
    _changed("source_added", made.name, differences(Source(name=made.name), made), keeper, request, context)
    return json_answer(_SOURCE, source_answer(made), keeper.view, 201)


@router.patch("/{name}", response_model=SourceAnswer)
async def change_source(
    name: str, change: SourceChange, keeper: Keeper, request: Request, context: ContextDep
) -> Response:
    """Change what is named of a source; the rest stays. Calls that are live keep what they began with."""
    seen = await context.parts.store.source(name)
    changed = await _described(seen, change, context)
    await context.parts.store.change_source(changed, seen)
    _changed("source_changed", name, differences(seen, changed), keeper, request, context)
    return json_answer(_SOURCE, source_answer(changed), keeper.view)


@router.delete("/{name}", status_code=204)
async def remove_source(name: str, keeper: Keeper, request: Request, context: ContextDep) -> Response:
    """Remove a source that has no key in force. Its calls keep its name."""
    await context.parts.store.remove_source(name)
    _changed("source_removed", name, "", keeper, request, context)
    return Response(status_code=204)


async def _described(source: Source, said: SourceChange, context: RequestContext) -> Source:
    """Raises Refused, StorageError."""
    parts = context.parts
    credential = None if said.credential is None else SaidCredential(**said.credential.model_dump())
    named = said.model_dump(exclude_unset=True, exclude={"name", "credential"})
    try:
        return await described(parts.store, parts.sealer, source, named, credential, parts.settings.jurisdiction)
    except InvalidField as problem:
        raise Refused(422, "invalid", str(problem), field=problem.field) from problem
    except Unusable as problem:
        raise Refused(503, "secret", str(problem), field="credential") from problem


def _changed(
    event: AuditEvent, name: str, detail: str, keeper: Principal, request: Request, context: RequestContext
) -> None:
    context.admittance.forget()
    who, address = keeper.user.name, client_address(request)
    context.audit.note(event, who=who, subject=name, address=address, detail=detail)
