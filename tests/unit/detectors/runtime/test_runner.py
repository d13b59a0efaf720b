from __future__ import annotations

import threading
from itertools import repeat

import pytest

from detectors.contract import Finding, Observation, Sentiment
from detectors.runtime.runner import HEARD_AT_ONCE, DetectorFailure, ThreadedDetectorRunner
from tests import scenes
from tests.fakes.detector import FakeCallDetector, FakeForeseeing, FakeUnderstanding
from tests.fakes.text_encoder import FakeTextEncoder
from tests.speech import said

SAYS = Sentiment(utterance_id="u-1", role="agent", at=0.0, score=0.0, label="neutral", emotion="neutral", trend=0.0)


def detector(*, raises: int = 0, waits_for: threading.Event | None = None) -> FakeCallDetector:
    """One that says one thing of every utterance."""
    return FakeCallDetector(SAYS, raises=raises, waits_for=waits_for)


def seer(*sees: Finding, raises: int = 0, waits_for: threading.Event | None = None) -> FakeForeseeing:
    """One that foresees this in every utterance."""
    return FakeForeseeing(SAYS, sees=sees, raises=raises, waits_for=waits_for)


def split(outcomes: list[Observation | DetectorFailure]) -> tuple[int, list[DetectorFailure]]:
    failures = [each for each in outcomes if isinstance(each, DetectorFailure)]
    return len(outcomes) - len(failures), failures


async def test_one_that_raises_is_reported_and_harms_no_other() -> None:
    bad, good = detector(raises=1), detector()
    runner = ThreadedDetectorRunner([("bad", bad), ("good", good)], timeout_s=5)
    seen, (failure,) = split(await runner.heard(said("agent", "一")))
    assert seen == 1
    assert failure.detector == "bad"
    assert "broken" in failure.message
    assert split(await runner.heard(said("agent", "二"))) == (2, [])


async def test_one_that_keeps_raising_is_left_out_for_the_rest_of_the_call() -> None:
    bad = detector(raises=99)
    runner = ThreadedDetectorRunner([("bad", bad)], timeout_s=5)
    reports = [split(await runner.heard(said("agent", text)))[1] for text in "一二三四五"]
    assert [len(report) for report in reports] == [1, 1, 1, 0, 0]
    assert "left out" in reports[2][0].message
    assert bad.heard_texts == ["一", "二", "三"]


async def test_one_that_is_late_is_reported_hears_what_follows_and_its_answer_counts() -> None:
    release = threading.Event()
    slow, good = detector(waits_for=release), detector()
    runner = ThreadedDetectorRunner([("slow", slow), ("good", good)], timeout_s=0.5)
    seen, (failure,) = split(await runner.heard(said("agent", "一")))
    assert seen == 1
    assert failure.detector == "slow"
    assert "left out" not in failure.message
    release.set()
    assert split(await runner.heard(said("agent", "二"))) == (3, [])
    assert slow.heard_texts == good.heard_texts == ["一", "二"]


async def test_one_that_hangs_is_left_out_in_the_end_and_the_others_answer() -> None:
    release = threading.Event()
    slow, good = detector(waits_for=release), detector()
    runner = ThreadedDetectorRunner([("slow", slow), ("good", good)], timeout_s=0.05)
    try:
        told = [split(await runner.heard(said("agent", text))) for text in "一二三四"]
    finally:
        release.set()
    assert [seen for seen, _ in told] == [1, 1, 1, 1]
    assert [len(failures) for _, failures in told] == [1, 1, 1, 0]
    assert "left out" in told[2][1][0].message
    assert good.heard_texts == ["一", "二", "三", "四"]


async def test_time_and_the_end_are_passed_on() -> None:
    runner = ThreadedDetectorRunner([("good", detector())], timeout_s=5)
    assert await runner.elapsed(3.0) == []
    assert await runner.closed(4.0) == []


async def test_only_those_that_foresee_are_asked_before_the_end() -> None:
    runner = ThreadedDetectorRunner([("plain", detector()), ("seer", seer(scenes.finding()))], timeout_s=5)
    assert await runner.foresee(said("agent", "一")) == [scenes.finding()]


async def test_one_that_fails_before_the_end_is_silent_there() -> None:
    runner = ThreadedDetectorRunner([("seer", seer(raises=1)), ("other", seer(scenes.finding()))], timeout_s=5)
    assert await runner.foresee(said("agent", "一")) == [scenes.finding()]


async def test_what_one_foresees_too_late_is_not_told_again() -> None:
    release = threading.Event()

    runner = ThreadedDetectorRunner([("seer", seer(scenes.finding(), waits_for=release))], timeout_s=0.5)
    assert await runner.foresee(said("agent", "一")) == []
    release.set()
    seen = await runner.heard(said("agent", "一二"))
    assert [type(each) for each in seen] == [Sentiment]


async def test_what_an_utterance_means_is_worked_out_once_for_all_that_judge_by_it() -> None:
    encoder = FakeTextEncoder({"还钱吧": 0})
    one, other, plain = FakeUnderstanding(SAYS), FakeUnderstanding(SAYS), detector()
    detectors = [("one", one), ("other", other), ("plain", plain)]
    runner = ThreadedDetectorRunner(detectors, timeout_s=5, encoder=encoder)
    assert split(await runner.heard(said("agent", "还钱吧"))) == (3, [])
    assert encoder.asked == ["还钱吧"]
    assert [[*each] for each in (*one.understood_as, *other.understood_as)] == [[1.0, 0.0, 0.0]] * 2
    assert plain.heard_texts == ["还钱吧"]


@pytest.mark.parametrize("count", [1, 2, HEARD_AT_ONCE, HEARD_AT_ONCE + 1, 3 * HEARD_AT_ONCE + 7])
async def test_a_call_that_is_heard_again_is_judged_as_it_was_in_few_steps(count: int) -> None:
    said_before = [said("agent", "还" * (1 + n % 9), n, n + 0.5) for n in range(count)]
    meant = {"还" * n: n for n in range(1, 10)}
    encoder, again, once = FakeTextEncoder(meant, 10), FakeUnderstanding(SAYS), FakeUnderstanding(SAYS)
    runner = ThreadedDetectorRunner([("one", again)], timeout_s=5, encoder=encoder)
    observed = await runner.heard_again(said_before)
    single = ThreadedDetectorRunner([("one", once)], timeout_s=5, encoder=FakeTextEncoder(meant, 10))
    assert observed == [seen for each in said_before for seen in await single.heard(each)]
    assert [[*each] for each in again.understood_as] == [[*each] for each in once.understood_as]
    assert again.heard_texts == once.heard_texts
    assert encoder.turns <= 2 + count // HEARD_AT_ONCE


async def test_a_detector_that_fails_at_one_of_many_hears_the_others() -> None:
    one = detector(raises=1)
    runner = ThreadedDetectorRunner([("one", one)], timeout_s=5)
    _, failures = split(await runner.heard_again([said("agent", text) for text in "一二三四"]))
    assert (one.heard_texts, len(failures)) == (["一", "二", "三", "四"], 1)


async def test_nothing_is_encoded_where_nobody_asks_what_it_means() -> None:
    encoder = FakeTextEncoder({})
    runner = ThreadedDetectorRunner([("plain", detector())], timeout_s=5, encoder=encoder)
    await runner.heard(said("agent", "还钱"))
    assert encoder.asked == []


async def test_words_are_judged_where_there_is_no_encoder() -> None:
    one = FakeUnderstanding(SAYS)
    runner = ThreadedDetectorRunner([("one", one)], timeout_s=5)
    assert split(await runner.heard(said("agent", "还钱"))) == (1, [])
    assert (one.understood_as, one.heard_texts) == ([], ["还钱"])


@pytest.mark.parametrize("fault", ["raises", "hangs"])
async def test_words_are_judged_where_the_encoder_fails_and_that_is_told(fault: str) -> None:
    release = threading.Event()
    encoder = FakeTextEncoder({}, fails=repeat(fault == "raises"), waits_for=release if fault == "hangs" else None)
    one = FakeUnderstanding(SAYS)
    runner = ThreadedDetectorRunner([("one", one)], timeout_s=0.1, encoder=encoder)
    seen, [failure] = split(await runner.heard(said("agent", "还钱")))
    release.set()
    assert (seen, failure.detector) == (1, "encoder")
    assert (one.understood_as, one.heard_texts) == ([], ["还钱"])


async def test_an_encoder_that_keeps_failing_rests() -> None:
    encoder, one = FakeTextEncoder({}, fails=repeat(True)), FakeUnderstanding(SAYS)
    runner = ThreadedDetectorRunner([("one", one)], timeout_s=5, encoder=encoder)
    reports = [split(await runner.heard(said("agent", text)))[1] for text in "一二三四"]
    assert [len(report) for report in reports] == [1, 1, 1, 0]
    assert one.heard_texts == ["一", "二", "三", "四"]
