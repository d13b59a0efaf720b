from __future__ import annotations

import asyncio

import pytest

from asr.audio.pcm import encode
from asr.engines.port import RecognitionFailed
from detectors.contract import Bilingual, PackVersion, Withdrawn
from detectors.runtime.runner import DetectorFailure
from service.audio_files.call import CallAudio, read_call_audio
from service.calls.irregularities import DIGITS_AT_ONCE, MOST_TOLD
from service.calls.session_parts import SessionLimits
from service.calls.work_queue import MOST_WORK
from service.ingest.events import AudioArrived, DigitPressed, Irregularity, ProtocolViolation
from service.ingest.rate_limits import AUDIO_AT_ONCE
from service.record.facts import (
    AlertRaised,
    CallClosed,
    CallOpened,
    DtmfPressed,
    FindingMade,
    FindingWithdrawn,
    GapMarked,
    Notice,
    SentimentScored,
    UtteranceHeard,
)
from service.samples import sample_calls
from tests import scenes
from tests.fakes.detector_runner import FakeDetectorRunner
from tests.fakes.recogniser import FakeRecogniser
from tests.stage import Stage


@pytest.fixture(scope="module")
def audio() -> CallAudio:
    return read_call_audio(sample_calls()[0].audio)


async def test_a_call_begins_with_its_opening_and_ends_with_its_closing(audio: CallAudio) -> None:
    stage = Stage()
    stage.feed(audio, 20)
    facts = await stage.finished()
    assert isinstance(facts[0], CallOpened)
    assert isinstance(facts[-1], CallClosed)
    assert facts[-1].duration == pytest.approx(20, abs=0.1)
    assert stage.recorder.closed


async def test_an_utterance_is_written_before_anything_is_said_of_it(audio: CallAudio) -> None:
    stage = Stage(detectors=FakeDetectorRunner(scenes.sentiment(), scenes.finding()))
    stage.feed(audio, 20)
    facts = await stage.finished()
    kinds = [type(fact) for fact in facts if not isinstance(fact, CallOpened)][:4]
    assert kinds == [UtteranceHeard, SentimentScored, FindingMade, AlertRaised]


async def test_utterances_are_numbered_within_their_role(audio: CallAudio) -> None:
    stage = Stage()
    stage.feed(audio, 30)
    await stage.finished()
    for role in ("agent", "customer"):
        indices = [fact.utterance.index for fact in stage.told(UtteranceHeard) if fact.utterance.role == role]
        assert indices, f"the {role} says something in the call's first half minute"
        assert indices == list(range(len(indices)))


async def test_the_same_evidence_twice_raises_one_alert_but_keeps_both_findings(audio: CallAudio) -> None:
    stage = Stage(detectors=FakeDetectorRunner(scenes.finding(), scenes.finding()))
    stage.feed(audio, 12)
    await stage.finished()
    assert len(stage.told(AlertRaised)) == 1
    assert len(stage.told(FindingMade)) >= 2


async def test_an_utterance_is_written_and_judged_with_its_sound(audio: CallAudio) -> None:
    stage = Stage()
    stage.feed(audio, 20)
    await stage.finished()
    sounds = [fact.utterance.acoustics for fact in stage.told(UtteranceHeard)]
    assert sounds
    assert all(sound is not None and -60 < sound.level_dbfs < sound.peak_dbfs <= 0 for sound in sounds)
    assert any(sound is not None and sound.pitch_hz is not None for sound in sounds)


async def test_findings_and_alerts_tell_the_rules_that_were_in_force(audio: CallAudio) -> None:
    pack = PackVersion(name="callwarden", version="1", sha256="0" * 64)
    stage = Stage(detectors=FakeDetectorRunner(scenes.finding()), pack=pack)
    stage.feed(audio, 12)
    await stage.finished()
    assert {fact.finding.pack for fact in stage.told(FindingMade)} == {pack}
    assert [fact.alert.pack for fact in stage.told(AlertRaised)] == [pack]


async def test_findings_and_alerts_tell_the_sentence_that_was_said(audio: CallAudio) -> None:
    stage = Stage(FakeRecogniser("你的钱呢？我找人打你。"), FakeDetectorRunner(scenes.finding(utterance_id="agent-0")))
    stage.feed(audio, 12)
    await stage.finished()
    shown = [*(fact.finding for fact in stage.told(FindingMade)), *(fact.alert for fact in stage.told(AlertRaised))]
    assert {(each.sentence, each.lead, each.lead_role) for each in shown} == {("我找人打你。", "你的钱呢？", "agent")}


async def test_a_detector_that_takes_a_finding_back_names_the_alert_that_it_raised(audio: CallAudio) -> None:
    found, why = scenes.finding(), Bilingual(zh="客户说的", en="the customer said it")
    withdrawn = Withdrawn(rule=found.rule, role=found.role, start=found.start, end=found.end, why=why)
    stage = Stage(detectors=FakeDetectorRunner(found, withdrawn))
    stage.feed(audio, 8)
    facts = await stage.finished()
    [raised, *_] = stage.told(AlertRaised)
    [taken_back, *_] = stage.told(FindingWithdrawn)
    assert (taken_back.withdrawn, taken_back.alert_id) == (withdrawn, raised.alert.id)
    assert facts.index(raised) < facts.index(taken_back)


async def test_speech_without_words_leaves_no_utterance(audio: CallAudio) -> None:
    stage = Stage(recogniser=FakeRecogniser(*[None] * 20))
    stage.feed(audio, 20)
    await stage.finished()
    assert stage.recogniser.requests
    assert stage.told(UtteranceHeard) == []


async def test_a_failing_engine_is_told_once_and_its_end_too(audio: CallAudio) -> None:
    broken = RecognitionFailed("out of memory")
    stage = Stage(recogniser=FakeRecogniser(broken, broken, "您好"))
    stage.feed(audio, 30)
    await stage.finished()
    assert [notice.code for notice in stage.told(Notice)] == ["recognition_failing", "recognition_recovered"]
    assert [gap.reason for gap in stage.told(GapMarked)] == ["unrecognised", "unrecognised"]
    assert "out of memory" in stage.told(Notice)[0].message


async def test_a_failing_detector_is_told_and_the_call_goes_on(audio: CallAudio) -> None:
    stage = Stage(detectors=FakeDetectorRunner(DetectorFailure(detector="lexical", message="boom")))
    stage.feed(audio, 12)
    await stage.finished()
    assert stage.told(Notice)[0].code == "detector_failed"
    assert stage.told(UtteranceHeard)


async def test_detectors_hear_of_a_hold_that_moved_the_clock_not_at_all(audio: CallAudio) -> None:
    stage = Stage()
    stage.feed(audio, 2.0)
    stage.clock += 1200.0
    stage.feed(audio, 8.0)
    await stage.finished()
    [notice] = [notice for notice in stage.told(Notice) if notice.missing]
    assert (notice.at, notice.missing) == (pytest.approx(2.0, abs=0.03), pytest.approx(1200.0, abs=0.1))
    assert "held 2.0 1200.0" in stage.detectors.asked


async def test_a_failing_recording_is_told_and_heals(audio: CallAudio) -> None:
    stage = Stage()
    stage.recorder.failing = True
    running = asyncio.create_task(stage.session.run())
    stage.feed(audio, 14)
    await stage.session.settle(0)
    stage.recorder.failing = False
    stage.feed(audio, 14)
    stage.session.finish("completed")
    await running
    assert [notice.code for notice in stage.told(Notice)] == ["recording_failing", "recording_recovered"]


async def test_a_digit_keeps_its_place_in_time(audio: CallAudio) -> None:
    stage = Stage()
    stage.feed(audio, 4)
    stage.session.feed(DigitPressed(digit="5"))
    await stage.finished()
    assert [(fact.digit, fact.at) for fact in stage.told(DtmfPressed)] == [("5", pytest.approx(4, abs=0.05))]


async def test_speech_past_the_backlog_is_marked_instead_of_kept(audio: CallAudio) -> None:
    stage = Stage(limits=SessionLimits(backlog=8.0))
    stage.feed(audio, 40)  # nothing is worked off while `run` does not run
    assert stage.session.waiting <= 8.0
    await stage.finished()
    assert stage.told(UtteranceHeard)
    assert {gap.reason for gap in stage.told(GapMarked)} == {"unrecognised"}


async def test_audio_faster_than_the_pace_allows_breaks_the_protocol(audio: CallAudio) -> None:
    stage = Stage(max_pace=2.0)
    second = encode(audio.pcm[:8000].reshape(-1), "pcm_s16le")

    def flood() -> None:
        for _ in range(int(AUDIO_AT_ONCE) + 1):
            stage.session.feed(AudioArrived(payload=second))

    with pytest.raises(ProtocolViolation, match="audio"):
        flood()


async def test_what_is_odd_is_told_once_a_kind_and_field(audio: CallAudio) -> None:
    stage = Stage()
    stage.feed(audio, 2)
    for field in ("digit", "digit", "message", "digit"):
        stage.session.feed(Irregularity(kind="digit", field=field, message="is odd; it is left out"))
    await stage.finished()
    told = [(notice.code, notice.message, notice.at) for notice in stage.told(Notice)]
    at = pytest.approx(2, abs=0.05)
    assert told == [
        ("gateway_irregular", "digit: is odd; it is left out", at),
        ("gateway_irregular", "message: is odd; it is left out", at),
    ]
    assert stage.metrics.registry.get_sample_value("callwarden_gateway_irregularities_total", {"kind": "digit"}) == 4


async def test_what_is_odd_is_told_also_after_the_end() -> None:
    stage = Stage()
    stage.session.finish("completed")
    stage.session.feed(Irregularity(kind="order", field="audio", message="came after stop; it is left out"))
    await stage.session.run()
    assert [notice.code for notice in stage.told(Notice)] == ["gateway_irregular"]
    assert isinstance(stage.journal.facts[-1], CallClosed)


async def test_notices_of_what_is_odd_are_bounded() -> None:
    stage = Stage()
    for n in range(1000):
        stage.session.feed(Irregularity(kind="value", field=f"metadata.{n}", message="is odd"))
    await stage.finished()
    assert len(stage.told(Notice)) == MOST_TOLD
    assert "only counted" in stage.told(Notice)[-1].message


async def test_a_flood_of_digits_is_bounded_and_told_once() -> None:
    stage = Stage()
    for _ in range(60_000):
        stage.session.feed(DigitPressed(digit="5", role="customer"))
    stage.clock += 10
    stage.session.feed(DigitPressed(digit="6", role="customer"))
    await stage.finished()
    digits = [fact.digit for fact in stage.told(DtmfPressed)]
    assert digits == [*["5"] * DIGITS_AT_ONCE, "6"]
    assert [notice.code for notice in stage.told(Notice)] == ["gateway_irregular"]


async def test_work_that_waits_is_bounded_while_nothing_is_worked_off(audio: CallAudio) -> None:
    stage = Stage()
    for _ in range(3 * MOST_WORK):
        stage.clock += 1.0
        stage.session.feed(DigitPressed(digit="5"))
    await stage.finished()
    assert len(stage.told(DtmfPressed)) == MOST_WORK
    assert len(stage.told(Notice)) == 1


async def test_nothing_is_taken_after_the_end(audio: CallAudio) -> None:
    stage = Stage()
    stage.feed(audio, 5)
    await stage.finished()
    reached = stage.session.reached
    stage.feed(audio, 5)
    stage.session.finish("dropped")
    assert stage.session.reached == reached


async def test_the_latency_of_an_alert_is_counted_from_the_arrival_of_its_evidence(audio: CallAudio) -> None:
    stage = Stage(detectors=FakeDetectorRunner(scenes.finding()))
    stage.feed(audio, 12)
    stage.clock += 0.5
    await stage.finished()
    alert = stage.told(AlertRaised)[0].alert
    assert alert.latency == pytest.approx(12.5 - alert.end, abs=0.2)


@pytest.mark.parametrize("before", [0, 3, 11])
async def test_what_comes_while_last_words_are_written_is_recorded_for_the_next_process(
    audio: CallAudio, before: int
) -> None:
    stage = Stage()
    running = asyncio.create_task(stage.session.run())
    stage.feed(audio, before)
    stage.session.suspend()
    stage.session.feed(DigitPressed(digit="5"))
    stage.feed(audio, 4)
    assert not stage.recorder.closed
    assert await running == "suspended"
    total = pytest.approx((before + 4) * audio.rate, abs=1)
    assert stage.recorder.reached == {"agent": total, "customer": total}
    assert [pressed.digit for pressed in stage.told(DtmfPressed)] == ["5"]
    assert stage.told(CallClosed) == []
    assert all(said.utterance.end <= before + 0.1 for said in stage.told(UtteranceHeard))


@pytest.mark.parametrize("recorded", [True, False])
async def test_an_utterance_that_goes_on_is_left_whole_to_the_next_process_where_it_is_recorded(
    audio: CallAudio, *, recorded: bool
) -> None:
    whole = Stage()
    whole.feed(audio, 20)
    await whole.finished()
    said = [heard.utterance for heard in whole.told(UtteranceHeard)]
    last = next(each for each in said if each.start > 5 and each.end - each.start > 1.5)
    stage = Stage()
    stage.recorder.failing = not recorded
    running = asyncio.create_task(stage.session.run())
    stage.feed(audio, last.end - 0.5)
    stage.session.suspend()
    assert await running == "suspended"
    cut = any(heard.utterance.start == last.start for heard in stage.told(UtteranceHeard))
    assert cut == (not recorded)


async def test_after_its_end_a_call_records_nothing_though_the_service_stops_then(audio: CallAudio) -> None:
    stage = Stage()
    stage.feed(audio, 2)
    stage.session.finish("completed")
    stage.session.suspend()
    stage.feed(audio, 2)
    assert await stage.session.run() == "processed"
    assert stage.session.reached == pytest.approx(2.0, abs=0.01)
