"""Recognition for all calls: one engine, batches across calls, as many at a time as it has workers, off the event loop.

Who is next is `asr.scheduling`'s business; here its batches are run. Finals are never dropped: when the engine fails
a batch, each item is tried once more alone, and only then does its future get RecognitionFailed. Partials are shed
as the expected wait grows.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from asr.engine import Engine, RecognitionError, RecognitionFailed
from asr.guard import judge
from asr.offload import in_thread
from asr.scheduling import Agenda, Job, Recognised, SchedulerCounts, SchedulerLimits
from asr.text import normalise, simplify
from asr.types import Seconds, Transcript

__all__ = ["Job", "Recognised", "Scheduler", "SchedulerCounts", "SchedulerLimits"]

Result: TypeAlias = asyncio.Future[Recognised | None]

_FIRST_GUESS = 6.0
"""Times real time a worker, until the first batches have shown it."""
_SMOOTHING = 0.2

_DEMAND_SPAN: Seconds = 20.0
"""Over how long speech a second is averaged: some utterances of each call."""
_CALLS_SPEECH = 0.7
"""Seconds of speech a second that a call brings, both legs together, until it shows in the demand: people who talk
on the telephone leave about a third of it silent."""


@dataclass(slots=True, eq=False)
class _Seat:
    """An engine and the lock that keeps it to its workers, also against a thread that was given up as hanging."""

    engine: Engine
    lock: threading.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.lock = threading.Semaphore(self.engine.workers)

    def transcribe(self, jobs: Sequence[Job], patience: float) -> list[Transcript]:
        """Blocking, in a worker thread. Raises RecognitionFailed also when the engine stays busy."""
        if not self.lock.acquire(timeout=patience):
            raise _Hanging(f"{self.engine.name} has not come back from an earlier batch")
        try:
            transcripts = self.engine.transcribe([job.speech for job in jobs])
        finally:
            self.lock.release()
        if len(transcripts) != len(jobs):
            raise RecognitionFailed(f"{self.engine.name} gave {len(transcripts)} results for {len(jobs)} stretches")
        return transcripts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """One job's outcome, worked out in the worker thread."""

    recognised: Recognised | None
    redecoded: bool
    guarded: bool


class Scheduler:
    """The engine's only user. Use as an async context manager; leaving it fails what still waits.

    `second_opinion` is asked before a stretch costs recognition time: False means that nobody speaks in it. Where it
    raises, the stretch is recognised all the same.

    A hanging engine: its batch fails with RecognitionFailed. With `new_engine` (blocking, may raise RecognitionError)
    another takes its place; without, or when that fails, later batches wait for the hung one to come back and fail in
    turn while it does not. Jobs are accepted throughout.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        second_opinion: Callable[[NDArray[np.float32]], bool],
        limits: SchedulerLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
        new_engine: Callable[[], Engine] | None = None,
    ) -> None:
        self._seat = _Seat(engine)
        self._opinion = second_opinion
        self._limits = limits or SchedulerLimits()
        self._clock = clock
        self._new_engine = new_engine
        self._agenda = Agenda(self._limits)
        self._results: dict[Job, Result] = {}
        self._wake = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        self._workers: list[asyncio.Task[None]] = []
        self._idle = 0
        self._in_work: set[Job] = set()
        self._speed = _FIRST_GUESS
        self._measured = False
        self._demand = _Demand(since=clock())
        self.counts = SchedulerCounts()

    @property
    def backlog_seconds(self) -> Seconds:
        """Speech that waits or is being recognised."""
        return self._agenda.seconds + sum(job.seconds for job in self._in_work)

    @property
    def capacity(self) -> float:
        """Seconds of speech a second that can be recognised, at the speed of late."""
        return self._speed * self._seat.engine.workers

    @property
    def expected_wait(self) -> Seconds:
        """How long a stretch submitted now will wait, at the speed of late."""
        return self.backlog_seconds / self.capacity

    @property
    def overloaded(self) -> bool:
        """New speech would wait so long that no further call should be taken on."""
        return self.expected_wait > self._limits.overload_wait

    def has_room(self, newcomers: int) -> bool:
        """Whether that many further calls can be carried: those just taken, whose speech is still to come, included.

        Before the first batch nobody knows how fast the engine is: the backlog alone decides.
        """
        if self.overloaded or not self._measured:
            return not self.overloaded
        expected = self._demand.at(self._clock()) + newcomers * _CALLS_SPEECH
        return expected <= self._limits.utilisation * self.capacity

    async def __aenter__(self) -> Scheduler:
        await self._tasks.__aenter__()
        self._idle = self._seat.engine.workers
        self._workers = [self._tasks.create_task(self._work()) for _ in range(self._idle)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.cancel()
        await self._tasks.__aexit__(None, None, None)
        self._fail(list(self._results), RecognitionFailed("Recognition was stopped"))

    def submit(self, job: Job) -> Result:
        """The text of a stretch of speech; None where nobody speaks, or (a partial) where there is no time for it.

        The future raises RecognitionFailed when the engine could not do it. A leg's futures resolve in the order
        its jobs were submitted.
        """
        assert job not in self._results, "a job is submitted once"
        result: Result = asyncio.get_running_loop().create_future()
        self._results[job] = result
        shed = self._agenda.add(job)
        if job.final:
            self._demand.add(job.seconds, self._clock())
            shed += [other for other in self._in_work if other.leg == job.leg and not other.final]
        if self.expected_wait > self._limits.partial_wait:
            shed += self._agenda.shed()
        self._count(shed=len(shed))
        for partial in shed:
            self._settle(partial, None)
        self._wake.set()
        return result

    def withdraw(self, call_id: str) -> None:
        """Nobody waits for this call's results any more: they are cancelled, those in work too."""
        self._agenda.withdraw(call_id)
        for job in [job for job in self._results if job.call_id == call_id]:
            self._results.pop(job).cancel()

    async def _work(self) -> None:
        """One worker: takes batches for as long as the scheduler runs."""
        while True:
            while not (batch := self._agenda.next_batch(self._idle)):
                self._wake.clear()
                await self._wake.wait()
            self._idle -= 1
            self._in_work.update(batch)
            await self._serve(batch)
            self._in_work.difference_update(batch)
            self._agenda.finished(batch)
            self._idle += 1
            self._wake.set()  # the legs of this batch may go on

    async def _serve(self, batch: list[Job]) -> None:
        """Settle every job of the batch, in its order."""
        speech = sum(job.seconds for job in batch)
        self._count(batches=1, finals=sum(job.final for job in batch), speech_seconds=speech)
        speaking = await self._speaking(batch)
        outcome = await self._decode(speaking) if speaking else []
        alone = not isinstance(outcome, _Hanging)
        heard = {} if isinstance(outcome, RecognitionFailed) else dict(zip(speaking, outcome, strict=True))
        for job in batch:
            if job not in speaking:
                self._settle(job, None)
            elif isinstance(outcome, RecognitionFailed):
                await self._serve_alone(job) if alone else self._fail([job], outcome)
            else:
                self._deliver(job, heard[job])

    async def _serve_alone(self, job: Job) -> None:
        self._count(retried=1)
        outcome = await self._decode([job])
        if isinstance(outcome, RecognitionFailed):
            self._fail([job], outcome)
        else:
            self._deliver(job, outcome[0])

    async def _speaking(self, batch: list[Job]) -> list[Job]:
        """The jobs that somebody speaks in."""

        def ask() -> tuple[list[Job], int]:
            speaking: list[Job] = []
            failed = 0
            for job in batch:
                try:
                    if not self._opinion(job.speech.pcm):
                        continue
                except Exception:  # foreign code: a broken opinion must cost time, not speech
                    failed += 1
                speaking.append(job)
            return speaking, failed

        speaking, failed = await in_thread(ask, "second opinion")
        self._count(refused=len(batch) - len(speaking), opinions_failed=failed)
        return speaking

    async def _decode(self, jobs: Sequence[Job]) -> list[_Heard] | RecognitionFailed:
        seat = self._seat
        patience = self._limits.hang_seconds + self._limits.hang_factor * sum(job.seconds for job in jobs)

        def work() -> list[_Heard]:
            transcripts = seat.transcribe(jobs, patience)
            return [_heard(job, transcript) for job, transcript in zip(jobs, transcripts, strict=True)]

        begun = self._clock()
        try:
            async with asyncio.timeout(patience):
                heard = await in_thread(work, "recognition")
            self._learn_speed(sum(job.seconds for job in jobs), self._clock() - begun)
            return heard
        except (TimeoutError, _Hanging):
            self._count(hangs=1)
            await self._replace_engine(seat)
            return _Hanging(f"{seat.engine.name} has not answered for {patience:.0f} s")
        except RecognitionFailed as failure:
            return failure
        except Exception as fault:  # foreign code: whatever it raises, the other calls' speech goes on
            failure = RecognitionFailed(f"{seat.engine.name} broke down: {fault!r}")
            failure.__cause__ = fault
            return failure

    async def _replace_engine(self, hung: _Seat) -> None:
        if self._new_engine is None or self.counts.replaced >= self._limits.replacements:
            return
        if self._seat is not hung:
            return  # another worker has replaced it
        try:
            self._seat = _Seat(await in_thread(self._new_engine, "engine start"))
        except RecognitionError:
            return  # the old one stays: it may yet come back, and its failures are told batch by batch
        self._count(replaced=1)

    def _deliver(self, job: Job, heard: _Heard) -> None:
        self._count(redecoded=int(heard.redecoded), guarded=int(heard.guarded))
        self._settle(job, heard.recognised)

    def _settle(self, job: Job, recognised: Recognised | None) -> None:
        result = self._results.pop(job, None)
        if result is not None and not result.done():
            result.set_result(recognised)

    def _fail(self, jobs: Sequence[Job], failure: RecognitionFailed) -> None:
        self._count(failures=len(jobs))
        for job in jobs:
            result = self._results.pop(job, None)
            if result is not None and not result.done():
                result.set_exception(failure)
                result.exception()  # counted above: asyncio need not report a future nobody waits for

    def _learn_speed(self, speech: Seconds, took: float) -> None:
        if took > 0:
            self._measured = True
            self._speed += _SMOOTHING * (speech / took - self._speed)

    def _count(self, **more: float) -> None:
        grown = {name: getattr(self.counts, name) + amount for name, amount in more.items()}
        self.counts = replace(self.counts, **grown)


@dataclass(slots=True, kw_only=True)
class _Demand:
    """Seconds of speech a second that come in, averaged with weights that fade over `_DEMAND_SPAN`."""

    since: float
    _speech: Seconds = 0.0
    _fed: float | None = None

    def add(self, speech: Seconds, now: float) -> None:
        self._speech = self._faded(now) + speech
        self._fed = now

    def at(self, now: float) -> float:
        """The average; over the time since the start while that is shorter than the span."""
        return self._faded(now) / (_DEMAND_SPAN * -math.expm1(-max(1.0, now - self.since) / _DEMAND_SPAN))

    def _faded(self, now: float) -> Seconds:
        return self._speech * math.exp(-(now - self._fed) / _DEMAND_SPAN) if self._fed is not None else 0.0


class _Hanging(RecognitionFailed):
    """The engine did not answer in time: trying its items alone would only hang again."""


def _heard(job: Job, transcript: Transcript) -> _Heard:
    """The guard's verdict on a transcript, as it will be shown."""
    verdict = judge(transcript, job.seconds, job.speech.prompt)
    text = normalise(verdict.text, transcript.language) if verdict.text else ""
    dropped = verdict.text is None and verdict.reason != "empty"
    if not text:
        return _Heard(recognised=None, redecoded=transcript.redecoded, guarded=dropped)
    words = tuple(replace(word, text=simplify(word.text)) for word in transcript.words)
    recognised = Recognised(text=text, transcript=replace(transcript, words=words))
    return _Heard(recognised=recognised, redecoded=transcript.redecoded, guarded=dropped)
