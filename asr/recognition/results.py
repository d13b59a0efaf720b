"""What recognition owes: the futures of the requests that nobody has answered yet, and what was counted on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from asr.engines.port import RecognitionFailed
from asr.recognition.load_meter import LoadMeter
from asr.recognition.queue import LegKey, RecogniserCounts, RecognitionRequest
from asr.types import Seconds, Transcript

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

    def settle(self, request: RecognitionRequest, heard: Transcript | None) -> None:
        """Answer a request; one that nobody awaits is passed over. No text is None."""
        result, came = self._futures.pop(request, None), self._came.pop(request, None)
        if result is not None and not result.done():
            if came is not None:
                self._meter.answered(request.call_id, came, self._clock())
            result.set_result(heard if heard and heard.text else None)

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
