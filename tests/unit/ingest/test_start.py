"""A start that says who speaks in which form is taken; what a call can do without is cut or left out, and told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.ingest.dialects.native import NativeDialect
from service.ingest.dialects.twilio import TwilioDialect
from service.ingest.events import CallAnnounced, Irregularity
from service.ingest.source import Source


def native(**given: Any) -> tuple[CallAnnounced, list[str]]:
    start = {"type": "start", "call_id": "c-1", "legs": ["agent"], "encoding": "mulaw", "rate": 8000, **given}
    return _taken(NativeDialect().text(json.dumps(start)))


def twilio(**parameters: Any) -> tuple[CallAnnounced, list[str]]:
    start = {"callSid": "CA1", "customParameters": parameters}
    call, fields = _taken(
        TwilioDialect(Source(name="pbx", first_track="customer")).text(json.dumps({"event": "start", "start": start}))
    )
    return call, [field.removeprefix("start.customParameters.") for field in fields]


def _taken(events: Any) -> tuple[CallAnnounced, list[str]]:
    call, *notes = events
    assert isinstance(call, CallAnnounced)
    assert all(isinstance(note, Irregularity) and note.kind == "value" for note in notes)
    return call, [note.field for note in notes]


METADATA: list[tuple[object, dict[str, str], list[str]]] = [
    ({"a": "x", "n": 3, "vip": True, "none": None}, {"a": "x", "n": "3", "vip": "true"}, []),
    ({"a": ""}, {"a": ""}, []),
    ({"a": "x" * 1025}, {"a": "x" * 1024}, ["metadata.a"]),
    ({"timezone": "z" * 300}, {"timezone": "z" * 300}, []),
    ({"timezone": "z" * 3000}, {"timezone": "z" * 1024}, ["metadata.timezone"]),
    ({"a": {"b": 1}, "c": "kept"}, {"c": "kept"}, ["metadata.a"]),
    ({"a": [1]}, {}, ["metadata.a"]),
    ({"a": "x\0y"}, {}, ["metadata.a"]),
    ({"a": "x\ud800y"}, {}, ["metadata.a"]),
    ({"a": float("nan")}, {}, ["metadata.a"]),
    ({"a": float("inf"), "b": 1}, {"b": "1"}, ["metadata.a"]),
    ({"k" * 65: "x", "": "y", "b\0": "z", "kept": "k"}, {"kept": "k"}, ["metadata keys"]),
    ({str(n): "v" for n in range(70)}, {str(n): "v" for n in range(64)}, ["metadata"]),
]


@pytest.mark.parametrize(("given", "kept", "told"), METADATA)
def test_metadata_is_cut_or_left_out_where_it_cannot_be_kept(
    given: dict[str, object], kept: dict[str, str], told: list[str]
) -> None:
    assert [(native(metadata=given)[0].metadata), native(metadata=given)[1]] == [kept, told]
    assert [(twilio(**given)[0].metadata), twilio(**given)[1]] == [kept, told]


@pytest.mark.parametrize("metadata", ["x", [], 5, True])
def test_metadata_that_is_no_object_is_left_out(metadata: object) -> None:
    call, told = native(metadata=metadata)
    assert (call.metadata, told) == ({}, ["metadata"])


@pytest.mark.parametrize("packed", ["{", "[1]", "5", "[" * 50_000])
def test_packed_metadata_that_is_no_object_is_left_out(packed: str) -> None:
    call, told = twilio(metadata=packed, campaign="M1")
    assert (call.metadata, told) == ({"campaign": "M1"}, ["metadata"])


@pytest.mark.parametrize(
    ("party", "kept"), [("x" * 129, "x" * 128), ("a\0b", ""), ("a\ud800b", ""), (["A"], ""), (True, "")]
)
def test_a_reference_to_a_party_is_cut_or_left_out(party: object, kept: str) -> None:
    assert native(agent=party)[0].agent == kept
    assert native(customer=party)[1] == ["customer"]
    assert twilio(agent=party)[1] == ["agent"]


def test_events_are_not_sent_where_it_is_not_clear_whether_they_are_wanted() -> None:
    call, told = native(events="perhaps")
    assert (call.wants_events, told) == (False, ["events"])


def test_optional_parts_of_a_twilio_start_may_have_any_form() -> None:
    start = {"event": "start", "start": {"callSid": "CA1", "mediaFormat": "mulaw", "customParameters": [1]}}
    call, fields = _taken(TwilioDialect(Source(name="pbx", first_track="customer")).text(json.dumps(start)))
    assert call.call_id == "CA1"
    assert fields == ["start.mediaFormat", "start.customParameters"]
