"""One call's detectors, as the runner asks them, that say what a test tells them to."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from asr.types import Seconds, Utterance
from detectors.contract import Embedding, Finding, Observation


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
