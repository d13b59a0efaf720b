"""What the pages of docs/gateways show is what the dialects take."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from service.ingest.dialect import FactStored, Handshake, SendText
from service.ingest.dialects.audiohook import AudioHookDialect
from service.ingest.dialects.chan_websocket import ChanWebsocketDialect
from service.ingest.dialects.exotel import ExotelDialect
from service.ingest.dialects.jambonz import JambonzDialect
from service.ingest.dialects.mod_audio_fork import ModAudioForkDialect
from service.ingest.dialects.mod_audio_stream import ModAudioStreamDialect
from service.ingest.dialects.native import NativeDialect
from service.ingest.dialects.plivo import PlivoDialect
from service.ingest.dialects.signalwire import SignalWireDialect
from service.ingest.dialects.specs import DIALECTS
from service.ingest.dialects.telnyx import TelnyxDialect
from service.ingest.dialects.twilio import TwilioDialect
from service.ingest.dialects.vonage import VonageDialect
from service.ingest.dialects.yeastar import YeastarDialect
from service.ingest.events import AudioArrived, CallAnnounced, CallStopped, DigitPressed
from service.ingest.source import Source
from service.record.facts import FACT, UtteranceHeard
from tests import scenes

PAGES = Path(__file__).parents[3] / "docs" / "gateways"


def shown(dialect: str, heading: str) -> list[str]:
    """The JSON blocks of one section, as they stand in the dialect's page."""
    level, page = heading.split(" ")[0], "\n" + (PAGES / f"{dialect}.md").read_text("utf-8")
    section = re.split(rf"^{level} ", page.split(f"\n{heading}\n")[1], flags=re.MULTILINE)[0]
    return re.findall(r"```json\n(.*?)```", section, flags=re.DOTALL)


def test_the_native_messages_are_taken() -> None:
    dialect = NativeDialect()
    [call], [digit], [stop] = (dialect.text(message) for message in shown("native", "## What you send"))
    assert isinstance(call, CallAnnounced)
    assert call.wants_events
    assert call.metadata == {"campaign": "M1", "timezone": "Asia/Shanghai"}
    assert digit == DigitPressed(digit="5", role="customer")
    assert stop == CallStopped()


def test_the_native_replies_are_those_that_are_sent() -> None:
    replies: list[dict[str, Any]] = [json.loads(message) for message in shown("native", "## What you get back")]
    assert [reply["type"] for reply in replies] == ["ready", "event", "finished", "error", "error"]
    assert [reply["code"] for reply in replies if "retry_after" in reply] == [1013]
    assert FACT.validate_python(replies[1]["fact"])


def test_the_twilio_messages_are_taken() -> None:
    dialect = TwilioDialect(Source(name="pbx", first_track="customer"))
    [call], [audio], [stop] = (dialect.text(message) for message in shown("twilio", "# Twilio Media Streams"))
    assert isinstance(call, CallAnnounced)
    assert (call.call_id, call.agent, call.metadata) == ("CA1", "A17", {"campaign": "M1"})
    assert audio == AudioArrived(payload=b"\xff\xff\xff", role="customer", at=0.0)
    assert stop == CallStopped(call_over=False)


def test_the_signalwire_messages_are_taken() -> None:
    dialect = SignalWireDialect(Source(name="pbx", first_track="customer"))
    [call], [audio], [key], [stop] = (dialect.text(message) for message in shown("signalwire", "# SignalWire"))
    assert isinstance(call, CallAnnounced)
    assert (call.encoding, call.rate, call.agent, call.customer) == ("pcm_s16le", 16_000, "A17", "C-88")
    assert audio == AudioArrived(payload=b"\1\0\2\0", role="customer", at=0.0)
    assert (key, stop) == (DigitPressed(digit="8"), CallStopped(call_over=False))


def test_the_telnyx_messages_are_taken() -> None:
    dialect = TelnyxDialect(Source(name="pbx", first_track="customer"))
    [call], [audio], [key], [stop] = (dialect.text(each) for each in shown("telnyx", "# Telnyx Media Streaming"))
    assert isinstance(call, CallAnnounced)
    assert (call.encoding, call.agent, call.metadata["campaign"]) == ("mulaw", "A17", "M1")
    assert audio == AudioArrived(payload=b"\xff\xff\xff", role="customer", at=0.0)
    assert (key, stop) == (DigitPressed(digit="1"), CallStopped(call_over=False))


def test_the_plivo_messages_are_taken() -> None:
    dialect = PlivoDialect(Source(name="pbx", first_track="customer"))
    [call], [audio], [key] = (dialect.text(message) for message in shown("plivo", "# Plivo Audio Streaming"))
    assert isinstance(call, CallAnnounced)
    assert (call.encoding, call.agent, call.customer, call.metadata) == ("mulaw", "A17", "C88", {"campaign": "M1"})
    assert audio == AudioArrived(payload=b"\xff\xff\xff", role="customer", at=0.0)
    assert key == DigitPressed(digit="5", role="customer")


def test_the_exotel_messages_are_taken() -> None:
    dialect = ExotelDialect(Source(name="pbx", first_track="customer"))
    [call], [audio], [key], [stop] = (dialect.text(message) for message in shown("exotel", "# Exotel"))
    assert isinstance(call, CallAnnounced)
    assert (call.encoding, call.rate, call.roles, call.agent) == ("pcm_s16le", 8000, ("customer",), "A17")
    assert audio == AudioArrived(payload=b"\1\0\2\0", role="customer", at=0.0)
    assert (key, stop) == (DigitPressed(digit="5"), CallStopped(call_over=False))


def test_the_vonage_messages_are_taken() -> None:
    _ncco, connected, pressed = shown("vonage", "# Vonage Voice API")
    dialect = VonageDialect(Source(name="pbx", first_track="agent"))
    [call] = dialect.text(connected)
    assert isinstance(call, CallAnnounced)
    assert (call.call_id, call.roles, call.call_roles) == ("c-1001", ("customer",), ("agent", "customer"))
    assert (call.encoding, call.rate, call.clock) == ("pcm_s16le", 16_000, "arrival")
    assert (call.agent, call.language, call.metadata) == ("A17", "zh", {"campaign": "M1"})
    assert dialect.text(pressed) == [DigitPressed(digit="5", role="customer")]


@pytest.mark.parametrize(
    ("dialect", "heading", "kind"),
    [
        ("mod_audio_stream", "# FreeSWITCH mod_audio_stream", ModAudioStreamDialect),
        ("mod_audio_fork", "# FreeSWITCH mod_audio_fork", ModAudioForkDialect),
    ],
)
def test_the_freeswitch_metadata_are_taken_and_the_events_are_those_that_are_sent(
    dialect: str, heading: str, kind: type[ModAudioStreamDialect] | type[ModAudioForkDialect]
) -> None:
    metadata, told = shown(dialect, heading)
    made = kind(Source(name="pbx", first_track="customer"), Handshake(query={}))
    [call] = made.text(metadata)
    assert isinstance(call, CallAnnounced)
    assert (call.call_id, call.rate, call.roles) == ("c-1001", 8000, ("agent", "customer"))
    assert (call.agent, call.language, call.metadata) == ("A17", "zh", {"campaign": "M1"})
    event: dict[str, Any] = json.loads(told).get("data", json.loads(told))
    at, fact = datetime.fromisoformat(event["at"]), FACT.validate_python(event["fact"])
    [sent] = made.tell(FactStored(call_id=event["call_id"], seq=event["seq"], at=at, fact=fact))
    assert isinstance(sent, SendText)
    assert json.loads(sent.text) == json.loads(told)


def test_the_jambonz_messages_are_taken() -> None:
    application, listening, pressed = shown("jambonz", "# jambonz listen")
    listen = json.loads(application)[0]["listen"]
    dialect = JambonzDialect(Source(name="pbx", first_track="agent"), Handshake(query={}))
    [call] = dialect.text(listening)
    assert isinstance(call, CallAnnounced)
    assert (call.call_id, call.rate) == ("5f6e2a1c-7d1b-4e0e-9f53-0c1a2b3c4d5e", listen["sampleRate"])
    assert (call.roles, call.customer) == (("agent", "customer"), listen["metadata"]["customer"])
    assert call.metadata["campaign"] == listen["metadata"]["campaign"]
    assert dialect.text(pressed) == [DigitPressed(digit="5", role="agent")]


def test_the_messages_of_asterisk_are_taken_in_either_form() -> None:
    page = (PAGES / "chan_websocket.md").read_text("utf-8")
    started, pressed = shown("chan_websocket", "## What Asterisk sends")
    plain_start, plain_key = re.findall(r"^(?:MEDIA_START|DTMF_END) .*$", page, re.MULTILINE)
    source = Source(name="pbx", first_track="customer")
    dialect = ChanWebsocketDialect(source, Handshake(query={}))
    [call] = dialect.text(started)
    assert isinstance(call, CallAnnounced)
    assert (call.call_id, call.roles, call.rate, call.agent) == ("c-1001", ("customer",), 16_000, "A17")
    assert (call.customer, call.metadata) == ("C-88", {"campaign": "M1"})
    assert dialect.text(pressed) == dialect.text(plain_key) == [DigitPressed(digit="5", role="customer")]
    query = {"call_id": "c-1001", "role": "agent", "at": "1795404198"}
    [call] = ChanWebsocketDialect(source, Handshake(query=query)).text(plain_start)
    assert isinstance(call, CallAnnounced)
    assert (call.call_id, call.roles) == ("c-1001", ("agent",))


def test_the_yeastar_messages_are_taken() -> None:
    dialect = YeastarDialect(Source(name="pbx", first_track="customer"), Handshake(query={}))
    first, [call, *audio], ended, over = (dialect.text(message) for message in shown("yeastar", "# Yeastar P-Series"))
    assert (first, ended, over) == ([], [], [CallStopped(call_over=False)])
    assert isinstance(call, CallAnnounced)
    assert (call.call_id, call.agent, call.customer) == ("1755940023.7", "1009", "13800138000")
    assert audio == [
        AudioArrived(payload=b"\1\2\3\4", role="agent"),
        AudioArrived(payload=b"\5\6\7\10", role="customer"),
    ]


def test_the_audiohook_messages_are_taken() -> None:
    dialect = AudioHookDialect(Handshake(headers={"audiohook-organization-id": "5b0f3f0e-2f4c-4a53-9f0a-0b64bd2f8a01"}))
    open_, discarded, close = shown("audiohook", "## What is sent")
    opened, call = dialect.text(open_)
    assert isinstance(opened, SendText)
    assert isinstance(call, CallAnnounced)
    assert (call.roles, call.language, call.jurisdiction) == (("customer", "agent"), "zh", "CN")
    assert (call.wants_events, call.metadata["campaign"]) == (True, "M1")
    assert dialect.text(discarded) == []
    assert dialect.binary(b"\xff\xff") == [AudioArrived(payload=b"\xff\xff", at=1.5)]
    told = replace(
        scenes.utterance(call.call_id, text="明天还款", role="customer"), start=1.6, end=2.4, confidence=0.93
    )
    [event] = dialect.tell(FactStored(call_id=call.call_id, seq=2, at=scenes.NOON, fact=UtteranceHeard(utterance=told)))
    [documented] = (json.loads(message) for message in shown("audiohook", "## What you get back"))
    assert isinstance(event, SendText)
    sent = json.loads(event.text)
    del documented["parameters"]["entities"][0]["data"]["id"], sent["parameters"]["entities"][0]["data"]["id"]
    assert sent == documented
    assert dialect.text(close) == [CallStopped()]


def test_every_dialect_has_its_page() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} == set(DIALECTS)


def test_every_complaint_has_the_tests_that_the_page_names() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", PAGES.with_suffix(".md").read_text("utf-8"))
    assert len(named) >= 13, "as many complaints are known"
    for path, name in named:
        assert f"def {name}(" in (PAGES.parents[1] / path).read_text("utf-8"), f"{path} has no {name}"
