"""What the pages of docs/gateways show is what the dialects take."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from service.ingest.dialect import FactStored, Handshake, SendText
from service.ingest.dialects.audiohook import AudioHookDialect
from service.ingest.dialects.native import NativeDialect
from service.ingest.dialects.specs import DIALECTS
from service.ingest.dialects.twilio import TwilioDialect
from service.ingest.dialects.vonage import VonageDialect
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


def test_the_vonage_messages_are_taken() -> None:
    _ncco, connected, pressed = shown("vonage", "# Vonage Voice API")
    dialect = VonageDialect(Source(name="pbx", first_track="agent"))
    [call] = dialect.text(connected)
    assert isinstance(call, CallAnnounced)
    assert (call.call_id, call.roles, call.call_roles) == ("c-1001", ("customer",), ("agent", "customer"))
    assert (call.encoding, call.rate, call.clock) == ("pcm_s16le", 16_000, "arrival")
    assert (call.agent, call.language, call.metadata) == ("A17", "zh", {"campaign": "M1"})
    assert dialect.text(pressed) == [DigitPressed(digit="5", role="customer")]


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
