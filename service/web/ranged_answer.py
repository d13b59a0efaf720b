"""A recording with ranges, as it is now: it may be growing, and what is sent ends where it ended when asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from service.recordings.recordings import Recording
from service.web.errors import error_response
from service.web.headers import HEAD_ASKED
from service.web.ranges import Unsatisfiable, requested_range
from service.web.schemas import Fault

CHUNK = 64 * 1024


def ranged_answer(recording: Recording, media_type: str, wanted: str | None, if_range: str | None) -> Response:
    """200, 206 or 416. The answer lets go of the recording.

    The ETag is strong and changes as the recording grows; with an If-Range that names another one, all of it is sent
    (RFC 9110, 13.1.5).
    """
    size, etag = recording.size, f'"{recording.version}"'
    headers = {"Accept-Ranges": "bytes", "ETag": etag, "Cache-Control": "private, no-cache"}
    try:
        part = requested_range(wanted if if_range in (None, etag) else None, size)
    except Unsatisfiable:
        recording.close()
        fault = Fault(code="range", message=f"The recording has {size} bytes.", field="Range")
        return error_response(416, fault, {**headers, "Content-Range": f"bytes */{size}"})
    sent = range(size) if part is None else part
    headers["Content-Length"] = str(len(sent))
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    return _Slice(recording, sent, 200 if part is None else 206, headers, media_type)


class _Slice(StreamingResponse):
    """Sends a part of an open recording and lets go of it, also when the client left before the first byte."""

    def __init__(
        self, recording: Recording, sent: range, status: int, headers: dict[str, str], media_type: str
    ) -> None:
        super().__init__(_chunks(recording, sent), status, headers, media_type)
        self._recording = recording

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope.get(HEAD_ASKED, False):
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                await send({"type": "http.response.body", "body": b""})
                return
            await super().__call__(scope, receive, send)
        finally:
            self._recording.close()


async def _chunks(recording: Recording, sent: range) -> AsyncIterator[bytes]:
    for begin in range(sent.start, sent.stop, CHUNK):
        yield await asyncio.to_thread(recording.read, begin, min(sent.stop, begin + CHUNK))
