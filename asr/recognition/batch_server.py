"""What recognition owes, and a batch on its way to it: who speaks in it, the engine's answer, a second look at what is
doubtful, delivery in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from asr.engines.port import RecognitionFailed, Speech
from asr.recognition.engine_runner import EngineHung, EngineRunner
from asr.recognition.load_meter import EffortPolicy, LoadMeter
from asr.recognition.queue import LegKey, PartialReuse, RecogniserCounts, RecognitionQueue, RecognitionRequest
from asr.threads import InThread
from asr.types import Seconds, Transcript

Opinion: TypeAlias = Callable[[NDArray[np.float32]], bool]
Result: TypeAlias = asyncio.Future[Transcript | None]


class PendingResults:
    """By request. The meter is told when a final came and when it was answered; `counts` holds everything since the
    start."""

    def __init__(self, meter: LoadMeter, clock: Callable[[], float]) -> None:
        self._meter = meter
        self._clock = clock
        self._futures: dict[RecognitionRequest, Result] = {}
        self._came: dict[RecognitionRequest, float] = {}
        self.counts = RecogniserCounts()

    def __len__(self) -> int:
        return len(self._futures)

    def of(self, request: RecognitionRequest) -> Result | None:
        """Its future, while it is awaited."""
        return self._futures.get(request)

    def awaits_final(self, leg: LegKey) -> bool:
        """Whether a final of the leg is not answered yet."""
        return any(request.leg == leg and request.kind == "final" for request in self._futures)

    def open(self, request: RecognitionRequest) -> Result:
        """A future for a request that has none."""
        result = self._futures[request] = asyncio.get_running_loop().create_future()
        if request.kind == "final":
            self._came[request] = self._clock()
            self._meter.came(request.call_id, request.seconds, self._came[request])
        return result

    def waited(self, request: RecognitionRequest) -> Seconds:
        """How long a final has been awaited; 0 of anything else."""
        came = self._came.get(request)
        return self._clock() - came if came is not None else 0.0

    def settle(self, request: RecognitionRequest, transcript: Transcript | None) -> None:
        """Answer a request; one that nobody awaits is passed over. No text is None."""
        result, came = self._futures.pop(request, None), self._came.pop(request, None)
        if result is not None and not result.done():
            if came is not None:
                self._meter.answered(request.call_id, came, self._clock())
            result.set_result(transcript if transcript and transcript.text else None)

    def fail(self, requests: Sequence[RecognitionRequest], failure: RecognitionFailed) -> None:
        """Answer requests with a failure."""
        self.count(failures=len(requests))
        for request in requests:
            result = self._futures.pop(request, None)
            self._came.pop(request, None)
            if result is not None and not result.done():
                result.set_exception(failure)
                result.exception()  # counted above: asyncio need not report a future nobody waits for

    def fail_all(self, failure: RecognitionFailed) -> None:
        """Answer everything with a failure."""
        self.fail(list(self._futures), failure)

    def cancel(self, call_id: str) -> None:
        """Nobody waits for this call's results any more."""
        for request in [request for request in self._futures if request.call_id == call_id]:
            self._came.pop(request, None)
            self._futures.pop(request).cancel()

    def count(self, **more: float) -> None:
        """Add to the counts, by their names."""
        grown = {name: getattr(self.counts, name) + amount for name, amount in more.items()}
        self.counts = replace(self.counts, **grown)


class BatchServer:
    """Settles what the workers take from the queue. `freed` is called where a leg's next request may be taken.

    A final whose text looks wrong is decoded again with care, after the rest of its batch has been delivered: nobody
    waits for another's second look. When the engine fails a batch, each of its requests is tried once more alone.
    """

    def __init__(
        self,
        queue: RecognitionQueue,
        results: PendingResults,
        runner: EngineRunner,
        efforts: EffortPolicy,
        opinion: Opinion,
        clock: Callable[[], float],
        in_thread: InThread,
        freed: Callable[[], None],
    ) -> None:
        self._queue = queue
        self._results = results
        self._reuse = PartialReuse()
        self._runner = runner
        self._efforts = efforts
        self._opinion = opinion
        self._clock = clock
        self._in_thread = in_thread
        self._freed = freed

    async def serve(self, batch: list[RecognitionRequest]) -> None:
        """Settle every request of the batch; of a leg's requests in their order."""
        speech = sum(request.seconds for request in batch)
        finals = sum(request.kind == "final" for request in batch)
        self._results.count(batches=1, finals=finals, speech_seconds=speech)
        speaking = await self._speaking(batch)
        asked = self._efforts.first(speaking, max(map(self._results.waited, batch)), self._clock())
        outcome = await self._runner.decode(asked) if speaking else []
        if isinstance(outcome, RecognitionFailed):
            await self._serve_alone(batch, speaking, outcome)
            return
        transcripts = dict(zip(speaking, outcome, strict=True))
        again = {
            request: speech
            for request in speaking
            if (speech := self._again(request, transcripts[request])) is not None
        }
        later = [request for request in batch if request.leg in {each.leg for each in again}]
        self._deliver([request for request in batch if request not in later], transcripts)
        if again:
            transcripts |= await self._look_again(again)
            self._deliver(later, transcripts)

    def take_over(self, final: RecognitionRequest) -> bool:
        """Let the final have what came, or will come, of a partial that held the same speech."""
        if self._reuse.holds(final):
            self._results.count(finals=1, taken_over=1)
            self._results.settle(final, self._reuse.take(final))
            return True
        same = (other for other in self._queue.in_work if other.kind == "partial" and other.stretch == final.stretch)
        partial = next(same, None)
        if partial is None:
            return False
        self._results.count(finals=1, taken_over=1)
        self._reuse.awaited_by[partial] = final
        self._queue.hold(final)
        self._results.settle(partial, None)
        return True

    def forget(self, call_id: str) -> None:
        """No final of this call will come any more."""
        self._reuse.forget(call_id)

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
        self._results.count(refused=len(batch) - len(speaking), opinions_failed=failed)
        return speaking

    def _again(self, request: RecognitionRequest, transcript: Transcript) -> Speech | None:
        """How a request is looked at again: what is doubtful, if it is final."""
        waiting = self._reuse.awaited_by.get(request)
        if not transcript.doubtful or not (request.kind == "final" or waiting is not None):
            return None
        return self._efforts.second(request, transcript, self._results.waited(waiting or request), self._clock())

    async def _look_again(self, again: Mapping[RecognitionRequest, Speech]) -> dict[RecognitionRequest, Transcript]:
        """The transcripts of a second look; nothing where it fails, for then the first one stands."""
        self._results.count(redecoded=len(again))
        outcome = await self._runner.decode(list(again.items()))
        return {} if isinstance(outcome, RecognitionFailed) else dict(zip(again, outcome, strict=True))

    async def _serve_alone(
        self, batch: list[RecognitionRequest], speaking: list[RecognitionRequest], failure: RecognitionFailed
    ) -> None:
        """The batch failed: each of its requests gets another try of its own, unless the engine hangs."""
        for request in batch:
            outcome: list[Transcript] | RecognitionFailed = failure
            if request in speaking and not isinstance(failure, EngineHung):
                self._results.count(retried=1)
                outcome = await self._runner.decode([(request, request.speech)])
            if request not in speaking:
                self._deliver([request], {})
            elif isinstance(outcome, RecognitionFailed):
                self._give_up(request, outcome)
            else:
                self._deliver([request], {request: outcome[0]})

    def _give_up(self, request: RecognitionRequest, failure: RecognitionFailed) -> None:
        """A partial has failed whoever waits for it, and is not told itself."""
        waiting = self._reuse.awaited_by.pop(request, None)
        self._results.fail([request] if waiting is None else [waiting], failure)
        self._leave([request] if waiting is None else [request, waiting])

    def _deliver(
        self, requests: Sequence[RecognitionRequest], transcripts: Mapping[RecognitionRequest, Transcript]
    ) -> None:
        """The transcripts, nothing where nobody speaks; the requests' legs may go on."""
        for request in requests:
            transcript = transcripts.get(request)
            self._results.count(filtered=transcript is not None and transcript.dropped)
            self._results.settle(request, transcript)
            if (waiting := self._reuse.done(request, transcript)) is not None:
                self._results.settle(waiting, transcript)
                self._queue.finished([waiting])
        self._leave(requests)

    def _leave(self, requests: Sequence[RecognitionRequest]) -> None:
        self._queue.finished(requests)
        self._freed()
