from __future__ import annotations

import threading

from asr.types import Seconds, Utterance
from detectors.contract import Finding, Observation, Sentiment
from detectors.runtime.runner import DetectorFailure, ThreadedDetectorRunner
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
