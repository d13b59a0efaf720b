"""The native dialect: what it accepts, what it refuses and with which close code, and what it says back."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta

import pytest

from service.ingest.dialect import CallTaken, Close, ConnectionRefused, FactStored, News, SendText
from service.ingest.dialects.native import MAX_EARLY_BYTES, NativeDialect
from service.ingest.events import (
    MAX_AUDIO_BYTES,
    MAX_TEXT_BYTES,
    AudioArrived,
    CallAnnounced,
    CallStopped,
    DigitPressed,
    GatewayEvent,
    ProtocolViolation,
)
from service.record.facts import CallClosed, Fact, GapMarked

START: dict[str, object] = {
    "type": "start",
    "call_id": "call-1",
    "legs": [{"role": "agent"}, {"role": "customer"}],
    "encoding": "pcm_s16le",
    "rate": 8000,
    "channels": 2,
}


def start(**changes: object) -> str:
    return json.dumps({**START, **changes})


def started(**changes: object) -> NativeDialect:
    dialect = NativeDialect()
    dialect.text(start(**changes))
    return dialect


def feed(dialect: NativeDialect, message: str | bytes) -> list[GatewayEvent]:
    return dialect.text(message) if isinstance(message, str) else dialect.binary(message)


def refusal(dialect: NativeDialect, message: str | bytes) -> tuple[str, int]:
    with pytest.raises(ProtocolViolation) as caught:
        feed(dialect, message)
    return caught.value.field, caught.value.close_code


@pytest.mark.parametrize(
    ("tag", "language"),
    [("cmn", "zh"), ("cmn-Hans-CN", "zh"), ("ZHO", "zh"), ("chi", "zh"), ("eng", "en"), ("en_GB", "en")],
)
def test_a_language_has_more_than_one_name(tag: str, language: str) -> None:
    [call] = NativeDialect().text(start(language=tag))
    assert isinstance(call, CallAnnounced)
    assert call.language == language


def test_a_call_may_leave_its_language_to_be_heard() -> None:
    [call] = NativeDialect().text(start(language="auto"))
    assert isinstance(call, CallAnnounced)
    assert call.language == "auto"


def test_a_full_start_announces_the_call() -> None:
    [call] = NativeDialect().text(
        start(
            language="zh-CN",
            jurisdiction="cn",
            started_at="2026-03-02T09:30:00+08:00",
            agent=1017,
            customer="C-88",
            metadata={"campaign": "M1", "attempt": 3, "vip": True, "note": None},
            events=True,
        )
    )

    assert isinstance(call, CallAnnounced)
    assert call.call_id == "call-1"
    assert call.roles == ("agent", "customer")
    assert (call.encoding, call.rate, call.language, call.jurisdiction) == ("pcm_s16le", 8000, "zh", "CN")
    assert call.started_at == datetime.fromisoformat("2026-03-02T01:30:00Z")
    assert call.started_at is not None
    assert call.started_at.utcoffset() == timedelta(hours=8)
    assert (call.agent, call.customer) == ("1017", "C-88")
    assert call.metadata == {"campaign": "M1", "attempt": "3", "vip": "true"}
    assert call.wants_events


def test_a_least_start_leaves_the_rest_to_the_source() -> None:
    [call] = NativeDialect().text('{"type":"start","call_id":"7","legs":["customer"],"encoding":"mulaw","rate":"8000"}')

    assert call == CallAnnounced(call_id="7", roles=("customer",), encoding="mulaw", rate=8000)


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"call_id": None}, "call_id", 1008),
        ({"call_id": ""}, "call_id", 1008),
        ({"call_id": "../etc/passwd"}, "call_id", 1008),
        ({"call_id": "a/b"}, "call_id", 1008),
        ({"call_id": "a b"}, "call_id", 1008),
        ({"call_id": "通话"}, "call_id", 1008),
        ({"call_id": "x" * 129}, "call_id", 1008),
        ({"call_id": ["x"]}, "call_id", 1008),
        ({"call_id": True}, "call_id", 1008),
        ({"call_id": math.nan}, "call_id", 1008),
        ({"call_id": math.inf}, "call_id", 1008),
        ({"call_id": -math.inf}, "call_id", 1008),
        ({"legs": None}, "legs", 1008),
        ({"legs": []}, "legs", 1008),
        ({"legs": "agent"}, "legs", 1008),
        ({"legs": ["agent", "agent"]}, "legs", 1008),
        ({"legs": ["agent", "customer", "agent"]}, "legs", 1008),
        ({"legs": ["agent", "supervisor"]}, "legs[1]", 1008),
        ({"legs": ["agent", {"name": "x"}]}, "legs[1].role", 1008),
        ({"channels": 1}, "channels", 1008),
        ({"channels": "two"}, "channels", 1008),
        ({"encoding": "amr-wb"}, "encoding", 1003),
        ({"encoding": "opus"}, "legs", 1008),
        ({"encoding": "g722"}, "legs", 1008),
        ({"encoding": None}, "encoding", 1003),
        ({"rate": 96000}, "rate", 1008),
        ({"rate": 44100, "encoding": "mulaw"}, "rate", 1008),
        ({"rate": 44100, "encoding": "opus", "legs": ["agent"], "channels": 1}, "rate", 1008),
        ({"rate": 10**400}, "rate", 1008),
        ({"rate": 8000.5}, "rate", 1008),
        ({"rate": True}, "rate", 1008),
        ({"rate": None}, "rate", 1008),
        ({"rate": math.nan}, "rate", 1008),
        ({"language": "fr"}, "language", 1008),
        ({"jurisdiction": "EU"}, "jurisdiction", 1008),
        ({"started_at": "yesterday"}, "started_at", 1008),
        ({"started_at": "2026-03-02T09:30:00"}, "started_at", 1008),
        ({"started_at": "0001-01-01T00:00:00+14:00"}, "started_at", 1008),
        ({"started_at": "9999-12-31T23:59:59-12:00"}, "started_at", 1008),
        ({"started_at": "2026-03-02T09:30:00+23:59:59.999999"}, "started_at", 1008),
        ({"started_at": "2026-03-02T09:30:00-23:59"}, "started_at", 1008),
        ({"started_at": "2026-03-02T09:30:00+08:00:01"}, "started_at", 1008),
        ({"started_at": 1772415000}, "started_at", 1008),
        ({"started_at": ["2026-03-02T09:30:00+08:00"]}, "started_at", 1008),
        ({"type": "strat"}, "type", 1008),
        ({"type": None}, "type", 1008),
    ],
)
def test_a_bad_start_is_refused_by_field(changes: dict[str, object], field: str, code: int) -> None:
    assert refusal(NativeDialect(), start(**changes)) == (field, code)


@pytest.mark.parametrize(
    ("encoding", "announced", "kept"),
    [
        ("pcm_s16be", 11_025, 11_025),
        ("pcm_s16le", 48_000, 48_000),
        ("g722", 8000, 16_000),
        ("g722", 16_000, 16_000),
        ("opus", 48_000, 16_000),
    ],
)
def test_a_call_is_kept_at_the_rate_that_its_sound_has(encoding: str, announced: int, kept: int) -> None:
    [call] = NativeDialect().text(start(encoding=encoding, rate=announced, legs=["agent"], channels=1))
    assert isinstance(call, CallAnnounced)
    assert (call.encoding, call.rate) == (encoding, kept)


def test_packets_of_a_codec_stay_whole() -> None:
    dialect = started(encoding="opus", rate=48_000, legs=["agent"], channels=1)
    for packet in (b"\x08", b"abc", bytes(321)):
        assert dialect.binary(packet) == [AudioArrived(payload=packet)]


@pytest.mark.parametrize("text", ["", "hello", "[1]", "null", "[" * 60_000, "1" * 5000])
def test_what_is_not_a_json_object_is_refused_with_1003(text: str) -> None:
    assert refusal(NativeDialect(), text) == ("message", 1003)


def test_a_text_message_over_64_kib_is_refused_with_1009() -> None:
    within = start(ignored="x" * (MAX_TEXT_BYTES - len(start(ignored=""))))
    assert len(NativeDialect().text(within)) == 1
    assert refusal(NativeDialect(), within + " ") == ("message", 1009)
    assert refusal(NativeDialect(), json.dumps("款" * 30_000, ensure_ascii=False)) == ("message", 1009)


def test_an_audio_frame_over_1_mib_is_refused_with_1009() -> None:
    dialect = started()
    assert dialect.binary(bytes(MAX_AUDIO_BYTES)) == [AudioArrived(payload=bytes(MAX_AUDIO_BYTES))]
    assert refusal(dialect, bytes(MAX_AUDIO_BYTES + 4)) == ("audio", 1009)


@pytest.mark.parametrize(
    ("changes", "frame"),
    [
        ({}, 4),
        ({"legs": ["agent"], "channels": 1}, 2),
        ({"encoding": "pcm_s16be"}, 4),
        ({"encoding": "alaw"}, 2),
        ({"encoding": "alaw", "legs": ["agent"], "channels": 1}, 1),
    ],
)
def test_audio_comes_in_whole_sample_frames_of_any_number(changes: dict[str, object], frame: int) -> None:
    dialect = started(**changes)
    for count in (1, 7, 160):
        assert dialect.binary(b"\x01" * (count * frame)) == [AudioArrived(payload=b"\x01" * (count * frame))]
    assert dialect.binary(b"") == []


def test_audio_before_the_start_follows_it() -> None:
    dialect = NativeDialect()
    assert dialect.binary(b"abcd") == []
    assert dialect.binary(b"efgh") == []

    call, *audio = dialect.text(start())

    assert isinstance(call, CallAnnounced)
    assert audio == [AudioArrived(payload=b"abcd"), AudioArrived(payload=b"efgh")]
    assert dialect.binary(b"ijkl") == [AudioArrived(payload=b"ijkl")]


def test_audio_without_a_start_is_kept_up_to_a_bound() -> None:
    dialect = NativeDialect()
    dialect.binary(bytes(MAX_EARLY_BYTES))
    assert refusal(dialect, b"\0\0\0\0") == ("start", 1008)


@pytest.mark.parametrize("message", ['{"type":"stop"}', '{"type":"dtmf","digit":"5"}'])
def test_nothing_but_audio_comes_before_the_start(message: str) -> None:
    assert refusal(NativeDialect(), message) == ("start", 1008)


def test_a_digit_may_name_who_pressed_it() -> None:
    dialect = started(legs=["customer"], channels=1)
    assert dialect.text('{"type":"dtmf","digit":5}') == [DigitPressed(digit="5")]
    assert dialect.text('{"type":"dtmf","digit":"#","role":"customer"}') == [DigitPressed(digit="#", role="customer")]


def test_unknown_messages_are_ignored_after_the_start() -> None:
    assert started().text('{"type":"hello","from":"a later version"}') == []


def test_a_clean_close_without_a_stop_stops_the_call_once() -> None:
    assert NativeDialect().closed() == []
    dialect = started()
    assert dialect.closed() == [CallStopped()]
    assert dialect.closed() == []


def said(dialect: NativeDialect, news: News) -> list[dict[str, object]]:
    return [json.loads(reply.text) for reply in dialect.tell(news) if isinstance(reply, SendText)]


def stored(fact: Fact) -> FactStored:
    return FactStored(call_id="c-1", seq=7, at=datetime(2026, 3, 2, 9, 30, tzinfo=UTC), fact=fact)


def test_ready_tells_whether_the_call_is_resumed() -> None:
    assert said(started(), CallTaken(call_id="c-1", resumed=True)) == [
        {"type": "ready", "call_id": "c-1", "resumed": True}
    ]


def test_an_error_names_the_field_and_the_close_code_and_the_close_follows() -> None:
    refused = ConnectionRefused(violation=ProtocolViolation("rate", "must be 8000", 1008))
    dialect = NativeDialect()
    assert said(dialect, refused) == [{"type": "error", "field": "rate", "message": "must be 8000", "code": 1008}]
    assert dialect.tell(refused)[1:] == [Close(code=1008, reason="rate: must be 8000")]


def test_an_event_wraps_the_stored_fact_for_who_asked_for_events() -> None:
    gap = stored(GapMarked(role="agent", start=1.0, end=2.5, reason="lost"))
    assert said(started(events=True), gap) == [
        {
            "type": "event",
            "call_id": "c-1",
            "seq": 7,
            "at": "2026-03-02T09:30:00+00:00",
            "fact": {"type": "gap", "role": "agent", "start": 1.0, "end": 2.5, "reason": "lost"},
        }
    ]
    assert said(started(), gap) == []


def test_finished_gives_duration_and_ending() -> None:
    noon = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    closed = stored(CallClosed(ended_at=noon, duration=61.2345, ending="completed"))
    assert said(started(), closed) == [
        {"type": "finished", "call_id": "c-1", "duration": 61.234, "ending": "completed"}
    ]
