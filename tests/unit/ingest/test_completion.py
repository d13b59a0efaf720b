"""What a source says of all its calls comes into each, in whatever dialect it is announced."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.ingest.completion import completed
from service.ingest.dialects.twilio import TwilioDialect
from service.ingest.events import CallAnnounced
from service.ingest.source import NamedField, Source

PBX = Source(name="pbx")
CALL = CallAnnounced(
    call_id="c-1", roles=("agent", "customer"), encoding="mulaw", rate=8000, metadata={"conv": "c-77", "who": "张伟"}
)


def named(**names: str) -> Source:
    return replace(PBX, names=names)


def test_a_source_of_which_nothing_is_said_changes_nothing() -> None:
    assert completed(CALL, PBX) == (CALL, [])


def test_labels_are_metadata_and_what_the_call_says_comes_first() -> None:
    call, notes = completed(CALL, replace(PBX, labels={"team": "一组", "who": "nobody"}))
    assert (call.metadata, notes) == ({"conv": "c-77", "who": "张伟", "team": "一组"}, [])


def test_fields_are_taken_from_where_they_stand() -> None:
    metadata = {"conv": "c-77", "who": "张伟", "to": "13800138000", "way": "inbound", "at": "2026-03-02T09:30:00+08:00"}
    source = named(call_id="conv", agent="who", customer="to", direction="way", started_at="at")
    call, notes = completed(replace(CALL, metadata=metadata), source)
    assert (call.call_id, call.agent, call.customer, notes) == ("c-77", "张伟", "13800138000", [])
    assert call.started_at == datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
    assert call.metadata == {**metadata, "direction": "inbound"}


@pytest.mark.parametrize("text", ["1772415000", "1772415000000", " 1772415000 "])
def test_a_start_may_be_unix_time(text: str) -> None:
    call, notes = completed(replace(CALL, metadata={"at": text}), named(started_at="at"))
    assert (call.started_at, notes) == (datetime(2026, 3, 2, 1, 30, tzinfo=UTC), [])


def test_what_is_not_there_leaves_what_the_dialect_has() -> None:
    known = replace(CALL, agent="李雷", started_at=datetime(2026, 3, 2, tzinfo=UTC))
    nowhere = named(call_id="a", agent="b", customer="c", direction="d", started_at="e")
    assert completed(known, nowhere) == (known, [])


@pytest.mark.parametrize(
    ("field", "value"), [("call_id", "two words"), ("call_id", "x" * 129), ("started_at", "yesterday")]
)
def test_what_cannot_be_read_is_noted_under_the_vendors_name_and_ends_nothing(field: NamedField, value: str) -> None:
    odd = replace(CALL, metadata={"theirs": value})
    call, [note] = completed(odd, named(**{field: "theirs"}))
    assert call == odd
    assert (note.kind, note.field) == ("value", "metadata.theirs")
    assert "left as it was" in note.message


def test_a_party_that_is_too_long_is_cut_and_noted() -> None:
    call, [note] = completed(replace(CALL, metadata={"who": "名" * 200}), named(agent="who"))
    assert (call.agent, note.field) == ("名" * 128, "metadata.who")


def test_a_dialect_knows_nothing_of_it() -> None:
    start = {"callSid": "CA1", "tracks": ["inbound"], "customParameters": {"conversation": "c-9"}}
    [announced] = TwilioDialect(PBX).text(json.dumps({"event": "start", "start": start}))
    assert isinstance(announced, CallAnnounced)
    assert completed(announced, named(call_id="conversation"))[0].call_id == "c-9"


@given(
    metadata=st.dictionaries(st.text(max_size=8), st.text(max_size=200), max_size=6),
    names=st.dictionaries(
        st.sampled_from(["call_id", "agent", "customer", "direction", "started_at"]), st.text(max_size=8)
    ),
)
def test_no_metadata_end_a_call(metadata: dict[str, str], names: dict[NamedField, str]) -> None:
    call, _notes = completed(replace(CALL, metadata=metadata), replace(PBX, names=names))
    assert call.call_id
    assert {**call.metadata, **metadata} == call.metadata or "direction" in names
