"""What every store must do: keep what people decide about alerts."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, get_args

import pytest

from detectors.contract import Bilingual, Withdrawn
from service.record.facts import (
    SYSTEM,
    UNDECIDED,
    AlertChanged,
    AlertState,
    FindingMade,
    FindingWithdrawn,
    may_change,
)
from service.storage.port import NotFound, StaleChange, Store
from tests import scenes
from tests.scenes import AT

LATER = AT + timedelta(minutes=3)
WAYS: dict[AlertState, list[AlertState]] = {
    "open": [],
    "acknowledged": ["acknowledged"],
    "confirmed": ["acknowledged", "confirmed"],
    "dismissed": ["dismissed"],
}


@pytest.fixture
async def flagged(store: Store) -> Store:
    await store.append("call-1", [scenes.opened(), scenes.heard(index=1), scenes.raised()], AT)
    return store


async def test_decision_is_in_the_alert_the_log_and_the_summary(flagged: Store) -> None:
    logged = await flagged.change_alert("alert-1", "dismissed", "mei", LATER, "客户自己说的 🙂")
    change = AlertChanged(alert_id="alert-1", state="dismissed", by="mei", at=LATER, note="客户自己说的 🙂")
    assert (logged.call_id, logged.seq, logged.fact, logged.at) == ("call-1", 4, change, LATER)
    assert (await flagged.facts("call-1"))[-1] == logged
    alert = await flagged.alert("alert-1")
    assert (alert.state, alert.changed_by, alert.changed_at) == ("dismissed", "mei", LATER)
    assert alert.note == "客户自己说的 🙂"
    assert (await flagged.call("call-1")).alerts == (alert,)
    assert logged.summary.alerts == {}
    assert (await flagged.summary("call-1")).risk == 0


async def test_alert_and_finding_keep_the_sentence_that_was_said_and_the_one_before(store: Store) -> None:
    said: dict[str, Any] = {"sentence": "我找人打你，你信不信？", "lead": "我没有钱。", "lead_role": "customer"}
    facts = [scenes.opened(), scenes.heard(index=1), FindingMade(finding=scenes.finding(**said)), scenes.raised(**said)]
    await store.append("call-1", facts, AT)
    assert await store.alert("alert-1") == scenes.alert(**said)
    assert (await store.call("call-1")).findings == (scenes.finding(**said),)
    assert [entry.fact for entry in await store.facts("call-1")] == facts


@pytest.mark.parametrize("present", get_args(AlertState))
@pytest.mark.parametrize("to", get_args(AlertState))
async def test_alert_moves_only_the_ways_its_lifecycle_has(flagged: Store, present: AlertState, to: AlertState) -> None:
    for state in WAYS[present]:
        await flagged.change_alert("alert-1", state, "mei", AT, "first")
    before = await flagged.facts("call-1")
    if may_change(present, to):
        await flagged.change_alert("alert-1", to, "lee", LATER, "second")
        assert (await flagged.alert("alert-1")).state == to
    else:
        with pytest.raises(StaleChange, match=f"{present}.*{to}"):
            await flagged.change_alert("alert-1", to, "lee", LATER, "second")
        assert await flagged.facts("call-1") == before
        assert (await flagged.alert("alert-1")).note != "second"


async def test_of_two_people_who_decide_at_once_one_is_told_that_it_is_decided(flagged: Store) -> None:
    both = [flagged.change_alert("alert-1", "confirmed", name, LATER, "") for name in ("mei", "lee")]
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert sum(isinstance(outcome, StaleChange) for outcome in outcomes) == 1
    assert len(await flagged.facts("call-1")) == 4


async def test_of_two_who_decide_differently_at_once_the_second_is_told(flagged: Store) -> None:
    wanted: dict[str, AlertState] = {"mei": "confirmed", "lee": "dismissed"}
    both = [flagged.change_alert("alert-1", state, name, LATER, "", UNDECIDED) for name, state in wanted.items()]
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert sum(isinstance(outcome, StaleChange) for outcome in outcomes) == 1
    decided = await flagged.alert("alert-1")
    assert (decided.state, decided.changed_by) in (("confirmed", "mei"), ("dismissed", "lee"))
    with pytest.raises(StaleChange, match=decided.state):
        await flagged.change_alert("alert-1", "dismissed", "wu", LATER, "", UNDECIDED)


async def test_alert_can_be_decided_after_its_call_has_ended(flagged: Store) -> None:
    await flagged.append("call-1", [scenes.closed()], AT)
    logged = await flagged.change_alert("alert-1", "confirmed", "mei", LATER, "")
    assert (logged.seq, logged.summary.state) == (5, "ended")


async def test_change_that_is_appended_obeys_the_lifecycle_too(flagged: Store) -> None:
    undo = AlertChanged(alert_id="alert-1", state="open", by="mei", at=LATER)
    with pytest.raises(StaleChange):
        await flagged.append("call-1", [undo], LATER)


async def test_alert_of_another_call_cannot_be_changed_through_this_one(flagged: Store) -> None:
    await flagged.append("call-2", [scenes.opened("call-2")], AT)
    change = AlertChanged(alert_id="alert-1", state="confirmed", by="mei", at=LATER)
    with pytest.raises(NotFound, match="alert-1"):
        await flagged.append("call-2", [change], LATER)


async def test_alert_nobody_knows_is_not_found(flagged: Store) -> None:
    with pytest.raises(NotFound, match="none"):
        await flagged.alert("none")
    with pytest.raises(NotFound, match="none"):
        await flagged.change_alert("none", "confirmed", "mei", LATER, "")


def withdrawn(alert_id: str | None) -> FindingWithdrawn:
    found = scenes.finding()
    why = Bilingual(zh="客户说的", en="the customer said it")
    told = Withdrawn(rule=found.rule, role=found.role, start=found.start, end=found.end, why=why)
    return FindingWithdrawn(withdrawn=told, alert_id=alert_id, at=9.0)


@pytest.mark.parametrize("before", UNDECIDED)
async def test_the_alert_of_a_withdrawn_finding_is_dismissed(flagged: Store, before: AlertState) -> None:
    if before == "acknowledged":
        await flagged.change_alert("alert-1", before, "lin", LATER, "", UNDECIDED)
    [logged] = await flagged.append("call-1", [withdrawn("alert-1")], LATER)
    alert = await flagged.alert("alert-1")
    assert (alert.state, alert.changed_by, alert.changed_at) == ("dismissed", SYSTEM, LATER)
    assert alert.note == "客户说的 / the customer said it"
    assert logged.summary.alerts == {}
    assert await flagged.summary("call-1") == logged.summary
    assert (await flagged.call("call-1")).withdrawals == (logged.fact,)


@pytest.mark.parametrize("decided", ["confirmed", "dismissed"])
async def test_what_a_person_has_decided_is_not_withdrawn(flagged: Store, decided: AlertState) -> None:
    await flagged.change_alert("alert-1", decided, "lin", LATER, "听过", UNDECIDED)
    before = await flagged.summary("call-1")
    [logged] = await flagged.append("call-1", [withdrawn("alert-1")], LATER)
    alert = await flagged.alert("alert-1")
    assert (alert.state, alert.changed_by, alert.note) == (decided, "lin", "听过")
    assert (logged.summary.alerts, logged.summary.alert_states) == (before.alerts, before.alert_states)


async def test_a_withdrawn_finding_that_raised_no_alert_is_told_alone(flagged: Store) -> None:
    await flagged.append("call-1", [withdrawn(None)], LATER)
    assert (await flagged.alert("alert-1")).state == "open"
    assert len((await flagged.call("call-1")).withdrawals) == 1
