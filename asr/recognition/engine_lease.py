"""The lease on the engine: who may use it when, and what its answers come to."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from asr.engines.port import Engine, RecognitionFailed, Speech
from asr.normalisation import normalise
from asr.recognition.hallucination import filter_hallucination
from asr.recognition.queue import RecognitionRequest
from asr.types import Transcript


class EngineHung(RecognitionFailed):
    """The engine did not answer in time: trying its items alone would only hang again."""


@dataclass(slots=True, eq=False)
class EngineLease:
    """An engine and the lock that keeps it to its workers, also against a thread that was given up as hanging."""

    engine: Engine
    lock: threading.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.lock = threading.Semaphore(self.engine.workers)

    def transcribe(self, batch: Sequence[Speech], patience: float) -> list[Transcript]:
        """Blocking, in a worker thread. Raises RecognitionFailed also when the engine stays busy."""
        if not self.lock.acquire(timeout=patience):
            raise EngineHung(f"{self.engine.name} has not come back from an earlier batch")
        try:
            transcripts = self.engine.transcribe(batch)
        finally:
            self.lock.release()
        if len(transcripts) != len(batch):
            raise RecognitionFailed(f"{self.engine.name} gave {len(transcripts)} results for {len(batch)} stretches")
        return transcripts


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognitionOutcome:
    """One request's outcome, worked out in the worker thread."""

    transcript: Transcript | None = None
    """As it is stored and shown: filtered, normalised."""
    doubtful: bool = False
    guarded: bool = False
    leaked: bool = False
    """The text was the prompt's: without one, something else may be heard."""


def outcome_of(request: RecognitionRequest, asked: Speech, transcript: Transcript) -> RecognitionOutcome:
    """What came of a request as it was asked, once hallucinations are filtered out, as it will be shown. A text whose
    words are timed has been filtered before. A text that was asked for without the prompt cannot have leaked it.

    A text that it drops leaves doubt: somebody may have spoken it, and more effort may show them to.
    """
    if request.kind == "words":
        return RecognitionOutcome(transcript=transcript)
    verdict = filter_hallucination(transcript, request.seconds, asked.in_language(transcript.language).biasing.prompt)
    text = normalise(verdict.text, transcript.language) if verdict.text else ""
    guarded = verdict.text is None and verdict.reason != "empty"
    return RecognitionOutcome(
        transcript=replace(transcript, text=text) if text else None,
        doubtful=transcript.doubtful or guarded,
        guarded=guarded,
        leaked=verdict.reason == "leaked_prompt",
    )
