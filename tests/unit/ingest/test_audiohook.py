"""AudioHook's transactions, message by message, and what they do to the call."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.types import Word
from service.ingest.dialect import (
    CallProcessed,
    CallTaken,
    ConnectionRefused,
    DialectOutput,
    FactStored,
    Handshake,
    PartialRecognised,
    Reply,
    SendText,
)
from service.ingest.dialects.audiohook import CLOSED_WITHIN, AudioHookDialect
from service.ingest.dialects.audiohook_messages import duration
from service.ingest.events import (
    CLOSE_UNAUTHORIZED,
    MAX_TEXT_BYTES,
    AudioArrived,
    CallAnnounced,
    CallStopped,
    Irregularity,
    ProtocolViolation,
)
from service.record.facts import DtmfPressed, UtteranceHeard
from tests import scenes

ORGANIZATION = "5b0f3f0e-2f4c-4a53-9f0a-0b64bd2f8a01"
SESSION = "c1c5dd3f-7c54-4b0e-8a53-61d1a3c0ffee"
CONVERSATION = "0e7d4a52-9c2b-4f0b-b7a4-2f6f1c5d9e10"
NOBODY = "00000000-0000-0000-0000-000000000000"
HANDSHAKE = Handshake(headers={"audiohook-organization-id": ORGANIZATION, "audiohook-session-id": SESSION})


def media(*channels: str, form: str = "PCMU", rate: object = 8000) -> dict[str, Any]:
    return {"type": "audio", "format": form, "channels": list(channels), "rate": rate}


BOTH = media("external", "internal")
OPEN: dict[str, Any] = {
    "organizationId": ORGANIZATION,
    "conversationId": CONVERSATION,
    "participant": {"id": "9a1c", "ani": "+86 21 5555 0101", "aniName": "", "dnis": "+86 400 555 0102"},
    "media": [BOTH, media("external"), media("internal")],
}


class Client:
    """Genesys Cloud's side of one session: numbers what it says, and checks the numbers of what it hears."""

    def __init__(self, dialect: AudioHookDialect | None = None) -> None:
        self.dialect = dialect or AudioHookDialect(HANDSHAKE)
        self.seq = 0
        self.serverseq = 0
        self.said: list[dict[str, Any]] = []

    def say(self, kind: str, **parameters: object) -> list[DialectOutput]:
        """What the service makes of the next message, besides what it says back."""
        return self.send(type=kind, parameters=parameters)

    def send(self, **changes: object) -> list[DialectOutput]:
        self.seq += 1
        head = {"version": "2", "id": SESSION, "seq": self.seq, "serverseq": self.serverseq, "position": "PT1.2S"}
        return self.events_of(self.dialect.text(json.dumps({**head, **changes})))

    def events_of(self, outputs: Sequence[DialectOutput | Reply]) -> list[DialectOutput]:
        for output in outputs:
            if isinstance(output, SendText):
                message = json.loads(output.text)
                assert (message["version"], message["id"]) == ("2", SESSION)
                assert (message["seq"], message["clientseq"]) == (self.serverseq + 1, self.seq)
                self.serverseq += 1
                self.said.append(message)
        return [output for output in outputs if not isinstance(output, SendText)]

    def replies(self) -> list[str]:
        """The types of what was said back since this was last asked."""
        said, self.said = self.said, []
        return [message["type"] for message in said]


def opened(**changes: object) -> tuple[Client, CallAnnounced]:
    client = Client()
    call, *notes = client.say("open", **{**OPEN, **changes})
    assert isinstance(call, CallAnnounced)
    assert notes == []
    return client, call


def refused(**changes: object) -> ProtocolViolation:
    with pytest.raises(ProtocolViolation) as caught:
        opened(**changes)
    return caught.value


def test_a_session_from_open_to_closed() -> None:
    client, call = opened(language="zh-CN")
    assert client.said[-1]["parameters"] == {"media": [BOTH], "startPaused": False}
    assert (call.call_id, call.roles, call.encoding, call.rate) == (CONVERSATION, ("customer", "agent"), "mulaw", 8000)
    assert (call.clock, call.language, call.wants_events) == ("timestamps", "zh", False)
    assert client.dialect.tell(CallTaken(call_id=CONVERSATION, resumed=False)) == []
    assert client.dialect.binary(b"\xff\x7f" * 1600) == [AudioArrived(payload=b"\xff\x7f" * 1600, at=0.0)]
    assert client.dialect.binary(b"\xff\x7f" * 8) == [AudioArrived(payload=b"\xff\x7f" * 8, at=0.2)]
    assert client.say("ping", rtt="PT0.02S") == []
    assert client.say("close", reason="end") == [CallStopped()]
    assert client.replies() == ["opened", "pong"]
    client.events_of(client.dialect.tell(CallProcessed()))
    assert client.replies() == ["closed"]
    assert client.dialect.closed() == []


def test_who_is_on_the_line_and_what_the_integration_says_is_kept() -> None:
    custom = {"agent": "A17", "jurisdiction": "CN", "queue": "M1", "seats": 12, "events": "false"}
    _, call = opened(customConfig=custom)
    assert (call.agent, call.customer, call.jurisdiction) == ("A17", "", "CN")
    assert call.metadata == {
        "organizationId": ORGANIZATION,
        "participantId": "9a1c",
        "ani": "+86 21 5555 0101",
        "dnis": "+86 400 555 0102",
        "queue": "M1",
        "seats": "12",
    }


@pytest.mark.parametrize(
    ("offered", "chosen", "roles"),
    [
        ([media("external"), BOTH], BOTH, ("customer", "agent")),
        ([media("internal", "external")], media("internal", "external"), ("agent", "customer")),
        ([media("external", "internal", form="L16"), BOTH], BOTH, ("customer", "agent")),
        ([media("external", "internal", form="L16"), media("external")], None, ("customer", "agent")),
        ([media("internal"), media("external")], media("internal"), ("agent",)),
        ([media("external")], media("external"), ("customer",)),
        ([{**BOTH, "extra": math.nan}], BOTH, ("customer", "agent")),
        (
            [{"type": "video"}, 7, None, media("external", rate=16_000), media("internal")],
            media("internal"),
            ("agent",),
        ),
    ],
)
def test_the_best_offered_form_is_answered_unchanged(offered: list[Any], chosen: Any, roles: tuple[str, ...]) -> None:
    client, call = opened(media=offered)
    assert client.said[-1]["parameters"]["media"] == [chosen or offered[0]]
    assert call.roles == roles


@pytest.mark.parametrize(
    "offered",
    [
        None,
        [],
        {},
        "PCMU",
        [media()],
        [media("external", "external")],
        [media("left", "right")],
        [media("external", form="OPUS")],
        [{**BOTH, "format": ["PCMU"]}],
        [{**BOTH, "rate": True}],
        [{**BOTH, "channels": "external"}],
    ],
)
def test_a_session_without_a_form_that_can_be_taken_is_refused(offered: object) -> None:
    assert refused(media=offered).field == "parameters.media"


def test_l16_is_little_endian_and_counted_in_whole_frames() -> None:
    client, call = opened(media=[media("external", "internal", form="L16")])
    assert call.encoding == "pcm_s16le"
    assert client.dialect.binary(b"\1\0\2\0" * 800) == [AudioArrived(payload=b"\1\0\2\0" * 800, at=0.0)]
    [audio, odd] = client.dialect.binary(b"\1\0\2\0\3")
    assert audio == AudioArrived(payload=b"\1\0\2\0", at=0.1)
    assert isinstance(odd, Irregularity)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"conversationId": None}, "parameters.conversationId"),
        ({"conversationId": "../x"}, "parameters.conversationId"),
        ({"language": "fr-FR"}, "parameters.language"),
        ({"customConfig": {"jurisdiction": "FR"}}, "parameters.customConfig.jurisdiction"),
        ({"customConfig": 7}, "parameters.customConfig"),
        ({"participant": "me"}, "parameters.participant"),
    ],
)
def test_what_cannot_begin_a_call_is_refused_by_its_name(changes: dict[str, Any], field: str) -> None:
    assert refused(**changes).field == field


@pytest.mark.parametrize(("tag", "language"), [("cmn-cn", "zh"), ("zh-TW", "zh"), ("en-us", "en"), ("auto", "auto")])
def test_a_language_is_taken_by_its_tag(tag: str, language: str) -> None:
    assert opened(language=tag)[1].language == language


def test_supported_languages_are_told_to_who_asks() -> None:
    client, _ = opened(supportedLanguages=True)
    assert {"zh-cn", "en-us"} <= set(client.said[-1]["parameters"]["supportedLanguages"])


def test_another_organization_than_the_request_named_is_unauthorized() -> None:
    for named in (CONVERSATION, None):
        violation = refused(organizationId=named)
        assert (violation.field, violation.close_code) == ("parameters.organizationId", CLOSE_UNAUTHORIZED)


def told_to_part(client: Client, violation: ProtocolViolation) -> dict[str, Any]:
    client.events_of(client.dialect.tell(ConnectionRefused(violation=violation)))
    assert len(client.said) == 1
    return client.said.pop()


@pytest.mark.parametrize("first", ["open", "ping", "mute"])
def test_a_key_that_is_not_good_is_told_with_the_first_message(first: str) -> None:
    why = ProtocolViolation("key", "This key has been revoked.", CLOSE_UNAUTHORIZED)
    client = Client(AudioHookDialect(replace(HANDSHAKE, refused=why)))
    with pytest.raises(ProtocolViolation) as caught:
        client.say(first, **OPEN)
    assert caught.value is why
    message = told_to_part(client, why)
    assert message["type"] == "disconnect"
    assert message["parameters"] == {"reason": "unauthorized", "info": "key: This key has been revoked."}
    assert client.say("ping") == []
    assert client.say("close", reason="disconnect") == []
    assert client.replies() == ["closed"]


def test_a_client_that_never_opens_is_told_with_the_id_of_its_request() -> None:
    client = Client()
    message = told_to_part(client, ProtocolViolation("connection", "no call was announced"))
    assert message["parameters"]["reason"] == "error"
    assert client.say("open", **OPEN) == []
    assert client.replies() == []


@pytest.mark.parametrize(
    ("code", "kind", "info"),
    [
        (1013, "disconnect", "503 start: no"),
        (1011, "disconnect", "500 start: no"),
        (1008, "disconnect", "400 start: no"),
        (1009, "disconnect", "413 start: no"),
        (1012, "reconnect", "start: no"),
    ],
)
def test_why_the_session_is_to_end_is_told_in_audiohooks_own_codes(code: int, kind: str, info: str) -> None:
    client, _ = opened()
    client.replies()
    message = told_to_part(client, ProtocolViolation("start", "no", code))
    assert (message["type"], message["parameters"]["info"]) == (kind, info)
    assert client.say("close", reason=kind) == []
    assert client.replies() == ["closed"]
    assert client.dialect.closed() == []


def test_a_call_that_ends_here_first_completes_the_session() -> None:
    client, _ = opened()
    client.replies()
    client.events_of(client.dialect.tell(CallProcessed()))
    assert client.said.pop()["parameters"] == {"reason": "completed"}
    client.say("close", reason="disconnect")
    assert client.replies() == ["closed"]


def test_closed_does_not_wait_for_long() -> None:
    client, _ = opened()
    assert client.dialect.deadline() is None
    client.say("close", reason="end")
    assert client.dialect.deadline() == 0.0
    assert client.dialect.tick(100.0) == []
    assert client.dialect.deadline() == 100.0 + CLOSED_WITHIN
    assert CLOSED_WITHIN < 10  # seconds, after which the client gives the session up
    client.replies()
    client.events_of(client.dialect.tick(100.0 + CLOSED_WITHIN))
    assert client.replies() == ["closed"]
    assert client.dialect.deadline() is None
    assert client.dialect.tell(CallProcessed()) == []


@pytest.mark.parametrize("reason", ["reconnect", "error"])
def test_a_conversation_may_go_on_in_another_session(reason: str) -> None:
    client, _ = opened()
    client.replies()
    assert client.say("close", reason=reason) == [CallStopped(call_over=False)]
    assert client.replies() == ["closed"]


def test_what_comes_after_close_is_left_out() -> None:
    client, _ = opened()
    client.say("close", reason="end")
    client.replies()
    assert client.say("close", reason="end") == []
    [odd] = client.dialect.binary(b"\xff\xff")
    assert isinstance(odd, Irregularity)
    assert client.replies() == []


def test_a_client_that_leaves_without_close_may_come_back() -> None:
    client, _ = opened()
    assert client.dialect.closed() == [CallStopped(call_over=False)]
    assert client.dialect.closed() == []
    assert AudioHookDialect(HANDSHAKE).closed() == []


def test_a_connection_probe_makes_no_call() -> None:
    client = Client()
    participant = {"id": NOBODY, "ani": "", "aniName": "", "dnis": ""}
    assert client.say("open", **{**OPEN, "conversationId": NOBODY, "participant": participant}) == []
    assert client.dialect.binary(b"") == []
    assert client.dialect.binary(b"\xff\xff") == []
    assert client.say("error", code=400, message="nothing is told of a call that is not there") == []
    assert client.say("close", reason="end") == []
    assert client.replies() == ["opened", "closed"]
    assert client.dialect.closed() == []


def test_what_was_discarded_moves_the_timeline() -> None:
    client, _ = opened()
    second = b"\xff\xff" * 8000
    client.dialect.binary(second)
    assert client.say("paused") == []
    assert client.say("resumed", start="PT1.0S", discarded="PT10.5S") == []
    assert client.dialect.binary(second) == [AudioArrived(payload=second, at=11.5)]
    assert client.say("discarded", start="PT12.5S", discarded="PT.25S") == []
    assert client.dialect.binary(second) == [AudioArrived(payload=second, at=12.75)]


@pytest.mark.parametrize("told", [None, "", "10", "PT1H", "-PT1S", "PT1e3S", "PT9999999999S", "PT١S", 7, {}])
def test_a_duration_that_cannot_be_read_is_told(told: object) -> None:
    client, _ = opened()
    [odd] = client.say("discarded", start="PT0S", discarded=told)
    assert isinstance(odd, Irregularity)
    assert odd.field == "parameters.discarded"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "PT0S"), (1.2, "PT1.2S"), (10.0, "PT10S"), (12345.6789, "PT12345.679S")]
)
def test_durations_are_written_as_audiohook_reads_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_an_update_is_answered_and_changes_no_language() -> None:
    client, _ = opened(language="en-US")
    client.replies()
    assert client.say("update", language="en-GB") == []
    [odd] = client.say("update", language="zh-CN")
    assert isinstance(odd, Irregularity)
    assert client.replies() == ["updated", "updated"]


def test_the_clients_errors_and_a_second_open_are_told() -> None:
    client, _ = opened()
    [error] = client.say("error", code=408, message="no pong")
    assert isinstance(error, Irregularity)
    assert error.message == "the client tells of error 408: no pong"
    [again] = client.say("open", **OPEN)
    assert isinstance(again, Irregularity)
    assert client.say("mute") == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"seq": 3}, "seq"),
        ({"seq": 1}, "seq"),
        ({"seq": None}, "seq"),
        ({"seq": "one"}, "seq"),
        ({"serverseq": 2}, "serverseq"),
        ({"serverseq": -1}, "serverseq"),
        ({"version": "1"}, "version"),
        ({"version": 2}, "version"),
        ({"id": ORGANIZATION}, "id"),
        ({"id": None}, "id"),
        ({"parameters": []}, "parameters"),
    ],
)
def test_what_is_no_next_message_of_the_session_ends_it(changes: dict[str, Any], field: str) -> None:
    client, _ = opened()
    with pytest.raises(ProtocolViolation) as caught:
        client.send(**{"type": "ping", "parameters": {}, **changes})
    assert (caught.value.field, caught.value.ends_call) == (field, False)


def test_a_session_whose_numbers_are_wrong_can_still_be_closed() -> None:
    client, _ = opened()
    client.replies()
    client.seq = 6
    with pytest.raises(ProtocolViolation) as caught:
        client.say("ping")
    assert told_to_part(client, caught.value)["type"] == "disconnect"
    client.say("close", reason="disconnect")
    assert client.replies() == ["closed"]


@pytest.mark.parametrize("text", ["", "no json", "[]", "x" * (MAX_TEXT_BYTES + 1)])
def test_what_cannot_be_read_ends_the_session_and_what_is_too_big_the_call(text: str) -> None:
    client, _ = opened()
    with pytest.raises(ProtocolViolation) as caught:
        client.dialect.text(text)
    assert caught.value.ends_call == (len(text) > MAX_TEXT_BYTES)


def test_nothing_comes_before_open_but_a_ping_or_a_close() -> None:
    client = Client()
    client.say("ping")
    client.say("close", reason="error")
    assert client.replies() == ["pong", "closed"]
    with pytest.raises(ProtocolViolation):
        Client().say("paused")
    with pytest.raises(ProtocolViolation):
        Client().dialect.binary(b"\xff\xff")


def said(**changes: Any) -> FactStored:
    utterance = replace(scenes.utterance(CONVERSATION, role="customer", text="明天还款"), **changes)
    return FactStored(call_id=CONVERSATION, seq=1, at=scenes.NOON, fact=UtteranceHeard(utterance=utterance))


def test_transcripts_go_back_where_they_are_asked_for() -> None:
    client, call = opened(customConfig={"events": True})
    assert call.wants_events
    client.replies()
    words = (
        Word(text="明天", start=1.2, end=1.5, probability=0.9),
        Word(text="还款", start=1.5, end=2.0, probability=1.2),
    )
    news = said(start=1.2, end=2.0, confidence=0.87654, words=words)
    assert client.events_of(client.dialect.tell(news)) == []
    [entity] = client.said.pop()["parameters"]["entities"]
    assert entity["type"] == "transcript"
    assert len(entity["data"].pop("id")) == 36
    display = {
        "type": "display",
        "transcript": "明天还款",
        "tokens": [
            {"type": "word", "value": "明天", "confidence": 0.9, "offset": "PT1.2S", "duration": "PT0.3S"},
            {"type": "word", "value": "还款", "confidence": 1.0, "offset": "PT1.5S", "duration": "PT0.5S"},
        ],
    }
    assert entity["data"] == {
        "channelId": 0,
        "isFinal": True,
        "offset": "PT1.2S",
        "duration": "PT0.8S",
        "alternatives": [{"confidence": 0.877, "interpretations": [display]}],
    }


def said_so_far(text: str, start: float = 1.2) -> PartialRecognised:
    return PartialRecognised(call_id=CONVERSATION, role="customer", start=start, text=text)


def test_what_is_said_so_far_goes_back_under_the_id_of_the_final_text() -> None:
    client, _ = opened(customConfig={"events": True})
    told: list[dict[str, Any]] = []
    for news in (
        said_so_far("明天"),
        said_so_far(""),
        said(start=1.2, end=2.0),
        said_so_far("明天"),
        said_so_far("好", 2.0),
    ):
        client.replies()
        client.events_of(client.dialect.tell(news))
        told += [message["parameters"]["entities"][0]["data"] for message in client.said]
    assert [data["isFinal"] for data in told] == [False, True, False]
    assert told[0]["id"] == told[1]["id"] != told[2]["id"]
    assert told[0]["alternatives"][0]["interpretations"][0]["transcript"] == "明天"
    assert (told[0]["channelId"], told[0]["offset"]) == (0, "PT1.2S")


def test_the_channel_is_that_of_the_offered_form() -> None:
    client, _ = opened(customConfig={"events": True}, media=[media("internal", "external")])
    client.events_of(client.dialect.tell(said()))
    assert client.said.pop()["parameters"]["entities"][0]["data"]["channelId"] == 1


def test_nothing_is_told_that_was_not_asked_for_or_has_no_channel_or_comes_after_closed() -> None:
    silent, _ = opened()
    one, _ = opened(customConfig={"events": True}, media=[media("internal")])
    both, _ = opened(customConfig={"events": True})
    pressed = FactStored(call_id=CONVERSATION, seq=1, at=scenes.NOON, fact=DtmfPressed(digit="5", at=1.0))
    assert silent.dialect.tell(said()) == []
    assert silent.dialect.tell(said_so_far("明天")) == []
    assert one.dialect.tell(said()) == []
    assert both.dialect.tell(pressed) == []
    both.say("close", reason="end")
    assert len(both.dialect.tell(said())) == 1
    both.dialect.tick(1.0)
    both.dialect.tick(1.0 + CLOSED_WITHIN)
    assert both.dialect.tell(said()) == []


VALUES = st.one_of(
    st.none(), st.integers(-2, 9), st.floats(), st.text(max_size=6), st.sampled_from(["PT1S", "end", "en-US", [], {}])
)
PARAMETERS = st.dictionaries(
    st.sampled_from(["reason", "discarded", "language", "code", "message", "media", "customConfig"]), VALUES, max_size=3
)
MESSAGES = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["open", "close", "ping", "paused", "resumed", "discarded", "update", "error", "mute"]),
        "parameters": st.one_of(st.just({}), PARAMETERS, PARAMETERS.map(lambda told: {**OPEN, **told})),
    },
    optional={"seq": st.integers(0, 3), "serverseq": VALUES, "id": VALUES, "version": VALUES},
)
NEWS = st.sampled_from([CallProcessed(), said(), ConnectionRefused(violation=ProtocolViolation("call", "no", 1012))])


@given(st.lists(st.one_of(MESSAGES, MESSAGES, st.binary(max_size=9), NEWS, st.floats(0, 100)), max_size=12))
def test_whatever_comes_in_whatever_order_is_answered_or_breaks_the_protocol(steps: list[Any]) -> None:
    """Numbers follow, audio never runs back, and `closed` is the last word."""
    client, reached = Client(), 0.0
    for step in [{"type": "open", "parameters": OPEN}, *steps]:
        try:
            outputs = taken(client, step)
        except ProtocolViolation:
            return
        for audio in (output for output in outputs if isinstance(output, AudioArrived)):
            assert audio.at is not None
            assert audio.at >= reached
            reached = audio.at
    assert "closed" not in client.replies()[:-1]


def taken(client: Client, step: Any) -> Sequence[object]:
    match step:
        case bytes():
            return client.dialect.binary(step)
        case dict():
            return client.send(**step)
        case float():
            return client.events_of(client.dialect.tick(step)) if client.dialect.deadline() is not None else []
        case news:
            return client.events_of(client.dialect.tell(news))
