"""The records of calls as lines of a file."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.record.export import RecordRow, file_head, file_lines, record_row
from service.record.facts import NoteWritten
from service.record.note import CallNote
from tests import scenes
from tests.scenes import AT

CALL = scenes.call(timezone="America/New_York", started_at=datetime(2026, 3, 2, 14, 0, tzinfo=UTC))
NOTE = CallNote(
    outcomes=("promise", "hardship"),
    conduct=("greeting", "thanks"),
    promise_amount=Decimal("1500.50"),
    promise_currency="CNY",
    promise_day=date(2026, 3, 15),
    callback_day=date(2026, 3, 10),
    callback_hour=time(9, 30),
    text="改为一千五",
)
ROW = record_row(CALL, CallNote(), NoteWritten(note=NOTE, by="lin", at=AT))
DANGEROUS = tuple("=+-@\t\r\n＝＋－＠")


def read_csv(*rows: RecordRow) -> list[dict[str, str]]:
    """As a spreadsheet reads it."""
    return list(csv.DictReader(io.StringIO((file_head("csv") + file_lines(rows, "csv")).decode("utf-8-sig"), "")))


def test_a_file_for_spreadsheets_says_that_it_is_utf_8_and_names_its_columns() -> None:
    head = file_head("csv")
    assert head.startswith(b"\xef\xbb\xbfcall_id,started_at,timezone,")
    assert head.decode("utf-8-sig").strip().split(",") == [field.name for field in fields(RecordRow)]


def test_a_row_has_the_debtors_hour_and_what_was_agreed() -> None:
    assert read_csv(ROW) == [
        {
            "call_id": "call-1",
            "started_at": "2026-03-02T09:00:00-05:00",
            "timezone": "America/New_York",
            "agent": "agent-7",
            "customer": "debtor-42",
            "status": "corrected",
            "outcomes": "promise hardship",
            "promise_amount": "1500.50",
            "promise_currency": "CNY",
            "promise_day": "2026-03-15",
            "callback_day": "2026-03-10",
            "callback_hour": "09:30:00",
            "conduct": "greeting thanks",
            "text": "改为一千五",
            "edited_by": "lin",
            "edited_at": "2026-03-02T10:30:00.250000+08:00",
        }
    ]


def test_a_line_of_json_holds_the_same_under_the_same_names() -> None:
    assert file_head("jsonl") == b""
    [line] = file_lines([ROW], "jsonl").splitlines()
    told = json.loads(line)
    assert list(told) == [field.name for field in fields(RecordRow)]
    assert (told["outcomes"], told["promise_amount"], told["text"]) == (
        ["promise", "hardship"],
        "1500.50",
        "改为一千五",
    )


def test_a_draft_is_one_until_a_person_writes() -> None:
    drafted = record_row(CALL, NOTE, None)
    assert (drafted.status, drafted.text, drafted.edited_by, drafted.edited_at) == ("drafted", NOTE.text, None, None)


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_without_a_zone_the_moment_stands_as_it_was_announced(name: str) -> None:
    assert record_row(scenes.call(timezone=name), NOTE, None).started_at.isoformat() == AT.isoformat()


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), st.sampled_from(["", *DANGEROUS]))
def test_no_cell_is_a_formula_and_every_other_is_as_it_was(text: str, first: str) -> None:
    said = first + text
    [row] = read_csv(replace(ROW, text=said, agent=said, edited_by=said))
    for cell in (row["text"], row["agent"], row["edited_by"]):
        assert cell == (f"'{said}" if said.startswith(DANGEROUS) else said)
