from __future__ import annotations

from asr.types import Seconds, Utterance
from detectors.contract import Finding, Observation
from detectors.runtime.runner import DetectorFailure
from service.calls.channel_aware import ChannelAwareDetectors
from tests.speech import said


class _Asked:
    """Notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def heard(self, utterance: Utterance) -> list[Observation | DetectorFailure]:
        self.asked.append("heard")
        return []

    async def foresee(self, utterance: Utterance) -> list[Finding]:
        self.asked.append("foresee")
        return []

    async def unheard(self, start: Seconds, end: Seconds) -> list[Observation | DetectorFailure]:
        self.asked.append("unheard")
        return []

    async def elapsed(self, at: Seconds) -> list[Observation | DetectorFailure]:
        self.asked.append("elapsed")
        return []

    async def closed(self, at: Seconds) -> list[Observation | DetectorFailure]:
        self.asked.append("closed")
        return []


async def _ask_all(detectors: ChannelAwareDetectors) -> None:
    await detectors.heard(said("customer", "喂"))
    await detectors.foresee(said("customer", "喂"))
    await detectors.unheard(0.0, 1.0)
    await detectors.elapsed(1.0)
    await detectors.closed(1.0)


async def test_nothing_is_judged_while_channels_are_equal() -> None:
    asked = _Asked()
    detectors = ChannelAwareDetectors(asked)
    detectors.channels(equal=True)
    await _ask_all(detectors)
    assert asked.asked == []


async def test_no_duty_is_held_missed_once_channels_were_equal() -> None:
    asked = _Asked()
    detectors = ChannelAwareDetectors(asked)
    detectors.channels(equal=True)
    detectors.channels(equal=False)
    await _ask_all(detectors)
    await _ask_all(ChannelAwareDetectors(asked, were_equal=True))
    assert asked.asked == ["heard", "foresee"] * 2


async def test_separate_channels_are_judged() -> None:
    asked = _Asked()
    await _ask_all(ChannelAwareDetectors(asked))
    assert asked.asked == ["heard", "foresee", "unheard", "elapsed", "closed"]
