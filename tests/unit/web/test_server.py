"""How uvicorn is set up."""

from __future__ import annotations

import logging

from fastapi import FastAPI

from service.access.connection_guard import ConnectionGuard
from service.access.connections import ConnectionLimits
from service.ingest.events import MAX_AUDIO_BYTES
from service.web.server import KeysRedacted, server_config

GUARD = ConnectionGuard(ConnectionLimits.within(1024))


def test_no_ping_reaches_a_gateway_and_messages_are_bounded() -> None:
    config = server_config(FastAPI(), "127.0.0.1", 0, GUARD, log_config=None)
    assert config.ws_ping_interval is None
    assert config.ws_max_size == 2 * MAX_AUDIO_BYTES
    assert config.server_header is False


def test_keys_are_masked_once_however_often_a_server_is_made() -> None:
    for _ in range(3):
        server_config(FastAPI(), "127.0.0.1", 0, GUARD, log_config=None)
    filters = logging.getLogger("uvicorn.error").filters
    assert [type(each) for each in filters].count(KeysRedacted) == 1


def test_a_records_message_and_arguments_lose_the_key() -> None:
    secret = "s" * 43
    path = f"/v1/twilio/cw_0123456789ab_{secret}"
    record = logging.LogRecord("uvicorn.error", logging.INFO, "", 0, f"{path} %s %d", (path, 401), None)
    assert KeysRedacted().filter(record)
    assert secret not in record.getMessage()
    assert "401" in record.getMessage()
