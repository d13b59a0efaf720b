"""Once a call is live nothing that its gateway sends ends it, but what is too big: the rest is told, and bounded."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.ingest.dialect import Dialect, DialectOutput
from service.ingest.dialects.native import NativeDialect
from service.ingest.dialects.twilio import TwilioDialect
from service.ingest.events import (
    MAX_AUDIO_BYTES,
    MAX_TEXT_BYTES,
    AudioArrived,
    CallAnnounced,
    CallStopped,
    DigitPressed,
    FormatChanged,
    Irregularity,
    ProtocolViolation,
)
from service.ingest.source import Source

NATIVE: dict[str, Any] = {
    "type": "start",
    "call_id": "call-1",
    "legs": ["agent", "customer"],
    "encoding": "pcm_s16le",
    "rate": 8000,
}
TWILIO: dict[str, Any] = {"event": "start", "start": {"callSid": "CA1", "tracks": ["inbound", "outbound"]}}
LOUD = "/w=="


def native(**changes: Any) -> NativeDialect:
    dialect = NativeDialect()
    dialect.text(json.dumps({**NATIVE, **changes}))
    return dialect


def twilio(**changes: Any) -> TwilioDialect:
    dialect = TwilioDialect(Source(name="pbx", first_track="customer"))
    dialect.text(json.dumps({**TWILIO, "start": {**TWILIO["start"], **changes}}))
    return dialect


def media(**changes: Any) -> str:
    return json.dumps({"event": "media", "media": {"track": "inbound", "payload": LOUD, **changes}})


def odd(events: Sequence[DialectOutput]) -> list[tuple[str, str]]:
    return [(event.kind, event.field) for event in events if isinstance(event, Irregularity)]


def kept(events: Sequence[DialectOutput]) -> list[DialectOutput]:
    return [event for event in events if not isinstance(event, Irregularity)]


UNREADABLE = ["", "hello", "[1]", "null", '"start"', "[" * 60_000, "1" * 5000, '{"type":"dtmf"', "\ufeff", "NaN"]


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_is_no_json_object_is_told_and_left_out(text: str) -> None:
    for dialect in (native(), twilio()):
        assert odd(dialect.text(text)) == [("unreadable", "message")]


@pytest.mark.parametrize("kind", [[], {}, True, "x" * 65, math.nan, "a\0"])
def test_a_type_that_is_no_text_is_told(kind: object) -> None:
    assert odd(native().text(json.dumps({"type": kind}))) == [("unreadable", "type")]


def test_only_what_is_too_big_breaks_the_protocol() -> None:
    for dialect in (native(), twilio()):
        with pytest.raises(ProtocolViolation) as caught:
            dialect.text(json.dumps({"ignored": "x" * MAX_TEXT_BYTES}))
        assert caught.value.close_code == 1009
    with pytest.raises(ProtocolViolation) as caught:
        native().binary(bytes(MAX_AUDIO_BYTES + 1))
    assert caught.value.close_code == 1009


def test_a_byte_order_mark_is_ignored_before_any_message() -> None:
    dialect = NativeDialect()
    [call] = dialect.text("\ufeff" + json.dumps(NATIVE))
    assert isinstance(call, CallAnnounced)
    assert dialect.text('\ufeff{"type":"dtmf","digit":"5"}') == [DigitPressed(digit="5")]
    assert dialect.text('\ufeff \n{"type":"stop"}') == [CallStopped()]
    [call] = TwilioDialect(Source(name="pbx", first_track="agent")).text("\ufeff" + json.dumps(TWILIO))
    assert isinstance(call, CallAnnounced)


KEYS: list[tuple[object, str, bool]] = [
    ("5", "5", False),
    (5, "5", False),
    ("a", "A", False),
    ("d", "D", False),
    (" # ", "#", False),
    ("star", "*", False),
    ("pound", "#", False),
    ("6222021234#", "6222021234#", False),
    ("1-2 3", "123", True),
    ("!", "", True),
    ("F", "", True),
    ("flash", "", True),
    ("hookflash", "", True),
    ("E", "", True),
    ("5!", "5", True),
    ("7" * 40, "7" * 32, True),
    ("五", "", True),
    ("\uff15", "", True),
    ("", "", True),
    ("x" * 5000, "", True),
    ("1\0", "", True),
    (None, "", True),
    (True, "", True),
    (-1, "1", True),
    (math.inf, "", True),
    (["5"], "", True),
    ({"digit": "5"}, "", True),
]


@pytest.mark.parametrize(("digit", "keys", "noted"), KEYS)
def test_keys_are_taken_and_what_is_no_key_is_told(digit: object, keys: str, noted: bool) -> None:
    for dialect, field, message in (
        (native(), "digit", {"type": "dtmf", "digit": digit, "role": "customer"}),
        (twilio(), "dtmf.digit", {"event": "dtmf", "dtmf": {"track": "inbound_track", "digit": digit}}),
    ):
        events = dialect.text(json.dumps(message))
        assert kept(events) == [DigitPressed(digit=key, role="customer") for key in keys]
        assert odd(events) == ([("digit", field)] if noted else [])


@pytest.mark.parametrize("role", ["agent", "supervisor", 1, ["customer"], {}])
def test_a_key_keeps_its_digit_where_nobody_knows_who_pressed_it(role: object) -> None:
    dialect = native(legs=["customer"])
    events = dialect.text(json.dumps({"type": "dtmf", "digit": "1", "role": role}))
    assert kept(events) == [DigitPressed(digit="1")]
    assert odd(events) == [("leg", "role")]


def test_the_same_start_again_changes_nothing() -> None:
    dialect = native()
    again = dialect.text(json.dumps(NATIVE))
    assert (kept(again), odd(again)) == ([], [("order", "start")])
    assert dialect.binary(b"abcd") == [AudioArrived(payload=b"abcd")]
    tracks = twilio()
    assert odd(tracks.text(json.dumps(TWILIO))) == [("order", "start")]
    assert kept(tracks.text(media()))


def test_a_start_with_another_form_goes_on_in_that_form() -> None:
    dialect = native()
    again = dialect.text(json.dumps({**NATIVE, "encoding": "alaw", "rate": 16_000, "legs": ["customer", "agent"]}))
    assert kept(again) == [FormatChanged(encoding="alaw", rate=16_000, roles=("customer", "agent"))]
    assert dialect.binary(b"ab") == [AudioArrived(payload=b"ab")]


def test_a_second_start_that_cannot_be_one_is_told() -> None:
    assert odd(native().text(json.dumps({**NATIVE, "rate": "fast"}))) == [("order", "rate")]
    assert odd(twilio().text('{"event":"start","start":{"callSid":["CA1"]}}')) == [("order", "start.callSid")]


OTHER = json.dumps({**NATIVE, "call_id": "call-2", "encoding": "alaw"})
TWILIO_OTHER = '{"event":"start","streamSid":"MZ2","start":{"callSid":"CA2","streamSid":"MZ2"}}'


def test_a_start_of_another_call_ends_this_one_not_and_is_told() -> None:
    assert [(kept(e), odd(e)) for e in [native().text(OTHER)]] == [([], [("order", "call_id")])]
    assert [(kept(e), odd(e)) for e in [twilio().text(TWILIO_OTHER)]] == [([], [("order", "start.callSid")])]


def test_what_follows_the_start_of_another_call_is_not_taken_for_this_ones_until_this_one_is_named() -> None:
    dialect = native()
    dialect.text(OTHER)
    for left_out, field in (
        (dialect.binary(b"abcd"), "audio"),
        (dialect.text('{"type":"dtmf","digit":"1"}'), "dtmf"),
        (dialect.text('{"type":"stop"}'), "stop"),
    ):
        assert (kept(left_out), odd(left_out)) == ([], [("order", field)])
    assert dialect.closed() == [], "the call waits for its gateway"
    dialect.text(json.dumps(NATIVE))
    assert dialect.binary(b"abcd") == [AudioArrived(payload=b"abcd")]
    assert dialect.text('{"type":"stop"}') == [CallStopped()]


def test_two_streams_of_twilios_on_one_connection_are_told_apart_by_their_ids() -> None:
    def of(stream: str, event: str, **body: Any) -> str:
        return json.dumps({"event": event, "streamSid": stream, event: {"payload": LOUD, "track": "inbound", **body}})

    tracks = twilio()
    tracks.text(TWILIO_OTHER)
    assert kept(tracks.text(of("MZ1", "media")))
    for event in ("media", "dtmf", "stop"):
        left_out = tracks.text(of("MZ2", event, digit="1"))
        assert (kept(left_out), odd(left_out)) == ([], [("order", event)])
    assert kept(tracks.text(of("MZ1", "media")))
    assert tracks.text(of("MZ1", "stop")) == [CallStopped(call_over=False)]


@pytest.mark.parametrize("then", [[], ["audio"], ["stop"], ["audio", "stop"]])
@given(st.lists(st.sampled_from(["mine", "other", "audio", "digit"]), max_size=12))
def test_of_calls_on_one_connection_only_what_follows_its_own_start_is_the_first_ones(
    then: list[str], order: list[str]
) -> None:
    said = {"mine": json.dumps(NATIVE), "other": OTHER, "digit": '{"type":"dtmf","digit":"1"}', "audio": b"abcd"}
    dialect, mine = native(), True
    for name in [*order, *then]:
        events = feed(dialect, said.get(name, '{"type":"stop"}'))
        mine = name == "mine" or (mine and name != "other")
        assert bool(kept(events)) == (mine and name in ("audio", "digit", "stop"))


def test_what_comes_after_a_stop_is_told_and_left_out() -> None:
    dialect = native()
    assert dialect.text('{"type":"stop"}') == [CallStopped()]
    assert odd(dialect.text('{"type":"stop"}')) == [("order", "stop")]
    assert odd(dialect.text('{"type":"dtmf","digit":"1"}')) == [("order", "dtmf")]
    assert odd(dialect.binary(bytes(4))) == [("order", "audio")]
    assert dialect.text('{"type":"news"}') == []
    assert dialect.closed() == []

    tracks = twilio()
    assert tracks.text('{"event":"stop"}') == [CallStopped(call_over=False)]
    assert odd(tracks.text('{"event":"stop"}')) == [("order", "stop")]
    assert odd(tracks.text(media())) == [("order", "media")]
    assert odd(tracks.text('{"event":"dtmf","dtmf":{"digit":"1"}}')) == [("order", "dtmf")]
    assert tracks.text('{"event":"mark"}') == []
    assert tracks.closed() == []


def test_a_call_that_begins_after_a_stop_is_refused_for_nothing_would_hear_it() -> None:
    dialect, tracks = native(), twilio()
    dialect.text('{"type":"stop"}')
    tracks.text('{"event":"stop"}')
    for message, stopped in ((NATIVE, dialect), (TWILIO, tracks)):
        with pytest.raises(ProtocolViolation, match="start: came after stop") as caught:
            stopped.text(json.dumps(message))
        assert not caught.value.ends_call


def test_half_a_sample_frame_is_told_and_the_samples_stay_in_their_frames() -> None:
    dialect = native()
    assert odd(dialect.binary(b"abc")) == [("format", "audio")]
    assert kept(dialect.binary(b"efgh")) == [AudioArrived(payload=b"efgh")]
    assert dialect.binary(b"ijkl") == [AudioArrived(payload=b"ijkl")]


def test_half_a_sample_frame_before_the_start_is_told_after_it() -> None:
    dialect = NativeDialect()
    dialect.binary(b"abc")
    dialect.binary(b"d")
    call, *audio = dialect.text(json.dumps(NATIVE))
    assert isinstance(call, CallAnnounced)
    assert kept(audio) == [AudioArrived(payload=b"abcd")]


@pytest.mark.parametrize(
    "encode",
    [
        lambda raw: base64.b64encode(raw).decode(),
        lambda raw: base64.b64encode(raw).decode().rstrip("="),
        lambda raw: base64.encodebytes(raw).decode(),
        lambda raw: base64.encodebytes(raw).decode().replace("\n", "\r\n"),
        lambda raw: base64.urlsafe_b64encode(raw).decode(),
        lambda raw: " " + " ".join(base64.urlsafe_b64encode(raw).decode().rstrip("=")) + "\t",
        lambda raw: base64.b64encode(raw).decode() + "==",
    ],
)
def test_base64_is_read_in_all_its_forms(encode: Any) -> None:
    raw = bytes(range(256)) + b"\xff\xfb"
    [audio] = twilio().text(media(payload=encode(raw)))
    assert audio == AudioArrived(payload=raw, role="customer")


@given(st.binary(max_size=400), st.booleans(), st.booleans(), st.integers(1, 100))
def test_base64_of_any_alphabet_padding_and_width_is_read(raw: bytes, url: bool, padded: bool, width: int) -> None:
    text = (base64.urlsafe_b64encode if url else base64.b64encode)(raw).decode()
    text = text if padded else text.rstrip("=")
    wrapped = "\n".join(text[at : at + width] for at in range(0, len(text), width))
    assert twilio().text(media(payload=wrapped)) == ([AudioArrived(payload=raw, role="customer")] if raw else [])


@pytest.mark.parametrize("payload", ["no base64!", "=款", "A", "AA=A", ["/w=="], 5, True, {"a": 1}])
def test_what_is_no_base64_is_told_and_left_out(payload: object) -> None:
    events = twilio().text(media(payload=payload))
    assert (kept(events), odd(events)) == ([], [("payload", "media.payload")])


@pytest.mark.parametrize("track", ["third", "", 1, ["inbound"], {}])
def test_an_unknown_track_is_told_and_left_out(track: object) -> None:
    events = twilio().text(media(track=track))
    assert (kept(events), odd(events)) == ([], [("leg", "media.track")])


def test_a_track_that_was_not_announced_is_told_and_left_out() -> None:
    dialect = twilio(tracks=["outbound"])
    assert odd(dialect.text(media())) == [("leg", "media.track")]
    assert kept(dialect.text(media(track="outbound")))


@pytest.mark.parametrize("encoding", ["audio/opus", "PCMA", 5, ["audio/x-mulaw"]])
def test_media_of_another_encoding_is_told_and_left_out(encoding: object) -> None:
    events = twilio().text(media(encoding=encoding))
    assert (kept(events), odd(events)) == ([], [("format", "media.encoding")])


@pytest.mark.parametrize("timestamp", ["soon", "", "1.5", [], True, math.nan, 10**40, "0x10"])
def test_audio_with_an_odd_timestamp_follows_on(timestamp: object) -> None:
    events = twilio().text(media(timestamp=timestamp))
    assert kept(events) == [AudioArrived(payload=b"\xff", role="customer", at=None)]
    assert odd(events) == [("value", "media.timestamp")]


def numbered(sequence: object) -> str:
    return json.dumps({"event": "mark", "sequenceNumber": sequence})


def test_missing_messages_are_told_and_doubled_ones_are_not() -> None:
    dialect = twilio()
    assert [bool(dialect.text(numbered(n))) for n in ("2", "3", "3", "4", 7, "7", "2", "3")] == [
        *[False] * 4,
        True,
        *[False] * 3,
    ]
    assert odd(dialect.text(numbered("second"))) == [("sequence", "sequenceNumber")]


@pytest.mark.parametrize("event", ["media", "dtmf"])
@pytest.mark.parametrize("body", [[1], "x", 5, True])
def test_a_body_that_is_no_object_is_told(event: str, body: object) -> None:
    assert odd(twilio().text(json.dumps({"event": event, event: body}))) == [("unreadable", event)]


def test_binary_on_a_text_protocol_is_told() -> None:
    assert odd(twilio().binary(b"\0")) == [("unreadable", "message")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
VALUES = JSON | st.sampled_from(["start", "stop", "dtmf", "agent", "mulaw", "16000", 1, 2, "inbound", LOUD, "CA1", "5"])
FIELDS = st.dictionaries(
    st.sampled_from([*NATIVE, "language", "started_at", "agent", "metadata", "events", "digit", "role"]),
    VALUES,
    max_size=8,
)
BODIES = JSON | st.dictionaries(
    st.sampled_from(["track", "payload", "timestamp", "callSid", "tracks", "mediaFormat", "customParameters", "digit"]),
    VALUES,
    max_size=5,
)
EVENTS = st.sampled_from(["connected", "start", "media", "dtmf", "mark", "stop", "news"])
TEXTS = (
    st.text(max_size=200)
    | JSON.map(json.dumps)
    | FIELDS.map(json.dumps)
    | FIELDS.map(lambda fields: json.dumps({**NATIVE, **fields}))
    | st.builds(lambda e, n, body: json.dumps({"event": e, "sequenceNumber": n, e: body}), EVENTS, JSON, BODIES)
    | st.sampled_from([json.dumps(NATIVE), json.dumps(TWILIO), '{"type":"stop"}', '{"event":"stop"}', media()])
)
MESSAGES = st.lists(TEXTS | st.binary(max_size=64), max_size=10)


def feed(dialect: Dialect, message: str | bytes) -> Sequence[DialectOutput]:
    return dialect.text(message) if isinstance(message, str) else dialect.binary(message)


@given(MESSAGES, st.booleans())
def test_whatever_comes_in_a_call_that_has_not_stopped_is_no_violation(
    messages: list[str | bytes], is_native: bool
) -> None:
    dialect: Dialect = native() if is_native else twilio()
    told: list[DialectOutput] = []
    for message in messages:
        stopped = any(isinstance(event, CallStopped) for event in told)
        if not (stopped and isinstance(message, str) and '"start"' in message):  # that is refused, see above
            told += feed(dialect, message)
    assert not any(isinstance(event, CallAnnounced) for event in told)
    for event in told:
        json.dumps(asdict(event), default=str, ensure_ascii=False).encode()  # can be stored as text


@given(MESSAGES)
def test_whatever_comes_before_a_start_is_read_or_refused_by_field(messages: list[str | bytes]) -> None:
    for dialect in (NativeDialect(), TwilioDialect(Source(name="pbx", first_track="agent"))):
        refused: list[ProtocolViolation] = []
        for message in messages:
            try:
                events = feed(dialect, message)
            except ProtocolViolation as violation:
                refused.append(violation)
            else:
                for event in events:
                    json.dumps(asdict(event), default=str, ensure_ascii=False).encode()
        dialect.closed()
        assert all(violation.field and violation.close_code in (1003, 1008, 1009) for violation in refused)
