"""What a log line carries when something went wrong."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from service.logs import configure_logging
from service.settings import Settings


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.parametrize("name", ["uvicorn.error", "asyncio", "sqlalchemy.pool"])
def test_a_librarys_error_keeps_its_traceback_in_json(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_json=True))
    try:
        _fails()
    except ZeroDivisionError:
        logging.getLogger(name).exception("Exception in ASGI application")
    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "Exception in ASGI application"
    assert "in _fails" in line["exception"]
    assert "ZeroDivisionError: division by zero" in line["exception"]
    assert "exc_info" not in line


def test_our_own_error_keeps_its_traceback_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_json=True))
    try:
        _fails()
    except ZeroDivisionError:
        structlog.get_logger().exception("session failed", call_id="c-1")
    line = json.loads(capsys.readouterr().err)
    assert line["call_id"] == "c-1"
    assert "in _fails" in line["exception"]


def test_a_persons_log_has_the_traceback_without_local_variables(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_json=False))
    try:
        _fails()
    except ZeroDivisionError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    told = capsys.readouterr().err
    assert "in _fails" in told
    assert "what was said" not in told


def _fails() -> float:
    said = " ".join(("what", "was", "said"))
    return len(said) / 0
