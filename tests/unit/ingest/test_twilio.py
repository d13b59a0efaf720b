"""Twilio Media Streams as its documents and real clients write it, and leniently beyond that."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import pytest
from streamdouble.protocol import MediaStreamEncoder, StreamIdentity

from service.ingest.dialects.media_streams import MAX_EARLY_BYTES
from service.ingest.dialects.twilio import TwilioDialect
from service.ingest.events import AudioArrived, CallAnnounced, CallStopped, DigitPressed, ProtocolViolation
from service.ingest.source import Source

CONNECTED = '{"event":"connected","protocol":"Call","version":"1.0.0"}'
STOP = '{"event":"stop","sequenceNumber":"9","stop":{"accountSid":"AC1","callSid":"CA1"},"streamSid":"MZ1"}'


def start(**changes: Any) -> str:
    body = {
        "accountSid": "AC1",
        "streamSid": "MZ1",
        "callSid": "CA1",
        "tracks": ["inbound", "outbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {},
        **changes,
    }
    return json.dumps({"event": "start", "sequenceNumber": "1", "start": body, "streamSid": "MZ1"})


def media(sequence: int, **changes: Any) -> str:
    body = {
        "track": "inbound",
        "chunk": "1",
        "timestamp": "20",
        "payload": base64.b64encode(b"\xff" * 160).decode(),
        **changes,
    }
    return json.dumps({"event": "media", "sequenceNumber": str(sequence), "media": body, "streamSid": "MZ1"})


def started(**changes: Any) -> TwilioDialect:
    dialect = TwilioDialect(Source(name="pbx", first_track="customer"))
    dialect.text(CONNECTED)
    dialect.text(start(**changes))
    return dialect


def refusal(dialect: TwilioDialect, message: str) -> tuple[str, int]:
    with pytest.raises(ProtocolViolation) as caught:
        dialect.text(message)
    return caught.value.field, caught.value.close_code


def test_a_simulated_call_of_two_tracks_is_read_whole() -> None:
    identity = StreamIdentity()
    encoder = MediaStreamEncoder(identity)
    parameters = {"agent": "1017", "campaign": "M1"}
    dialect = TwilioDialect(Source(name="pbx", first_track="customer"))

    assert dialect.text(json.dumps(encoder.connected())) == []
    [call] = dialect.text(json.dumps(encoder.start(tracks=["inbound", "outbound"], custom_parameters=parameters)))
    [first] = dialect.text(json.dumps(encoder.media(b"\x01" * 160, track="inbound")))
    [second] = dialect.text(json.dumps(encoder.media(b"\x02" * 160, track="outbound")))
    [third] = dialect.text(json.dumps(encoder.media(b"\x03" * 160, track="inbound")))
    [digit] = dialect.text(json.dumps(encoder.dtmf("5")))
    [stop] = dialect.text(json.dumps(encoder.stop()))

    assert call == CallAnnounced(
        call_id=identity.call_sid,
        roles=("agent", "customer"),
        call_roles=("agent", "customer"),
        encoding="mulaw",
        rate=8000,
        agent="1017",
        metadata={"campaign": "M1"},
        vendor="Twilio",
    )
    assert first == AudioArrived(payload=b"\x01" * 160, role="customer", at=0.0)
    assert second == AudioArrived(payload=b"\x02" * 160, role="agent", at=0.0)
    assert third == AudioArrived(payload=b"\x03" * 160, role="customer", at=0.02)
    assert digit == DigitPressed(digit="5", role="customer")
    assert stop == CallStopped(call_over=False)


def test_the_role_map_swaps_the_tracks() -> None:
    dialect = TwilioDialect(Source(name="pbx", first_track="agent"))
    dialect.text(start())
    [event] = dialect.text(media(2))
    assert isinstance(event, AudioArrived)
    assert event.role == "agent"


def test_parameters_describe_the_call() -> None:
    parameters = {
        "call_id": "K-1",
        "agent": "1017",
        "customer": "C-9",
        "language": "en-US",
        "jurisdiction": "US",
        "started_at": "2026-03-02T09:30:00-05:00",
        "metadata": '{"timezone":"America/New_York","tier":2}',
        "campaign": "M1",
    }
    [call] = TwilioDialect(Source(name="pbx", first_track="customer")).text(start(customParameters=parameters))

    assert isinstance(call, CallAnnounced)
    assert (call.call_id, call.agent, call.customer) == ("K-1", "1017", "C-9")
    assert (call.language, call.jurisdiction) == ("en", "US")
    assert call.started_at is not None
    assert call.metadata == {"timezone": "America/New_York", "tier": "2", "campaign": "M1"}


def test_one_announced_track_is_one_leg() -> None:
    dialect = started(tracks=["outbound"])
    [event] = dialect.text(media(2, track="outbound"))
    assert isinstance(event, AudioArrived)
    assert event.role == "agent"


def test_numbers_may_be_numbers_and_optional_fields_may_be_missing() -> None:
    dialect = TwilioDialect(Source(name="pbx", first_track="customer"))
    [call] = dialect.text('{"event":"start","start":{"callSid":"CA1"}}')
    assert isinstance(call, CallAnnounced)
    assert call.roles == ("agent", "customer")
    assert dialect.text('{"event":"media","sequenceNumber":2,"media":{"timestamp":1500,"payload":"/w=="}}') == [
        AudioArrived(payload=b"\xff", role="customer", at=1.5)
    ]
    assert dialect.text('{"event":"media","media":{"track":"inbound"}}') == []
    assert dialect.text('{"event":"mark","mark":{"name":"x"}}') == []
    assert dialect.text('{"event":"news"}') == []


def test_media_before_the_start_follows_it_and_is_bounded() -> None:
    dialect = TwilioDialect(Source(name="pbx", first_track="customer"))
    dialect.text(media(1, timestamp="0"))
    call, audio = dialect.text(start())
    assert isinstance(call, CallAnnounced)
    assert audio == AudioArrived(payload=b"\xff" * 160, role="customer", at=0.0)

    endless = TwilioDialect(Source(name="pbx", first_track="customer"))
    message = media(1)
    for _ in range(MAX_EARLY_BYTES // len(message)):
        endless.text(message)
    assert refusal(endless, message) == ("start", 1008)


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"callSid": "../x"}, "start.callSid", 1008),
        ({"customParameters": {"call_id": "a/b"}}, "start.customParameters.call_id", 1008),
        ({"customParameters": {"language": "fr"}}, "start.customParameters.language", 1008),
        ({"customParameters": {"started_at": "soon"}}, "start.customParameters.started_at", 1008),
        ({"callSid": math.nan}, "start.callSid", 1008),
        ({"mediaFormat": {"encoding": "audio/opus"}}, "start.mediaFormat.encoding", 1003),
        ({"mediaFormat": {"sampleRate": "96000"}}, "start.mediaFormat.sampleRate", 1008),
        ({"mediaFormat": {"channels": 2}}, "start.mediaFormat.channels", 1008),
    ],
)
def test_a_bad_start_is_refused_by_field(changes: dict[str, Any], field: str, code: int) -> None:
    assert refusal(TwilioDialect(Source(name="pbx", first_track="customer")), start(**changes)) == (field, code)


def test_a_start_without_any_id_is_refused() -> None:
    assert refusal(TwilioDialect(Source(name="pbx", first_track="customer")), '{"event":"start","start":{}}') == (
        "start.callSid",
        1008,
    )


def test_binary_before_the_start_is_refused() -> None:
    with pytest.raises(ProtocolViolation) as caught:
        TwilioDialect(Source(name="pbx", first_track="customer")).binary(b"\0")
    assert caught.value.close_code == 1003


@pytest.mark.parametrize("message", ["hello", "[1]", '{"event":"media","media":[1]}', STOP])
def test_what_cannot_begin_a_call_is_refused(message: str) -> None:
    assert refusal(TwilioDialect(Source(name="pbx", first_track="customer")), message)[1] in (1003, 1008)


@pytest.mark.parametrize("name", ["audio/x-mulaw", "audio/PCMU;rate=8000", "PCMU", "ulaw"])
def test_mu_law_has_several_names(name: str) -> None:
    [call] = TwilioDialect(Source(name="pbx", first_track="customer")).text(start(mediaFormat={"encoding": name}))
    assert isinstance(call, CallAnnounced)


def test_a_hang_up_without_a_stop_stops_the_call() -> None:
    assert TwilioDialect(Source(name="pbx", first_track="customer")).closed() == []
    assert started().closed() == [CallStopped(call_over=False)]
