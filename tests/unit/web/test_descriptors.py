"""What is logged when descriptors run out."""

from __future__ import annotations

import logging

from service.web.descriptors import Sparing


def test_a_line_said_too_often_is_left_out_and_counted() -> None:
    now = [0.0]
    sparing = Sparing(lambda: now[0])

    def line(text: str, level: int = logging.ERROR) -> logging.LogRecord:
        return logging.LogRecord("asyncio", level, "", 0, text, (), None)

    accept = "socket.accept() out of system resource\nsocket: %s"
    assert sum(sparing.filter(line(accept)) for _ in range(247_788)) == 10
    assert sparing.filter(line("another matter"))
    assert all(sparing.filter(line("chatter", logging.INFO)) for _ in range(100))
    now[0] = 60.0
    again = line(accept)
    assert sparing.filter(again)
    assert "247778 more like this" in again.msg
