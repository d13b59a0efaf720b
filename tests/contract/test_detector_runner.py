"""What sessions rely on in a call's detectors, tried on the fake and on the ones that run in threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest

from detectors.contract import Observation
from detectors.runtime.runner import DetectorFailure, ThreadedDetectorRunner
from service.calls.ports import DetectorRunner
from tests import scenes
from tests.fakes.detector import FakeForeseeing
from tests.fakes.detector_runner import FakeDetectorRunner

SAYS = (scenes.sentiment(), scenes.finding())
FORESEEN = scenes.finding(severity="critical")
FAILURE = DetectorFailure(detector="says", message="ValueError: broken")

Opened: TypeAlias = Callable[..., DetectorRunner]


def real(*says: Observation, raises: bool = False) -> DetectorRunner:
    return ThreadedDetectorRunner([("says", FakeForeseeing(*says, sees=[FORESEEN], raises=99 * raises))], timeout_s=20)


def fake(*says: Observation, raises: bool = False) -> DetectorRunner:
    runner = FakeDetectorRunner(*([FAILURE] if raises else says))
    runner.foresees = [] if raises else [FORESEEN]
    return runner


@pytest.fixture(params=[fake, real], ids=["fake", "threaded"])
def opened(request: pytest.FixtureRequest) -> Opened:
    return request.param


async def test_what_is_seen_in_an_utterance_comes_in_its_order(opened: Opened) -> None:
    runner = opened(*SAYS)
    assert await runner.heard(scenes.utterance()) == [*SAYS]
    assert await runner.heard(scenes.utterance(index=1)) == [*SAYS]


async def test_an_answer_is_the_askers_own(opened: Opened) -> None:
    runner = opened(*SAYS)
    (await runner.heard(scenes.utterance())).clear()
    (await runner.foresee(scenes.utterance())).clear()
    assert await runner.heard(scenes.utterance(index=1)) == [*SAYS]
    assert await runner.foresee(scenes.utterance(index=1)) == [FORESEEN]


async def test_what_is_heard_again_is_answered_as_it_was(opened: Opened) -> None:
    told = [scenes.utterance(index=index) for index in range(3)]
    assert await opened(*SAYS).heard_again(told) == [*SAYS] * 3


async def test_what_is_foreseen_is_findings(opened: Opened) -> None:
    assert await opened(*SAYS).foresee(scenes.utterance()) == [FORESEEN]


async def test_a_detector_that_fails_is_an_answer_and_no_exception(opened: Opened) -> None:
    runner = opened(*SAYS, raises=True)
    [failure] = await runner.heard(scenes.utterance())
    assert failure == FAILURE
    assert await runner.foresee(scenes.utterance()) == [], "it has its say when all of it is heard"


async def test_of_a_gap_of_a_hold_of_time_and_of_the_end_there_may_be_nothing_to_say(opened: Opened) -> None:
    runner = opened(*SAYS)
    assert await runner.unheard(0.0, 1.0) == []
    assert await runner.held(1.0, 60.0) == []
    assert await runner.elapsed(1.0) == []
    assert await runner.closed(2.0) == []
