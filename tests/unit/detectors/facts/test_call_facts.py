"""What belongs into the record of a call, with scripted heads: each kind has an axis of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal

import numpy as np
import pytest

from asr.types import Language, Role
from detectors.contract import CallContext, Statement
from detectors.facts.call_facts import MOST_OF_A_KIND, FactsCall, FactsDetector
from detectors.facts.statements import Kind
from detectors.semantic.heads import EmbeddedTurn, load_heads
from detectors.semantic.judgement import load_judgement
from tests.scripted_heads import KINDS, STATEMENTS, embedding
from tests.speech import said

NIGHT_IN_CHICAGO = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
"""There it is still the evening of the 25th, a Wednesday."""


def opened(timezone: str = "Asia/Shanghai") -> FactsCall:
    call = CallContext(call_id="c", language="auto", jurisdiction="CN", started_at=NIGHT_IN_CHICAGO, timezone=timezone)
    return FactsDetector(STATEMENTS).open(call)


def tell(call: FactsCall, role: Role, text: str, *kinds: Kind, language: Language = "zh") -> list[Statement]:
    """An utterance that is of these kinds."""
    told = call.understood(replace(said(role, text), language=language), embedding(*kinds))
    return [each for each in told if isinstance(each, Statement)]


def test_a_promise_has_its_amount_and_its_day_from_the_day_of_the_call():
    [promise] = tell(opened(), "customer", "我下个月十五号先还两千", "promise")
    assert (promise.kind, promise.role, promise.quote) == ("promise", "customer", "我下个月十五号先还两千")
    assert (promise.amount, promise.currency, promise.day) == (Decimal(2000), "CNY", date(2026, 12, 15))


@pytest.mark.parametrize(
    ("zone", "day"), [("America/Chicago", date(2026, 11, 26)), ("Asia/Shanghai", date(2026, 11, 27))]
)
def test_tomorrow_is_by_the_debtors_clock(zone: str, day: date):
    [promise] = tell(opened(zone), "customer", "I'll pay $50 tomorrow", "promise", language="en")
    assert promise.day == day


def test_who_agrees_promises_what_was_proposed():
    call = opened()
    tell(call, "agent", "那您看周五之前先还五百可以吗")
    tell(call, "agent", "您考虑一下", "listening")
    [promise] = tell(call, "customer", "行，可以", "promise")
    assert (promise.amount, promise.day) == (Decimal(500), date(2026, 11, 27))


def test_who_names_other_terms_promises_those():
    call = opened()
    tell(call, "agent", "那您看周五之前先还五百可以吗")
    [promise] = tell(call, "customer", "三百吧，我先还三百", "promise")
    assert (promise.amount, promise.day) == (Decimal(300), date(2026, 11, 27))


def test_an_offer_of_long_ago_is_not_agreed_to():
    call = opened()
    tell(call, "agent", "那您看周五之前先还五百可以吗")
    for _ in range(2):
        tell(call, "agent", "您说")
    [promise] = tell(call, "customer", "行，我会还的", "promise")
    assert (promise.amount, promise.day) == (None, None)


def test_a_call_back_has_its_day_and_hour():
    [callback] = tell(opened(), "customer", "明天下午三点再打给我", "callback")
    assert (callback.day, callback.hour) == (date(2026, 11, 27), time(15))


def test_each_party_says_only_what_is_its_own():
    assert tell(opened(), "agent", "我下个月还", "promise", "empathy")[0].kind == "empathy"
    assert tell(opened(), "customer", "谢谢", "thanks") == []


def test_nothing_good_is_told_of_words_that_break_a_rule():
    told = tell(opened(), "agent", "得了癌症就不用还钱了吗", "empathy", "escalates")
    assert told == []
    assert [each.kind for each in tell(opened(), "agent", "我很理解您", "empathy")] == ["empathy"]


def test_what_is_said_again_is_told_once_but_for_terms_that_may_change():
    call = opened()
    hard = [tell(call, "customer", "我没工作了", "hardship") for _ in range(3)]
    assert [len(told) for told in hard] == [1, 0, 0]
    promised = [tell(call, "customer", "我还两百", "promise") for _ in range(MOST_OF_A_KIND + 5)]
    assert sum(map(len, promised)) == MOST_OF_A_KIND


def test_the_heads_that_ship_know_every_kind_and_when_it_counts():
    assert set(load_judgement().says) == set(KINDS)
    meaning = load_heads().meaning(EmbeddedTurn(role="agent", embedding=np.zeros(384, np.float32)), ())
    assert set(meaning.says) == set(KINDS)


@pytest.mark.parametrize("text", ["我现在就还", "我等会儿转过去"])
def test_what_is_paid_at_once_is_paid_on_the_day_of_the_call(text: str):
    [promise] = tell(opened(), "customer", text, "promise")
    assert promise.day == date(2026, 11, 26)
