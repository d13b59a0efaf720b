"""The engine where no model could be loaded: calls are recorded, their speech marked as unrecognised."""

from __future__ import annotations

from collections.abc import Sequence

from asr.engines.port import RecognitionFailed, Speech
from asr.types import Transcript


class AbsentEngine:
    """Fails every batch with the reason why no model is there."""

    def __init__(self, problem: str) -> None:
        self._problem = problem

    @property
    def name(self) -> str:
        return "no model"

    @property
    def workers(self) -> int:
        return 1

    def transcribe(self, batch: Sequence[Speech]) -> list[Transcript]:
        raise RecognitionFailed(self._problem)

    def close(self) -> None:
        return
