"""The engine's seat in the scheduler: who may use it when, and what its answers come to."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from asr.engine import Engine, RecognitionFailed, Speech
from asr.guard import judge
from asr.scheduling import Job, Recognised
from asr.text import normalise
from asr.types import Transcript


class Hanging(RecognitionFailed):
    """The engine did not answer in time: trying its items alone would only hang again."""


@dataclass(slots=True, eq=False)
class Seat:
    """An engine and the lock that keeps it to its workers, also against a thread that was given up as hanging."""

    engine: Engine
    lock: threading.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.lock = threading.Semaphore(self.engine.workers)

    def transcribe(self, batch: Sequence[Speech], patience: float) -> list[Transcript]:
        """Blocking, in a worker thread. Raises RecognitionFailed also when the engine stays busy."""
        if not self.lock.acquire(timeout=patience):
            raise Hanging(f"{self.engine.name} has not come back from an earlier batch")
        try:
            transcripts = self.engine.transcribe(batch)
        finally:
            self.lock.release()
        if len(transcripts) != len(batch):
            raise RecognitionFailed(f"{self.engine.name} gave {len(transcripts)} results for {len(batch)} stretches")
        return transcripts


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One job's outcome, worked out in the worker thread."""

    recognised: Recognised | None = None
    doubtful: bool = False
    guarded: bool = False
    leaked: bool = False
    """The text was the prompt's: without one, something else may be heard."""


def judged(job: Job, asked: Speech, transcript: Transcript) -> Heard:
    """The guard's verdict on what came of a job as it was asked, as it will be shown; word times are of a text that has
    had it. What was asked without the prompt is none of its words.

    A text that it drops leaves doubt: somebody may have spoken it, and more effort may show them to.
    """
    if job.rank == "words":
        return Heard(recognised=Recognised(text=transcript.text, transcript=transcript))
    verdict = judge(transcript, job.seconds, asked.in_language(transcript.language).expected.prompt)
    text = normalise(verdict.text, transcript.language) if verdict.text else ""
    guarded = verdict.text is None and verdict.reason != "empty"
    return Heard(
        recognised=Recognised(text=text, transcript=transcript) if text else None,
        doubtful=transcript.doubtful or guarded,
        guarded=guarded,
        leaked=verdict.reason == "leaked_prompt",
    )
