"""One whole call judged from its texts: what was taken back does not stand, and what went unheard blames nobody."""

from __future__ import annotations

from detectors.evaluation.replay import judge_call
from detectors.packs.source import pack_version
from detectors.runtime.registry import Registry, load
from tests.fakes.detector import FakeDetector, FakeWithdrawing
from tests.speech import call, said

REGISTRY = load(encoder=None)


def test_what_was_taken_back_does_not_stand() -> None:
    registry = Registry([FakeDetector(FakeWithdrawing)], [], {}, pack_version())
    spoken = [said("agent", "喂", place, place + 1, index=place) for place in range(3)]
    assert [each.start for each in judge_call(registry, call(), spoken, 5.0)] == [3.0]


def test_a_call_without_a_word_has_no_findings() -> None:
    assert judge_call(REGISTRY, call(), [], 5.0) == []


def test_duties_that_may_have_been_done_unheard_are_not_missed() -> None:
    spoken = [said("agent", "喂，在吗", 2, 3), said("agent", "您在听吗", 30, 32, index=1)]
    assert len(judge_call(REGISTRY, call(), spoken, 40.0)) == 2
    assert judge_call(REGISTRY, call(), spoken, 40.0, [(12.0, 15.0)]) == []
    assert len(judge_call(REGISTRY, call(), spoken, 40.0, [(23.0, 25.0)])) == 2


def test_time_does_not_pass_while_a_stretch_is_still_unheard() -> None:
    spoken = [said("agent", "喂，在吗", 2, 3), said("customer", "喂", 30, 32)]
    assert judge_call(REGISTRY, call(), spoken, 45.0, [(18.0, 40.0)]) == []


def test_what_was_not_done_in_a_call_that_broke_off_may_still_have_come() -> None:
    spoken = [said("agent", "喂，在吗", 2, 3)]
    assert judge_call(REGISTRY, call(), spoken, 10.0, completed=False) == []
    assert len(judge_call(REGISTRY, call(), spoken, 10.0)) == 2
