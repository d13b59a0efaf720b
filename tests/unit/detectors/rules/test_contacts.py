"""A call is one too many, or goes to somebody who must not be called: by the calls on record and by metadata."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.contract import CallContext, EarlierContact, Finding, Jurisdiction, Said
from detectors.rules.contacts import ContactsCall, ContactsDetector
from detectors.runtime.registry import load
from tests.speech import call, findings, said

[DETECTOR] = [each for each in load(encoder=None).detectors if isinstance(each, ContactsDetector)]
BOTH = ("agent", "customer")


def earlier(
    hours: float, *stated: Said, spoke: tuple[str, ...] = BOTH, now: CallContext | None = None, **metadata: str
) -> EarlierContact:
    """A call that many hours before `now`, the call of the other tests by default."""
    return EarlierContact(
        call_id=f"earlier-{hours:g}",
        started_at=(now or call()).started_at - timedelta(hours=hours),
        duration=60.0,
        spoke=tuple(role for role in BOTH if role in spoke),  # type: ignore[arg-type]
        said=frozenset(stated),
        metadata=metadata,
    )


def opened(now: CallContext, *history: EarlierContact) -> ContactsCall:
    return DETECTOR.open(replace(now, history=history))


def told(watch: ContactsCall, *, answered: bool = True) -> list[Finding]:
    """All of a call of a minute, in which somebody answers or nobody does."""
    watch_first = watch.heard(said("agent", "喂，您好", 1, 2))
    answer = watch.heard(said("customer", "喂", 3, 4)) if answered else []
    return findings([*watch_first, *answer, *watch.elapsed(30.0), *watch.closed(60.0)])


def rules(watch: ContactsCall, *, answered: bool = True) -> list[str]:
    return [each.rule for each in told(watch, answered=answered)]


def test_a_fourth_conversation_of_the_day_is_told_when_the_debtor_speaks() -> None:
    watch = opened(call(), earlier(1), earlier(2), earlier(3))
    assert watch.heard(said("agent", "喂，您好", 1, 2)) == []
    [found] = findings(watch.heard(said("customer", "喂", 3, 4)))
    assert (found.rule, found.category, found.start) == ("contacts.conversations_a_day", "excessive_frequency", 4.0)
    assert found.why.zh.startswith("1 天内第 4 次通话。")
    assert found.why.en.startswith("Conversation 4 within 1 days. ")
    assert (found.role, found.decided_by_transcript) == ("agent", False)
    assert (watch.elapsed(30), watch.closed(60)) == ([], [])


def test_a_third_conversation_or_one_of_yesterday_is_not_too_many() -> None:
    assert rules(opened(call(), earlier(1), earlier(2))) == []
    assert rules(opened(call(), earlier(1), earlier(2), earlier(16))) == []


def test_a_day_is_the_debtors() -> None:
    """03:00 in Shanghai is the day before in New York."""
    now = call(started_at="2026-03-10T03:00:00+08:00")
    today = [earlier(hours, now=now) for hours in (1, 2, 5)]
    assert rules(opened(now, *today)) == []
    assert rules(opened(replace(now, timezone="America/New_York"), *today)) == ["contacts.conversations_a_day"]


def test_a_seventh_unanswered_call_is_told_at_its_end() -> None:
    unanswered = [earlier(hours / 2, spoke=()) for hours in range(1, 7)]
    assert rules(opened(call(), *unanswered), answered=False) == ["contacts.unanswered_a_day"]
    assert rules(opened(call(), *unanswered)) == []
    assert rules(opened(call(), *unanswered[1:]), answered=False) == []


def test_calls_to_another_number_are_other_attempts() -> None:
    unanswered = [earlier(hours / 2, spoke=(), number="2") for hours in range(1, 7)]
    assert rules(opened(call(number="1"), *unanswered), answered=False) == []
    assert rules(opened(call(number="2"), *unanswered), answered=False) == ["contacts.unanswered_a_day"]


def test_the_eighth_call_in_seven_days_is_told_at_once() -> None:
    now = call("US")
    before = [earlier(20 * number, spoke=("agent",), now=now) for number in range(1, 8)]
    assert rules(opened(now, *before)) == ["contacts.calls_in_seven_days"]
    assert rules(opened(now, *before[1:])) == []


def test_a_call_within_seven_days_of_a_conversation_is_told() -> None:
    now = call("US")
    assert rules(opened(now, earlier(5 * 24, now=now))) == ["contacts.after_conversation"]
    assert rules(opened(now, earlier(8 * 24, now=now))) == []
    assert rules(opened(now, earlier(24, spoke=("agent",), now=now))) == []


@pytest.mark.parametrize("stated", ["third_party", "wrong_number"])
def test_words_with_somebody_else_are_no_conversation(stated: Said) -> None:
    now = call("US")
    assert rules(opened(now, earlier(24, stated, now=now))) == []


def test_another_account_of_the_debtor_is_counted_apart() -> None:
    now = call("US", account="A-1")
    assert rules(opened(now, earlier(24, now=now, account="B-2"))) == []
    assert rules(opened(now, earlier(24, now=now, account="A-1"))) == ["contacts.after_conversation"]
    assert rules(opened(now, earlier(24, now=now))) == ["contacts.after_conversation"]


def test_what_the_debtor_made_or_asked_for_is_not_held_against_the_agent() -> None:
    now = call("US")
    assert rules(opened(replace(now, metadata={"direction": "inbound"}), earlier(24, now=now))) == []
    assert rules(opened(replace(now, metadata={"contact_consent": "yes"}), earlier(24, now=now))) == []
    assert rules(opened(now, earlier(24, now=now, direction="inbound"))) == []
    assert rules(opened(now, earlier(24, "callback", now=now))) == []
    assert rules(opened(now, earlier(5, now=now), earlier(24, "callback", now=now))) == ["contacts.after_conversation"]


@pytest.mark.parametrize("flag", ["do_not_call", "represented_by_attorney"])
def test_a_debtor_who_must_not_be_called_is_told_by_metadata(flag: str) -> None:
    [found] = told(opened(call(**{flag: "yes"})))
    assert (found.rule, found.category) == ("contacts.after_stop", "cease_request_ignored")
    assert flag in found.why.en
    assert rules(opened(call(**{flag: "no"}))) == []


def test_a_request_to_stop_is_remembered_with_the_call_that_it_was_made_in() -> None:
    [found] = told(opened(call(), earlier(200, "stop")))
    assert found.rule == "contacts.after_stop"
    assert "earlier-200" in found.why.en
    assert "2026-03-02" in found.why.zh


def test_somebody_elses_request_to_stop_is_for_that_number() -> None:
    now = call(number="2")
    for stated in (("third_party", "stop"), ("wrong_number",)):
        assert rules(opened(now, earlier(200, *stated, number="1"))) == []  # type: ignore[arg-type]
        again = earlier(200, *stated, number="2")  # type: ignore[arg-type]
        assert rules(opened(now, again)) == ["contacts.third_party_again"]


def test_a_third_party_that_refused_is_told_by_metadata() -> None:
    [found] = told(opened(call(third_party_refused="true")))
    assert found.category == "third_party_contact_after_refusal"


def test_without_a_history_nothing_is_counted() -> None:
    assert told(DETECTOR.open(call()), answered=False) == []


@pytest.mark.parametrize("jurisdiction", ["CN", "US"])
@given(hours=st.lists(st.floats(0, 720), max_size=40), answered=st.booleans(), spoke=st.sampled_from([(), BOTH]))
def test_a_rule_is_told_once_whatever_went_before(
    jurisdiction: Jurisdiction, hours: list[float], answered: bool, spoke: tuple[str, ...]
) -> None:
    now = call(jurisdiction)
    seen = rules(opened(now, *(earlier(each, spoke=spoke, now=now) for each in sorted(hours))), answered=answered)
    assert len(seen) == len(set(seen))
