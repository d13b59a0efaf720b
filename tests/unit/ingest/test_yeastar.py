"""Yeastar's fragments: who speaks on which channel, when a call begins and ends, and what does not belong to it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.types import Role
from service.ingest.dialect import CallTaken, Close, ConnectionRefused, Handshake
from service.ingest.dialects.yeastar import YeastarDialect
from service.ingest.events import (
    CLOSE_TOO_BIG,
    MAX_TEXT_BYTES,
    AudioArrived,
    CallAnnounced,
    CallStopped,
    GatewayEvent,
    Irregularity,
    ProtocolViolation,
)
from service.ingest.source import Source

LINE, EXTENSION = "PJSIP/trunk-ct-00000005", "PJSIP/1009-00000006"
NUMBERS = {LINE: "13800138000", EXTENSION: "1009"}
LOUD, OVER = b"\1\2" * 640, CallStopped(call_over=False)


def dialect(query: Mapping[str, str] = {}, first_track: Role = "customer") -> YeastarDialect:
    return YeastarDialect(Source(name="pbx", first_track=first_track), Handshake(query=query))


def fragment(channel: str = LINE, samples: bytes = LOUD, /, **changes: Any) -> str:
    number = NUMBERS.get(channel, channel)
    form = {"callid": "1755940023.7", "callflow": "", "number": number, "status": "process", "channelid": channel}
    return json.dumps({**form, "audio": base64.b64encode(samples).decode(), **changes})


def end(channel: str = LINE, /, **changes: Any) -> str:
    return fragment(channel, b"", status="end", **changes)


def sent(made: YeastarDialect, *messages: str) -> list[GatewayEvent]:
    return [event for message in messages for event in made.text(message)]


def live(**changes: Any) -> YeastarDialect:
    made = dialect()
    sent(made, fragment(LINE, **changes), fragment(EXTENSION, **changes))
    return made


def announced(*messages: str, query: Mapping[str, str] = {}, first_track: Role = "customer") -> CallAnnounced:
    call = sent(dialect(query, first_track), *messages)[0]
    assert isinstance(call, CallAnnounced)
    return call


def odd(events: list[GatewayEvent]) -> list[tuple[str, str]]:
    return [(event.kind, event.field) for event in events if isinstance(event, Irregularity)]


@pytest.mark.parametrize("order", [(LINE, EXTENSION), (EXTENSION, LINE)])
def test_the_second_message_announces_the_call_with_both_numbers(order: tuple[str, str]) -> None:
    made, (first, second) = dialect(), order
    assert made.text(fragment(first)) == []
    call, *audio = made.text(fragment(second))
    assert isinstance(call, CallAnnounced)
    assert (call.call_id, call.roles, call.clock) == ("1755940023.7", ("agent", "customer"), "arrival")
    assert (call.agent, call.customer) == ("1009", "13800138000")
    roles: dict[str, Role] = {LINE: "customer", EXTENSION: "agent"}
    assert audio == [AudioArrived(payload=LOUD, role=roles[channel]) for channel in order]


def test_a_party_alone_at_first_begins_a_call_of_two() -> None:
    call = announced(fragment(EXTENSION), fragment(EXTENSION))
    assert (call.roles, call.agent, call.customer) == (("agent", "customer"), "1009", "")


def test_swapped_parties_are_put_right_by_the_key() -> None:
    call = announced(fragment(LINE), fragment(EXTENSION), first_track="agent")
    assert (call.agent, call.customer) == ("13800138000", "1009")


@pytest.mark.parametrize(("query", "rate"), [({}, 8000), ({"rate": "8000"}, 8000), ({"rate": "16000"}, 16_000)])
def test_the_url_tells_the_rate(query: dict[str, str], rate: int) -> None:
    call = announced(fragment(), fragment(), query=query)
    assert (call.encoding, call.rate) == ("pcm_s16le", rate)


def test_the_scenario_is_metadata() -> None:
    assert announced(fragment(callflow="queue"), fragment()).metadata == {"callflow": "queue"}
    assert announced(fragment(), fragment()).metadata == {}


@pytest.mark.parametrize(
    ("changes", "query", "field"),
    [
        ({"callid": None}, {}, "callid"),
        ({"callid": "../x"}, {}, "callid"),
        ({"channelid": ""}, {}, "channelid"),
        ({"number": {}}, {}, "number"),
        ({}, {"rate": "44100"}, "rate"),
        ({}, {"rate": "wide"}, "rate"),
    ],
)
def test_what_cannot_begin_a_call_is_refused_by_its_name(
    changes: dict[str, Any], query: dict[str, str], field: str
) -> None:
    with pytest.raises(ProtocolViolation) as refused:
        sent(dialect(query), fragment(**changes), fragment(**changes))
    assert refused.value.field == field


def test_interleaved_channels_are_kept_apart() -> None:
    made = live()
    pieces = [(channel, bytes([number]) * 2) for number in range(20) for channel in (LINE, EXTENSION, EXTENSION)]
    heard = sent(made, *(fragment(channel, audio) for channel, audio in pieces))
    for channel, role in ((LINE, "customer"), (EXTENSION, "agent")):
        spoken = b"".join(audio for of, audio in pieces if of == channel)
        assert (
            b"".join(event.payload for event in heard if isinstance(event, AudioArrived) and event.role == role)
            == spoken
        )


@pytest.mark.parametrize("size", [2, 320, 1280, 2560])
def test_fragments_may_have_any_size(size: int) -> None:
    assert live().text(fragment(LINE, bytes(size))) == [AudioArrived(payload=bytes(size), role="customer")]


def test_half_a_sample_of_one_party_is_not_put_to_the_other() -> None:
    made = live()
    assert odd(made.text(fragment(LINE, b"\1\2\3"))) == [("format", "audio")]
    assert made.text(fragment(EXTENSION, b"\5\6")) == [AudioArrived(payload=b"\5\6", role="agent")]


def test_two_extensions_are_told_apart_by_order_alone_and_that_is_said() -> None:
    events = sent(dialect(), fragment("PJSIP/1009-1", number="1009"), fragment("PJSIP/1010-2", number="1010"))
    assert isinstance(events[0], CallAnnounced)
    assert (events[0].agent, events[0].customer) == ("1009", "")
    assert [event.role for event in events if isinstance(event, AudioArrived)] == ["agent", "customer"]
    assert odd(events) == [("leg", "channelid")]


def test_a_channel_without_a_number_is_an_outside_line() -> None:
    audio = [event for event in sent(dialect(), *[fragment("7", number=None)] * 2) if isinstance(event, AudioArrived)]
    assert [event.role for event in audio] == ["customer", "customer"]


def test_a_third_party_is_left_out_until_another_has_left() -> None:
    made, third = live(), fragment("PJSIP/1012-9", number="1012")
    assert [odd(made.text(third)), odd(made.text(third))] == [[("leg", "channelid")]] * 2
    assert made.text(end(EXTENSION)) == []
    assert made.text(third) == [AudioArrived(payload=LOUD, role="agent")]


def test_the_call_is_over_when_its_last_channel_has_ended() -> None:
    made = live()
    assert made.text(end(EXTENSION)) == []
    assert made.text(end("PJSIP/9-9")) == []
    assert made.text(end(LINE)) == [OVER]
    assert made.text(end(LINE)) == []
    assert made.closed() == []


def test_a_party_that_comes_after_the_other_has_left_is_heard() -> None:
    made = dialect()
    [call, *_] = sent(made, fragment(LINE), fragment(LINE))
    assert isinstance(call, CallAnnounced)
    assert call.roles == ("agent", "customer")
    assert made.text(end(LINE)) == []
    assert made.text(fragment(EXTENSION)) == [AudioArrived(payload=LOUD, role="agent")]
    assert made.text(end(EXTENSION)) == [OVER]


def test_a_close_stands_for_ends_that_do_not_come() -> None:
    made = live()
    assert made.deadline() is None, "whether the peer is still there is TCP's to tell"
    assert (made.closed(), made.closed(), dialect().closed()) == ([OVER], [], [])


def test_an_end_without_a_call_begins_none() -> None:
    made = dialect()
    assert sent(made, end(LINE), end(EXTENSION)) == []
    assert made.closed() == []


def test_a_party_on_hold_may_send_nothing_for_as_long_as_it_likes() -> None:
    made = live()
    assert (made.deadline(), made.tick(7200.0)) == (None, [])
    assert made.text(fragment(LINE)) == [AudioArrived(payload=LOUD, role="customer")]


def test_another_call_on_the_same_connection_is_left_out_and_told() -> None:
    made = live()
    assert odd(made.text(fragment(LINE, callid="1755940099.1"))) == [("order", "callid")]
    assert odd(made.text(end(LINE, callid="1755940099.1"))) == [("order", "callid")]
    assert made.text(fragment(LINE)) == [AudioArrived(payload=LOUD, role="customer")]


def test_another_call_in_the_second_message_is_left_out_and_told() -> None:
    events = sent(dialect(), fragment(LINE), fragment(EXTENSION, callid="1755940099.1"))
    assert isinstance(events[0], CallAnnounced)
    assert (events[0].call_id, events[0].agent, events[0].customer) == ("1755940023.7", "", "13800138000")
    assert odd(events) == [("order", "callid")]


def test_a_call_after_the_end_of_the_one_before_needs_a_connection_of_its_own() -> None:
    made = live()
    sent(made, end(LINE), end(EXTENSION))
    assert odd(made.text(fragment(LINE))) == [("order", "status")]
    with pytest.raises(ProtocolViolation) as refused:
        made.text(fragment(LINE, callid="1755940099.1"))
    assert (refused.value.field, refused.value.ends_call) == ("callid", False)


def test_two_sockets_of_one_conference_bring_a_party_each() -> None:
    calls = [announced(*[fragment(channel, callflow="conference")] * 2) for channel in (LINE, EXTENSION)]
    assert [call.roles for call in calls] == [("customer",), ("agent",)]
    assert all(call.all_roles == ("agent", "customer") for call in calls)
    together = announced(fragment(LINE, callflow="conference"), fragment(EXTENSION, callflow="conference"))
    assert together.roles == ("agent", "customer")


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("{no json", ("unreadable", "message")),
        (fragment(channelid=None), ("unreadable", "channelid")),
        (fragment(audio="§"), ("payload", "audio")),
        (fragment(audio=7), ("payload", "audio")),
    ],
)
def test_within_a_call_what_is_odd_is_told_and_ends_nothing(message: str, told: tuple[str, str]) -> None:
    assert odd(live().text(message)) == [told]


def test_what_is_far_too_big_is_refused() -> None:
    for made in (dialect(), live()):
        with pytest.raises(ProtocolViolation) as refused:
            made.text(fragment(LINE, bytes(MAX_TEXT_BYTES)))
        assert refused.value.close_code == CLOSE_TOO_BIG


def test_binary_has_no_place() -> None:
    with pytest.raises(ProtocolViolation):
        dialect().binary(LOUD)
    assert odd(live().binary(LOUD)) == [("unreadable", "message")]


def test_nothing_is_sent_back_but_the_close() -> None:
    made = live()
    assert made.tell(CallTaken(call_id="c-1", resumed=False)) == []
    refused = ConnectionRefused(violation=ProtocolViolation("start", "not now", 1013))
    assert made.tell(refused) == [Close(code=1013, reason="start: not now")]


VALUES = st.none() | st.booleans() | st.floats() | st.text(max_size=12) | st.lists(st.text(), max_size=2)
CHANNELS = st.sampled_from([LINE, EXTENSION, "PJSIP/1012-9", "SIP/7"])
FIELDS = st.sampled_from(["callid", "callflow", "number", "status", "channelid", "audio"])
TEXTS = (
    st.text(max_size=60)
    | CHANNELS.map(fragment)
    | CHANNELS.map(end)
    | st.builds(lambda channel, changes: fragment(channel, **changes), CHANNELS, st.dictionaries(FIELDS, VALUES))
    | st.builds(lambda channel, call: fragment(channel, callid=call), CHANNELS, st.sampled_from(["1.1", "2.2"]))
)


@given(st.lists(TEXTS | st.binary(max_size=16), max_size=16))
def test_any_messages_in_any_order_give_events_or_a_violation(messages: list[str | bytes]) -> None:
    made, is_live, over = dialect(), False, False
    for message in messages:
        refused: list[ProtocolViolation] = []
        events: list[GatewayEvent] = []
        try:
            events = made.text(message) if isinstance(message, str) else made.binary(message)
        except ProtocolViolation as violation:
            refused.append(violation)
        assert all(violation.field for violation in refused)
        assert not any(is_live and violation.ends_call for violation in refused)
        is_live = is_live or any(isinstance(event, CallAnnounced) for event in events)
        assert is_live or not events
        assert not over or not any(isinstance(event, AudioArrived | CallStopped) for event in events)
        over = over or OVER in events
        for event in events:
            json.dumps(asdict(event), default=str, ensure_ascii=False).encode()  # can be stored as text
    assert made.closed() == ([OVER] if is_live and not over else [])
