"""What is sent, byte by byte: signatures by known values, the envelope, and links."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.record.outgoing import CallStartedTold, TrialTold, event_id
from service.webhooks.shapes.letter import Letter
from service.webhooks.shapes.messages import message, plain
from service.webhooks.shapes.registry import SHAPES
from service.webhooks.shapes.robots import verdict, wecom
from service.webhooks.signing import new_secret, signature_headers
from tests.scenes import NOON

STARTED = CallStartedTold(call_id="a/b?c 话", source="pbx", agent="", language="zh", jurisdiction="CN", started_at=NOON)
LETTER = Letter(
    url="https://hooks.example.org/x",
    secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    event_id="evt_1",
    event=STARTED,
    made_at=NOON,
    now=NOON,
    language="zh",
    clock=UTC,
    public_url="https://calls.example.org",
)


def test_a_signature_is_the_one_of_the_specifications_example() -> None:
    """The values that the specification of Standard Webhooks and its libraries test with."""
    body = b'{"test": 2432232314}'
    told = signature_headers(LETTER.secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert told["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_secrets_are_of_256_bits_and_each_another() -> None:
    made = {new_secret() for _ in range(10)}
    assert len(made) == 10
    assert all(secret.startswith("whsec_") and len(secret) == 50 for secret in made)


def test_the_envelope_has_all_that_cloudevents_asks_for() -> None:
    envelope = json.loads(SHAPES["cloudevents"].request(LETTER).body)
    assert envelope == {
        "specversion": "1.0",
        "id": "evt_1",
        "source": "https://calls.example.org",
        "type": "callwarden.call.started",
        "subject": "a/b?c 话",
        "time": "2026-03-02T12:00:00+00:00",
        "datacontenttype": "application/json",
        "data": {
            "call_id": "a/b?c 话",
            "source": "pbx",
            "agent": "",
            "language": "zh",
            "jurisdiction": "CN",
            "started_at": "2026-03-02T12:00:00Z",
            "link": "https://calls.example.org/calls/a%2Fb%3Fc%20%E8%AF%9D",
        },
    }


def test_without_a_public_url_there_is_no_link_and_a_source_all_the_same() -> None:
    envelope = json.loads(SHAPES["cloudevents"].request(replace(LETTER, public_url="")).body)
    assert (envelope["source"], "link" in envelope["data"]) == ("urn:callwarden", False)
    trial = json.loads(SHAPES["cloudevents"].request(replace(LETTER, event=TrialTold(asked_at=NOON))).body)
    assert "subject" not in trial


def test_a_robots_signature_is_made_anew_at_each_try() -> None:
    later = replace(LETTER, now=datetime(2026, 3, 2, 13, tzinfo=UTC), secret="SEC1")
    for shape in ("dingtalk", "feishu"):
        request = SHAPES[shape].request
        first, second = request(replace(LETTER, secret="SEC1")), request(later)
        assert (first.url, first.body) != (second.url, second.body)
        unsigned = request(replace(LETTER, secret=""))
        assert "sign" not in unsigned.url + json.dumps(json.loads(unsigned.body))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"1", b'"ok"', b"{}", b'{"errcode": "x"}', b'{"code": 7}'])
def test_what_is_no_yes_is_a_no(body: bytes) -> None:
    assert verdict(body)


@pytest.mark.parametrize("body", [b'{"errcode":0,"errmsg":"ok"}', b'{"code":0}', b'{"StatusCode":0,"Extra":null}'])
def test_a_yes_is_a_yes(body: bytes) -> None:
    assert verdict(body) == ""


@given(st.text(max_size=200))
def test_no_text_brings_markup_lines_or_length_along(text: str) -> None:
    shown = plain(text)
    assert len(shown) <= 120
    assert not set(shown) & set("<>[]`*|\n\r\0")


@settings(max_examples=30)
@given(st.text(max_size=200), st.text(max_size=200))
def test_every_message_fits_a_room(agent: str, call_id: str) -> None:
    letter = replace(LETTER, event=replace(STARTED, agent=agent, call_id=call_id))
    assert len(message(letter).title) < 200
    assert len(json.loads(wecom(letter).body)["markdown"]["content"].encode()) <= 4096


@given(st.text(), st.integers())
def test_an_event_has_one_id_that_a_signature_can_join(call_id: str, seq: int) -> None:
    made = event_id(call_id, seq)
    assert made == event_id(call_id, seq) != event_id(call_id, seq + 1)
    assert made.replace("_", "").isalnum()
