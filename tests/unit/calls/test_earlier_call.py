from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from service.calls.earlier_call import LOOK_BACK, EarlierCall, earlier_call_of, hides_speech
from service.record.facts import (
    AlertChanged,
    AlertRaised,
    CallResumed,
    Fact,
    FindingMade,
    GapMarked,
    Notice,
    SentimentScored,
)
from service.record.summary import fold, opened
from service.storage.port import LoggedFact
from tests import scenes

OVER = scenes.closed()


def earlier(*facts: Fact) -> EarlierCall:
    """What the log of these facts, behind the opening, tells."""
    summary = opened(scenes.call(), 1)
    log = [LoggedFact(call_id="call-1", seq=1, at=scenes.AT, fact=scenes.opened(), summary=summary)]
    for seq, fact in enumerate(facts, 2):
        summary = fold(summary, fact, seq)
        log.append(LoggedFact(call_id="call-1", seq=seq, at=scenes.AT, fact=fact, summary=summary))
    return earlier_call_of(summary, log)


def missed(end: float) -> Sequence[Fact]:
    finding = scenes.finding(
        kind="duty_missing", rule="duty.recording_notice", end=end, start=0.0, utterance_id=None, quote=""
    )
    return FindingMade(finding=finding), AlertRaised(
        alert=scenes.alert(kind="duty_missing", rule=finding.rule, end=end)
    )


def test_each_legs_speech_is_settled_up_to_its_last_text_or_mark() -> None:
    gap = GapMarked(role="customer", start=7.0, end=9.0, reason="unrecognised")
    told = earlier(scenes.heard(index=0), scenes.heard(index=1), gap)
    assert told.settled == {"agent": 5.0, "customer": 9.0}
    assert told.reached == 9.0


def test_a_leg_that_said_nothing_is_listened_to_from_a_while_before_the_others_last_text() -> None:
    told = earlier(scenes.heard(index=100))
    assert told.settled == {"agent": 302.0, "customer": 302.0 - LOOK_BACK}


def test_a_hold_is_among_what_the_detectors_hear_again_and_other_notices_are_not() -> None:
    hold = Notice(code="audio_missing", message="on hold", at=5.0, missing=1200.0)
    told = earlier(scenes.heard(index=0), hold, Notice(code="protocol_error", message="odd", at=6.0))
    assert told.detector_inputs[1:] == (hold,)


def test_what_was_said_between_two_gaps_is_heard_again_together() -> None:
    gap = GapMarked(role="agent", start=5.0, end=5.5, reason="unrecognised")
    told = earlier(*(scenes.heard(index=index) for index in range(3)), gap, gap, scenes.heard(index=3))
    assert [len(each) if isinstance(each, list) else each for each in told.in_stretches] == [3, gap, gap, 1]


def test_a_call_that_was_wholly_processed_has_nothing_left_to_listen_to() -> None:
    told = earlier(scenes.heard(), OVER)
    assert set(told.settled.values()) == {OVER.duration}
    assert told.closed == OVER


def test_an_utterance_of_which_the_detectors_answer_was_never_written_is_judged_again() -> None:
    told = earlier(
        scenes.heard(index=0), SentimentScored(sentiment=scenes.sentiment(role="agent")), scenes.heard(index=1)
    )
    assert told.unjudged is not None
    assert told.unjudged.id == "agent-1"
    assert told.lacks(scenes.finding(utterance_id="agent-1"))
    assert told.lacks(replace(scenes.sentiment(role="agent"), utterance_id="agent-1"))
    assert not told.lacks(scenes.finding(utterance_id="agent-0"))


def test_what_was_written_is_not_written_again() -> None:
    told = earlier(scenes.heard(), FindingMade(finding=scenes.finding(utterance_id="agent-0")))
    assert told.unjudged is None
    assert not told.lacks(scenes.finding(utterance_id="agent-0"))


def test_a_duty_that_fell_due_while_nobody_wrote_is_still_to_be_told_and_only_once() -> None:
    due = scenes.finding(kind="duty_missing", rule="duty.recording_notice", utterance_id=None)
    assert earlier(scenes.heard()).lacks(due)
    assert not earlier(scenes.heard(), *missed(3.0)).lacks(due)


def test_a_duty_missed_only_because_the_call_had_ended_is_owed_again() -> None:
    told = earlier(scenes.heard(), *missed(OVER.duration), OVER)
    assert [alert.rule for alert in told.premature] == ["duty.recording_notice"]
    assert (told.alerts, told.findings) == ((), ())
    assert told.lacks(scenes.finding(kind="duty_missing", rule="duty.recording_notice", utterance_id=None))


def test_a_duty_whose_time_had_run_out_before_the_end_stays_missed() -> None:
    told = earlier(scenes.heard(), *missed(OVER.duration - 0.5), OVER)
    assert told.premature == ()
    assert len(told.alerts) == 1


def test_what_a_person_has_decided_is_left_to_them() -> None:
    decided = AlertChanged(alert_id=scenes.alert().id, state="confirmed", by="alice", at=scenes.AT)
    assert earlier(scenes.heard(), *missed(OVER.duration), OVER, decided).premature == ()


def test_an_earlier_end_that_the_call_went_on_after_counts_no_more() -> None:
    resumed = CallResumed(at=OVER.duration, cause="returned")
    told = earlier(scenes.heard(), *missed(OVER.duration), OVER, resumed, scenes.heard(index=1))
    assert told.closed is None
    assert (told.alerts, told.premature) == ((), ())
    assert told.unjudged is not None


def test_a_gap_hides_what_the_agent_said_unless_it_was_short_silent_or_the_customers() -> None:
    gap = GapMarked(role=None, start=1.0, end=4.0, reason="disconnected")
    assert hides_speech(gap)
    assert hides_speech(replace(gap, role="agent", reason="lost"))
    assert not hides_speech(replace(gap, role="customer"))
    assert not hides_speech(replace(gap, reason="silence"))
    assert not hides_speech(replace(gap, end=1.5))
