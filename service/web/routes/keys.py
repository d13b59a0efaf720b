"""Gateway keys: made, listed without their secrets, revoked."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import TypeAdapter
from starlette.responses import Response

from detectors.contract import Jurisdiction
from detectors.timezones.zones import NoZone, zone_name
from service.access.keys import new_key
from service.access.source_description import source_of_key
from service.web.addresses import client_address
from service.web.auth import Keeper
from service.web.errors import Refused
from service.web.json_answer import json_answer
from service.web.request_context import ContextDep, utc_now
from service.web.schemas import KeysAnswer, NewKey, NewKeyAnswer, key_answer, new_key_answer

router = APIRouter(prefix="/api/v1/keys", tags=["keys"])

_KEYS = TypeAdapter(KeysAnswer)
_NEW = TypeAdapter(NewKeyAnswer)


@router.get("", response_model=KeysAnswer)
async def keys(keeper: Keeper, context: ContextDep) -> Response:
    """All keys, revoked ones too."""
    stored = await context.parts.store.keys()
    return json_answer(_KEYS, KeysAnswer(keys=tuple(key_answer(key) for key in stored)), keeper.view)


@router.post("", response_model=NewKeyAnswer, status_code=201)
async def add_key(new: NewKey, keeper: Keeper, request: Request, context: ContextDep) -> Response:
    """Make a key. Its secret is in this answer and nowhere else."""
    said = _said(new, new.jurisdiction or context.parts.settings.jurisdiction)
    source = await source_of_key(context.parts.store, new.source, said)
    key, plaintext = new_key(source, new.rights)
    await context.parts.store.add_key(key)
    detail = f"{source.name}: {', '.join(key.rights)}"
    who, address = keeper.user.name, client_address(request)
    context.audit.note("key_made", who=who, subject=key.id, address=address, detail=detail)
    response = json_answer(_NEW, new_key_answer(key, plaintext), keeper.view, 201)
    response.headers["Cache-Control"] = "no-store"
    return response


@router.delete("/{key_id}", status_code=204)
async def revoke_key(key_id: str, keeper: Keeper, request: Request, context: ContextDep) -> Response:
    """Revoke a key: no new connection with it. Calls it streams now go on to their end."""
    await context.parts.store.revoke_key(key_id, utc_now())
    context.admittance.forget()
    context.audit.note("key_revoked", who=keeper.user.name, subject=key_id, address=client_address(request))
    return Response(status_code=204)


def _said(new: NewKey, jurisdiction: Jurisdiction) -> dict[str, Any]:
    """What is said of the source, by the names of its fields. Raises Refused."""
    said = {name: value for name, value in new.model_dump(exclude={"source", "rights"}).items() if value}
    try:
        return {**said, "timezone": zone_name(new.timezone, jurisdiction)} if new.timezone else said
    except NoZone as problem:
        raise Refused(422, "invalid", str(problem), field="timezone") from problem
