"""Asterisk's chan_websocket: its start in both forms, what of a call is told and believed, and its audio."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.ingest.dialect import CallTaken, Close, ConnectionRefused, Handshake
from service.ingest.dialects.chan_websocket import MAX_EARLY_BYTES, ChanWebsocketDialect
from service.ingest.events import (
    CLOSE_TOO_BIG,
    MAX_AUDIO_BYTES,
    MAX_TEXT_BYTES,
    AudioArrived,
    CallAnnounced,
    CallStopped,
    DigitPressed,
    GatewayEvent,
    Irregularity,
    ProtocolViolation,
)
from service.ingest.source import Source

MADE_AT = 1795404198
CHANNEL_ID = f"{MADE_AT}.10"
START: dict[str, Any] = {
    "event": "MEDIA_START",
    "connection_id": "callwarden",
    "channel": "WebSocket/callwarden/0x7f5140001a00",
    "channel_id": CHANNEL_ID,
    "format": "slin16",
    "optimal_frame_size": 640,
    "ptime": 20,
}
NAMED = {"call_id": "c-1", "role": "customer", "agent": "A17", "campaign": "M1"}
TRUSTED = {**NAMED, "at": str(MADE_AT)}


def dialect(query: Mapping[str, str] = {}) -> ChanWebsocketDialect:
    return ChanWebsocketDialect(Source(name="pbx", first_track="agent"), Handshake(query=query))


def as_json(**changes: Any) -> str:
    return json.dumps({**START, **changes})


def as_text(**changes: Any) -> str:
    fields = {**START, **changes}
    return " ".join([fields.pop("event"), *(f"{name}:{value}" for name, value in fields.items())])


def started(query: Mapping[str, str] = {}, **changes: Any) -> tuple[ChanWebsocketDialect, CallAnnounced]:
    made = dialect(query)
    [call] = made.text(as_json(**changes))
    assert isinstance(call, CallAnnounced)
    return made, call


def odd(events: list[GatewayEvent]) -> list[tuple[str, str]]:
    return [(event.kind, event.field) for event in events if isinstance(event, Irregularity)]


def test_either_form_of_the_start_announces_the_same_call() -> None:
    assert dialect(TRUSTED).text(as_text()) == dialect(TRUSTED).text(as_json())
    [call] = dialect(TRUSTED).text(as_text())
    assert isinstance(call, CallAnnounced)
    assert (call.call_id, call.roles, call.call_roles) == ("c-1", ("customer",), ("agent", "customer"))
    assert (call.encoding, call.rate, call.clock) == ("pcm_s16le", 16_000, "arrival")
    assert (call.agent, call.metadata) == ("A17", {"campaign": "M1"})


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("ulaw", ("mulaw", 8000)),
        ("alaw", ("alaw", 8000)),
        ("slin", ("pcm_s16le", 8000)),
        ("slin16", ("pcm_s16le", 16_000)),
        ("slin24", ("pcm_s16le", 24_000)),
        ("slin44", ("pcm_s16le", 44_100)),
        ("g722", ("g722", 16_000)),
        ("opus", ("opus", 16_000)),
    ],
)
def test_each_format_is_read_as_what_it_is(name: str, form: tuple[str, int]) -> None:
    call = started(format=name)[1]
    assert (call.encoding, call.rate) == form


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"format": "slin96"}, "format"),
        ({"format": None}, "format"),
        ({"channel_id": None}, "channel_id"),
        ({"channel_id": "../x"}, "channel_id"),
        ({"channel_variables": {"CALLWARDEN_CALL_ID": "../x"}}, "call_id"),
        ({"channel_variables": {"CALLWARDEN_ROLE": "boss"}}, "role"),
        ({"channel_variables": {"CALLWARDEN_LANGUAGE": "fr"}}, "language"),
    ],
)
def test_what_cannot_begin_a_call_is_refused_by_its_name(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ProtocolViolation) as refused:
        dialect().text(as_json(**changes))
    assert refused.value.field == field


@pytest.mark.parametrize("inherited", ["", "_", "__"])
def test_a_channels_variables_tell_the_call_whatever_the_url_says(inherited: str) -> None:
    named = {"CALLWARDEN_CALL_ID": "c-2", "CALLWARDEN_ROLE": "customer", "CALLWARDEN_DO_NOT_CALL": "yes"}
    held = {inherited + name: value for name, value in named.items()}
    call = started(TRUSTED, channel_variables={**held, "DIALEDPEERNUMBER": "callwarden"})[1]
    assert (call.call_id, call.roles, call.agent) == ("c-2", ("customer",), "")
    assert call.metadata == {"do_not_call": "yes"}


@pytest.mark.parametrize("at", ["", "soon", str(MADE_AT - 60), str(MADE_AT + 3), "१७९५४०४१९८"])
def test_the_url_of_an_earlier_call_is_not_believed(at: str) -> None:
    """Asterisk keeps v() for the next call that sets none."""
    events = dialect({**NAMED, "at": at}).text(as_text())
    assert isinstance(events[0], CallAnnounced)
    assert (events[0].call_id, events[0].roles, events[0].metadata) == (CHANNEL_ID, ("agent",), {})
    assert odd(events) == [("value", "query")]


@pytest.mark.parametrize("channel_id", ["chosen-by-the-app", "x.1"])
def test_a_url_is_not_believed_where_the_channels_id_tells_no_time(channel_id: str) -> None:
    assert odd(dialect(TRUSTED).text(as_json(channel_id=channel_id))) == [("value", "query")]


def test_the_channels_id_tells_its_time_behind_the_name_of_a_system() -> None:
    assert started(TRUSTED, channel_id=f"pbx-2-{MADE_AT - 1}.10")[1].call_id == "c-1"


def test_a_call_that_nothing_names_goes_by_its_channel() -> None:
    call = started()[1]
    assert (call.call_id, call.roles) == (CHANNEL_ID, ("agent",))


def test_two_sockets_of_one_call_bring_a_party_each() -> None:
    legs = [
        started(channel_id=channel, channel_variables={"CALLWARDEN_CALL_ID": "c-1", "CALLWARDEN_ROLE": role})[1]
        for channel, role in ((f"{MADE_AT}.10", "customer"), (f"{MADE_AT}.12", "agent"))
    ]
    assert {leg.call_id for leg in legs} == {"c-1"}
    assert [leg.roles for leg in legs] == [("customer",), ("agent",)]
    assert all(leg.call_roles == ("agent", "customer") for leg in legs)


def test_swapped_parties_are_put_right_by_the_key_or_by_the_call() -> None:
    swapped = ChanWebsocketDialect(Source(name="pbx", first_track="customer"), Handshake(query={}))
    [call] = swapped.text(as_json())
    assert isinstance(call, CallAnnounced)
    assert (call.roles, started()[1].roles) == (("customer",), ("agent",))
    assert started(channel_variables={"CALLWARDEN_ROLE": "customer"})[1].roles == ("customer",)


def test_audio_before_the_start_follows_it_in_order() -> None:
    made = dialect()
    for early in (b"\1\2", b"", b"\3\4"):
        assert made.binary(early) == []
    assert made.text("DTMF_END digit:5") == []
    assert made.binary(b"\5\6") == []
    assert made.text(as_text())[1:] == [
        AudioArrived(payload=b"\1\2", role="agent"),
        AudioArrived(payload=b"\3\4", role="agent"),
        DigitPressed(digit="5", role="agent"),
        AudioArrived(payload=b"\5\6", role="agent"),
    ]


def test_where_the_start_is_missing_audio_is_kept_within_a_bound() -> None:
    made = dialect()
    for _ in range(MAX_EARLY_BYTES // 640):
        made.binary(bytes(640))
    with pytest.raises(ProtocolViolation) as refused:
        made.binary(bytes(640))
    assert refused.value.field == "MEDIA_START"
    assert made.closed() == []


@pytest.mark.parametrize("size", [2, 100, 160, 320, 640, 1500])
def test_frames_may_have_any_size(size: int) -> None:
    made, _ = started()
    sent = bytes(range(256)) * 24
    events = [event for at in range(0, len(sent), size) for event in made.binary(sent[at : at + size])]
    assert b"".join(event.payload for event in events if isinstance(event, AudioArrived)) == sent


def test_half_a_sample_is_told() -> None:
    made, _ = started()
    [audio, told] = made.binary(b"\1\2\3")
    assert audio == AudioArrived(payload=b"\1\2", role="agent")
    assert isinstance(told, Irregularity)


def test_a_party_on_hold_may_send_nothing_for_as_long_as_it_likes() -> None:
    made, call = started()
    assert call.clock == "arrival", "what comes later is placed by when it comes"
    assert (made.deadline(), made.tick(7200.0)) == (None, [])
    assert made.binary(b"\1\2") == [AudioArrived(payload=b"\1\2", role="agent")]


def test_without_a_close_nothing_ends_and_a_close_ends_the_leg_once() -> None:
    made, _ = started()
    assert made.deadline() is None, "whether the peer is still there is TCP's to tell"
    assert made.closed() == [CallStopped(call_over=False)]
    assert made.closed() == []
    assert dialect().closed() == []


@pytest.mark.parametrize(
    "message",
    ["DTMF_END digit:# channel_id:1.2", '{"event":"DTMF_END","channel_id":"1.2","digit":"#"}', "DTMF_END digit:#"],
)
def test_keys_come_in_either_form(message: str) -> None:
    assert started()[0].text(message) == [DigitPressed(digit="#", role="agent")]


@pytest.mark.parametrize("event", ["MEDIA_XOFF", "MEDIA_XON", "QUEUE_DRAINED", "STATUS", "ERROR", "MEDIA_NEW"])
def test_other_events_give_nothing_in_either_form(event: str) -> None:
    made, _ = started()
    assert made.text(f"{event} channel_id:1.2") == made.text(json.dumps({"event": event})) == []


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (as_json(), ("order", "MEDIA_START")),
        ("{no json", ("unreadable", "message")),
        ("DTMF_END digit:flash", ("digit", "digit")),
    ],
)
def test_within_a_call_what_is_odd_is_told_and_ends_nothing(message: str, told: tuple[str, str]) -> None:
    assert odd(started()[0].text(message)) == [told]


@pytest.mark.parametrize(
    "message", [" " * (MAX_TEXT_BYTES + 1), "{" * (MAX_TEXT_BYTES + 1), bytes(MAX_AUDIO_BYTES + 1)]
)
def test_what_is_far_too_big_is_refused(message: str | bytes) -> None:
    for made in (dialect(), started()[0]):
        with pytest.raises(ProtocolViolation) as refused:
            _ = made.text(message) if isinstance(message, str) else made.binary(message)
        assert refused.value.close_code == CLOSE_TOO_BIG


def test_nothing_is_sent_back_but_the_close() -> None:
    made, _ = started()
    assert made.tell(CallTaken(call_id="c-1", resumed=False)) == []
    refused = ConnectionRefused(violation=ProtocolViolation("start", "not now", 1013))
    assert made.tell(refused) == [Close(code=1013, reason="start: not now")]


WORDS = st.text(max_size=12)
QUERIES = st.dictionaries(st.sampled_from([*NAMED, "at"]), st.sampled_from(["c-1", str(MADE_AT), "agent", "\0"]))
VALUES = st.none() | st.booleans() | st.floats() | WORDS | st.lists(WORDS, max_size=2) | st.dictionaries(WORDS, WORDS)
STARTS = st.dictionaries(st.sampled_from([*START, "channel_variables", "digit"]), VALUES, max_size=3)
NAMES = st.sampled_from(["MEDIA_START", "DTMF_END"])
TEXTS = (
    st.text(max_size=80)
    | STARTS.map(lambda changes: as_json(**changes))
    | st.builds(lambda name, pairs: " ".join([name, *pairs]), NAMES, st.lists(WORDS))
    | st.sampled_from([as_json(), as_text(), "{", "MEDIA_XOFF", "DTMF_END digit:5"])
)


@given(QUERIES, st.lists(TEXTS | st.binary(max_size=64), max_size=12))
def test_any_messages_in_any_order_give_events_or_a_violation(
    query: dict[str, str], messages: list[str | bytes]
) -> None:
    made, live = dialect(query), False
    refused: list[tuple[bool, ProtocolViolation]] = []
    for message in messages:
        try:
            events = made.text(message) if isinstance(message, str) else made.binary(message)
        except ProtocolViolation as violation:
            refused.append((live, violation))
            continue
        live = live or any(isinstance(event, CallAnnounced) for event in events)
        assert live or not events
        for event in events:
            json.dumps(asdict(event), default=str, ensure_ascii=False).encode()  # can be stored as text
    assert not any(was_live for was_live, _ in refused), "a live call ends for nothing of this size"
    assert all(violation.field for _, violation in refused)
    assert made.closed() == ([CallStopped(call_over=False)] if live else [])


@given(st.lists(st.binary(max_size=40_000) | st.text("a ", max_size=40_000), max_size=20))
def test_whatever_comes_before_the_start_takes_bounded_room(messages: list[str | bytes]) -> None:
    made, kept = dialect(), 0
    for message in messages:
        try:
            assert (made.text(message) if isinstance(message, str) else made.binary(message)) == []
        except ProtocolViolation:
            return
        kept += len(message)
        assert kept <= MAX_EARLY_BYTES
