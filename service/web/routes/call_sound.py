"""A call's sound, and its outline for the waveform."""

from __future__ import annotations

import asyncio
from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request
from pydantic import TypeAdapter
from starlette.responses import Response

from service.access.view import seen_by
from service.recordings.peaks import Peaks
from service.recordings.recordings import RecordingMissing, RecordingUnreadable, Sound
from service.recordings.wav import NotARecording
from service.web.addresses import client_address
from service.web.auth import Watcher
from service.web.errors import Refused
from service.web.json_answer import large_answer
from service.web.ranged_answer import ranged_answer
from service.web.request_context import ContextDep

router = APIRouter(prefix="/api/v1/calls", tags=["recordings"])

log = structlog.get_logger(__name__)

_PEAKS = TypeAdapter(Peaks)


@router.get(
    "/{call_id}/recording",
    response_class=Response,
    responses={
        200: {"content": {"audio/wav": {}}, "description": "The whole recording as far as it reaches now."},
        206: {"content": {"audio/wav": {}}, "description": "The range that was asked for."},
        416: {"description": "The range lies beyond the end."},
    },
)
async def recording(call_id: str, request: Request, watcher: Watcher, context: ContextDep) -> Response:
    """The call as WAV, one channel a role, with byte ranges. A live call's is served up to its present end."""
    await context.parts.store.summary(call_id)
    try:
        found = await asyncio.to_thread(context.parts.recordings.open, call_id)
    except RecordingMissing as error:
        raise _missing(call_id) from error
    except RecordingUnreadable as error:
        raise _unreadable(call_id, error) from error
    sound = seen_by(watcher.view, Sound(call_id=call_id, recording=found))
    answer = ranged_answer(sound.recording, "audio/wav", request.headers.get("range"), request.headers.get("if-range"))
    context.audit.note("recording_played", who=watcher.user.name, subject=call_id, address=client_address(request))
    return answer


@router.get("/{call_id}/peaks", response_model=Peaks)
async def peaks(
    call_id: str,
    request: Request,
    watcher: Watcher,
    context: ContextDep,
    points: Annotated[int, Query(ge=1, le=20_000)] = 2000,
) -> Response:
    """The recording's outline in `points` bins a channel."""
    await context.parts.store.summary(call_id)
    try:
        found = await asyncio.to_thread(context.outlines.peaks, call_id, points)
    except (RecordingMissing, NotARecording) as error:
        raise _missing(call_id) from error
    except RecordingUnreadable as error:
        raise _unreadable(call_id, error) from error
    return await large_answer(_PEAKS, found, watcher.view, request)


def _missing(call_id: str) -> Refused:
    return Refused(404, "no_recording", f"Call {call_id} has no recording.")


def _unreadable(call_id: str, error: RecordingUnreadable) -> Refused:
    log.error("recording cannot be read", call_id=call_id, error=str(error))
    return Refused(503, "recording_unreadable", f"The recording of call {call_id} cannot be read: see the log.")
