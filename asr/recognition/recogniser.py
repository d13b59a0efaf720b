"""Recognition for all calls: one engine, batches across calls, as many at a time as it has workers, off the event loop.

`asr.recognition.queue` tells who is next, and `asr.recognition.batch_server` what becomes of a batch. Finals are never
dropped: when the engine fails one twice, its future gets RecognitionFailed. What is left undone while time is short is
told by `asr.recognition.degradation`. A final whose very speech was a partial's takes over what came of that.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager

from asr.endpointing.vad import SecondOpinion
from asr.engines.port import Engine, RecognitionFailed, Speech
from asr.lifetime import Lifetime, serving_tasks
from asr.recognition.batch_server import BatchServer, Opinion, PendingResults, Result
from asr.recognition.degradation import DegradationLevel
from asr.recognition.engine_runner import EngineRunner, waited_for_cores
from asr.recognition.load_meter import EffortPolicy, LoadMeter
from asr.recognition.queue import (
    RecogniserCounts,
    RecogniserLimits,
    RecognitionQueue,
    RecognitionRequest,
)
from asr.threads import InThread, in_thread
from asr.types import Seconds

__all__ = ["BatchRecogniser", "RecogniserCounts", "RecogniserLimits", "RecognitionRequest"]

TICK: Seconds = 0.2
MEASURE_EVERY: Seconds = 30.0
"""While nothing comes in; a measurement takes each worker some 4 s of speech, about half a second."""


class BatchRecogniser(Lifetime):
    """The engine's only user. Use as an async context manager; leaving it fails what still waits.

    `second_opinion` is asked before a stretch costs recognition time: False means that nobody speaks in it. Where it
    raises, the stretch is recognised all the same. Without one a neural VAD is asked (`SecondOpinion`).

    A hanging engine: its batch fails with RecognitionFailed. With `new_engine` (blocking, may raise RecognitionError)
    another takes its place; without, or when that fails, later batches wait for the hung one to come back and fail in
    turn while it does not. Requests are accepted throughout.

    The speed is measured on `sample`, quickly, when asked to (`measure`) and while there is nothing to do; without one
    a first guess stands until the first batches. `in_thread` runs blocking work beside the event loop;
    `waited_for_cores` (blocking) tells how long this process's threads have waited for one, all together.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        second_opinion: Opinion | None = None,
        limits: RecogniserLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
        new_engine: Callable[[], Engine] | None = None,
        sample: Speech | None = None,
        in_thread: InThread = in_thread,
        waited_for_cores: Callable[[], Seconds] = waited_for_cores,
    ) -> None:
        limits = self._limits = limits or RecogniserLimits()
        meter = self._meter = LoadMeter(limits, clock())
        self._sample = sample
        self._clock = clock
        self._queue = RecognitionQueue(limits)
        self._results = PendingResults(meter, clock)
        self._wake = asyncio.Event()
        self._idle = 0
        self._partials_in_work = 0
        self._runner = EngineRunner(
            engine, limits, meter, clock, self._results.count, new_engine, in_thread, waited_for_cores
        )
        self._server = BatchServer(
            self._queue,
            self._results,
            self._runner,
            EffortPolicy(meter, limits),
            second_opinion or SecondOpinion().is_speech,
            clock,
            in_thread,
            self._wake.set,
        )

    @property
    def counts(self) -> RecogniserCounts:
        """What has been done since the start."""
        return self._results.counts

    @property
    def backlog_seconds(self) -> Seconds:
        """Speech that waits or is being recognised."""
        return self._queue.seconds + sum(request.seconds for request in self._queue.in_work)

    @property
    def capacity(self) -> float:
        """Seconds of speech a second that can be recognised in a hurry, at the speed of late."""
        return self._meter.capacity(self._runner.workers, self._clock())

    @property
    def expected_wait(self) -> Seconds:
        """How long a stretch of a call that keeps up will wait, at the speed of late."""
        return self._queue.fair_seconds(self._limits.fair_seconds) / self.capacity

    @property
    def overloaded(self) -> bool:
        """New speech would wait so long that no further call should be taken on."""
        return self.expected_wait > self._limits.overload_wait

    @property
    def load(self) -> float:
        """The share of the speed that finals need, at the demand of late; 0 until something has been measured."""
        return self._meter.demands.at(self._clock()) / self.capacity if self._meter.measured else 0.0

    @property
    def level(self) -> DegradationLevel:
        """What is left undone now for want of time."""
        return self._meter.level

    @property
    def level_seconds(self) -> Mapping[DegradationLevel, float]:
        """How long each level has held since the start."""
        return self._meter.degradation.seconds

    @property
    def calls(self) -> int:
        """How many calls of the usual speech can be carried at the speed of late, texts in time; at least 1."""
        return self._meter.calls(self._runner.workers, self._clock())

    def speech_of(self, call_id: str) -> float:
        """Seconds of speech a second that the call has brought of late."""
        return self._meter.demands.of(call_id, self._clock())

    def carries(self, speech: float) -> bool:
        """Whether so many seconds of speech a second, of all calls together, would have their texts in time.

        Before anything has been measured nobody knows: the backlog alone decides.
        """
        if self.overloaded or not self._meter.measured:
            return not self.overloaded
        return self._meter.carries(speech, self._runner.workers, self._clock())

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None, None]:
        """Its workers take batches. At the end, what still waits fails with RecognitionFailed."""
        running: list[asyncio.Task[None]] = []

        def stop() -> None:
            for task in running:
                task.cancel()

        self._idle = self._runner.workers
        try:
            async with serving_tasks(stop) as tasks:
                work = [self._work() for _ in range(self._idle)]
                running += map(tasks.create_task, [*work, self._keep_time(), self._keep_measured()])
                yield
        finally:
            self._results.fail_all(RecognitionFailed("Recognition was stopped"))

    def submit(self, request: RecognitionRequest) -> Result:
        """The text of a stretch of speech; None where nobody speaks, or (a partial) where there is no time for it.

        The future raises RecognitionFailed when the engine could not do it. A leg's futures resolve in the order
        its requests were submitted. A request that is submitted again while it is awaited has the same future.
        """
        if (awaited := self._results.of(request)) is not None:
            return awaited
        alone = not self._results.awaits_final(request.leg)
        result = self._results.open(request)
        if not (request.kind == "final" and alone and self._server.take_over(request)):
            self._enqueue(request)
        return result

    def _enqueue(self, request: RecognitionRequest) -> None:
        """It waits for its turn; the partials that it makes pointless, or that there is no time for, have no text."""
        shed = self._queue.add(request, self._clock())
        if request.kind == "final":
            shed += [other for other in self._queue.in_work if other.leg == request.leg and other.kind == "partial"]
        self._look()
        if self._meter.degradation.holds("no_partials"):
            shed += self._queue.shed()
        self._results.count(shed=len(shed))
        for partial in shed:
            self._results.settle(partial, None)
        self._wake.set()

    def withdraw(self, call_id: str) -> None:
        """Nobody waits for this call's results any more: they are cancelled, those in work too."""
        self._queue.withdraw(call_id)
        self._server.forget(call_id)
        self._meter.demands.forget(call_id)
        self._results.cancel(call_id)

    @property
    def _time_for_partials(self) -> bool:
        """One worker, where there are more, is left to the finals that may come any moment."""
        return self._partials_in_work < max(1, self._runner.workers - 1)

    async def _work(self) -> None:
        """One worker: takes batches for as long as the recogniser runs."""
        while True:
            while not (batch := self._next_batch()):
                self._wake.clear()
                await self._wake.wait()
            partials = batch[0].kind == "partial"
            self._idle -= 1
            self._partials_in_work += partials
            await self._server.serve(batch)
            self._idle += 1
            self._partials_in_work -= partials
            self._wake.set()

    def _next_batch(self) -> list[RecognitionRequest]:
        now = self._clock()
        return self._queue.next_batch(
            self._idle,
            partials=self._time_for_partials,
            agents_first=self._meter.degradation.holds("agents_first"),
            now=now,
            speed=self._meter.speed(now),
        )

    async def measure(self) -> None:
        """Measure the speed with all workers on the sample. Returns when that is done, or could not be."""
        if self._sample is not None and not self._results:
            await self._runner.measure(self._sample)

    async def _keep_time(self) -> None:
        """Tick, for a process that stands still to be noticed; see whether a level may be left."""
        while True:
            self._meter.tick(self._clock())
            self._look()
            await asyncio.sleep(TICK)

    async def _keep_measured(self) -> None:
        """While nothing comes in, measure now and then how fast it would go."""
        while True:
            await asyncio.sleep(MEASURE_EVERY)
            if self._meter.idle_for(self._clock()) >= MEASURE_EVERY / 2:
                await self.measure()

    def _look(self) -> None:
        self._meter.look(self._runner.workers, self.expected_wait, self._clock())
