from __future__ import annotations

import json
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from service.record.facts import FACT, UNDECIDED, AlertChanged, AlertState, Fact, may_change
from tests import strategies
from tests.scenes import AT, heard, opened

STATES: tuple[AlertState, ...] = get_args(AlertState)


@settings(max_examples=80)
@given(st.one_of(strategies.opening("call-1"), strategies.facts("call-1")))
def test_fact_survives_json(fact: Fact) -> None:
    assert FACT.validate_json(FACT.dump_json(fact)) == fact


def test_json_names_the_kind_of_fact() -> None:
    assert json.loads(FACT.dump_json(heard()))["type"] == "utterance"
    change = AlertChanged(alert_id="a", state="confirmed", by="mei", at=AT)
    assert FACT.validate_json(FACT.dump_json(change)) == change


def test_a_call_recorded_before_zones_were_is_read() -> None:
    old = json.loads(FACT.dump_json(opened()))
    del old["call"]["timezone"]
    assert FACT.validate_json(json.dumps(old)) == opened()


@pytest.mark.parametrize("text", ['{"type": "rumour"}', '{"digit": "1", "at": 0}', '{"type": "dtmf"}', "[]"])
def test_json_that_is_no_fact_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        FACT.validate_json(text)


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
