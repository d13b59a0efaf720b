"""The records of calls as lines of a file, for spreadsheets and other programs. Pure."""

from __future__ import annotations

import csv
import io
from codecs import BOM_UTF8
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final, Literal

from pydantic import TypeAdapter

from detectors.contract import Conduct, Currency, Said
from detectors.timezones.zones import read_zone
from service.record.facts import Call, NoteWritten
from service.record.note import CallNote

ExportFormat = Literal["jsonl", "csv"]

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula. Source: OWASP, CSV Injection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRow:
    """A call and the record of its outcome. `started_at`: on the debtor's clock if `timezone` names one.

    `edited_by`, `edited_at`: who has written into the record last. It is `drafted` as long as nobody has.
    """

    call_id: str
    started_at: datetime
    timezone: str
    agent: str
    customer: str
    status: Literal["drafted", "corrected"]
    outcomes: tuple[Said, ...]
    promise_amount: Decimal | None
    promise_currency: Currency | None
    promise_day: date | None
    callback_day: date | None
    callback_hour: time | None
    conduct: tuple[Conduct, ...]
    text: str
    edited_by: str | None
    edited_at: datetime | None


_ROW: Final = TypeAdapter(RecordRow)


def record_row(call: Call, draft: CallNote, edit: NoteWritten | None) -> RecordRow:
    """The row of a call. `edit`: the last one, which takes the draft's place."""
    zone = read_zone(call.timezone)
    note = draft if edit is None else edit.note
    return RecordRow(
        call_id=call.id,
        started_at=call.started_at if zone is None else call.started_at.astimezone(zone.clock),
        timezone=call.timezone,
        agent=call.agent,
        customer=call.customer,
        status="drafted" if edit is None else "corrected",
        outcomes=note.outcomes,
        promise_amount=note.promise_amount,
        promise_currency=note.promise_currency,
        promise_day=note.promise_day,
        callback_day=note.callback_day,
        callback_hour=note.callback_hour,
        conduct=note.conduct,
        text=note.text,
        edited_by=None if edit is None else edit.by,
        edited_at=None if edit is None else edit.at,
    )


def file_head(form: ExportFormat) -> bytes:
    """What stands before the first row. Excel takes a CSV file for UTF-8 only with a byte order mark."""
    return BOM_UTF8 + _csv([[field.name for field in fields(RecordRow)]]) if form == "csv" else b""


def file_lines(rows: Iterable[RecordRow], form: ExportFormat) -> bytes:
    """The rows, a line each. In CSV a cell's kinds are parted by spaces, and no cell is a formula."""
    if form == "jsonl":
        return b"".join(_ROW.dump_json(row) + b"\n" for row in rows)
    return _csv([_cell(value) for value in _ROW.dump_python(row, mode="json").values()] for row in rows)


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    text = " ".join(value) if isinstance(value, list) else value or ""
    return f"'{text}" if text.startswith(_FORMULA) else text
