"""What other systems are told of a fact: nothing that was said, no debtor, and of most facts nothing."""

from __future__ import annotations

from hypothesis import given

from service.record.facts import AlertRaised, CallClosed, CallOpened, Fact
from service.record.outgoing import OUTGOING, AlertTold, told_of
from service.record.summary import fold, opened
from tests import scenes
from tests.strategies import facts

SUMMARY = opened(scenes.call(), 1)


@given(facts("call-1"))
def test_alerts_and_the_begin_and_end_of_a_call_are_told_and_nothing_else(fact: Fact) -> None:
    told = told_of(fact, fold(SUMMARY, fact, 2))
    assert (told is not None) == isinstance(fact, AlertRaised | CallOpened | CallClosed)
    assert told is None or OUTGOING.validate_json(OUTGOING.dump_json(told)) == told


def test_nothing_that_was_said_is_told_and_no_debtor() -> None:
    spoken = scenes.raised(quote="找人打你", sentence="我找人打你", lead="你是谁", lead_role="customer")
    for fact in (scenes.opened(), spoken, scenes.closed()):
        shown = str(told_of(fact, SUMMARY))
        assert not any(words in shown for words in ("打你", "你是谁", SUMMARY.call.customer, "三月"))


def test_an_alert_is_told_with_its_rule_in_words() -> None:
    told = told_of(scenes.raised(), SUMMARY)
    assert isinstance(told, AlertTold)
    assert (told.title, told.why, told.cites) == (scenes.alert().title, scenes.alert().why, ("CN-CRIM#293-1",))
