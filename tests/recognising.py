"""Requests for a real recogniser, and a fake engine that is held while they are handed in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
from numpy.typing import NDArray

from asr.recognition.queue import RequestKind
from asr.recognition.recogniser import BatchRecogniser, RecogniserLimits, RecognitionRequest
from asr.types import Role, Transcript
from tests.fakes.engine import FakeEngine, Gate
from tests.stretches import speech


def somebody(_pcm: NDArray[np.float32]) -> bool:
    """A second opinion: always somebody speaks."""
    return True


def request(
    call: str, utterance: int = 0, *, role: Role = "agent", seconds: float = 1.0, kind: RequestKind = "final"
) -> RecognitionRequest:
    return RecognitionRequest(call_id=call, role=role, utterance=utterance, kind=kind, speech=speech(seconds))


@asynccontextmanager
async def held(
    *script: object,
    limits: RecogniserLimits | None = None,
    second_opinion: Callable[[NDArray[np.float32]], bool] = somebody,
) -> AsyncIterator[tuple[BatchRecogniser, FakeEngine, Gate]]:
    """A recogniser whose engine is held at its first batch (a job of call `first`) until the gate opens."""
    gate = Gate()
    engine = FakeEngine(gate, *script)  # type: ignore[arg-type]
    async with BatchRecogniser(engine, second_opinion=second_opinion, limits=limits) as recogniser:
        first = recogniser.submit(request("first"))
        await asyncio.to_thread(gate.reached.wait, 10)
        try:
            yield recogniser, engine, gate
        finally:
            gate.open()
        await asyncio.gather(first, return_exceptions=True)


async def text_of(result: asyncio.Future[Transcript | None]) -> str | None:
    recognised = await result
    return recognised.text if recognised else None
