"""Calls that are told of before they connect: for gateways whose connection can say nothing but a token."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import TypeAdapter
from starlette.responses import Response

from service.access.keys import presented_id, presented_key
from service.gateway.reservations import RESERVED_FOR
from service.ingest.dialects.specs import over_tcp
from service.ingest.events import ProtocolViolation
from service.ingest.reserved_call import reserved_call
from service.preview.hints import refusal_of
from service.web.addresses import client_address
from service.web.auth import admitted_gateway
from service.web.errors import Refused
from service.web.json_answer import json_answer
from service.web.previewed import turn_away
from service.web.request_context import ContextDep
from service.web.schemas import NewReservation, ReservationAnswer

router = APIRouter(prefix="/v1/reservations", tags=["gateways"])

_ANSWER = TypeAdapter(ReservationAnswer)


@router.post("", response_model=ReservationAnswer, status_code=201)
async def reserve_call(told: NewReservation, request: Request, context: ContextDep) -> Response:
    """Tell of a call, with a gateway key: its legs may then connect with the tokens of this answer."""
    presented = presented_key(request.headers)
    try:
        key = await admitted_gateway(context, request, tuple(over_tcp()))
    except Refused as refused:
        detail = refused.fault.message if presented else "no key"
        context.audit.note(
            "key_refused", subject=presented_id(presented), address=client_address(request), detail=detail
        )
        raise
    try:
        announced, notes = reserved_call(told.model_dump(mode="json"))
    except ProtocolViolation as violation:
        turn_away(context, request, "/".join(over_tcp()), refusal_of(violation, live=False), key.source.name)
        raise Refused(422, "invalid", violation.message, field=violation.field) from violation
    tokens = await context.parts.reservations.reserve(key, announced, notes)
    answer = ReservationAnswer(call_id=announced.call_id, tokens=tokens, seconds=RESERVED_FOR)
    response = json_answer(_ANSWER, answer, "gateway", 201)
    response.headers["Cache-Control"] = "no-store"
    return response
