from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from service.record.facts import FACT, AlertChanged, Fact
from tests import strategies
from tests.scenes import AT, heard, opened


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
