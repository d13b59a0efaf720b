"""A call is one too many, or goes to somebody who must not be called: by the calls on record and by metadata."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.types import ROLES, Role
from detectors.contract import CallContext, EarlierContact, Finding, Jurisdiction, Said
from detectors.rules.contacts import ContactsCall, ContactsDetector
from detectors.runtime.registry import load
from tests.speech import call, findings, said

[DETECTOR] = [each for each in load(encoder=None).detectors if isinstance(each, ContactsDetector)]
REFUSED: tuple[Said, ...] = ("refusal",)


def earlier(
    hours: float,
    *stated: Said,
    spoke: tuple[Role, ...] = ROLES,
    legs: tuple[Role, ...] = ROLES,
    sure: float = 0.95,
    duration: float = 60.0,
    now: CallContext | None = None,
    **metadata: str,
) -> EarlierContact:
    """A call that many hours before `now`, the call of the other tests by default."""
    return EarlierContact(
        call_id=f"earlier-{hours:g}",
        started_at=(now or call()).started_at - timedelta(hours=hours),
        duration=duration,
        spoke=spoke,
        legs=legs,
        said=dict.fromkeys(stated, sure),
        metadata=metadata,
    )


def spoken_with(hours: float, *stated: Said, now: CallContext | None = None, **metadata: Any) -> EarlierContact:
    """A call in which the debtor refused, and said whatever else."""
    return earlier(hours, "refusal", *stated, now=now, **metadata)


def opened(now: CallContext, *history: EarlierContact) -> ContactsCall:
    return DETECTOR.open(replace(now, history=history))


def told(watch: ContactsCall, answer: str | None = "我是") -> list[Finding]:
    """All of a call of a minute, in which somebody answers, or nobody does."""
    seen = watch.heard(said("agent", "喂，请问是罗佳明先生吗", 1, 2))
    if answer is not None:
        seen += watch.heard(said("customer", answer, 3, 4))
    return findings([*seen, *watch.elapsed(30.0), *watch.closed(60.0)])


def rules(watch: ContactsCall, answer: str | None = "我是") -> list[str]:
    return [each.rule for each in told(watch, answer)]


def test_a_fourth_conversation_of_the_day_is_told_when_the_debtor_is_known_to_listen() -> None:
    watch = opened(call(), spoken_with(1), spoken_with(2), spoken_with(3))
    assert watch.heard(said("agent", "喂，请问是罗佳明先生吗", 1, 2)) == []
    assert watch.heard(said("customer", "您哪位", 2, 3)) == []
    [found] = findings(watch.heard(said("customer", "我就是", 3, 4, index=1)))
    assert (found.rule, found.category, found.start) == ("contacts.conversations_a_day", "excessive_frequency", 4.0)
    assert found.why.zh.startswith("当日第 4 次通话。")
    assert found.why.en.startswith("Conversation 4 today. ")
    assert (found.role, found.decided_by_transcript) == ("agent", False)
    assert (watch.elapsed(30), watch.closed(60)) == ([], [])


@pytest.mark.parametrize("answer", ["打错了", "我是他妻子", "您拨打的电话暂时无法接通", None])
def test_who_is_not_the_debtor_makes_no_conversation(answer: str | None) -> None:
    assert rules(opened(call(), spoken_with(1), spoken_with(2), spoken_with(3)), answer) == []


def test_a_third_conversation_or_one_of_yesterday_is_not_too_many() -> None:
    assert rules(opened(call(), spoken_with(1), spoken_with(2))) == []
    assert rules(opened(call(), spoken_with(1), spoken_with(2), spoken_with(16))) == []


def test_a_day_is_the_debtors() -> None:
    """03:00 in Shanghai is the day before in New York."""
    now = call(started_at="2026-03-10T03:00:00+08:00")
    today = [spoken_with(hours, now=now) for hours in (1, 2, 5)]
    assert rules(opened(now, *today)) == []
    assert rules(opened(replace(now, timezone="America/New_York"), *today)) == ["contacts.conversations_a_day"]


def test_a_machine_that_answers_is_no_conversation() -> None:
    now = call("US")
    assert rules(opened(now, earlier(24, now=now))) == []
    assert rules(opened(now, earlier(24, "asks_identity", now=now))) == []


def test_a_seventh_unanswered_call_is_told_at_its_end() -> None:
    unanswered = [earlier(hours / 2, spoke=("agent",)) for hours in range(1, 7)]
    [found] = told(opened(call(), *unanswered), None)
    assert (found.rule, found.start) == ("contacts.unanswered_a_day", 60.0)
    assert found.why.zh.startswith("当日第 7 次未接通。")
    assert rules(opened(call(), *unanswered), "喂") == []
    assert rules(opened(call(), *unanswered[1:]), None) == []


def test_calls_that_nobody_was_heard_in_are_not_unanswered_for_that() -> None:
    """A call of the agent's leg alone tells nothing of the customer, and one that is live may be answered yet."""
    rung = [earlier(hours / 2, spoke=("agent",)) for hours in range(1, 6)]
    assert rules(opened(call(), *rung, earlier(5, spoke=("agent",), legs=("agent",))), None) == []
    assert rules(opened(call(), *rung, earlier(5, spoke=(), duration=0.0)), None) == []
    assert rules(opened(replace(call(), legs=("agent",)), *rung, earlier(5, spoke=())), None) == []
    assert len(rules(opened(call(), *rung, earlier(5, spoke=())), None)) == 1


def test_calls_to_another_number_are_other_attempts() -> None:
    unanswered = [earlier(hours / 2, spoke=(), number="2") for hours in range(1, 7)]
    assert rules(opened(call(number="1"), *unanswered), None) == []
    assert rules(opened(call(number="2"), *unanswered), None) == ["contacts.unanswered_a_day"]


def test_the_eighth_call_in_seven_days_is_told_at_once() -> None:
    now = call("US")
    before = [earlier(20 * number, spoke=("agent",), now=now) for number in range(1, 8)]
    watch = opened(now, *before)
    [found] = findings(watch.elapsed(0.5))
    assert (found.rule, found.start) == ("contacts.calls_in_seven_days", 0.5)
    assert found.why.en.startswith("Call 8 within 7 days. ")
    assert rules(opened(now, *before[1:])) == []


def test_a_call_within_seven_days_of_a_conversation_is_told() -> None:
    now = call("US")
    assert rules(opened(now, spoken_with(5 * 24, now=now))) == ["contacts.after_conversation"]
    assert rules(opened(now, spoken_with(8 * 24, now=now))) == []
    assert rules(opened(now, earlier(24, spoke=("agent",), now=now))) == []


@pytest.mark.parametrize("stated", ["third_party", "wrong_number"])
def test_words_with_somebody_else_are_no_conversation(stated: Said) -> None:
    now = call("US")
    assert rules(opened(now, spoken_with(24, stated, now=now))) == []


def test_another_account_of_the_debtor_is_counted_apart() -> None:
    now = call("US", account="A-1")
    assert rules(opened(now, spoken_with(24, now=now, account="B-2"))) == []
    assert rules(opened(now, spoken_with(24, now=now, account="A-1"))) == ["contacts.after_conversation"]
    assert rules(opened(now, spoken_with(24, now=now))) == ["contacts.after_conversation"]


def test_what_the_debtor_made_or_asked_for_is_not_held_against_the_agent() -> None:
    now = call("US")
    assert rules(opened(replace(now, metadata={"direction": "inbound"}), spoken_with(24, now=now))) == []
    assert rules(opened(replace(now, metadata={"contact_consent": "yes"}), spoken_with(24, now=now))) == []
    assert rules(opened(now, spoken_with(24, now=now, direction="inbound"))) == []
    assert rules(opened(now, spoken_with(24, "callback", now=now))) == []
    assert rules(opened(now, earlier(5, spoke=("agent",), now=now), spoken_with(24, "callback", now=now))) == []
    assert rules(opened(now, spoken_with(5, now=now), spoken_with(24, "callback", now=now))) == [
        "contacts.after_conversation"
    ]


def test_a_call_that_was_asked_for_long_ago_is_not_what_was_asked_for() -> None:
    now = call()
    unanswered = [earlier(hours / 2, spoke=()) for hours in range(1, 7)]
    assert rules(opened(now, *unanswered, spoken_with(6 * 24, "callback")), None) == []
    assert rules(opened(now, *unanswered, spoken_with(8 * 24, "callback")), None) == ["contacts.unanswered_a_day"]


@pytest.mark.parametrize("flag", ["do_not_call", "represented_by_attorney"])
def test_a_debtor_who_must_not_be_called_is_told_by_metadata(flag: str) -> None:
    [found] = told(opened(call("CN", **{flag: "yes"})))
    assert (found.rule, found.category) == ("contacts.after_stop", "cease_request_ignored")
    assert flag in found.why.en
    assert rules(opened(call("CN", **{flag: "no"}))) == []


def test_a_request_to_stop_is_remembered_with_the_call_that_it_was_made_in() -> None:
    """By the debtor's calendar: 22:30 in UTC is the next morning in Shanghai."""
    asked = replace(earlier(200, "stop"), started_at=call(started_at="2026-03-01T22:30:00+00:00").started_at)
    [found] = told(opened(call(), asked))
    assert found.rule == "contacts.after_stop"
    assert "earlier-200" in found.why.en
    assert "2026-03-02" in found.why.zh


def test_what_only_may_have_been_a_request_to_stop_accuses_nobody() -> None:
    assert rules(opened(call(), earlier(200, "stop", sure=0.85))) == []
    assert rules(opened(call(), earlier(200, "stop", "callback"))) == []
    assert rules(opened(call(), earlier(200, "stop", "promise"))) == []
    assert rules(opened(call(), spoken_with(24, "callback"), earlier(200, "stop"))) == []
    assert rules(opened(call(), earlier(24, direction="inbound"), earlier(200, "stop"))) == []
    assert rules(opened(call(contact_consent="yes"), earlier(200, "stop"))) == []


def test_somebody_elses_request_to_stop_is_for_that_number() -> None:
    now = call(number="2")
    groups: tuple[tuple[Said, ...], ...] = (("third_party", "stop"), ("wrong_number",))
    for stated in groups:
        assert rules(opened(now, earlier(200, *stated, number="1"))) == []
        assert rules(opened(now, earlier(200, *stated, number="2"))) == ["contacts.third_party_again"]


def test_a_third_party_that_refused_is_told_by_metadata() -> None:
    [found] = told(opened(call(third_party_refused="true")))
    assert found.category == "third_party_contact_after_refusal"


def test_without_a_history_nothing_is_counted() -> None:
    assert told(DETECTOR.open(call()), None) == []


def test_calls_that_came_later_do_not_count() -> None:
    now = call("US")
    assert rules(opened(now, spoken_with(-5, now=now), earlier(-6, "stop", now=now))) == []


@pytest.mark.parametrize("jurisdiction", ["CN", "US"])
@given(hours=st.lists(st.floats(0.1, 700), max_size=40))
def test_as_many_as_the_law_lets_are_let_and_one_more_is_told(jurisdiction: Jurisdiction, hours: list[float]) -> None:
    """Counted here in days of the only zone, at three in the afternoon."""
    now = replace(call(jurisdiction), timezone="Asia/Shanghai")
    history = [earlier(each, spoke=("agent",), now=now) for each in sorted(hours)]
    today = sum(each <= 15 for each in hours)
    in_a_week = sum(each <= 15 + 6 * 24 for each in hours)
    too_many = today >= 6 if jurisdiction == "CN" else in_a_week >= 7
    assert bool(rules(opened(now, *history), None)) == too_many
