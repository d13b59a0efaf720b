"""FreeSWITCH's forks: mod_audio_stream, mod_audio_fork and jambonz's `listen`, which runs on the latter."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.types import Role
from service.ingest.dialect import CallProcessed, CallTaken, Close, ConnectionRefused, FactStored, Handshake, SendText
from service.ingest.dialects import freeswitch
from service.ingest.dialects.freeswitch import MAX_EARLY_BYTES, METADATA_SECONDS, OVERTAKING_BYTES, ForkDialect
from service.ingest.dialects.jambonz import JambonzDialect
from service.ingest.dialects.mod_audio_fork import ModAudioForkDialect
from service.ingest.dialects.mod_audio_stream import ModAudioStreamDialect
from service.ingest.events import (
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
from service.record.facts import Fact, GapMarked
from tests.scenes import heard, raised

STREAM, FORK, JAMBONZ = ModAudioStreamDialect, ModAudioForkDialect, JambonzDialect
Kind = type[ModAudioStreamDialect] | type[ModAudioForkDialect] | type[JambonzDialect]
COMMAND = {"call_id": "c-1", "rate": "8k", "mix": "stereo"}
LISTEN = {"callSid": "c-1", "sampleRate": 8000, "mixType": "stereo", "direction": "inbound", "from": "1", "to": "2"}
FIRST: dict[Kind, dict[str, object]] = {STREAM: {**COMMAND}, FORK: {**COMMAND}, JAMBONZ: {**LISTEN}}
every = pytest.mark.parametrize("kind", FIRST)
both_modules = pytest.mark.parametrize("kind", [STREAM, FORK])


def fork(kind: Kind, query: Mapping[str, str] | None = None, first_track: Role = "customer") -> ForkDialect:
    return kind(Source(name="pbx", first_track=first_track), Handshake(query=query or {}))


def begun(kind: Kind, **changes: object) -> tuple[ForkDialect, CallAnnounced]:
    made = fork(kind)
    [call] = made.text(json.dumps({**FIRST[kind], **changes}))
    assert isinstance(call, CallAnnounced)
    return made, call


def mono(kind: Kind, **changes: object) -> tuple[ForkDialect, CallAnnounced]:
    return begun(kind, **{"mixType" if kind is JAMBONZ else "mix": "mono"}, **changes)


def refusal(kind: Kind, **changes: object) -> ProtocolViolation:
    with pytest.raises(ProtocolViolation) as refused:
        fork(kind).text(json.dumps({**FIRST[kind], **changes}))
    return refused.value


@every
def test_the_first_text_begins_the_call(kind: Kind) -> None:
    _, call = begun(kind, agent="A17", customer="C-88", language="zh-CN", jurisdiction="CN", campaign="M1", shift=3)
    assert (call.call_id, call.encoding, call.rate, call.clock) == ("c-1", "pcm_s16le", 8000, "arrival")
    assert (call.roles, call.call_roles) == (("customer", "agent"), ("agent", "customer"))
    assert (call.agent, call.customer, call.language, call.jurisdiction) == ("A17", "C-88", "zh", "CN")
    assert (call.metadata["campaign"], call.metadata["shift"]) == ("M1", "3")
    assert not {"rate", "mix", "sampleRate", "mixType", "agent", "call_id"} & set(call.metadata)


@pytest.mark.parametrize(("rate", "samples"), [("8k", 8000), ("16k", 16_000), ("16000", 16_000), (8000, 8000)])
def test_a_rate_may_be_written_as_in_the_command(rate: object, samples: int) -> None:
    assert begun(STREAM, rate=rate)[1].rate == begun(JAMBONZ, sampleRate=rate)[1].rate == samples


def test_the_query_names_what_the_text_does_not_and_the_text_counts_where_both_do() -> None:
    made = fork(STREAM, {"call_id": "c-7", "rate": "16k", "mix": "mono", "agent": "A17", "campaign": "M1"})
    [call] = made.text(json.dumps({"agent": "A18", "role": "agent"}))
    assert isinstance(call, CallAnnounced)
    assert (call.call_id, call.rate, call.roles) == ("c-7", 16_000, ("agent",))
    assert (call.agent, call.metadata) == ("A18", {"campaign": "M1"})


@both_modules
@pytest.mark.parametrize("text", ["promise to pay", "5", '["A17"]', "null", "{no json", "催收"])
def test_metadata_that_are_no_object_are_kept_as_they_are(kind: Kind, text: str) -> None:
    [call] = fork(kind, COMMAND).text(text)
    assert isinstance(call, CallAnnounced)
    assert call.metadata == {"metadata": text}


@pytest.mark.parametrize("mix", ["mono", "stereo"])
def test_jambonz_own_id_names_the_call_where_the_integrator_names_none(mix: str) -> None:
    assert begun(JAMBONZ, mixType=mix)[1].call_id == "c-1"
    _, call = begun(JAMBONZ, mixType=mix, call_id="shared-7", customerData={"case": "88"})
    assert call.call_id == "shared-7"
    assert call.metadata == {"callSid": "c-1", "leg_direction": "inbound", "from": "1", "to": "2", "case": "88"}


def test_an_agents_phone_that_calls_in_at_jambonz_is_not_the_debtor_who_called() -> None:
    _, call = begun(JAMBONZ, direction="inbound")
    assert "direction" not in call.metadata
    [call] = fork(JAMBONZ, {"direction": "inbound"}).text(json.dumps({**LISTEN, "direction": "outbound"}))
    assert isinstance(call, CallAnnounced)
    assert (call.metadata["direction"], call.metadata["leg_direction"]) == ("inbound", "outbound")


def test_a_party_is_never_guessed_from_the_calls_direction() -> None:
    assert begun(JAMBONZ, direction="inbound")[1].roles == begun(JAMBONZ, direction="outbound")[1].roles


@every
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"call_id": "../x"}, "call_id"),
        ({"call_id": None, "callSid": None}, "call_id"),
        ({"rate": 44_100, "sampleRate": 48_000}, "rate"),
        ({"rate": None, "sampleRate": None}, "rate"),
        ({"mix": "quad", "mixType": "quad"}, "mix"),
        ({"mix": None, "mixType": None}, "mix"),
        ({"role": "boss"}, "role"),
        ({"language": "fr"}, "language"),
    ],
)
def test_what_cannot_begin_a_call_is_refused_by_its_name(kind: Kind, changes: dict[str, object], field: str) -> None:
    as_jambonz = {"rate": "sampleRate", "mix": "mixType"} if kind is JAMBONZ else {}
    assert refusal(kind, **changes).field == as_jambonz.get(field, field)


@every
def test_one_channel_with_both_parties_is_refused_for_nobody_can_tell_who_speaks(kind: Kind) -> None:
    refused = refusal(kind, mix="mixed", mixType="mixed", role="agent")
    assert refused.close_code == 1003
    assert "stereo" in refused.message


@every
def test_only_what_is_too_big_breaks_the_protocol_within_a_call(kind: Kind) -> None:
    for made in (fork(kind), begun(kind)[0]):
        for message in ("x" * (MAX_TEXT_BYTES + 1), bytes(MAX_AUDIO_BYTES + 1)):
            with pytest.raises(ProtocolViolation) as refused:
                fed(made, message)
            assert refused.value.close_code == 1009


# What integrators complain about most elsewhere.


@every
def test_interleaved_channels_are_announced_as_two_legs_and_never_as_one(kind: Kind) -> None:
    made, call = begun(kind)
    assert len(call.roles) == 2
    assert made.binary(b"LlRr" * 160) == [AudioArrived(payload=b"LlRr" * 160)]
    audio, odd = made.binary(b"LlRrLl")
    assert audio == AudioArrived(payload=b"LlRr")
    assert isinstance(odd, Irregularity)
    assert (odd.kind, odd.field) == ("format", "audio")
    assert made.binary(b"LlRr" * 160)[0] == AudioArrived(payload=b"LlRr" * 160), "half a frame shifts nothing"


@every
def test_the_parties_are_swapped_by_the_key_or_by_the_role_of_the_leg_that_runs_the_fork(kind: Kind) -> None:
    assert begun(kind)[1].roles == ("customer", "agent")
    assert begun(kind, role="agent")[1].roles == ("agent", "customer")
    assert (mono(kind)[1].roles, mono(kind, role="agent")[1].roles) == (("customer",), ("agent",))
    [call] = fork(kind, first_track="agent").text(json.dumps(FIRST[kind]))
    assert isinstance(call, CallAnnounced)
    assert call.roles == ("agent", "customer")


@every
def test_a_second_connection_announces_the_same_call_and_so_goes_on_with_it(kind: Kind) -> None:
    assert begun(kind)[1] == begun(kind)[1]
    first, second = mono(kind, role="agent")[1], mono(kind, role="customer")[1]
    assert (first.call_id, first.call_roles) == (second.call_id, second.call_roles)
    assert set(first.roles).isdisjoint(second.roles), "and a fork on each leg brings that leg alone"


@every
def test_a_hold_ends_nothing_and_its_audio_is_placed_by_when_it_comes(kind: Kind) -> None:
    made, call = begun(kind)
    assert (call.clock, made.deadline()) == ("arrival", None)
    assert made.binary(b"LlRr") == [AudioArrived(payload=b"LlRr")]


@every
def test_audio_before_the_first_text_follows_it(kind: Kind) -> None:
    made = fork(kind)
    assert [made.binary(payload) for payload in (b"LlRr", b"", b"LlR", b"rLlRr")] == [[]] * 4
    call, *rest = made.text(json.dumps(FIRST[kind]))
    assert isinstance(call, CallAnnounced)
    assert b"".join(event.payload for event in rest if isinstance(event, AudioArrived)) == b"LlRrLlRrLlRr"


@both_modules
def test_a_missing_first_text_is_not_waited_for_where_the_url_names_the_call(kind: Kind) -> None:
    made = fork(kind, COMMAND)
    assert made.binary(b"LlRr") == []
    assert made.deadline() == 0.0
    assert made.tick(100.0) == []
    assert made.deadline() == 100.0 + METADATA_SECONDS
    call, audio = made.tick(100.0 + METADATA_SECONDS)
    assert isinstance(call, CallAnnounced)
    assert audio == AudioArrived(payload=b"LlRr")
    assert made.deadline() is None


@both_modules
def test_a_call_that_the_url_names_begins_without_any_audio(kind: Kind) -> None:
    made = fork(kind, COMMAND)
    made.tick(100.0)
    assert [type(event) for event in made.tick(101.0)] == [CallAnnounced]


@both_modules
def test_a_call_that_the_url_names_begins_once_no_text_can_be_overtaken_any_more(kind: Kind) -> None:
    made = fork(kind, COMMAND)
    assert made.binary(bytes(OVERTAKING_BYTES)) == []
    assert [type(event) for event in made.binary(b"LlRr")] == [CallAnnounced, AudioArrived, AudioArrived]


@every
def test_a_missing_start_is_refused_with_the_reason_once_too_much_is_kept(kind: Kind) -> None:
    made = fork(kind, {"call_id": "c-1", "rate": "8k"})
    assert made.deadline() is None
    made.binary(bytes(MAX_EARLY_BYTES))
    with pytest.raises(ProtocolViolation, match="must tell call, rate and channels"):
        made.binary(b"\0\0")


@every
def test_a_bad_url_is_refused_by_its_field(kind: Kind) -> None:
    names = {"rate": "96k", "mix": "stereo", "sampleRate": "96k", "mixType": "stereo", "call_id": "c-1"}
    made = fork(kind, names)
    made.tick(100.0)
    with pytest.raises(ProtocolViolation, match="must be one of 8000, 16000"):
        made.tick(101.0)


@both_modules
def test_metadata_after_the_call_has_begun_are_told(kind: Kind) -> None:
    made = fork(kind, COMMAND)
    made.tick(100.0)
    made.tick(101.0)
    [odd] = made.text(json.dumps({"call_id": "c-1", "agent": "A17"}))
    assert isinstance(odd, Irregularity)
    assert (odd.kind, odd.field) == ("order", "metadata")


@every
def test_no_stop_is_needed_and_only_a_close_ends_the_fork(kind: Kind) -> None:
    made, _ = begun(kind)
    assert made.binary(b"") == [], "mod_audio_fork sends an empty one when it shuts down"
    assert made.text("bye") == []
    assert made.text('{"type":"playDone"}') == []
    assert made.closed() == [CallStopped(call_over=False)]
    assert made.closed() == []
    assert fork(kind).closed() == []


@every
@pytest.mark.parametrize("frames", [1, 160, 320, 800, 8000])
def test_a_message_may_hold_any_number_of_frames(kind: Kind, frames: int) -> None:
    assert begun(kind)[0].binary(b"LlRr" * frames) == [AudioArrived(payload=b"LlRr" * frames)]
    assert mono(kind)[0].binary(b"Ll" * frames) == [AudioArrived(payload=b"Ll" * frames)]


@every
def test_a_refusal_says_why_in_the_close_and_nothing_else_is_sent_unasked(kind: Kind) -> None:
    made, _ = begun(kind)
    refused = ConnectionRefused(violation=ProtocolViolation("start", "not now", 1013))
    assert made.tell(refused) == [Close(code=1013, reason="start: not now")]
    assert made.tell(CallProcessed()) == [Close(code=1000)]
    assert made.tell(CallTaken(call_id="c-1", resumed=False)) == made.tell(stored(heard())) == []


# What goes back, and the keys that are pressed.


def stored(fact: Fact) -> FactStored:
    return FactStored(call_id="c-1", seq=7, at=datetime(2026, 3, 2, 9, 30, tzinfo=UTC), fact=fact)


def said(dialect: ForkDialect, fact: Fact) -> list[dict[str, Any]]:
    return [json.loads(reply.text) for reply in dialect.tell(stored(fact)) if isinstance(reply, SendText)]


def test_what_was_said_and_what_is_wrong_goes_back_where_the_call_asks_for_it() -> None:
    for fact, kind in ((heard(), "utterance"), (raised(), "alert")):
        [event] = said(begun(STREAM, events=True)[0], fact)
        assert (event["type"], event["call_id"], event["seq"], event["fact"]["type"]) == ("event", "c-1", 7, kind)
        assert said(begun(FORK, events="true")[0], fact) == [{"type": "transcription", "data": event}]
        assert said(begun(STREAM)[0], fact) == said(begun(FORK)[0], fact) == []


def test_other_facts_are_no_news_for_a_dialplan() -> None:
    gap = GapMarked(role="agent", start=1.0, end=2.5, reason="lost")
    assert said(begun(STREAM, events=True)[0], gap) == []


def test_nothing_is_ever_sent_to_jambonz() -> None:
    made, call = begun(JAMBONZ, events=True)
    assert not call.wants_events
    assert said(made, heard()) == said(made, raised()) == []


@every
def test_a_key_is_pressed_on_the_leg_that_runs_the_fork(kind: Kind) -> None:
    pressed = json.dumps({"event": "dtmf", "dtmf": "5", "duration": "1600"})
    for made in (begun(kind, role="agent")[0], mono(kind, role="agent")[0]):
        assert made.text(pressed) == [DigitPressed(digit="5", role="agent")]


# Anything in any order.

NAMES = [*COMMAND, *LISTEN, "role", "events", "agent", "language", "metadata", "event", "dtmf"]
VALUES = (
    st.none()
    | st.booleans()
    | st.floats()
    | st.text(max_size=12)
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=2)
    | st.sampled_from(["c-1", "8k", 16_000, "mono", "stereo", "mixed", "agent", "dtmf", "5"])
)
FIELDS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6)
TEXTS = (
    st.text(max_size=40)
    | FIELDS.map(json.dumps)
    | FIELDS.map(lambda fields: json.dumps({**COMMAND, **LISTEN, **fields}))
)
QUERIES = st.dictionaries(st.sampled_from(NAMES), st.text(max_size=6) | st.sampled_from(["8k", "mono"]), max_size=4)
MESSAGES = st.lists(TEXTS | st.binary(max_size=24) | st.floats(1, 1e6), max_size=12)


def fed(dialect: ForkDialect, message: str | bytes | float) -> list[GatewayEvent]:
    """A message, or the time where one is due."""
    if isinstance(message, str):
        return dialect.text(message)
    if isinstance(message, bytes):
        return dialect.binary(message)
    return [] if dialect.deadline() is None else dialect.tick(message)


@every
@given(query=QUERIES | st.just(COMMAND), messages=MESSAGES)
def test_anything_in_any_order_gives_events_or_is_refused_and_what_is_kept_is_bounded(
    kind: Kind, query: dict[str, str], messages: list[str | bytes | float]
) -> None:
    made, events, received = fork(kind, query), list[GatewayEvent](), 0
    refused: list[ProtocolViolation] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(freeswitch, "MAX_EARLY_BYTES", 32)
        patch.setattr(freeswitch, "OVERTAKING_BYTES", 16)
        for message in messages:
            received += len(message) if isinstance(message, bytes) else 0
            try:
                events += fed(made, message)
            except ProtocolViolation as violation:
                refused.append(violation)
                break  # so does the connection
            assert events or received <= 32, "no more is kept than is said"
    events += made.closed()
    assert all(violation.field and violation.close_code in (1003, 1008, 1009) for violation in refused)
    assert [isinstance(event, CallAnnounced) for event in events] == [n == 0 for n in range(len(events))]
    for event in events:
        json.dumps(asdict(event), default=str, ensure_ascii=False).encode()  # can be stored as text
