"""Runs the engine: batches in threads, timed, given up when they hang, and a new engine in place of a hung one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from asr.engines.port import Engine, RecognitionError, RecognitionFailed, Speech
from asr.normalisation import normalise
from asr.recognition.hallucination import filter_hallucination
from asr.recognition.load_meter import LoadMeter
from asr.recognition.queue import RecogniserLimits, RecognitionRequest
from asr.threads import InThread
from asr.types import Seconds, Transcript

T = TypeVar("T")

_TASKS = Path("/proc/self/task")

_SHORT: Seconds = 1.0
"""Most batches are done by then. A longer one is watched for whether its threads get a core."""
_STARVED = 0.5
"""A share of the patience. Where all threads together waited longer than that for a core, the engine is starved and
does not hang."""
_STARVED_TIMES = 5
"""A starved batch gets its time again so often. After that an engine counts as hanging even on a starved machine."""


class EngineHung(RecognitionFailed):
    """The engine did not answer in time. Its items are not tried alone, because they would only hang again."""


@dataclass(slots=True, eq=False)
class EngineLease:
    """An engine, with a lock that bounds how many threads use it. The bound holds also for threads that were given
    up."""

    engine: Engine
    lock: threading.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.lock = threading.Semaphore(self.engine.workers)

    def transcribe(self, batch: Sequence[Speech], patience: float) -> list[Transcript]:
        """Blocks, in a worker thread. Raises RecognitionFailed, also when the engine stays busy."""
        if not self.lock.acquire(timeout=patience):
            raise EngineHung(f"{self.engine.name} has not come back from an earlier batch")
        try:
            transcripts = self.engine.transcribe(batch)
        finally:
            self.lock.release()
        if len(transcripts) != len(batch):
            raise RecognitionFailed(f"{self.engine.name} gave {len(transcripts)} results for {len(batch)} stretches")
        return transcripts


def as_shown(request: RecognitionRequest, asked: Speech, transcript: Transcript) -> Transcript:
    """A transcript in the form that is stored and shown: without hallucinations, and normalised. A text that was given
    for its word times has that form already. A text that was decoded without the prompt cannot hold a leaked prompt."""
    if request.kind == "words":
        return transcript
    kept = filter_hallucination(transcript, request.seconds, _prompt(asked, transcript))
    return replace(kept, text=normalise(kept.text, kept.language)) if kept.text else kept


def _prompt(asked: Speech, transcript: Transcript) -> str:
    return asked.biasing_in(asked.language or transcript.language).prompt


def waited_for_cores() -> Seconds:
    """How long the threads of this process have waited for a core, summed over those that run now, since each began.

    0 where the system does not tell; Linux does. Blocks: it reads a file a thread.
    """
    total = 0
    for task in _TASKS.glob("*/schedstat"):
        try:
            total += int(task.read_text().split()[1])
        except (OSError, ValueError, IndexError):
            continue  # the thread has ended
    return total / 1e9


class EngineRunner:
    """Runs what the recogniser's workers ask for and tells the meter how long it took. `count` adds to the recogniser's
    counts."""

    def __init__(
        self,
        engine: Engine,
        limits: RecogniserLimits,
        meter: LoadMeter,
        clock: Callable[[], float],
        count: Callable[..., None],
        new_engine: Callable[[], Engine] | None,
        in_thread: InThread,
        waited_for_cores: Callable[[], Seconds],
    ) -> None:
        self._lease = EngineLease(engine)
        self._limits = limits
        self._meter = meter
        self._clock = clock
        self._count = count
        self._new_engine = new_engine
        self._in_thread = in_thread
        self._waited_for_cores = waited_for_cores
        self._replaced = 0
        self._measuring = False

    @property
    def workers(self) -> int:
        """Batches it works on side by side."""
        return self._lease.engine.workers

    async def decode(self, asked: Sequence[tuple[RecognitionRequest, Speech]]) -> list[Transcript] | RecognitionFailed:
        """The transcripts of a batch, or why there are none."""
        lease = self._lease
        patience = self._patience([each for _, each in asked])

        def work() -> list[Transcript]:
            transcripts = lease.transcribe([each for _, each in asked], patience)
            return [as_shown(*each, transcript) for each, transcript in zip(asked, transcripts, strict=True)]

        begun, alone = self._clock(), not self._measuring
        try:
            transcripts = await self._patiently(work, patience)
        except (TimeoutError, EngineHung):
            self._count(hangs=1)
            await self._replace_engine(lease)
            return EngineHung(f"{lease.engine.name} has not answered for {patience:.0f} s")
        except RecognitionFailed as failure:
            return failure
        except Exception as fault:  # foreign code: whatever it raises, the other calls' speech goes on
            failure = RecognitionFailed(f"{lease.engine.name} broke down: {fault!r}")
            failure.__cause__ = fault
            return failure
        fresh = sum(request.seconds for request, each in asked if each.text is None)
        if not alone or not self._meter.worked(fresh, asked[0][1].effort, begun, self._clock()):
            self._count(untold=1)
        return transcripts

    async def measure(self, sample: Speech) -> None:
        """Time the sample on all workers at once, in a hurry. Nothing is learnt if the engine fails."""
        lease, quick = self._lease, replace(sample, effort="quick")
        patience = self._patience([quick])
        self._measuring, begun = True, self._clock()

        async def timed() -> Seconds:
            await self._patiently(lambda: lease.transcribe([quick], patience), patience)
            return self._clock() - begun

        tried = await asyncio.gather(*(timed() for _ in range(self.workers)), return_exceptions=True)
        self._measuring = False
        took = [each for each in tried if not isinstance(each, BaseException)]
        self._count(measured=1)
        if len(took) == len(tried):
            self._meter.measured_idle(took, quick.seconds, self._clock())

    async def _patiently(self, work: Callable[[], T], patience: Seconds) -> T:
        """The result of the work; raises what it raises, and TimeoutError if it takes longer. If the process stood
        still, or its threads had no core, the engine gets its time again."""
        task = asyncio.ensure_future(self._in_thread(work))
        try:
            await asyncio.wait([task], timeout=min(_SHORT, patience / 2))
            starved = 0
            while not task.done():
                begun, waited = self._clock(), await self._in_thread(self._waited_for_cores)
                await asyncio.wait([task], timeout=patience)
                if task.done() or self._meter.paused(begun, self._clock()):
                    continue
                waited = await self._in_thread(self._waited_for_cores) - waited
                starved += 1
                if waited < _STARVED * patience or starved > _STARVED_TIMES:
                    raise TimeoutError
            return task.result()
        finally:
            task.cancel()

    def _patience(self, asked: Sequence[Speech]) -> Seconds:
        speech = sum(each.seconds for each in asked)
        return self._limits.hang_seconds + self._limits.hang_factor * speech

    async def _replace_engine(self, hung: EngineLease) -> None:
        if self._new_engine is None or self._replaced >= self._limits.replacements:
            return
        if self._lease is not hung:
            return  # another worker has replaced it
        try:
            self._lease = EngineLease(await self._in_thread(self._new_engine))
        except RecognitionError:
            return  # the old one stays: it may yet come back, and its failures are told batch by batch
        self._replaced += 1
        self._count(replaced=1)
