from __future__ import annotations

from typing import get_args

from service.record.alert_states import may_change
from service.record.facts import UNDECIDED, AlertState

STATES: tuple[AlertState, ...] = get_args(AlertState)


def ways_from(state: AlertState) -> set[AlertState]:
    return {to for to in STATES if may_change(state, to)}


def test_open_alert_may_be_acknowledged_or_decided_at_once() -> None:
    assert ways_from("open") == {"acknowledged", "confirmed", "dismissed"}


def test_acknowledged_alert_may_be_decided() -> None:
    assert ways_from("acknowledged") == {"confirmed", "dismissed"}


def test_decision_may_be_corrected_but_never_undone() -> None:
    assert ways_from("confirmed") == {"dismissed"}
    assert ways_from("dismissed") == {"confirmed"}


def test_undecided_states_are_those_from_which_both_decisions_are_open() -> None:
    assert {state for state in STATES if ways_from(state) >= {"confirmed", "dismissed"}} == set(UNDECIDED)
