"""Vonage's first message, its audio, and what it may get wrong."""

from __future__ import annotations

import json

import pytest

from service.ingest.dialect import CallTaken, Close, ConnectionRefused
from service.ingest.dialects.vonage import VonageDialect
from service.ingest.events import AudioArrived, CallAnnounced, CallStopped, Irregularity, ProtocolViolation
from service.ingest.source import Source

CONNECTED = {"event": "websocket:connected", "content-type": "audio/l16;rate=16000", "call_id": "c-1"}


def dialect() -> VonageDialect:
    return VonageDialect(Source(name="pbx", first_track="agent"))


def opened(**changes: object) -> tuple[VonageDialect, CallAnnounced]:
    made = dialect()
    [call] = made.text(json.dumps({**CONNECTED, **changes}))
    assert isinstance(call, CallAnnounced)
    return made, call


def test_a_leg_without_a_role_is_the_one_that_the_source_names() -> None:
    assert opened()[1].roles == ("agent",)
    assert opened(role="customer")[1].roles == ("customer",)


def test_other_headers_are_metadata() -> None:
    assert opened(campaign="M1", shift=3)[1].metadata == {"campaign": "M1", "shift": "3"}


@pytest.mark.parametrize("rate", [8000, 16_000, 24_000])
def test_audio_is_the_legs_own(rate: int) -> None:
    made, call = opened(**{"content-type": f"audio/l16; rate={rate}"})
    assert (call.rate, call.encoding, call.clock) == (rate, "pcm_s16le", "arrival")
    assert made.binary(b"\1\2" * 320) == [AudioArrived(payload=b"\1\2" * 320, role="agent")]
    assert made.binary(b"") == []


def test_half_a_sample_is_told() -> None:
    made, _ = opened()
    [audio, odd] = made.binary(b"\1\2\3")
    assert audio == AudioArrived(payload=b"\1\2", role="agent")
    assert isinstance(odd, Irregularity)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"event": "websocket:cleared"}, "event"),
        ({"call_id": None}, "call_id"),
        ({"call_id": "../x"}, "call_id"),
        ({"content-type": "audio/l16;rate=96000"}, "content-type"),
        ({"content-type": "audio/opus"}, "content-type"),
        ({"role": "boss"}, "role"),
        ({"language": "fr"}, "language"),
    ],
)
def test_what_cannot_begin_a_call_is_refused_by_its_name(changes: dict[str, object], field: str) -> None:
    with pytest.raises(ProtocolViolation) as refused:
        dialect().text(json.dumps({**CONNECTED, **changes}))
    assert refused.value.field == field


def test_audio_before_the_first_message_is_refused() -> None:
    with pytest.raises(ProtocolViolation):
        dialect().binary(b"\0\0")


def test_within_a_call_nothing_is_refused() -> None:
    made, _ = opened()
    assert [type(event) for event in made.text("{no json")] == [Irregularity]
    assert made.text(json.dumps({"event": "websocket:media:update"})) == []


def test_a_close_ends_the_leg_once() -> None:
    made, _ = opened()
    assert made.closed() == [CallStopped(call_over=False)]
    assert made.closed() == []
    assert dialect().closed() == []


def test_nothing_is_sent_back_but_the_close() -> None:
    made, _ = opened()
    assert made.tell(CallTaken(call_id="c-1", resumed=False)) == []
    refused = ConnectionRefused(violation=ProtocolViolation("start", "not now", 1013))
    assert made.tell(refused) == [Close(code=1013, reason="start: not now")]
    assert (made.deadline(), made.tick(0.0)) == (None, [])
