"""Detectors that say what a test tells them to; they pass the detectors' contract suite."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import ClassVar

from asr.types import Seconds, Utterance
from detectors.contract import (
    Bilingual,
    CallContext,
    CallDetector,
    Embedding,
    Finding,
    Observation,
    Withdrawn,
)
from tests import scenes


class FakeCallDetector:
    """Says `says` of every utterance. Raises so many times; waits for the event in its thread."""

    def __init__(self, *says: Observation, raises: int = 0, waits_for: threading.Event | None = None) -> None:
        self.says = [*says]
        self.raises = raises
        self.waits_for = waits_for
        self.heard_texts: list[str] = []

    def heard(self, utterance: Utterance) -> list[Observation]:
        self.heard_texts.append(utterance.text)
        self._hold()
        return [*self.says]

    def elapsed(self, at: Seconds) -> list[Observation]:
        return []

    def closed(self, at: Seconds) -> list[Observation]:
        return []

    def _hold(self) -> None:
        if self.waits_for is not None:
            self.waits_for.wait(10)
        if self.raises:
            self.raises -= 1
            raise ValueError("broken")


class FakeForeseeing(FakeCallDetector):
    """Foresees `sees`, under the same conditions."""

    def __init__(
        self, *says: Observation, sees: Sequence[Finding], raises: int = 0, waits_for: threading.Event | None = None
    ) -> None:
        super().__init__(*says, raises=raises, waits_for=waits_for)
        self.sees = [*sees]

    def foresee(self, utterance: Utterance) -> list[Finding]:
        self._hold()
        return self.sees


class FakeUnderstanding(FakeCallDetector):
    """Judges by meaning where it can; `understood_as` are the embeddings that it was given."""

    def __init__(self, *says: Observation) -> None:
        super().__init__(*says)
        self.understood_as: list[Embedding] = []

    def understood(self, utterance: Utterance, embedding: Embedding) -> list[Observation]:
        self.understood_as.append(embedding)
        return self.heard(utterance)


class FakeWithdrawing:
    """Tells a finding of every utterance of the agent, and takes it back at the next one."""

    def __init__(self) -> None:
        self._told: list[float] = []

    def heard(self, utterance: Utterance) -> list[Observation]:
        if utterance.role != "agent":
            return []
        before, at = self._told[-1:], utterance.end
        self._told.append(at)
        why = Bilingual(zh="否", en="no")
        found = scenes.finding(category="threat_violence", start=at, end=at, quote="", utterance_id=None)
        back = [Withdrawn(rule=found.rule, role="agent", start=each, end=each, why=why) for each in before]
        return [*back, found]

    def elapsed(self, at: Seconds) -> list[Observation]:
        return []

    def closed(self, at: Seconds) -> list[Observation]:
        return []


class FakeDetector:
    """Opens what `make` makes for each call."""

    id: ClassVar[str] = "fake"

    def __init__(self, make: Callable[[], CallDetector]) -> None:
        self._make = make

    def open(self, call: CallContext) -> CallDetector:
        return self._make()
