"""Whence each field of a call is."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from service.ingest.completion import completed
from service.ingest.dialects.twilio import TwilioDialect
from service.ingest.events import CallAnnounced
from service.ingest.source import Source
from service.preview.masking import as_it_came
from service.preview.understanding import understood
from service.preview.values import MappedField, SeenHandshake
from service.settings import Settings

PBX = Source(name="pbx")
SEEN = SeenHandshake(dialect="twilio", address="192.0.2.7", query={"role": "agent", "agent": "A17"})
CALL = CallAnnounced(call_id="c-1", roles=("agent", "customer"), encoding="mulaw", rate=8000)
SETTINGS = Settings(language="zh", jurisdiction="CN")


def fields(call: CallAnnounced, *messages: object, source: Source = PBX) -> dict[str, MappedField]:
    texts = [each if isinstance(each, str) else json.dumps(each) for each in messages]
    return {each.name: each for each in understood(call, source, SETTINGS, SEEN, texts)}


def place(field: MappedField) -> tuple[str, str]:
    return field.origin, field.place


def test_a_field_is_where_the_same_stands_under_its_own_name_first() -> None:
    call = replace(CALL, agent="c-1")
    told = fields(call, {"start": {"callSid": "c-1", "parameters": {"agent": "c-1"}}})
    assert place(told["call_id"]) == ("message", "start.callSid")
    assert place(told["agent"]) == ("message", "start.parameters.agent")


def test_the_name_that_the_source_has_for_it_comes_first() -> None:
    source = replace(PBX, names={"agent": "who", "started_at": "begun"})
    message = {"x": "A17", "metadata": {"who": "A17", "begun": "1772451000"}}
    call, _ = completed(replace(CALL, metadata={"who": "A17", "begun": "1772451000"}), source)
    told = fields(call, message, source=source)
    assert place(told["agent"]) == ("message", "metadata.who")
    assert told["started_at"] == MappedField(
        name="started_at", value="2026-03-02T11:30:00+00:00", origin="message", place="metadata.begun"
    )


def test_what_the_url_or_a_label_says_is_told_as_such() -> None:
    source = replace(PBX, labels={"direction": "outbound"})
    call, _ = completed(replace(CALL, agent="A17"), source)
    told = fields(call, "MEDIA_START format:ulaw", source=source)
    assert place(told["agent"]) == ("query", "agent")
    assert (told["direction"].value, *place(told["direction"])) == ("outbound", "label", "")
    assert place(told["call_id"]) == ("dialect", "")


def test_plain_text_has_fields_too() -> None:
    assert place(fields(CALL, "MEDIA_START channel_id:c-1")["call_id"]) == ("message", "channel_id")


def test_values_that_are_read_are_found_by_what_they_mean() -> None:
    call = replace(CALL, language="zh", started_at=datetime(2026, 3, 2, 1, 30, tzinfo=UTC))
    told = fields(call, {"language": "cmn-CN", "started_at": "2026-03-02T01:30:00Z"})
    assert place(told["language"]) == ("message", "language")
    assert place(told["started_at"]) == ("message", "started_at")


def test_defaults_are_the_sources_before_the_services() -> None:
    source = replace(PBX, language="en", timezone="Asia/Urumqi")
    told = fields(CALL, source=source)
    assert (told["language"].value, told["language"].origin) == ("en", "source")
    assert (told["jurisdiction"].value, told["jurisdiction"].origin) == ("CN", "service")
    assert (told["timezone"].value, told["timezone"].origin) == ("Asia/Urumqi", "source")
    assert (told["agent"].value, told["agent"].origin) == ("", "nothing")
    assert (told["started_at"].value, told["started_at"].origin) == ("", "arrival")
    law = fields(CALL)["timezone"]
    assert (law.value, law.origin) == ("Asia/Shanghai", "law")
    unknown = fields(replace(CALL, jurisdiction="US"))["timezone"]
    assert (unknown.value, unknown.origin) == ("", "nothing")
    own = fields(replace(CALL, metadata={"timezone": "Asia/Shanghai"}))
    assert (own["timezone"].value, *place(own["timezone"])) == ("Asia/Shanghai", "message", "metadata.timezone")


def test_a_dialects_own_start_is_found_again() -> None:
    message = {"event": "start", "start": {"callSid": "CA1", "customParameters": {"agent": "张伟", "language": "en"}}}
    call = TwilioDialect(PBX).text(json.dumps(message))[0]
    assert isinstance(call, CallAnnounced)
    told = fields(call, as_it_came(json.dumps(message)))
    assert place(told["call_id"]) == ("message", "start.callSid")
    assert place(told["agent"]) == ("message", "start.customParameters.agent")
