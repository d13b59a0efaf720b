"""What people write into the record of a call, in every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from detectors.contract import Statement
from service.record.facts import NoteWritten, StatementMade
from service.record.note import CallNote
from service.storage.exporting import exported
from service.storage.port import CallQuery, NotFound, StaleChange, Store
from tests import scenes
from tests.scenes import AT

PROMISED = Statement(
    kind="promise",
    role="customer",
    start=1.0,
    end=2.0,
    quote="下个月十五号先还两千",
    utterance_id="call-1-customer-1",
    score=0.93,
    amount=Decimal(2000),
    currency="CNY",
    day=date(2026, 12, 15),
)
NOTE = CallNote(outcomes=("promise",), promise_amount=Decimal("1500.50"), promise_currency="CNY", text="改为一千五")


@pytest.fixture
async def promised(store: Store) -> Store:
    await store.append("call-1", [scenes.opened(), StatementMade(statement=PROMISED)], AT)
    return store


async def test_a_record_is_drafted_from_what_was_said(promised: Store) -> None:
    record = await promised.call("call-1")
    assert record.statements == (PROMISED,)
    assert record.note == CallNote(
        outcomes=("promise",),
        promise_amount=Decimal(2000),
        promise_currency="CNY",
        promise_day=date(2026, 12, 15),
    )
    assert record.edits == ()


async def test_what_a_person_writes_takes_the_drafts_place(promised: Store) -> None:
    logged = await promised.write_note("call-1", NOTE, "lin", AT, 0)
    assert logged.fact == NoteWritten(note=NOTE, by="lin", at=AT)
    record = await promised.call("call-1")
    assert record.note == NOTE
    assert [(edit.by, edit.note) for edit in record.edits] == [("lin", NOTE)]


async def test_of_two_who_write_at_once_the_second_is_told(promised: Store) -> None:
    await promised.write_note("call-1", NOTE, "lin", AT, 0)
    with pytest.raises(StaleChange, match="1 edits"):
        await promised.write_note("call-1", replace(NOTE, text="another"), "mei", AT, 0)
    await promised.write_note("call-1", replace(NOTE, text="seen"), "mei", AT + timedelta(seconds=1), 1)
    assert [edit.by for edit in (await promised.call("call-1")).edits] == ["lin", "mei"]


async def test_a_call_nobody_knows_has_no_record(store: Store) -> None:
    with pytest.raises(NotFound, match="none"):
        await store.write_note("none", NOTE, "lin", AT, 0)


async def test_the_records_of_many_calls_are_read_in_pages(promised: Store) -> None:
    await promised.append("call-1", [scenes.closed()], AT)
    for number, call_id in enumerate(("written", "empty"), start=1):
        began = AT - timedelta(hours=number)
        await promised.append(call_id, [scenes.opened(call_id, started_at=began), scenes.closed()], AT)
    await promised.write_note("written", replace(NOTE, text="first"), "mei", AT, 0)
    await promised.write_note("written", NOTE, "lin", AT, 1)
    await promised.append("live", [scenes.opened("live")], AT)
    rows = [row async for page in exported(promised, CallQuery(state="ended", limit=1)) for row in page]
    assert [(row.call_id, row.status, row.promise_amount, row.edited_by) for row in rows] == [
        ("call-1", "drafted", Decimal(2000), None),
        ("written", "corrected", Decimal("1500.50"), "lin"),
        ("empty", "drafted", None, None),
    ]
    assert [row.text for row in rows] == ["", NOTE.text, ""]


async def test_no_call_makes_one_page_without_a_record(store: Store) -> None:
    assert [page async for page in exported(store, CallQuery())] == [()]
