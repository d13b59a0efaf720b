from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from asr.types import Seconds, Utterance
from detectors.contract import Embedding, Finding, Observation, Sentiment
from detectors.runtime.runner import HEARD_AT_ONCE, DetectorFailure, ThreadedDetectorRunner
from tests import scenes
from tests.speech import said


class Scripted:
    """Says its name of every utterance; raises or waits where told to."""

    def __init__(self, name: str, *, raises: int = 0, waits_for: threading.Event | None = None) -> None:
        self.name = name
        self.raises = raises
        self.waits_for = waits_for
        self.heard_texts: list[str] = []

    def heard(self, utterance: Utterance) -> list[Observation]:
        self.heard_texts.append(utterance.text)
        if self.waits_for is not None:
            self.waits_for.wait(10)
        if self.raises:
            self.raises -= 1
            raise ValueError(f"{self.name} is broken")
        seen = Sentiment(
            utterance_id=utterance.id, role="agent", at=0.0, score=0.0, label="neutral", emotion="neutral", trend=0.0
        )
        return [seen]

    def elapsed(self, at: Seconds) -> list[Observation]:
        return []

    def closed(self, at: Seconds) -> list[Observation]:
        return []


def split(outcomes: list[Observation | DetectorFailure]) -> tuple[int, list[DetectorFailure]]:
    failures = [each for each in outcomes if isinstance(each, DetectorFailure)]
    return len(outcomes) - len(failures), failures


async def test_one_that_raises_is_reported_and_harms_no_other() -> None:
    bad, good = Scripted("bad", raises=1), Scripted("good")
    runner = ThreadedDetectorRunner([("bad", bad), ("good", good)], timeout_s=5)
    seen, (failure,) = split(await runner.heard(said("agent", "一")))
    assert seen == 1
    assert failure.detector == "bad"
    assert "bad is broken" in failure.message
    assert split(await runner.heard(said("agent", "二"))) == (2, [])


async def test_one_that_keeps_raising_is_left_out_for_the_rest_of_the_call() -> None:
    bad = Scripted("bad", raises=99)
    runner = ThreadedDetectorRunner([("bad", bad)], timeout_s=5)
    reports = [split(await runner.heard(said("agent", text)))[1] for text in "一二三四五"]
    assert [len(report) for report in reports] == [1, 1, 1, 0, 0]
    assert "left out" in reports[2][0].message
    assert bad.heard_texts == ["一", "二", "三"]


async def test_one_that_is_late_is_reported_hears_what_follows_and_its_answer_counts() -> None:
    release = threading.Event()
    slow, good = Scripted("slow", waits_for=release), Scripted("good")
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
    slow, good = Scripted("slow", waits_for=release), Scripted("good")
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
    runner = ThreadedDetectorRunner([("good", Scripted("good"))], timeout_s=5)
    assert await runner.elapsed(3.0) == []
    assert await runner.closed(4.0) == []


class Seer(Scripted):
    """Foresees what it is told to; raises where told to."""

    def __init__(self, *sees: Finding, raises: int = 0) -> None:
        super().__init__("seer", raises=raises)
        self.sees = [*sees]

    def foresee(self, utterance: Utterance) -> list[Finding]:
        if self.raises:
            raise ValueError("blind")
        return self.sees


async def test_only_those_that_foresee_are_asked_before_the_end() -> None:
    runner = ThreadedDetectorRunner([("plain", Scripted("plain")), ("seer", Seer(scenes.finding()))], timeout_s=5)
    assert await runner.foresee(said("agent", "一")) == [scenes.finding()]


async def test_one_that_fails_before_the_end_is_silent_there() -> None:
    runner = ThreadedDetectorRunner([("seer", Seer(raises=1)), ("other", Seer(scenes.finding()))], timeout_s=5)
    assert await runner.foresee(said("agent", "一")) == [scenes.finding()]


async def test_what_one_foresees_too_late_is_not_told_again() -> None:
    release = threading.Event()

    class SlowSeer(Seer):
        def foresee(self, utterance: Utterance) -> list[Finding]:
            release.wait(10)
            return super().foresee(utterance)

    runner = ThreadedDetectorRunner([("seer", SlowSeer(scenes.finding()))], timeout_s=0.5)
    assert await runner.foresee(said("agent", "一")) == []
    release.set()
    seen = await runner.heard(said("agent", "一二"))
    assert [type(each) for each in seen] == [Sentiment]


class Encoder:
    """Tells each text's length in its only dimension; raises or hangs where told to."""

    def __init__(self, *, raises: bool = False, waits_for: threading.Event | None = None) -> None:
        self.raises = raises
        self.waits_for = waits_for
        self.asked: list[str] = []
        self.turns = 0

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        self.turns += 1
        if self.waits_for is not None:
            self.waits_for.wait(10)
        if self.raises:
            raise MemoryError("no room")
        return np.array([[len(text)] for text in texts], np.float32)


class Understands(Scripted):
    """Judges by meaning where it can."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.understood_as: list[float] = []

    def understood(self, utterance: Utterance, embedding: Embedding) -> list[Observation]:
        self.understood_as.append(float(embedding[0]))
        return self.heard(utterance)


async def test_what_an_utterance_means_is_worked_out_once_for_all_that_judge_by_it() -> None:
    encoder, one, other, plain = Encoder(), Understands("one"), Understands("other"), Scripted("plain")
    detectors = [("one", one), ("other", other), ("plain", plain)]
    runner = ThreadedDetectorRunner(detectors, timeout_s=5, encoder=encoder)
    assert split(await runner.heard(said("agent", "还钱吧"))) == (3, [])
    assert encoder.asked == ["还钱吧"]
    assert one.understood_as == other.understood_as == [3.0]
    assert plain.heard_texts == ["还钱吧"]


@pytest.mark.parametrize("count", [1, 2, HEARD_AT_ONCE, HEARD_AT_ONCE + 1, 3 * HEARD_AT_ONCE + 7])
async def test_a_call_that_is_heard_again_is_judged_as_it_was_in_few_steps(count: int) -> None:
    said_before = [said("agent", "还" * (1 + n % 9), n, n + 0.5) for n in range(count)]
    encoder, again, once = Encoder(), Understands("one"), Understands("one")
    runner = ThreadedDetectorRunner([("one", again)], timeout_s=5, encoder=encoder)
    observed = await runner.heard_again(said_before)
    single = ThreadedDetectorRunner([("one", once)], timeout_s=5, encoder=Encoder())
    assert observed == [seen for each in said_before for seen in await single.heard(each)]
    assert (again.understood_as, again.heard_texts) == (once.understood_as, once.heard_texts)
    assert encoder.turns <= 2 + count // HEARD_AT_ONCE


async def test_a_detector_that_fails_at_one_of_many_hears_the_others() -> None:
    one = Scripted("one", raises=1)
    runner = ThreadedDetectorRunner([("one", one)], timeout_s=5)
    _, failures = split(await runner.heard_again([said("agent", text) for text in "一二三四"]))
    assert (one.heard_texts, len(failures)) == (["一", "二", "三", "四"], 1)


async def test_nothing_is_encoded_where_nobody_asks_what_it_means() -> None:
    encoder = Encoder()
    runner = ThreadedDetectorRunner([("plain", Scripted("plain"))], timeout_s=5, encoder=encoder)
    await runner.heard(said("agent", "还钱"))
    assert encoder.asked == []


async def test_words_are_judged_where_there_is_no_encoder() -> None:
    one = Understands("one")
    runner = ThreadedDetectorRunner([("one", one)], timeout_s=5)
    assert split(await runner.heard(said("agent", "还钱"))) == (1, [])
    assert (one.understood_as, one.heard_texts) == ([], ["还钱"])


@pytest.mark.parametrize("fault", ["raises", "hangs"])
async def test_words_are_judged_where_the_encoder_fails_and_that_is_told(fault: str) -> None:
    release = threading.Event()
    encoder = Encoder(raises=fault == "raises", waits_for=release if fault == "hangs" else None)
    one = Understands("one")
    runner = ThreadedDetectorRunner([("one", one)], timeout_s=0.1, encoder=encoder)
    seen, [failure] = split(await runner.heard(said("agent", "还钱")))
    release.set()
    assert (seen, failure.detector) == (1, "encoder")
    assert (one.understood_as, one.heard_texts) == ([], ["还钱"])


async def test_an_encoder_that_keeps_failing_rests() -> None:
    encoder, one = Encoder(raises=True), Understands("one")
    runner = ThreadedDetectorRunner([("one", one)], timeout_s=5, encoder=encoder)
    reports = [split(await runner.heard(said("agent", text)))[1] for text in "一二三四"]
    assert [len(report) for report in reports] == [1, 1, 1, 0]
    assert one.heard_texts == ["一", "二", "三", "四"]
