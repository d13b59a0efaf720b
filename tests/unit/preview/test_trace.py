"""What a connection's trace keeps, whatever comes, and for how long."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access.denial import DenialReason
from service.calls.admission import RefusalCode
from service.ingest.dialects.native import NativeDialect
from service.ingest.dialects.telnyx import TelnyxDialect
from service.ingest.dialects.twilio import TwilioDialect
from service.ingest.events import (
    CLOSE_INTERNAL_ERROR,
    CLOSE_TOO_BIG,
    CLOSE_UNSUPPORTED,
    AudioArrived,
    CallAnnounced,
    FormatChanged,
    Irregularity,
    ProtocolViolation,
)
from service.ingest.source import Source
from service.preview.hints import HINTS, refusal, refusal_of
from service.preview.kept_messages import FIRST_KEPT, LAST_KEPT
from service.preview.previews import MOST_LET_IN, MOST_SOURCES, MOST_UNMATCHED, Previews
from service.preview.trace import MOST_NOTICES, ConnectionTrace
from service.preview.values import ConnectionPreview, SeenHandshake
from service.settings import Settings
from tests.floor import PBX
from tests.scenes import NOON, READING

SEEN = SeenHandshake(dialect="native", address="192.0.2.7")
SETTINGS = Settings()
CALL = CallAnnounced(call_id="c-1", roles=("agent", "customer"), encoding="pcm_s16le", rate=8000)


def a_trace(now: float = 100.0) -> ConnectionTrace:
    return ConnectionTrace(SEEN, now, NOON)


def shown(trace: ConnectionTrace, now: float = 200.0) -> ConnectionPreview:
    return trace.shown(1, now, SETTINGS)


texts = st.text(max_size=30) | st.just("x" * 70_000)
odd = st.builds(Irregularity, kind=st.just("value"), field=st.text(max_size=4), message=st.just("odd"))
audio = st.builds(AudioArrived, payload=st.binary(max_size=40), role=st.sampled_from([None, "agent", "customer"]))
forms = st.just(FormatChanged(encoding="opus", rate=16_000, roles=("agent",)))


@given(
    st.lists(
        st.tuples(texts | st.binary(max_size=40), st.lists(odd | audio | forms | st.just(CALL), max_size=3)),
        max_size=60,
    )
)
def test_whatever_comes_is_counted_and_no_more_of_it_is_kept_than_may_be(
    come: list[tuple[str | bytes, list[Irregularity | AudioArrived | FormatChanged | CallAnnounced]]],
) -> None:
    trace = a_trace()
    for number, (message, outputs) in enumerate(come):
        trace.received(message, outputs, 100.0 + number)
    preview = shown(trace)
    assert preview.texts + preview.binaries == len(come)
    assert len(preview.messages) <= FIRST_KEPT + LAST_KEPT
    assert len(preview.notices) <= MOST_NOTICES
    assert sum(len(message.text) for message in preview.messages) <= (FIRST_KEPT + LAST_KEPT) * 2049
    assert [message.at for message in preview.messages] == sorted(message.at for message in preview.messages)


def test_a_flood_of_texts_is_read_ten_times_a_second_at_most() -> None:
    trace = a_trace()
    for number in range(1000):
        trace.received("{}", (), 100.0 + number / 1000)
    assert (shown(trace).texts, len(shown(trace).messages)) == (1000, FIRST_KEPT + LAST_KEPT)
    assert shown(trace).messages[-1].at - shown(trace).messages[-LAST_KEPT].at == pytest.approx(0.7, abs=0.05)


def test_a_connection_waits_is_live_and_ends_and_what_was_read_last_stays() -> None:
    trace = a_trace()
    assert shown(trace).state == "waiting"
    trace.attached("c-1~2", CALL, PBX, lambda: {"agent": READING}, resumed=True)
    live = shown(trace)
    assert (live.state, live.call_id, live.resumed) == ("live", "c-1~2", True)
    assert [leg.reading for leg in live.legs] == [READING, None]
    trace.closed("service", 1008, "start: came twice", 103.0)
    trace.closed("gateway", 1006, "", 104.0)
    trace.left(105.0)
    over = shown(trace)
    assert over.ending is not None
    assert (over.state, over.seconds, over.ending.code, over.ending.by) == ("ended", 3.0, 1008, "service")
    assert over.legs[0].reading == READING


def test_the_first_reason_counts() -> None:
    trace = a_trace()
    trace.refuse(refusal("quota", "3 calls are live"))
    trace.refuse(refusal("start", "start: 3 calls are live"))
    preview = shown(trace)
    assert preview.refusal is not None
    assert (preview.state, preview.refusal.code) == ("refused", "quota")


def test_a_source_places_audio_by_another_clock_than_its_dialect() -> None:
    trace = a_trace()
    trace.attached("c-1", CALL, Source(name="pbx", clock="arrival"), dict, resumed=False)
    assert {leg.clock for leg in shown(trace).legs} == {"arrival"}


def test_legs_that_come_interleaved_are_timed_together_and_a_change_of_form_counts() -> None:
    trace, dialect = a_trace(), NativeDialect()
    start = {"type": "start", "call_id": "c-1", "legs": ["agent", "customer"], "encoding": "mulaw", "rate": 8000}
    trace.received(json.dumps(start), dialect.text(json.dumps(start)), 100.0)
    trace.received(bytes(320), dialect.binary(bytes(320)), 100.1)
    again = json.dumps({**start, "encoding": "pcm_s16le"})
    trace.received(again, dialect.text(again), 100.2)
    trace.received(bytes(320), dialect.binary(bytes(320)), 100.3)
    preview = shown(trace)
    assert [(leg.role, leg.packets, leg.audio, leg.encoding) for leg in preview.legs] == [
        ("agent", 2, 0.03, "pcm_s16le"),
        ("customer", 2, 0.03, "pcm_s16le"),
    ]
    assert [(each.field, each.times) for each in preview.notices] == [("start", 1)]


@pytest.mark.parametrize(("dialect", "vendor"), [(TwilioDialect, "Twilio"), (TelnyxDialect, "Telnyx")])
def test_which_vendor_it_is_shows(dialect: type[TwilioDialect | TelnyxDialect], vendor: str) -> None:
    trace = a_trace()
    start = json.dumps({"event": "start", "start": {"callSid": "CA1", "call_control_id": "v2", "call_session_id": "s"}})
    trace.received(start, dialect(PBX).text(start), 100.0)
    assert shown(trace).vendor == vendor


def test_there_is_a_hint_for_every_reason_in_both_languages() -> None:
    codes = {*get_args(DenialReason), *get_args(RefusalCode), "conflict", "ending", "restarting", "store_away", "path"}
    assert codes <= HINTS.keys()
    assert all(hint.zh and hint.en for hint in HINTS.values())


def test_what_ends_a_connection_is_told_apart() -> None:
    told = [
        (ProtocolViolation("rate", "must be 8000"), False, "start"),
        (ProtocolViolation("message", "not JSON", CLOSE_UNSUPPORTED), False, "unsupported"),
        (ProtocolViolation("connection", "no call was announced within 30 s"), False, "no_start"),
        (ProtocolViolation("connection", "nothing came for 60 s"), True, "silent"),
        (ProtocolViolation("audio", "too much", CLOSE_TOO_BIG), True, "too_big"),
        (ProtocolViolation("start", "came after stop"), True, "protocol"),
        (ProtocolViolation("token", "is none"), False, "token"),
        (ProtocolViolation("events", "no right"), False, "events"),
        (ProtocolViolation("call", "failed", CLOSE_INTERNAL_ERROR), True, "failed"),
    ]
    assert [refusal_of(violation, live=live).code for violation, live, _ in told] == [code for *_, code in told]


def test_the_newest_connections_of_each_source_are_kept_and_the_newest_sources() -> None:
    previews = Previews()
    for number in range(MOST_LET_IN + 3):
        previews.let_in(a_trace(float(number)), "pbx")
    assert [each.id for each in previews.of("pbx", 200.0, SETTINGS)] == [*range(MOST_LET_IN + 3, 3, -1)]
    for number in range(MOST_SOURCES):
        previews.let_in(a_trace(), f"pbx-{number}")
    assert not previews.knows("pbx")
    assert previews.of("pbx", 200.0, SETTINGS) == ()


def test_those_that_fit_no_source_are_bounded_and_the_same_again_counts() -> None:
    previews = Previews()
    for number in range(MOST_UNMATCHED + 5):
        for now in (1.0, 2.0):
            trace = ConnectionTrace(SeenHandshake(dialect="native", address=f"192.0.2.{number}"), now, NOON)
            trace.refuse(refusal("no_key", ""))
            previews.turned_away(trace)
    found = previews.unmatched(3.0, SETTINGS)
    assert len(found) == MOST_UNMATCHED
    assert {(each.times, each.seconds) for each in found} == {(2, 1.0)}


def test_no_more_of_a_calls_metadata_is_kept_than_is_shown() -> None:
    trace = a_trace()
    metadata = {f"n{number}": "v" * 1024 for number in range(64)}
    trace.attached("c-1", replace(CALL, metadata=metadata), PBX, dict, resumed=False)
    assert len(shown(trace).metadata) == 40
    assert all(len(value) <= 161 for value in shown(trace).metadata.values())
