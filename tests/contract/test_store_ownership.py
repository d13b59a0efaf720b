"""Which installation a live call belongs to, of two on one database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from service.record.facts import CallResumed
from service.storage.port import OWNED_FOR
from service.storage.sql import SqlStore
from tests import scenes
from tests.scenes import AT

SOON, LATER = AT + OWNED_FOR / 2, AT + OWNED_FOR + timedelta(seconds=1)


@pytest.fixture
async def others(store_url: str) -> AsyncIterator[tuple[SqlStore, SqlStore]]:
    here, there = SqlStore(store_url, "here"), SqlStore(store_url, "there")
    for each in (here, there):
        await each.open()
    yield here, there
    for each in (here, there):
        await each.close()


async def left(store: SqlStore, now: datetime, *, own: bool = False) -> list[str]:
    return [summary.call.id for summary in await store.left(now, own=own)]


async def test_a_call_is_its_openers_and_its_last_process_leaves_it_to_the_next(
    others: tuple[SqlStore, SqlStore],
) -> None:
    here, there = others
    await here.append("call-1", [scenes.opened()], AT)
    assert await left(there, SOON, own=True) == []
    assert await left(here, SOON) == []
    assert await left(here, SOON, own=True) == ["call-1"]


async def test_who_says_nothing_more_of_a_call_has_left_it(others: tuple[SqlStore, SqlStore]) -> None:
    here, there = others
    await here.append("call-1", [scenes.opened()], AT)
    await here.append("call-2", [scenes.opened("call-2")], AT)
    await here.own(["call-2"], SOON)
    assert await left(there, LATER) == ["call-1"]


async def test_a_call_that_is_taken_up_is_the_new_owners(others: tuple[SqlStore, SqlStore]) -> None:
    here, there = others
    await here.append("call-1", [scenes.opened()], AT)
    await there.own(["call-1"], LATER)
    assert await left(here, LATER, own=True) == []
    assert await left(there, LATER, own=True) == ["call-1"]


async def test_a_call_that_goes_on_after_its_end_is_whose_gateway_came_back(others: tuple[SqlStore, SqlStore]) -> None:
    here, there = others
    await here.append("call-1", [scenes.opened(), scenes.closed()], AT)
    await there.append("call-1", [CallResumed(at=1.0, cause="returned")], LATER)
    assert await left(here, LATER, own=True) == []
    assert await left(there, LATER + OWNED_FOR / 2) == []
    assert await left(there, LATER, own=True) == ["call-1"]


async def test_a_closed_call_is_nobodys_to_take_up(others: tuple[SqlStore, SqlStore]) -> None:
    here, there = others
    await here.append("call-1", [scenes.opened(), scenes.closed()], AT)
    await here.own(["call-1", "none-such"], AT)
    assert await left(there, LATER, own=True) == []
