"""A body's announced length, whatever stands there."""

from __future__ import annotations

import pytest
from starlette.types import Message, Receive, Scope, Send

from service.web.headers import MAX_BODY_BYTES, BodyLimit


@pytest.mark.parametrize(
    ("announced", "refused"),
    [
        (str(MAX_BODY_BYTES), False),
        ("0" * 5000 + "7", False),
        ("\u00b2", False),
        ("+99999999999", False),
        ("", False),
        (str(MAX_BODY_BYTES + 1), True),
        ("9" * 5000, True),
    ],
    ids=["most", "zeros", "superscript", "sign", "nothing", "too many", "5000 digits"],
)
async def test_a_length_is_taken_or_refused_and_breaks_nothing(announced: str, refused: bool) -> None:
    status: list[int] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            status.append(message["status"])

    headers = [(b"content-length", announced.encode("latin-1"))]
    await BodyLimit(app)({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive, send)
    assert status == [413 if refused else 200]
