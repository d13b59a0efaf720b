from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.contract import Severity
from service.record.facts import (
    AlertChanged,
    AlertState,
    CallClosed,
    DtmfPressed,
    Fact,
    FindingMade,
    GapMarked,
    Notice,
    NoticeCode,
    SentimentScored,
)
from service.record.summary import TREND_POINTS, CallSummary, Party, fold, opened
from tests import strategies
from tests.scenes import AT, call, finding, heard, raised, sentiment


def after(*facts: Fact) -> CallSummary:
    summary = opened(call(), seq=1)
    for fact in facts:
        summary = fold(summary, fact, summary.seq + 1)
    return summary


def party(summary: CallSummary, role: str) -> Party:
    return next(party for party in summary.parties if party.role == role)


def notice(code: NoticeCode) -> Notice:
    return Notice(code=code, message="", at=1.0)


def changed(state: AlertState, alert_id: str = "alert-1") -> AlertChanged:
    return AlertChanged(alert_id=alert_id, state=state, by="mei", at=AT)


def test_opened_call_is_live_quiet_and_without_risk() -> None:
    summary = opened(call(), seq=1)
    assert (summary.state, summary.risk, summary.alerts, summary.seq) == ("live", 0, {}, 1)
    assert [(p.role, p.talked, p.sentiment) for p in summary.parties] == [("agent", 0.0, None), ("customer", 0.0, None)]


def test_talk_time_and_last_words_are_each_partys_own() -> None:
    summary = after(heard(index=0), heard(index=1, text="再见"), heard(index=4, text="好", role="customer"))
    assert (party(summary, "agent").talked, party(summary, "agent").last_text) == (4.0, "再见")
    assert (party(summary, "customer").talked, party(summary, "customer").last_end) == (2.0, 14.0)


def test_words_of_a_party_the_call_does_not_have_change_no_party() -> None:
    mono = opened(call(roles=("customer",)), seq=1)
    assert fold(mono, heard(), 2).parties == mono.parties


def test_sentiment_line_keeps_the_newest_points() -> None:
    summary = after(*(SentimentScored(sentiment=sentiment(index, -index / 100)) for index in range(80)))
    points = party(summary, "customer").points
    assert len(points) == TREND_POINTS
    assert (points[-1].score, points[-1].trend) == (-0.79, -0.395)
    assert party(summary, "customer").sentiment == -0.395
    assert party(summary, "agent").points == ()


@pytest.mark.parametrize(("severity", "risk"), [("critical", 50), ("high", 25), ("medium", 8), ("low", 2)])
def test_risk_weighs_alerts_by_severity(severity: Severity, risk: int) -> None:
    assert after(raised(severity=severity)).risk == risk
    assert after(raised(severity=severity), raised("alert-2", severity=severity)).risk == 2 * risk


def test_risk_counts_anger_but_no_good_mood() -> None:
    assert after(SentimentScored(sentiment=sentiment(score=-1.0))).risk == 5
    assert after(SentimentScored(sentiment=sentiment(score=1.0))).risk == 0


def test_risk_ends_at_a_hundred() -> None:
    assert after(*(raised(f"alert-{n}", severity="critical") for n in range(9))).risk == 100


def test_alert_counts_until_somebody_dismisses_it() -> None:
    assert after(raised()).alerts == {"high": 1}
    for kept in ("acknowledged", "confirmed"):
        assert after(raised(), changed(kept)).alerts == {"high": 1}
    dismissed = after(raised(), changed("dismissed"))
    assert (dismissed.alerts, dismissed.risk) == ({}, 0)
    assert dismissed.alert_states == {"alert-1": ("high", "dismissed")}
    assert after(raised(), changed("dismissed"), changed("confirmed")).alerts == {"high": 1}


def test_change_of_an_unknown_alert_changes_nothing() -> None:
    assert after(raised(), changed("dismissed", "alert-9")).alerts == {"high": 1}


def test_trouble_lasts_until_it_has_passed() -> None:
    both = after(notice("storage_failing"), notice("recording_failing"), notice("storage_failing"))
    assert set(both.troubles) == {"storage_failing", "recording_failing"}
    assert len(both.troubles) == 2
    assert after(notice("storage_failing"), notice("storage_recovered")).troubles == ()
    assert after(notice("detector_failed"), notice("protocol_error")).troubles == ("detector_failed", "protocol_error")


def test_what_has_passed_is_no_trouble_in_force() -> None:
    assert after(notice("gateway_irregular"), notice("audio_missing")).troubles == ()


def test_gaps_are_counted() -> None:
    gap = GapMarked(role=None, start=1.0, end=2.0, reason="lost")
    assert after(gap, gap).gaps == 2


def test_findings_and_digits_move_only_seq() -> None:
    summary = after(FindingMade(finding=finding()), DtmfPressed(digit="1", at=1.0))
    assert summary.seq == 3
    assert summary == after(DtmfPressed(digit="2", at=1.0), FindingMade(finding=finding()))


def test_closed_call_says_how_it_ended() -> None:
    ended_at = AT + timedelta(minutes=2)
    summary = after(CallClosed(ended_at=ended_at, duration=120.0, ending="dropped"))
    assert (summary.state, summary.ended_at, summary.duration, summary.ending) == ("ended", ended_at, 120.0, "dropped")


@settings(max_examples=60)
@given(st.lists(strategies.facts("call-1"), max_size=12), st.data())
def test_facts_that_come_twice_change_nothing(facts: list[Fact], data: st.DataObject) -> None:
    summaries = [opened(call(), seq=1)]
    for seq, fact in enumerate(facts, start=2):
        summaries.append(fold(summaries[-1], fact, seq))
    if facts:
        again = data.draw(st.integers(0, len(facts) - 1))
        assert fold(summaries[-1], facts[again], again + 2) == summaries[-1]
    assert 0 <= summaries[-1].risk <= 100
    assert summaries[-1].seq == len(facts) + 1
