"""What docs/gateways.md shows is what the dialects take."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from service.ingest.dialects.native import NativeDialect
from service.ingest.dialects.twilio import TwilioDialect
from service.ingest.events import AudioArrived, CallAnnounced, CallStopped, DigitPressed
from service.record.facts import FACT

PAGE = (Path(__file__).parents[3] / "docs" / "gateways.md").read_text("utf-8")


def shown(heading: str) -> list[str]:
    """The JSON blocks of one section, as they stand in the page."""
    level = heading.split(" ")[0]
    section = re.split(rf"^{level} ", PAGE.split(f"\n{heading}\n")[1], flags=re.MULTILINE)[0]
    return re.findall(r"```json\n(.*?)```", section, flags=re.DOTALL)


def test_the_native_messages_are_taken() -> None:
    dialect = NativeDialect()
    [call], [digit], [stop] = (dialect.text(message) for message in shown("### What you send"))
    assert isinstance(call, CallAnnounced)
    assert call.wants_events
    assert call.metadata == {"campaign": "M1", "timezone": "Asia/Shanghai"}
    assert digit == DigitPressed(digit="5", role="customer")
    assert stop == CallStopped()


def test_the_native_replies_are_those_that_are_sent() -> None:
    replies: list[dict[str, Any]] = [json.loads(message) for message in shown("### What you get back")]
    assert [reply["type"] for reply in replies] == ["ready", "event", "finished", "error", "error"]
    assert [reply["code"] for reply in replies if "retry_after" in reply] == [1013]
    assert FACT.validate_python(replies[1]["fact"])


def test_the_twilio_messages_are_taken() -> None:
    dialect = TwilioDialect("customer")
    [call], [audio], [stop] = (dialect.text(message) for message in shown("## Twilio Media Streams"))
    assert isinstance(call, CallAnnounced)
    assert (call.call_id, call.agent, call.metadata) == ("CA1", "A17", {"campaign": "M1"})
    assert audio == AudioArrived(payload=b"\xff\xff\xff", role="customer", at=0.0)
    assert stop == CallStopped(call_over=False)
