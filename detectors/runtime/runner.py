"""One call's detectors, run off the event loop, each on its own: none can harm another, or the call.

A detector that raises is reported, and after MOST_FAILURES it is left out for the rest of the call. One that does not
answer in time is reported and not waited for. It hears what follows once it is done, and its late answer counts all the
same, because a busy machine or a process that stood still makes any detector late. Once it owes MOST_OWED answers it is
left out. Everything that a detector raises is caught here, because detectors are plug-ins.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from asr.threads import in_thread
from asr.types import Seconds, Utterance
from detectors.contract import (
    CallDetector,
    Embedding,
    Finding,
    Foreseeing,
    GapAware,
    HoldAware,
    Observation,
    TextEncoder,
    Understanding,
)
from detectors.runtime.answers import checked
from detectors.runtime.call_encoder import CallEncoder

MOST_FAILURES = 3
"""One odd utterance may meet a defect once. A defect that meets three is there to stay."""
MOST_OWED = 3
"""A detector so far behind hangs, or will not catch up."""
HEARD_AT_ONCE = 32
"""Utterances that one thread's turn takes, when an earlier call goes on. A turn costs as much as some of them."""

Ask = Callable[[CallDetector], list[Observation]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Question:
    ask: Ask
    keeps: bool = True
    """Whether an answer that comes late still counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorFailure:
    """A detector raised or was too slow; what it would have seen in this utterance is unknown."""

    detector: str
    message: str


@dataclass(slots=True, kw_only=True)
class _Running:
    """A detector, the questions that it has not answered yet (the oldest first), and its work on them."""

    id: str
    detector: CallDetector
    failures: int = 0
    owed: deque[_Question] = field(default_factory=deque[_Question])
    at_work: asyncio.Task[list[Observation]] | None = None

    @property
    def is_out(self) -> bool:
        """Whether it is left out for the rest of the call."""
        return self.failures >= MOST_FAILURES or len(self.owed) >= MOST_OWED

    async def answer(self) -> list[Observation]:
        """The answer to the oldest question. If the caller stops waiting, the detector goes on. Raises what the
        detector raises."""
        question = self.owed[0]
        if self.at_work is None:
            self.at_work = asyncio.create_task(in_thread(lambda: question.ask(self.detector)))
            self.at_work.add_done_callback(_retrieve)
        await asyncio.wait([self.at_work])
        done, self.at_work = self.at_work, None
        self.owed.popleft()
        return checked(done.result())


class ThreadedDetectorRunner:
    """Asks every detector in turn, in a thread, each for at most `timeout_s`; answers keep the detectors' order.

    Call its methods one after the other, in the call's order.
    """

    def __init__(
        self, detectors: Sequence[tuple[str, CallDetector]], *, timeout_s: float, encoder: TextEncoder | None = None
    ) -> None:
        self._running = [_Running(id=name, detector=detector) for name, detector in detectors]
        self._timeout = timeout_s
        self._encoder = None if encoder is None else CallEncoder(encoder, timeout_s=timeout_s)

    async def heard(self, utterance: Utterance) -> list[Observation | DetectorFailure]:
        """What they say of an utterance. Its meaning is worked out once for all that want it."""
        return await self._heard([utterance])

    async def heard_again(self, utterances: Sequence[Utterance]) -> list[Observation | DetectorFailure]:
        """Does what `heard` does for each utterance in turn, at least one, in half the time: for a call that goes on.

        A detector that raises is reported once for many utterances, and what it said of them is lost. The last
        utterance is asked about by itself, because only what is said of it may be news.
        """
        observed: list[Observation | DetectorFailure] = []
        for first in range(0, len(utterances) - 1, HEARD_AT_ONCE):
            observed += await self._heard(utterances[first : min(first + HEARD_AT_ONCE, len(utterances) - 1)])
        return observed + await self._heard(utterances[-1:])

    async def _heard(self, utterances: Sequence[Utterance]) -> list[Observation | DetectorFailure]:
        failed: list[Observation | DetectorFailure] = []
        try:
            embeddings = await self._embeddings([utterance.text for utterance in utterances])
        except Exception as failure:  # foreign code: the utterances' words are judged then
            embeddings = None
            failed.append(DetectorFailure(detector="encoder", message=f"{type(failure).__name__}: {failure}"))
        return failed + await self._ask_all(partial(_told_each, utterances=utterances, embeddings=embeddings))

    async def _embeddings(self, texts: Sequence[str]) -> NDArray[np.float32] | None:
        if self._encoder is None:
            return None
        if not any(isinstance(running.detector, Understanding) for running in self._running):
            return None
        return await self._encoder.embeddings(texts)

    async def foresee(self, utterance: Utterance) -> list[Finding]:
        """What already holds of an utterance that still goes on. A detector that fails here is asked again about the
        whole utterance."""
        found: list[Finding] = []
        for running in self._running:
            if isinstance(running.detector, Foreseeing) and not running.owed:
                question = _Question(ask=partial(_foreseen, utterance=utterance), keeps=False)
                answers = await self._answers(running, question)
                found += [answer for answer in answers if isinstance(answer, Finding)]
        return found

    async def unheard(self, start: Seconds, end: Seconds) -> list[Observation | DetectorFailure]:
        """Tell the detectors that this stretch has no text. Only failures come back."""
        return await self._ask_all(partial(_told_of_gap, start=start, end=end))

    async def held(self, at: Seconds, seconds: Seconds) -> list[Observation | DetectorFailure]:
        """Tell the detectors that the audio clock stood still. Only failures come back."""
        return await self._ask_all(partial(_told_of_hold, at=at, seconds=seconds))

    async def elapsed(self, at: Seconds) -> list[Observation | DetectorFailure]:
        """What the detectors say once this time has passed."""
        return await self._ask_all(lambda detector: detector.elapsed(at))

    async def closed(self, at: Seconds) -> list[Observation | DetectorFailure]:
        """What the detectors say at the call's end."""
        return await self._ask_all(lambda detector: detector.closed(at))

    async def _ask_all(self, ask: Ask) -> list[Observation | DetectorFailure]:
        answers: list[Observation | DetectorFailure] = []
        for running in self._running:
            answers += await self._answers(running, _Question(ask=ask))
        self._running = [running for running in self._running if not running.is_out]
        return answers

    async def _answers(self, running: _Running, question: _Question) -> list[Observation | DetectorFailure]:
        """The answers to this question and to those that were still owed."""
        running.owed.append(question)
        answers: list[Observation | DetectorFailure] = []
        try:
            async with asyncio.timeout(self._timeout):
                while running.owed and running.failures < MOST_FAILURES:
                    asked = running.owed[0]
                    try:
                        answer = await running.answer()
                        answers += answer if asked.keeps or asked is question else []
                    except Exception as failure:
                        running.failures += 1
                        answers.append(_failure(running, f"{type(failure).__name__}: {failure}"))
        except TimeoutError:
            answers.append(_failure(running, f"did not answer within {self._timeout:g} s"))
        return answers


def _retrieve(task: asyncio.Task[list[Observation]]) -> None:
    """Take a task's result, so that asyncio reports no error: nobody waits for a detector that is left out."""
    if not task.cancelled():
        task.exception()


def ask_about(detector: CallDetector, utterance: Utterance, embedding: Embedding | None) -> list[Observation]:
    """What a detector says of an utterance, by its meaning if that is known."""
    if embedding is not None and isinstance(detector, Understanding):
        return detector.understood(utterance, embedding)
    return detector.heard(utterance)


def _told_each(
    detector: CallDetector, utterances: Sequence[Utterance], embeddings: NDArray[np.float32] | None
) -> list[Observation]:
    """What a detector says of each utterance. One that it fails at does not keep it from the others. Raises the last
    failure."""
    answers: list[Observation] = []
    failed: Exception | None = None
    for number, utterance in enumerate(utterances):
        try:
            answers += ask_about(detector, utterance, None if embeddings is None else embeddings[number])
        except Exception as failure:
            failed = failure
    if failed is not None:
        raise failed
    return answers


def _foreseen(detector: CallDetector, utterance: Utterance) -> list[Observation]:
    return [*detector.foresee(utterance)] if isinstance(detector, Foreseeing) else []


def _told_of_gap(detector: CallDetector, start: Seconds, end: Seconds) -> list[Observation]:
    if isinstance(detector, GapAware):
        detector.unheard(start, end)
    return []


def _told_of_hold(detector: CallDetector, at: Seconds, seconds: Seconds) -> list[Observation]:
    if isinstance(detector, HoldAware):
        detector.held(at, seconds)
    return []


def _failure(running: _Running, what: str) -> DetectorFailure:
    left_out = "; left out for the rest of this call" if running.is_out else ""
    return DetectorFailure(detector=running.id, message=what + left_out)
