"""Gateway keys as text, and in headers."""

from __future__ import annotations

import base64
import hashlib

import pytest

from service.access.keys import new_key, presented_key, redacted, split
from service.ingest.source import Source


def test_a_new_key_stores_the_digest_of_256_random_bits() -> None:
    key, plaintext = new_key(Source(name="pbx"), ["stream", "events", "stream"])
    prefix, key_id, secret = plaintext.split("_", 2)
    assert (prefix, key_id) == ("cw", key.id)
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32
    assert key.secret_hash == hashlib.sha256(secret.encode()).hexdigest()
    assert key.rights == ("stream", "events")
    assert new_key(Source(name="pbx"), ["stream"])[1] != plaintext


def test_splitting_takes_nothing_but_whole_keys() -> None:
    _key, plaintext = new_key(Source(name="pbx"), ["stream"])
    assert split(plaintext) == tuple(plaintext.split("_", 2)[1:])
    for other in ("", "cw_", plaintext[:-1], plaintext + "x", plaintext + "\n", " " + plaintext, plaintext.upper()):
        assert split(other) is None, other


def basic(text: bytes) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(text).decode()}


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"authorization": "Bearer cw_1"}, "cw_1"),
        ({"authorization": "bearer  cw_1 "}, "cw_1"),
        ({"x-api-key": "cw_1"}, "cw_1"),
        (basic(b"gateway:cw_1"), "cw_1"),
        (basic(b":cw_1"), "cw_1"),
        (basic(b"cw_1"), None),
        (basic(b"\xff\xfe"), None),
        ({"authorization": "Basic !!"}, None),
        ({}, None),
    ],
)
def test_where_a_key_is_looked_for(headers: dict[str, str], key: str | None) -> None:
    assert presented_key(headers) == key


def test_logs_keep_the_id_of_a_key_and_lose_its_secret() -> None:
    _key, plaintext = new_key(Source(name="pbx"), ["stream"])
    key_id, secret = plaintext.split("_", 2)[1:]
    line = redacted(f"key {plaintext} used")
    assert key_id in line
    assert secret not in line


def test_logs_lose_whatever_stands_in_a_keys_place() -> None:
    for mistyped in ("CW_1_abc", "cw%5F1%5Fabc", "abc"):
        assert redacted(f'"WebSocket /v1/twilio/{mistyped}" 401') == '"WebSocket /v1/twilio/…" 401'
