"""Calls, what was said in them, and the rules they are judged by."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, TypeAdapter
from starlette.responses import Response

from service.live.messages import MAX_SEQ, EventsAnswer, events_of
from service.record.conversation import Conversation, conversation_of
from service.record.facts import CallState
from service.record.summary import RISK_WEIGHTS
from service.storage.port import CallPage, CallQuery, CallRecord
from service.web.addresses import client_address
from service.web.auth import Watcher
from service.web.json_answer import json_answer, large_answer
from service.web.request_context import ContextDep, utc_now
from service.web.schemas import NoteAnswer, NoteChange, ReferenceAnswer, RulesAnswer

router = APIRouter(prefix="/api/v1", tags=["calls"])

_PAGE = TypeAdapter(CallPage)
_RECORD = TypeAdapter(CallRecord)
_CONVERSATION = TypeAdapter(Conversation)
_EVENTS = TypeAdapter(EventsAnswer)
_NOTE = TypeAdapter(NoteAnswer)
_RULES = TypeAdapter(RulesAnswer)
_REFERENCE = TypeAdapter(ReferenceAnswer)

Text = Annotated[str | None, Query(max_length=200)]
Cursor = Annotated[str | None, Query(max_length=200)]
Limit = Annotated[int, Query(ge=1, le=200)]
When = Annotated[AwareDatetime | None, Query()]


@router.get("/calls", response_model=CallPage)
async def calls(
    request: Request,
    watcher: Watcher,
    context: ContextDep,
    state: CallState | None = None,
    flagged: bool | None = None,
    agent: Text = None,
    text: Text = None,
    since: When = None,
    until: When = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Calls, newest first."""
    query = CallQuery(
        state=state,
        flagged=flagged,
        agent=agent or None,
        text=text or None,
        since=since,
        until=until,
        cursor=cursor,
        limit=limit,
    )
    return await large_answer(_PAGE, await context.parts.store.calls(query), watcher.view, request)


@router.get("/calls/{call_id}", response_model=CallRecord)
async def call(call_id: str, watcher: Watcher, request: Request, context: ContextDep) -> Response:
    """Everything known of one call."""
    record = await context.parts.store.call(call_id)
    context.audit.note("transcript_read", who=watcher.user.name, subject=call_id, address=client_address(request))
    return await large_answer(_RECORD, record, watcher.view, request)


@router.get("/calls/{call_id}/conversation", response_model=Conversation)
async def conversation(call_id: str, watcher: Watcher, request: Request, context: ContextDep) -> Response:
    """How the parties of one call talk with each other: figures, and none of their words."""
    record = await context.parts.store.call(call_id)
    parties, until = record.summary.call.roles, record.summary.duration
    folded = await asyncio.to_thread(conversation_of, parties, record.utterances, record.gaps, until)
    return await large_answer(_CONVERSATION, folded, watcher.view, request)


@router.put("/calls/{call_id}/note", response_model=NoteAnswer)
async def write_note(
    call_id: str, change: NoteChange, watcher: Watcher, request: Request, context: ContextDep
) -> Response:
    """Correct the record of a call. Of two who write at once the second gets 409, and the first one's words to see."""
    by = watcher.user.name
    await context.parts.decisions.write_note(call_id, change.note(), by, utc_now(), change.seen)
    context.audit.note("note_written", who=by, subject=call_id, address=client_address(request))
    record = await context.parts.store.call(call_id)
    return json_answer(_NOTE, NoteAnswer(note=record.note, edits=record.edits), watcher.view)


@router.get("/calls/{call_id}/events", response_model=EventsAnswer)
async def events(
    call_id: str,
    watcher: Watcher,
    request: Request,
    context: ContextDep,
    after: Annotated[int, Query(ge=0, le=MAX_SEQ)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> Response:
    """The call's event log after a `seq`, oldest first."""
    facts = await context.parts.store.facts(call_id, after, limit)
    context.audit.note("transcript_read", who=watcher.user.name, subject=call_id, address=client_address(request))
    return await large_answer(_EVENTS, EventsAnswer(events=tuple(events_of(facts))), watcher.view, request)


@router.get("/rules", response_model=RulesAnswer)
async def rules(watcher: Watcher, context: ContextDep) -> Response:
    """The rules in force."""
    return json_answer(_RULES, RulesAnswer(pack=context.parts.pack, rules=context.parts.rules), watcher.view)


@router.get("/reference", response_model=ReferenceAnswer)
async def reference(watcher: Watcher, context: ContextDep) -> Response:
    """Names of laws and weights of severities, for whoever shows calls and alerts."""
    return json_answer(_REFERENCE, ReferenceAnswer(laws=context.parts.laws, risk_weights=RISK_WEIGHTS), watcher.view)
