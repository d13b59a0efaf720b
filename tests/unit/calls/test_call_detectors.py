from __future__ import annotations

from service.calls.evidence import CallDetectors
from service.record.facts import GapMarked
from tests.fakes.detector_runner import FakeDetectorRunner
from tests.speech import said


async def _ask_all(detectors: CallDetectors) -> None:
    await detectors.heard(said("customer", "喂"))
    await detectors.foresee(said("customer", "喂"))
    await detectors.missed(GapMarked(role="agent", start=0.0, end=1.0, reason="lost"))
    await detectors.elapsed(1.0)
    await detectors.closed(1.0)


def _kinds(runner: FakeDetectorRunner) -> list[str]:
    return [what.split()[0] for what in runner.asked]


async def test_nothing_is_judged_while_channels_are_equal() -> None:
    runner = FakeDetectorRunner()
    detectors = CallDetectors(runner)
    detectors.channels(equal=True)
    await _ask_all(detectors)
    assert runner.asked == []


async def test_no_duty_is_held_missed_once_channels_were_equal() -> None:
    runner = FakeDetectorRunner()
    detectors = CallDetectors(runner)
    detectors.channels(equal=True)
    detectors.channels(equal=False)
    await _ask_all(detectors)
    await _ask_all(CallDetectors(runner, were_equal=True))
    assert _kinds(runner) == ["heard", "foresee"] * 2


async def test_separate_channels_are_judged() -> None:
    runner = FakeDetectorRunner()
    await _ask_all(CallDetectors(runner))
    assert _kinds(runner) == ["heard", "foresee", "unheard", "elapsed", "closed"]
