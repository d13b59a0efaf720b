"""One whole call judged from its texts: what was taken back does not stand, and what went unheard blames nobody."""

from __future__ import annotations

from detectors.contract import Bilingual, CallContext, CallDetector, Observation, Withdrawn
from detectors.evaluation.replay import judge_call
from detectors.packs.source import pack_version
from detectors.runtime.registry import Registry, load
from tests import scenes
from tests.speech import call, said

REGISTRY = load(encoder=None)


class Hasty:
    """Tells a finding of every utterance, and takes it back at the next one."""

    id = "hasty"

    def open(self, call: CallContext) -> CallDetector:
        return HastyCall()


class HastyCall:
    def __init__(self) -> None:
        self._at: list[float] = []

    def heard(self, utterance: object) -> list[Observation]:
        before, at = self._at[-1:], float(len(self._at))
        self._at.append(at)
        why = Bilingual(zh="否", en="no")
        return [
            *(Withdrawn(rule="r", role="agent", start=each, end=each, why=why) for each in before),
            scenes.finding(rule="r", role="agent", start=at, end=at),
        ]

    def elapsed(self, at: float) -> list[Observation]:
        return []

    def closed(self, at: float) -> list[Observation]:
        return []


def test_what_was_taken_back_does_not_stand() -> None:
    registry = Registry([Hasty()], [], {}, pack_version())
    spoken = [said("agent", "喂", place, place + 1, index=place) for place in range(3)]
    assert [each.start for each in judge_call(registry, call(), spoken, 5.0)] == [2.0]


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
