"""The records of many calls as a file, over HTTP."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from service.record.note import CallNote
from service.storage.exporting import PAGE
from service.storage.port import AuditQuery, CallQuery, RecordPage, StorageUnavailable, Store
from tests import scenes
from tests.integration.web.conftest import House
from tests.integration.web.test_audited import written
from tests.scenes import NOON

PATH = "/api/v1/records"
CALLS = PAGE + 2
"""More than a page of the store's."""


async def stored_calls(store: Store) -> None:
    """One call an hour, the newest first; every other one is lin's. One more is still on."""
    for number in range(CALLS):
        began, agent = NOON - timedelta(hours=number), "lin" if number % 2 else "mei"
        opened = scenes.opened(f"c{number}", started_at=began, agent=agent, timezone="Asia/Shanghai")
        await store.append(f"c{number}", [opened, scenes.closed()], NOON)
    await store.append("live", [scenes.opened("live", started_at=NOON)], NOON)
    await store.write_note("c0", CallNote(outcomes=("promise",), text="=HYPERLINK()"), "lin", NOON, 0)


async def test_every_ended_call_has_a_line(house: House) -> None:
    await stored_calls(house.parts.store)
    answer = await (await house.logged_in("compliance")).get(PATH)
    assert answer.headers["content-type"] == "application/x-ndjson"
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [row["call_id"] for row in rows] == [f"c{number}" for number in range(CALLS)]
    assert (rows[0]["started_at"], rows[0]["status"]) == ("2026-03-02T20:00:00+08:00", "corrected")


async def test_a_spreadsheet_gets_those_that_were_asked_for(house: House) -> None:
    await stored_calls(house.parts.store)
    client = await house.logged_in("admin")
    asked = {"format": "csv", "since": (NOON - timedelta(hours=3)).isoformat(), "until": NOON.isoformat()}
    answer = await client.get(PATH, params={**asked, "agent": "lin"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="call-records.csv"'
    assert [row["call_id"] for row in csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))] == ["c1", "c3"]
    assert b"\r\nc0,2026" in (all_of_them := (await client.get(PATH, params={"format": "csv"})).content)
    assert b",'=HYPERLINK()," in all_of_them


async def test_an_export_is_written_down(house: House) -> None:
    client = await house.logged_in("compliance", "mei")
    await client.get(PATH, params={"format": "csv", "agent": "lin", "since": NOON.isoformat()})
    await written(house, 2)
    [entry] = await house.parts.store.audit(AuditQuery(event="records_exported"))
    assert (entry.who, entry.subject, entry.detail) == ("mei", "lin", "csv since 2026-03-02T12:00:00+00:00")


async def test_head_reads_nothing_more_than_whether_the_store_can_be_read(house: House) -> None:
    await stored_calls(house.parts.store)
    client = await house.logged_in("admin")
    got, head = await client.get(PATH), await client.head(PATH)
    assert (head.status_code, head.content) == (200, b"")
    assert {**head.headers, "date": ""} == {**got.headers, "date": ""}


@pytest.mark.parametrize("wrong", [{"format": "xls"}, {"since": "2026-03-02"}, {"agent": "x" * 201}])
async def test_what_cannot_be_meant_is_refused(house: House, wrong: dict[str, str]) -> None:
    answer = await (await house.logged_in("admin")).get(PATH, params=wrong)
    assert answer.status_code == 422


def failing_at(monkeypatch: pytest.MonkeyPatch, store: Any, page: int) -> None:
    """The database is lost before this page is read."""
    read, pages = store.records, iter(range(page))

    async def records(query: CallQuery) -> RecordPage:
        if next(pages, None) is None:
            raise StorageUnavailable("the disk is gone")
        return await read(query)

    monkeypatch.setattr(store, "records", records)


async def test_a_store_that_is_away_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await house.logged_in("admin")
    failing_at(monkeypatch, house.parts.store, 0)
    assert (await client.get(PATH)).json()["error"]["code"] == "storage_unavailable"


async def test_a_file_that_breaks_off_is_no_whole_file(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await stored_calls(house.parts.store)
    client = await house.logged_in("admin")
    failing_at(monkeypatch, house.parts.store, 1)
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get(PATH)
