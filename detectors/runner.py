"""One call's detectors, run off the event loop, each on its own: none can harm another, or the call.

A detector that raises is reported, and after MOST_FAILURES left out for the rest of the call; one that does not
answer in time is left out at once, for it may still be at work on its memory of the call. Besides the per-call
supervisor this is the one place that catches everything: detectors are plug-ins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from asr.offload import in_thread
from asr.types import Seconds, Utterance
from detectors.api import CallDetector, Finding, Foreseeing, GapAware, Observation

MOST_FAILURES = 3
"""A defect that meets one odd utterance passes; one that meets three is there to stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorFailure:
    """A detector raised or was too slow; what it would have seen in this utterance is unknown."""

    detector: str
    message: str


@dataclass(slots=True, kw_only=True)
class _Seat:
    id: str
    detector: CallDetector
    failures: int = 0


class DetectorRunner:
    """Asks every detector in turn, in a thread, each for at most `timeout_s`; answers keep the detectors' order.

    Call its methods one after the other, in the call's order.
    """

    def __init__(self, detectors: Sequence[tuple[str, CallDetector]], *, timeout_s: float) -> None:
        self._seats = [_Seat(id=name, detector=detector) for name, detector in detectors]
        self._timeout = timeout_s

    async def heard(self, utterance: Utterance) -> list[Observation | DetectorFailure]:
        """What they say of an utterance."""
        return await self._ask_all(lambda detector: detector.heard(utterance))

    async def foresee(self, utterance: Utterance) -> list[Finding]:
        """What holds already of an utterance that still goes on. A detector that fails here has its say when all of it
        is heard."""
        found: list[Finding] = []
        for seat in self._seats:
            if isinstance(seat.detector, Foreseeing):
                answers = await self._ask(seat, partial(_foreseen, utterance=utterance))
                found += [answer for answer in answers if isinstance(answer, Finding)]
        return found

    async def unheard(self, start: Seconds, end: Seconds) -> list[Observation | DetectorFailure]:
        """Let those that care know that this stretch has no text; only failures come of it."""
        return await self._ask_all(partial(_told_of_gap, start=start, end=end))

    async def elapsed(self, at: Seconds) -> list[Observation | DetectorFailure]:
        """What they say of time having passed."""
        return await self._ask_all(lambda detector: detector.elapsed(at))

    async def closed(self, at: Seconds) -> list[Observation | DetectorFailure]:
        """Their last words."""
        return await self._ask_all(lambda detector: detector.closed(at))

    async def _ask_all(
        self, question: Callable[[CallDetector], list[Observation]]
    ) -> list[Observation | DetectorFailure]:
        answers: list[Observation | DetectorFailure] = []
        for seat in self._seats:
            answers += await self._ask(seat, question)
        self._seats = [seat for seat in self._seats if seat.failures < MOST_FAILURES]
        return answers

    async def _ask(
        self, seat: _Seat, question: Callable[[CallDetector], list[Observation]]
    ) -> Sequence[Observation | DetectorFailure]:
        try:
            async with asyncio.timeout(self._timeout):
                return await in_thread(lambda: question(seat.detector), f"detector {seat.id}")
        except TimeoutError:
            seat.failures = MOST_FAILURES
            return [_failure(seat, f"did not answer within {self._timeout:g} s")]
        except Exception as failure:
            seat.failures += 1
            return [_failure(seat, f"{type(failure).__name__}: {failure}")]


def _foreseen(detector: CallDetector, utterance: Utterance) -> list[Observation]:
    return [*detector.foresee(utterance)] if isinstance(detector, Foreseeing) else []


def _told_of_gap(detector: CallDetector, start: Seconds, end: Seconds) -> list[Observation]:
    if isinstance(detector, GapAware):
        detector.unheard(start, end)
    return []


def _failure(seat: _Seat, what: str) -> DetectorFailure:
    left_out = "; left out for the rest of this call" if seat.failures >= MOST_FAILURES else ""
    return DetectorFailure(detector=seat.id, message=what + left_out)
