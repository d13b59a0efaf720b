"""Words shown, and alerts raised, while an utterance still goes on."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import numpy as np
import pytest

from asr.engines.port import RecognitionFailed
from asr.types import Role
from service.audio_files.call import CallAudio, read_call_audio
from service.live.messages import Partial
from service.record.facts import AlertRaised, Fact, FindingMade, UtteranceHeard
from service.samples import sample_calls
from tests import scenes
from tests.fakes.detector_runner import FakeDetectorRunner
from tests.fakes.recogniser import FakeRecogniser
from tests.stage import Stage

SO_FAR = ["您好我是", "您好，我是诚信资产的", "您好，我是诚信资产的工作人员", "您好，我是诚信资产的工作人员请问"]


@pytest.fixture(scope="module")
def audio() -> CallAudio:
    return read_call_audio(sample_calls()[0].audio)


def threatens() -> FakeDetectorRunner:
    detectors = FakeDetectorRunner()
    detectors.foresees = [scenes.finding(severity="critical", utterance_id="agent-0", start=0.1, end=1.0)]
    return detectors


async def played(stage: Stage, audio: CallAudio, seconds: float) -> list[Fact]:
    """The session runs while the audio comes in."""
    running = asyncio.create_task(stage.session.run())
    packet = CallAudio(pcm=audio.pcm, rate=audio.rate)
    for first in range(int(seconds * 10)):
        piece = packet.pcm[first * packet.rate // 10 : (first + 1) * packet.rate // 10]
        stage.feed(CallAudio(pcm=piece, rate=audio.rate), 0.1)
        for _ in range(5):
            await asyncio.sleep(0)
    stage.session.finish("completed")
    await running
    return stage.journal.facts


def shown(stage: Stage, role: Role) -> list[Partial]:
    return [partial for partial in stage.bus.partials if partial.role == role]


async def test_agreed_words_are_shown_while_the_utterance_goes_on(audio: CallAudio) -> None:
    stage = Stage(FakeRecogniser(early=SO_FAR))
    await played(stage, audio, 20)
    first = shown(stage, "agent")[0]
    said = stage.told(UtteranceHeard)[0].utterance
    assert (first.role, first.start) == (said.role, said.start)
    assert "您好" in first.text


async def test_a_partial_holds_all_speech_so_far_and_a_pause_is_recognised_as_the_final_would_be(
    audio: CallAudio,
) -> None:
    stage = Stage()
    await played(stage, audio, 20)
    requests = [request for request in stage.recogniser.requests if request.role == "agent" and request.utterance == 0]
    final = requests[-1]
    assert final.kind == "final"
    assert len(requests) > 1
    for partial in requests[:-1]:
        assert partial.kind == "partial"
        assert final.speech.pcm.startswith(partial.speech.pcm)
    assert requests[-2].stretch == final.stretch, "the pause before the end is recognised as it will be"
    lengths = [request.seconds for request in requests if request.speech.effort == "quick"]
    assert all(later - sooner >= 1.49 for sooner, later in pairwise(lengths))


async def test_what_is_foreseen_raises_an_alert_before_the_utterance_is_written_and_no_second_one(
    audio: CallAudio,
) -> None:
    detectors = threatens()
    stage = Stage(FakeRecogniser(early=SO_FAR), detectors)
    detectors.says += detectors.foresees
    facts = await played(stage, audio, 20)
    alert = next(index for index, fact in enumerate(facts) if isinstance(fact, AlertRaised))
    utterance = next(index for index, fact in enumerate(facts) if isinstance(fact, UtteranceHeard))
    assert alert < utterance
    assert not any(isinstance(fact, FindingMade) for fact in facts[:utterance])
    assert len(stage.told(AlertRaised)) == 1
    asked = [what.split()[:2] for what in detectors.asked]
    assert ["foresee", stage.told(UtteranceHeard)[0].utterance.id] in asked


async def test_less_than_critical_waits_for_the_final_text(audio: CallAudio) -> None:
    detectors = FakeDetectorRunner()
    detectors.foresees = [scenes.finding(severity="high")]
    stage = Stage(FakeRecogniser(early=SO_FAR), detectors)
    await played(stage, audio, 20)
    assert any(what.startswith("foresee") for what in detectors.asked)
    assert not stage.told(AlertRaised)


@pytest.mark.parametrize("nothing", [None, RecognitionFailed("out of memory")])
async def test_the_words_that_raised_an_alert_are_kept_where_no_final_text_comes(
    audio: CallAudio, nothing: Exception | None
) -> None:
    stage = Stage(FakeRecogniser(nothing, early=SO_FAR), threatens())
    await played(stage, audio, 20)
    alert = stage.told(AlertRaised)[0].alert
    kept = next(fact.utterance for fact in stage.told(UtteranceHeard) if fact.utterance.id == alert.utterance_id)
    assert kept.text.startswith("您好")
    ids = [fact.utterance.id for fact in stage.told(UtteranceHeard)]
    assert len(ids) == len(set(ids))


async def test_words_of_what_turns_out_to_be_no_speech_are_taken_back(audio: CallAudio) -> None:
    stage = Stage(FakeRecogniser(*[None] * 20, early=SO_FAR))
    await played(stage, audio, 20)
    assert shown(stage, "agent")[0].text
    assert shown(stage, "agent")[-1].text == ""


async def test_nothing_is_foreseen_of_an_utterance_that_is_written(audio: CallAudio) -> None:
    """Its agreed words waited in the queue behind its end."""
    detectors = threatens()
    stage = Stage(FakeRecogniser(early=SO_FAR), detectors)
    stage.feed(audio, 20)  # the session does not run yet
    await asyncio.sleep(0)
    stage.session.finish("completed")
    await stage.session.run()
    assert any(
        request.kind == "partial" and request.role == "agent" and request.utterance == 0
        for request in stage.recogniser.requests
    )
    assert "heard agent-0" in detectors.asked
    after = detectors.asked[detectors.asked.index("heard agent-0") :]
    assert not [what for what in after if what.startswith("foresee agent-0")]


async def test_a_file_is_not_recognised_before_its_utterances_end(audio: CallAudio) -> None:
    stage = Stage(partials=False)
    await played(stage, audio, 20)
    assert stage.recogniser.requests
    assert all(request.kind == "final" for request in stage.recogniser.requests)


@pytest.mark.parametrize(("ending", "later"), [("您好吗？", -0.2), ("您好，因为", 0.24)])
async def test_a_whole_clause_ends_its_utterance_sooner_and_one_that_breaks_off_later(
    audio: CallAudio, ending: str, later: float
) -> None:
    async def written_at(early: str) -> float:
        """How far the call has come once its first words, and silence after them, are written."""
        stage = Stage(FakeRecogniser(early=[early] * 20))
        running = asyncio.create_task(stage.session.run())
        for at in range(0, 5 * audio.rate, packet := audio.rate // 50):
            words = audio.pcm[at : at + packet] * np.int16(at < 3 * audio.rate)
            stage.feed(CallAudio(pcm=words, rate=audio.rate), 0.02)
            for _ in range(5):
                await asyncio.sleep(0)
            if stage.told(UtteranceHeard):
                break
        stage.session.finish("completed")
        await running
        return at / audio.rate

    assert await written_at(ending) - await written_at("您好") == pytest.approx(later, abs=0.11)
