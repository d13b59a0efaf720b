"""The record of a call over HTTP: drafted, corrected, and never overwritten unseen."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from detectors.contract import Statement
from service.record.facts import StatementMade
from tests.integration.web.conftest import House
from tests.integration.web.test_calls import stored_call
from tests.scenes import NOON

PATH = "/api/v1/calls/call-1"
PROMISE = Statement(
    kind="promise",
    role="customer",
    start=3.0,
    end=4.0,
    quote="下个月十五号先还两千",
    utterance_id="customer-0",
    score=0.9,
    amount=Decimal(2000),
    currency="CNY",
    day=date(2026, 12, 15),
)


async def test_a_draft_is_shown_and_corrected(house: House) -> None:
    await stored_call(house.parts.store)
    await house.parts.store.append("call-1", [StatementMade(statement=PROMISE)], NOON)
    client = await house.logged_in("supervisor", "lin")
    drafted = (await client.get(PATH)).json()
    assert drafted["statements"][0]["quote"] == "下个月十五号先还两千"
    assert (drafted["note"]["promise_amount"], drafted["note"]["promise_day"]) == ("2000", "2026-12-15")
    corrected = {**drafted["note"], "promise_amount": "1500.50", "text": "改为一千五", "seen": 0}
    answer = (await client.put(f"{PATH}/note", json=corrected)).json()
    assert (answer["note"]["promise_amount"], answer["note"]["text"]) == ("1500.50", "改为一千五")
    assert [edit["by"] for edit in answer["edits"]] == ["lin"]
    assert (await client.get(PATH)).json()["note"] == answer["note"]


async def test_the_second_of_two_who_write_sees_what_the_first_wrote(house: House) -> None:
    await stored_call(house.parts.store)
    client = await house.logged_in("compliance", "mei")
    assert (await client.put(f"{PATH}/note", json={"text": "甲", "seen": 0})).status_code == 200
    late = await client.put(f"{PATH}/note", json={"text": "乙", "seen": 0})
    assert late.status_code == 409
    assert (await client.get(PATH)).json()["note"]["text"] == "甲"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"promise_amount": "-5"}, "promise_amount"),
        ({"promise_amount": "1e40"}, "promise_amount"),
        ({"promise_day": "soon"}, "promise_day"),
        ({"outcomes": ["win"]}, "outcomes"),
        ({"text": "好" * 5000}, "text"),
        ({"seen": -1}, "seen"),
        ({"riddle": 1}, "riddle"),
    ],
)
async def test_what_is_no_record_is_refused_with_its_field(house: House, wrong: dict[str, Any], field: str) -> None:
    await stored_call(house.parts.store)
    client = await house.logged_in("supervisor")
    answer = await client.put(f"{PATH}/note", json={"seen": 0, **wrong})
    assert answer.status_code == 422
    assert field in answer.json()["error"]["field"]


async def test_a_call_nobody_knows_has_no_record(house: House) -> None:
    client = await house.logged_in("supervisor")
    assert (await client.put("/api/v1/calls/none/note", json={"seen": 0})).status_code == 404
