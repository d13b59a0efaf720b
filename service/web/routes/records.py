"""The records of many calls as a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from service.access.view import View, seen_by
from service.record.export import ExportFormat, RecordRow, file_head, file_lines
from service.storage.exporting import export_detail, export_query, exported
from service.web.addresses import client_address
from service.web.auth import Decider
from service.web.headers import HEAD_ASKED
from service.web.request_context import ContextDep
from service.web.routes.calls import Text, When

router = APIRouter(prefix="/api/v1/records", tags=["calls"])

_MEDIA_TYPES: dict[ExportFormat, str] = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}


class _JsonLines(Response):
    media_type = "application/x-ndjson"


@router.get(
    "",
    response_class=_JsonLines,
    response_model=RecordRow,
    responses={200: {"content": {"text/csv": {}}, "description": "A record a line; CSV with the same columns."}},
)
async def records(
    request: Request,
    decider: Decider,
    context: ContextDep,
    since: When = None,
    until: When = None,
    agent: Text = None,
    form: Annotated[ExportFormat, Query(alias="format")] = "jsonl",
) -> Response:
    """The records of ended calls that began since then and before `until`, newest first. An answer that breaks off
    without its last chunk is not all of them."""
    query = export_query(since, until, agent)
    pages = exported(context.parts.store, query)
    first = await anext(pages)  # before the answer begins, so that its status tells whether the store can be read
    who, address, detail = decider.user.name, client_address(request), export_detail(query, form)
    context.audit.note("records_exported", who=who, subject=agent or "", address=address, detail=detail)
    headers = {"Content-Disposition": f'attachment; filename="call-records.{form}"'}
    sent = () if request.scope.get(HEAD_ASKED, False) else _file(first, pages, decider.view, form)
    return StreamingResponse(sent, headers=headers, media_type=_MEDIA_TYPES[form])


async def _file(
    first: Iterable[RecordRow], rest: AsyncIterator[Iterable[RecordRow]], view: View, form: ExportFormat
) -> AsyncIterator[bytes]:
    yield file_head(form) + _seen(first, view, form)
    async for rows in rest:
        yield _seen(rows, view, form)


def _seen(rows: Iterable[RecordRow], view: View, form: ExportFormat) -> bytes:
    return file_lines([seen_by(view, row) for row in rows], form)
