"""Recognition for all calls: one engine, batches across calls, as many at a time as it has workers, off the event loop.

`asr.recognition.queue` tells who is next; here its batches are run. Finals are never dropped: when the engine fails
a batch, each item is tried once more alone, and only then does its future get RecognitionFailed. What is left undone
while time is short is told by `asr.recognition.degradation`. A final whose text looks wrong is decoded again with
care, after the rest of its batch has been delivered: nobody waits for another's second look. A final whose very speech
was a partial's takes over what came of that.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from asr.endpointing.vad import SecondOpinion
from asr.engines.port import Engine, RecognitionFailed, Speech
from asr.lifetime import Lifetime, serving_tasks
from asr.recognition.degradation import DegradationLevel
from asr.recognition.engine_runner import EngineHung, EngineRunner, waited_for_cores
from asr.recognition.load_meter import EffortPolicy, LoadMeter
from asr.recognition.queue import (
    PartialReuse,
    RecogniserCounts,
    RecogniserLimits,
    RecognitionQueue,
    RecognitionRequest,
)
from asr.threads import InThread, in_thread
from asr.types import Seconds, Transcript

__all__ = ["BatchRecogniser", "RecogniserCounts", "RecogniserLimits", "RecognitionRequest"]

Result: TypeAlias = asyncio.Future[Transcript | None]

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
        second_opinion: Callable[[NDArray[np.float32]], bool] | None = None,
        limits: RecogniserLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
        new_engine: Callable[[], Engine] | None = None,
        sample: Speech | None = None,
        in_thread: InThread = in_thread,
        waited_for_cores: Callable[[], Seconds] = waited_for_cores,
    ) -> None:
        self._opinion = second_opinion or SecondOpinion().is_speech
        self._sample = sample
        self._in_thread = in_thread
        self._limits = limits or RecogniserLimits()
        self._clock = clock
        self._queue = RecognitionQueue(self._limits)
        self._results: dict[RecognitionRequest, Result] = {}
        self._wake = asyncio.Event()
        self._idle = 0
        self._partials_in_work = 0
        self._partials_done = PartialReuse()
        self._meter = LoadMeter(self._limits, clock())
        self._effort_policy = EffortPolicy(self._meter, self._limits)
        self._runner = EngineRunner(
            engine, self._limits, self._meter, clock, self._count, new_engine, in_thread, waited_for_cores
        )
        self._came: dict[RecognitionRequest, float] = {}
        self.counts = RecogniserCounts()

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
            self._fail(list(self._results), RecognitionFailed("Recognition was stopped"))

    def submit(self, request: RecognitionRequest) -> Result:
        """The text of a stretch of speech; None where nobody speaks, or (a partial) where there is no time for it.

        The future raises RecognitionFailed when the engine could not do it. A leg's futures resolve in the order
        its requests were submitted. A request that is submitted again while it is awaited has the same future.
        """
        if (awaited := self._results.get(request)) is not None:
            return awaited
        result: Result = asyncio.get_running_loop().create_future()
        alone = not any(other.leg == request.leg and other.kind == "final" for other in self._results)
        self._results[request] = result
        if request.kind == "final":
            self._came[request] = self._clock()
            self._meter.came(request.call_id, request.seconds, self._came[request])
            if alone and self._take_over(request):
                return result
        shed = self._queue.add(request, self._clock())
        if request.kind == "final":
            shed += [other for other in self._queue.in_work if other.leg == request.leg and other.kind == "partial"]
        self._look()
        if self._meter.degradation.holds("no_partials"):
            shed += self._queue.shed()
        self._count(shed=len(shed))
        for partial in shed:
            self._settle(partial, None)
        self._wake.set()
        return result

    def _take_over(self, final: RecognitionRequest) -> bool:
        """Let the final have what came, or will come, of a partial that held the same speech."""
        if self._partials_done.holds(final):
            self._count(finals=1, taken_over=1)
            self._settle(final, self._partials_done.take(final))
            return True
        same = (other for other in self._queue.in_work if other.kind == "partial" and other.stretch == final.stretch)
        partial = next(same, None)
        if partial is None:
            return False
        self._count(finals=1, taken_over=1)
        self._partials_done.awaited_by[partial] = final
        self._queue.hold(final)
        self._settle(partial, None)
        return True

    def withdraw(self, call_id: str) -> None:
        """Nobody waits for this call's results any more: they are cancelled, those in work too."""
        self._queue.withdraw(call_id)
        self._partials_done.forget(call_id)
        self._meter.demands.forget(call_id)
        for request in [request for request in self._results if request.call_id == call_id]:
            self._came.pop(request, None)
            self._results.pop(request).cancel()

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
            await self._serve(batch)
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

    async def _serve(self, batch: list[RecognitionRequest]) -> None:
        """Settle every request of the batch; of a leg's requests in their order."""
        speech = sum(request.seconds for request in batch)
        self._count(batches=1, finals=sum(request.kind == "final" for request in batch), speech_seconds=speech)
        speaking = await self._speaking(batch)
        asked = self._effort_policy.first(speaking, max(map(self._waited, batch)), self._clock())
        outcome = await self._runner.decode(asked) if speaking else []
        if isinstance(outcome, RecognitionFailed):
            await self._serve_alone(batch, speaking, outcome)
            return
        heard = dict(zip(speaking, outcome, strict=True))
        again = {
            request: speech for request in speaking if (speech := self._again(request, heard[request])) is not None
        }
        later = [request for request in batch if request.leg in {each.leg for each in again}]
        self._deliver([request for request in batch if request not in later], heard)
        if again:
            heard |= await self._look_again(again)
            self._deliver(later, heard)

    def _waited(self, request: RecognitionRequest) -> Seconds:
        came = self._came.get(request)
        return self._clock() - came if came is not None else 0.0

    def _again(self, request: RecognitionRequest, heard: Transcript) -> Speech | None:
        """How a request is looked at again: what is doubtful, if it is final."""
        waiting = self._partials_done.awaited_by.get(request)
        if not heard.doubtful or not (request.kind == "final" or waiting is not None):
            return None
        return self._effort_policy.second(request, heard, self._waited(waiting or request), self._clock())

    async def _look_again(self, again: Mapping[RecognitionRequest, Speech]) -> dict[RecognitionRequest, Transcript]:
        """What a second look hears; nothing where it fails, for then the first one stands."""
        self._count(redecoded=len(again))
        outcome = await self._runner.decode(list(again.items()))
        return {} if isinstance(outcome, RecognitionFailed) else dict(zip(again, outcome, strict=True))

    async def _serve_alone(
        self, batch: list[RecognitionRequest], speaking: list[RecognitionRequest], failure: RecognitionFailed
    ) -> None:
        """The batch failed: each of its requests gets another try of its own, unless the engine hangs."""
        for request in batch:
            outcome: list[Transcript] | RecognitionFailed = failure
            if request in speaking and not isinstance(failure, EngineHung):
                self._count(retried=1)
                outcome = await self._runner.decode([(request, request.speech)])
            if request not in speaking:
                self._deliver([request], {})
            elif isinstance(outcome, RecognitionFailed):
                waiting = self._partials_done.awaited_by.pop(request, None)
                self._fail([request] if waiting is None else [waiting], outcome)
                self._leave([request] if waiting is None else [request, waiting])
            else:
                self._deliver([request], {request: outcome[0]})

    async def _speaking(self, batch: list[RecognitionRequest]) -> list[RecognitionRequest]:
        """The requests that somebody speaks in."""

        def ask() -> tuple[list[RecognitionRequest], int]:
            speaking: list[RecognitionRequest] = []
            failed = 0
            for request in batch:
                try:
                    if request.kind != "words" and not self._opinion(request.speech.samples):
                        continue
                except Exception:  # foreign code: a broken opinion must cost time, not speech
                    failed += 1
                speaking.append(request)
            return speaking, failed

        speaking, failed = await self._in_thread(ask)
        self._count(refused=len(batch) - len(speaking), opinions_failed=failed)
        return speaking

    def _deliver(self, requests: Sequence[RecognitionRequest], heard: Mapping[RecognitionRequest, Transcript]) -> None:
        """What was heard, nothing where nobody speaks; the requests' legs may go on."""
        for request in requests:
            came = heard.get(request)
            self._count(filtered=came is not None and came.dropped)
            self._settle(request, came)
            if (waiting := self._partials_done.done(request, came)) is not None:
                self._settle(waiting, came)
                self._queue.finished([waiting])
        self._leave(requests)

    def _leave(self, requests: Sequence[RecognitionRequest]) -> None:
        self._queue.finished(requests)
        self._wake.set()

    def _settle(self, request: RecognitionRequest, heard: Transcript | None) -> None:
        result, came = self._results.pop(request, None), self._came.pop(request, None)
        if result is not None and not result.done():
            if came is not None:
                self._meter.answered(request.call_id, came, self._clock())
            result.set_result(heard if heard and heard.text else None)

    def _fail(self, requests: Sequence[RecognitionRequest], failure: RecognitionFailed) -> None:
        self._count(failures=len(requests))
        for request in requests:
            result = self._results.pop(request, None)
            self._came.pop(request, None)
            if result is not None and not result.done():
                result.set_exception(failure)
                result.exception()  # counted above: asyncio need not report a future nobody waits for

    def _count(self, **more: float) -> None:
        grown = {name: getattr(self.counts, name) + amount for name, amount in more.items()}
        self.counts = replace(self.counts, **grown)
