"""JSON answers, of what the asker may see: written by pydantic straight from the values, without validating them again.

No value leaves over HTTP on another way, but for recordings and the rows of an export (routes/records.py).
"""

from __future__ import annotations

import asyncio
import gzip
from typing import TypeVar

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from service.access.view import View, seen_by

T = TypeVar("T")

_LEAST_PACKED = 1024
"""Bytes. What fits one packet comes no sooner when it is packed."""
_LEVEL = 4
"""2.3 MB, a call of 6,500 turns, in 60 ms to 265 kB; level 9 takes five times as long for 222."""


def json_answer(adapter: TypeAdapter[T], value: T, view: View, status: int = 200) -> Response:
    """What the view sees of the value, as its adapter writes it."""
    return Response(_json(adapter, value, view), status, media_type="application/json")


async def large_answer(adapter: TypeAdapter[T], value: T, view: View, request: Request) -> Response:
    """The same for what may be megabytes: written in a thread, and packed for a client that takes gzip.

    Not for answers that hold a token: the length of a packed text tells of what is in it (BREACH).
    """
    return await asyncio.to_thread(_large, adapter, value, view, takes_gzip(request.headers.get("accept-encoding", "")))


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header names gzip, and not to refuse it."""
    for one in accepted.lower().split(","):
        name, _, weight = one.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _json(adapter: TypeAdapter[T], value: T, view: View) -> bytes:
    return adapter.dump_json(seen_by(view, value))


def _large(adapter: TypeAdapter[T], value: T, view: View, packed: bool) -> Response:
    body = _json(adapter, value, view)
    headers = {"Vary": "Accept-Encoding"}
    if packed and len(body) >= _LEAST_PACKED:
        body = gzip.compress(body, _LEVEL, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, 200, headers, media_type="application/json")
