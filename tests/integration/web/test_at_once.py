"""Two people, the same thing, the same moment."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.web.conftest import House
from tests.integration.web.test_calls import stored_call


async def test_two_admins_who_disable_each_other_leave_one(house: House) -> None:
    ann, bob = await house.logged_in("admin", "ann"), await house.logged_in("admin", "bob")
    answers = await asyncio.gather(
        ann.put("/api/v1/users/bob", json={"disabled": True}), bob.put("/api/v1/users/ann", json={"disabled": True})
    )
    assert sorted(answer.status_code for answer in answers) in ([200, 401], [200, 409])
    working = [user for user in await house.parts.store.users() if user.role == "admin" and not user.disabled]
    assert len(working) == 1


@pytest.mark.parametrize("seen", [{}, {"seen": "open"}, {"seen": "acknowledged"}])
async def test_of_two_decisions_the_second_is_told_of_the_first(house: House, seen: dict[str, str]) -> None:
    await stored_call(house.parts.store)
    ann, bob = await house.logged_in("compliance", "ann"), await house.logged_in("compliance", "bob")
    path = f"/api/v1/alerts/{(await ann.get('/api/v1/alerts')).json()['alerts'][0]['id']}/state"
    answers = await asyncio.gather(
        ann.put(path, json={"state": "confirmed", **seen}), bob.put(path, json={"state": "dismissed", **seen})
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    second = next(answer for answer in answers if answer.status_code == 409)
    assert second.json()["error"]["code"] == "stale_change"


async def test_a_decision_is_changed_by_one_who_saw_it(house: House) -> None:
    await stored_call(house.parts.store)
    ann = await house.logged_in("compliance", "ann")
    path = f"/api/v1/alerts/{(await ann.get('/api/v1/alerts')).json()['alerts'][0]['id']}/state"
    assert (await ann.put(path, json={"state": "confirmed"})).status_code == 200
    assert (await ann.put(path, json={"state": "dismissed"})).status_code == 409
    assert (await ann.put(path, json={"state": "dismissed", "seen": "dismissed"})).status_code == 409
    assert (await ann.put(path, json={"state": "dismissed", "seen": "confirmed"})).status_code == 200
