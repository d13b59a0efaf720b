"""The one form of every refusal over HTTP: `{"error": {"code", "message", "field"}}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.access.passwords import TooManyLogins
from service.storage.port import (
    AlreadyExists,
    InvalidCursor,
    LastAdmin,
    NotFound,
    SourceInUse,
    StaleChange,
    StorageError,
    StorageUnavailable,
    TooManyWebhooks,
    Unstorable,
)
from service.web.json_answer import json_answer
from service.web.schemas import ErrorAnswer, Fault

_ERROR = TypeAdapter(ErrorAnswer)

STATUS_CODES = (400, 401, 403, 404, 409, 413, 422, 429, 503)
RESPONSES: dict[int | str, dict[str, Any]] = {code: {"model": ErrorAnswer} for code in STATUS_CODES}
"""For the OpenAPI document."""

_STORAGE: tuple[tuple[type[StorageError], int, str], ...] = (
    (NotFound, 404, "not_found"),
    (AlreadyExists, 409, "already_exists"),
    (StaleChange, 409, "stale_change"),
    (LastAdmin, 409, "last_admin"),
    (SourceInUse, 409, "source_in_use"),
    (TooManyWebhooks, 409, "too_many"),
    (InvalidCursor, 400, "invalid_cursor"),
    (Unstorable, 422, "unstorable"),
    (StorageUnavailable, 503, "storage_unavailable"),
)


class Refused(Exception):
    """A request that is turned down; becomes an answer with `status`."""

    def __init__(
        self, status: int, code: str, message: str, *, field: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.fault = Fault(code=code, message=message, field=field)
        self.headers = {} if retry_after is None else {"Retry-After": str(max(1, round(retry_after)))}


def error_response(status: int, fault: Fault, headers: Mapping[str, str] | None = None) -> Response:
    """The JSON answer for a fault. No cache may keep it."""
    answer = json_answer(_ERROR, ErrorAnswer(error=fault), "stranger", status)
    answer.headers.update({"Cache-Control": "no-store", **(headers or {})})
    return answer


def refusal(error: Refused) -> Response:
    """The answer that tells the refusal."""
    return error_response(error.status, error.fault, error.headers)


def storage_refusal(error: StorageError) -> Refused:
    """The refusal for an error of the store."""
    for kind, status, code in _STORAGE:
        if isinstance(error, kind):
            retry = 2.0 if status == 503 else None
            return Refused(status, code, str(error) or code.replace("_", " "), retry_after=retry)
    return Refused(503, "storage_failed", "The store failed; see the service's log.", retry_after=2.0)


def install(app: FastAPI) -> None:
    """Give every error that leaves a route the one shape."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(StorageError, _storage)
    app.add_exception_handler(TooManyLogins, _busy)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return refusal(error)


async def _storage(_request: Request, error: Exception) -> Response:
    assert isinstance(error, StorageError)
    return refusal(storage_refusal(error))


async def _busy(_request: Request, _error: Exception) -> Response:
    return refusal(Refused(503, "busy", "Too many logins at once; try again.", retry_after=2.0))


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"][1:]) or None
    status = 400 if first["type"] == "json_invalid" else 422
    return error_response(status, Fault(code="invalid", message=str(first["msg"]), field=field))


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    names = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
    fault = Fault(code=names.get(error.status_code, "refused"), message=str(error.detail))
    return error_response(error.status_code, fault, error.headers)
