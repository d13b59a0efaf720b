"""JSON answers written by pydantic straight from the values, without validating them again."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter
from starlette.responses import Response


def json_answer(adapter: TypeAdapter[Any], value: object, status: int = 200) -> Response:
    """The value as its adapter writes it."""
    return Response(adapter.dump_json(value), status, media_type="application/json")
