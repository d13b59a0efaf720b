"""The Media Streams family: each vendor's spelling, told apart on one address, and whatever else may come."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.types import Role
from service.ingest.dialect import Dialect, DialectOutput
from service.ingest.dialects.exotel import ExotelDialect
from service.ingest.dialects.plivo import PlivoDialect
from service.ingest.dialects.signalwire import SignalWireDialect
from service.ingest.dialects.telnyx import TelnyxDialect
from service.ingest.events import (
    AudioArrived,
    CallAnnounced,
    CallStopped,
    DigitPressed,
    FormatChanged,
    Irregularity,
    ProtocolViolation,
)
from tests.media_streams_vendors import (
    EXOTEL,
    PBX,
    PLIVO,
    SIGNALWIRE,
    TELNYX,
    TWILIO,
    VENDORS,
    VendorMessages,
    on_one_address,
    told,
)

every_vendor = pytest.mark.parametrize("vendor", VENDORS.values(), ids=VENDORS)
LOUD = b"\xff" * 160


def announced(dialect: Dialect, start: str) -> CallAnnounced:
    call, *_ = dialect.text(start)
    assert isinstance(call, CallAnnounced)
    return call


def refused(dialect: Dialect, message: str) -> tuple[str, int]:
    with pytest.raises(ProtocolViolation) as caught:
        dialect.text(message)
    return caught.value.field, caught.value.close_code


def odd(events: list[DialectOutput]) -> list[tuple[str, str]]:
    return [(event.kind, event.field) for event in events if isinstance(event, Irregularity)]


@every_vendor
def test_a_stream_is_told_apart_by_its_start_and_read_as_its_vendors(vendor: VendorMessages) -> None:
    """The second start has no place: its field is named as the vendor names it."""
    messages = [vendor.start(), vendor.audio(LOUD), vendor.start_with({vendor.call_id: "a/b"}), vendor.ends]
    events = told(on_one_address(), '{"event":"connected"}', *messages)
    assert events == told(vendor.dialect(PBX), *messages)
    assert odd(events) == [("order", f"start.{vendor.call_id}")]


def test_a_start_of_no_vendor_is_refused() -> None:
    for start in ({}, {"callUuid": "1"}, {"callSid": None}):
        message = json.dumps({"event": "start", "start": start})
        assert refused(on_one_address(), message)[0].startswith("start")
    assert refused(on_one_address(), '{"event":"start","start":[]}') == ("start", 1008)


def test_before_a_vendor_is_known_only_text_is_read() -> None:
    with pytest.raises(ProtocolViolation) as caught:
        on_one_address().binary(b"\0")
    assert caught.value.close_code == 1003
    assert refused(on_one_address(), "hello") == ("message", 1003)


@every_vendor
def test_binary_within_a_stream_is_told(vendor: VendorMessages) -> None:
    dialect = on_one_address()
    dialect.text(vendor.start())
    assert odd([*dialect.binary(b"\0")]) == [("unreadable", "message")]


@every_vendor
def test_parameters_describe_the_call(vendor: VendorMessages) -> None:
    given = {"call_id": "K-1", "agent": "1017", "customer": "C9", "language": "en", "jurisdiction": "US", "shift": "3"}
    call = announced(vendor.dialect(PBX), vendor.start(parameters=given))
    assert (call.call_id, call.agent, call.customer) == ("K-1", "1017", "C9")
    assert (call.language, call.jurisdiction) == ("en", "US")
    assert call.metadata["shift"] == "3"


@every_vendor
def test_an_unknown_encoding_is_refused_by_name(vendor: VendorMessages) -> None:
    start = vendor.start_with({vendor.format_at: {"encoding": "AMR-WB"}})
    assert refused(vendor.dialect(PBX), start) == (f"start.{vendor.format_at}.encoding", 1003)
    with pytest.raises(ProtocolViolation, match="'AMR-WB'"):
        vendor.dialect(PBX).text(start)


FORMS: list[tuple[VendorMessages, dict[str, Any], tuple[str, int]]] = [
    (SIGNALWIRE, {"encoding": "audio/x-L16", "sampleRate": 24_000, "channels": 1}, ("pcm_s16le", 24_000)),
    (SIGNALWIRE, {"encoding": "audio/x-L16", "sampleRate": "16000"}, ("pcm_s16le", 16_000)),
    (SIGNALWIRE, {"encoding": "PCMA"}, ("alaw", 8000)),
    (TELNYX, {"encoding": "PCMU", "sample_rate": 8000, "channels": 1}, ("mulaw", 8000)),
    (TELNYX, {"encoding": "PCMA", "sample_rate": 8000, "channels": 1}, ("alaw", 8000)),
    (TELNYX, {"encoding": "audio/x-mulaw", "sample_rate": 8000}, ("mulaw", 8000)),
    (TELNYX, {"encoding": "G722", "sample_rate": 8000}, ("g722", 16_000)),
    (TELNYX, {"encoding": "OPUS", "sample_rate": 48_000}, ("opus", 16_000)),
    (PLIVO, {"encoding": "audio/x-mulaw", "sampleRate": 8000}, ("mulaw", 8000)),
    (PLIVO, {"encoding": "audio/x-l16", "sampleRate": 16_000}, ("pcm_s16le", 16_000)),
    (EXOTEL, {"encoding": "audio/x-raw", "sample_rate": "8000", "bit_rate": "16"}, ("pcm_s16le", 8000)),
    (EXOTEL, {"encoding": "base64", "sample_rate": "8000", "bit_rate": "128kbps"}, ("pcm_s16le", 8000)),
    (EXOTEL, {"encoding": "audio/L16;rate=16000", "sample_rate": "16000"}, ("pcm_s16le", 16_000)),
    (PLIVO, {"encoding": "audio/x-l16;rate=16000"}, ("pcm_s16le", 16_000)),
    (EXOTEL, {}, ("pcm_s16le", 8000)),
]


@pytest.mark.parametrize(("vendor", "media_format", "form"), FORMS)
def test_encodings_and_rates_are_read_in_the_vendors_names(
    vendor: VendorMessages, media_format: dict[str, Any], form: tuple[str, int]
) -> None:
    call = announced(vendor.dialect(PBX), vendor.start_with({vendor.format_at: media_format}))
    assert (call.encoding, call.rate) == form


@pytest.mark.parametrize(
    ("vendor", "media_format", "field", "code"),
    [
        (SIGNALWIRE, {"encoding": "OPUS"}, "encoding", 1003),
        (SIGNALWIRE, {"channels": 3}, "channels", 1008),
        (TELNYX, {"encoding": "L16", "sample_rate": 16_000}, "encoding", 1003),
        (TELNYX, {"encoding": "OPUS", "sample_rate": 44_100}, "sample_rate", 1008),
        (TELNYX, {"encoding": "AMR-WB", "sample_rate": 16_000}, "encoding", 1003),
        (TELNYX, {"encoding": "PCMU", "sample_rate": 11_025}, "sample_rate", 1008),
        (TELNYX, {"encoding": "PCMU", "channels": 2}, "channels", 1008),
        (PLIVO, {"encoding": "audio/x-l16", "sampleRate": 24_000}, "sampleRate", 1008),
        (PLIVO, {"encoding": "audio/x-l16; rate=44100"}, "sampleRate", 1008),
        (EXOTEL, {"sample_rate": "fast"}, "sample_rate", 1008),
    ],
)
def test_a_form_that_is_not_taken_is_refused(
    vendor: VendorMessages, media_format: dict[str, Any], field: str, code: int
) -> None:
    start = vendor.start_with({vendor.format_at: media_format})
    assert refused(vendor.dialect(PBX), start) == (f"start.{vendor.format_at}.{field}", code)


def test_signalwire_may_wrap_its_messages_or_not() -> None:
    bare = [SIGNALWIRE.start(), TWILIO.audio(LOUD), '{"event":"dtmf","dtmf":{"digit":"8"}}', '{"event":"stop"}']
    wrapped = [json.dumps({"eventType": "any", "rawEvent": json.loads(message)}) for message in bare]
    events = told(SignalWireDialect(PBX), *bare)
    assert events == told(SignalWireDialect(PBX), *wrapped) == told(on_one_address(), *wrapped)
    assert events[1:] == [
        AudioArrived(payload=LOUD, role="customer", at=0.0),
        DigitPressed(digit="8"),
        CallStopped(call_over=False),
    ]


def test_telnyx_tells_of_the_call_in_several_places() -> None:
    state = base64.b64encode(b'{"campaign":"M1","agent":"A1"}').decode()
    numbers = {"from": "+13125550100", "to": "+13125550101"}
    start = TELNYX.start(parameters={"agent": "A17"}, client_state=state, **numbers)
    call = announced(TelnyxDialect(PBX), start)
    assert (call.call_id, call.agent) == ("v2:C1", "A17")
    assert call.metadata == {**numbers, "call_session_id": "S1", "campaign": "M1"}


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        (base64.b64encode(b"have a nice day").decode(), {"client_state": "have a nice day"}),
        (base64.b64encode(b"\xff\xfe").decode(), {}),
        ("no base64!", {}),
        (None, {}),
        (["x"], {}),
    ],
)
def test_telnyx_client_state_is_kept_where_it_is_text(state: object, kept: dict[str, str]) -> None:
    call = announced(TelnyxDialect(PBX), TELNYX.start(client_state=state))
    assert call.metadata == {"call_session_id": "S1", **kept}


def test_telnyx_parameters_may_be_a_list_as_they_are_set() -> None:
    named = [{"name": "agent", "value": "A17"}, {"name": "shift", "value": 3}, "odd", {"value": "x"}]
    call = announced(TelnyxDialect(PBX), TELNYX.start(custom_parameters=named))
    assert (call.agent, call.metadata["shift"]) == ("A17", "3")


def test_an_error_of_telnyx_is_told_and_ends_nothing() -> None:
    dialect, _ = TELNYX.open()
    message = {"event": "error", "stream_id": "T1", "payload": {"code": 100004, "title": "invalid_media"}}
    [event] = dialect.text(json.dumps(message))
    assert isinstance(event, Irregularity)
    assert "invalid_media" in event.message
    assert told(dialect, TELNYX.audio(LOUD)) == [AudioArrived(payload=LOUD, role="customer", at=0.0)]


@pytest.mark.parametrize(
    "headers",
    [
        "agent=A17;callid=K1",
        "agent=A17,callId=K1",
        ' {"agent": "A17", "callid": "K1"}',
        {"agent": "A17", "call_id": "K1"},
    ],
)
def test_plivos_extra_headers_are_read_in_every_form(headers: object) -> None:
    message = {**json.loads(PLIVO.start()), "extra_headers": headers}
    call = announced(PlivoDialect(PBX), json.dumps(message))
    assert (call.call_id, call.agent, call.metadata) == ("K1", "A17", {})


@pytest.mark.parametrize("headers", ["", "{}", "nothing", "{", None, 5, ["agent=A17"]])
def test_extra_headers_that_say_nothing_cost_no_call(headers: object) -> None:
    message = {**json.loads(PLIVO.start()), "extra_headers": headers}
    call = announced(PlivoDialect(PBX), json.dumps(message))
    assert (call.call_id, call.agent) == ("CA1", "")


def test_plivos_times_are_counted_from_the_first() -> None:
    dialect, _ = PLIVO.open()
    events = told(dialect, *(PLIVO.audio(LOUD, 1, at) for at in (40, 60, 20)))
    assert [event.at for event in events if isinstance(event, AudioArrived)] == [0.0, 0.02, -0.02]


def test_a_stream_of_exotel_without_tracks_is_the_first_tracks_leg() -> None:
    start = json.loads(EXOTEL.start_with({"from": "+919800000001"}))
    del start["start"]["tracks"]
    media = json.loads(EXOTEL.audio(b"\1\2" * 800))
    del media["media"]["track"]
    call, audio = told(ExotelDialect(PBX), json.dumps(start), json.dumps(media))
    assert isinstance(call, CallAnnounced)
    assert (call.roles, call.all_roles, call.metadata) == (
        ("customer",),
        ("agent", "customer"),
        {"from": "+919800000001"},
    )
    assert audio == AudioArrived(payload=b"\1\2" * 800, role="customer", at=0.0)


@pytest.mark.parametrize("vendor", [SIGNALWIRE, PLIVO, EXOTEL])
def test_half_a_sample_is_told_and_each_tracks_samples_stay_whole(vendor: VendorMessages) -> None:
    dialect = vendor.dialect(PBX)
    announced(dialect, vendor.start_with({vendor.format_at: {"encoding": "audio/x-l16"}}))
    one = told(dialect, vendor.audio(b"abc"), vendor.audio(b"uvw", track="outbound"), vendor.audio(b"defgh", 2, 20))
    heard: dict[Role | None, bytes] = {"agent": b"", "customer": b""}
    for event in one:
        if isinstance(event, AudioArrived):
            heard[event.role] += event.payload
    assert heard == {"customer": b"abcdefgh", "agent": b"uv"}
    assert set(odd(one)) == {("format", "media.payload")}


def test_a_second_start_in_another_form_goes_on_in_that_form() -> None:
    dialect, _ = PLIVO.open()
    again = told(dialect, PLIVO.start(mediaFormat={"encoding": "audio/x-l16", "sampleRate": 16_000}))
    assert odd(again) == [("order", "start")]
    assert again[1:] == [FormatChanged(encoding="pcm_s16le", rate=16_000, roles=("agent", "customer"))]
    assert odd(told(dialect, PLIVO.audio(b"\1"))) == [("format", "media.payload")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
VALUE = JSON | st.sampled_from(
    ["inbound", "outbound_track", "20", 40, "/w==", "AQID", "CA1", "5", "L16", "PCMU", "a=1;b"]
)
OF_START = ["tracks", "callSid", "callId", "call_sid", "call_control_id", "client_state", "customParameters"]
NAMES = [*OF_START, "custom_parameters", "mediaFormat", "media_format", "encoding", "from", "title"]
NAMES += ["track", "chunk", "timestamp", "payload", "digit"]
BODY = JSON | st.dictionaries(st.sampled_from(NAMES), VALUE, max_size=6)
EVENT = st.sampled_from(["connected", "start", "media", "dtmf", "mark", "error", "stop", "news"])
BESIDE = st.dictionaries(
    st.sampled_from(["sequenceNumber", "sequence_number", "stream_id", "extra_headers", "payload"]), VALUE, max_size=3
)


def _message(event: str, body: object, beside: dict[str, object], wrapped: bool) -> str:
    message = {"event": event, event: body, **beside}
    return json.dumps({"rawEvent": message} if wrapped else message)


ANY = st.text(max_size=40) | JSON.map(json.dumps) | st.builds(_message, EVENT, BODY, BESIDE, st.booleans())
GOOD = st.sampled_from(
    [text for vendor in VENDORS.values() for text in (vendor.start(), vendor.audio(LOUD), vendor.ends)]
)
DIALECTS = st.sampled_from([*(vendor.dialect for vendor in VENDORS.values()), on_one_address])


@given(DIALECTS, st.lists(ANY | GOOD | st.binary(max_size=8), max_size=12))
def test_whatever_comes_in_whatever_order_gives_events_or_a_violation(make: Any, messages: list[str | bytes]) -> None:
    dialect: Dialect = make(PBX)
    refusals: list[ProtocolViolation] = []
    for message in messages:
        try:
            events = dialect.text(message) if isinstance(message, str) else dialect.binary(message)
        except ProtocolViolation as violation:
            refusals.append(violation)
        else:
            for event in events:
                json.dumps(asdict(event), default=str, ensure_ascii=False).encode()  # can be stored as text
    assert all(refusal.field and refusal.close_code in (1003, 1008, 1009) for refusal in refusals)
    assert len(dialect.closed()) <= 12


@every_vendor
@given(data=st.data())
def test_within_a_stream_nothing_is_a_violation(vendor: VendorMessages, data: st.DataObject) -> None:
    dialect, _ = vendor.open()
    events: list[DialectOutput] = []
    for message in data.draw(st.lists(ANY | GOOD, max_size=10)):
        if not any(isinstance(event, CallStopped) for event in events):  # a start is refused then
            events += dialect.text(message)
    assert not any(isinstance(event, CallAnnounced) for event in events)
