"""Scripted neighbours for the stages' own tests. The real ones run in the contract and end-to-end suites."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from asr.engines.port import RecognitionFailed
from asr.recognition.recogniser import RecognitionRequest
from asr.types import Language, Role, Seconds, Transcript, Utterance, Word
from detectors.contract import Finding, Observation
from detectors.runtime.runner import DetectorFailure
from service.live.messages import Levels, Partial
from service.record.facts import Fact
from service.recordings.writer import Unrecorded
from service.storage.port import LoggedFact


def transcript(text: str, language: Language = "zh") -> Transcript:
    return Transcript(
        text=text,
        language=language,
        avg_logprob=-0.2,
        no_speech_prob=0.01,
        compression_ratio=1.0,
        tokens=len(text),
        language_odds=5.0 if language == "zh" else -5.0,
    )


def recognised(text: str, language: Language = "zh") -> Transcript:
    return transcript(text, language)


class ListJournal:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.levels: list[Levels] = []
        self.partials: list[Partial] = []
        self.failing = False

    async def write(self, call_id: str, facts: Sequence[Fact], at: datetime) -> None:
        self.facts += facts

    def show_levels(self, levels: Levels) -> None:
        self.levels.append(levels)

    def show_partial(self, partial: Partial) -> None:
        self.partials.append(partial)

    def follow(self, call_id: str) -> AsyncIterator[LoggedFact]:
        raise NotImplementedError

    def finished(self, call_id: str) -> None:
        return


class ScriptedRecogniser:
    """Answers each final with the next answer; an exception among them is raised by the future. Partials are answered
    from `early`, and with None when that is used up."""

    def __init__(self, *answers: str | Exception | None, early: Sequence[str] = (), language: Language = "zh") -> None:
        self.answers = list(answers)
        self.language: Language = language
        self.timing: Literal["working", "failing", "hanging"] = "working"
        self.early = list(early)
        self.requests: list[RecognitionRequest] = []
        self.withdrawn: list[str] = []

    def submit(self, request: RecognitionRequest) -> asyncio.Future[Transcript | None]:
        self.requests.append(request)
        future: asyncio.Future[Transcript | None] = asyncio.get_running_loop().create_future()
        if request.kind == "words":
            self._time(request, future)
            return future
        answer = self._answer() if request.final else self.early.pop(0) if self.early else None
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(recognised(answer, self.language) if answer else None)
        return future

    def _time(self, request: RecognitionRequest, future: asyncio.Future[Transcript | None]) -> None:
        """Two characters a second; never where `timing` is "hanging"."""
        if self.timing == "failing":
            future.set_exception(RecognitionFailed("out of memory"))
        elif self.timing == "working":
            text = request.speech.text or ""
            words = tuple(
                Word(text=one, start=at / 2, end=at / 2 + 0.5, probability=0.9) for at, one in enumerate(text)
            )
            future.set_result(replace(transcript(text, self.language), words=words))

    def withdraw(self, call_id: str) -> None:
        self.withdrawn.append(call_id)

    def _answer(self) -> str | Exception | None:
        return self.answers.pop(0) if self.answers else "好的"


class ScriptedDetectorRunner:
    """Says of every utterance what `says` holds, and of one that goes on what `foresees` holds."""

    def __init__(self, *says: Observation | DetectorFailure) -> None:
        self.says = list(says)
        self.foresees: list[Finding] = []
        self.asked: list[str] = []

    async def heard(self, utterance: Utterance) -> list[Observation | DetectorFailure]:
        self.asked.append(f"heard {utterance.id}")
        return self.says

    async def foresee(self, utterance: Utterance) -> list[Finding]:
        self.asked.append(f"foresee {utterance.id} {utterance.text}")
        return self.foresees

    async def unheard(self, start: Seconds, end: Seconds) -> list[Observation | DetectorFailure]:
        self.asked.append(f"unheard {start:.1f} {end:.1f}")
        return []

    async def elapsed(self, at: Seconds) -> list[Observation | DetectorFailure]:
        return []

    async def closed(self, at: Seconds) -> list[Observation | DetectorFailure]:
        self.asked.append("closed")
        return []


class MemoryRecorder:
    """Counts samples; fails when told to."""

    def __init__(self) -> None:
        self.failing = False
        self.paused = False
        self.unrecorded: list[Unrecorded] = []
        self.samples: dict[Role, int] = {}
        self.closed = False

    def write(self, role: Role, start: int, pcm: NDArray[np.int16]) -> None:
        self.samples[role] = self.samples.get(role, 0) + pcm.size

    def take_unrecorded(self) -> list[Unrecorded]:
        taken, self.unrecorded = self.unrecorded, []
        return taken

    async def close(self) -> None:
        self.closed = True


def now() -> datetime:
    return datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
