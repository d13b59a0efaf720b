"""A file with ranges, as it is now: it may be growing, and what is sent ends where it ended when asked."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from service.web.errors import error_response
from service.web.headers import HEAD_ASKED
from service.web.ranges import Unsatisfiable, requested_range
from service.web.schemas import Fault

CHUNK = 64 * 1024


async def file_answer(
    path: Path, media_type: str, wanted: str | None, if_range: str | None, *, least: int = 0
) -> Response:
    """200, 206 or 416 for the file. Raises OSError; FileNotFoundError also for a file of fewer than `least` bytes.

    The ETag is strong and changes as the file grows; with an If-Range that names another one, all of the file
    is sent (RFC 9110, 13.1.5).
    """
    file, status = await asyncio.to_thread(_open, path, least)
    size, etag = status.st_size, f'"{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}"'
    headers = {"Accept-Ranges": "bytes", "ETag": etag, "Cache-Control": "private, no-cache"}
    try:
        part = requested_range(wanted if if_range in (None, etag) else None, size)
    except Unsatisfiable:
        await asyncio.to_thread(file.close)
        fault = Fault(code="range", message=f"The recording has {size} bytes.", field="Range")
        return error_response(416, fault, {**headers, "Content-Range": f"bytes */{size}"})
    sent = range(size) if part is None else part
    headers["Content-Length"] = str(len(sent))
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    return _FileSlice(file, sent, 200 if part is None else 206, headers, media_type)


def _open(path: Path, least: int) -> tuple[BinaryIO, os.stat_result]:
    file = path.open("rb")
    status = os.fstat(file.fileno())
    if status.st_size < least:
        file.close()
        raise FileNotFoundError(f"{path} has {status.st_size} bytes")
    return file, status


class _FileSlice(StreamingResponse):
    """Sends a part of an open file and closes it, also when the client left before the first byte."""

    def __init__(self, file: BinaryIO, sent: range, status: int, headers: dict[str, str], media_type: str) -> None:
        super().__init__(_chunks(file, sent), status, headers, media_type)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope.get(HEAD_ASKED, False):
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                await send({"type": "http.response.body", "body": b""})
                return
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()


async def _chunks(file: BinaryIO, sent: range) -> AsyncIterator[bytes]:
    for begin in range(sent.start, sent.stop, CHUNK):
        yield await asyncio.to_thread(os.pread, file.fileno(), min(CHUNK, sent.stop - begin), begin)
