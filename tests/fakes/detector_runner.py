"""A call's detectors that say what a test tells them to; they pass the detector runner's contract suite."""

from __future__ import annotations

from collections.abc import Sequence

from asr.types import Seconds, Utterance
from detectors.contract import Finding, Observation
from detectors.runtime.runner import DetectorFailure


class FakeDetectorRunner:
    """Says of every utterance what `says` holds, and of one that goes on what `foresees` holds, at
    the end what `says_at_the_end` holds. `asked`: in a few
    words, what it was asked."""

    def __init__(self, *says: Observation | DetectorFailure) -> None:
        self.says = list(says)
        self.foresees: list[Finding] = []
        self.says_at_the_end: list[Observation | DetectorFailure] = []
        self.asked: list[str] = []

    async def heard(self, utterance: Utterance) -> list[Observation | DetectorFailure]:
        self.asked.append(f"heard {utterance.id}")
        return [*self.says]

    async def heard_again(self, utterances: Sequence[Utterance]) -> list[Observation | DetectorFailure]:
        return [said for utterance in utterances for said in await self.heard(utterance)]

    async def foresee(self, utterance: Utterance) -> list[Finding]:
        self.asked.append(f"foresee {utterance.id} {utterance.text}")
        return [*self.foresees]

    async def unheard(self, start: Seconds, end: Seconds) -> list[Observation | DetectorFailure]:
        self.asked.append(f"unheard {start:.1f} {end:.1f}")
        return []

    async def held(self, at: Seconds, seconds: Seconds) -> list[Observation | DetectorFailure]:
        self.asked.append(f"held {at:.1f} {seconds:.1f}")
        return []

    async def elapsed(self, at: Seconds) -> list[Observation | DetectorFailure]:
        self.asked.append(f"elapsed {at:.1f}")
        return []

    async def closed(self, at: Seconds) -> list[Observation | DetectorFailure]:
        self.asked.append("closed")
        return [*self.says_at_the_end]
