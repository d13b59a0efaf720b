"""Requests for a real recogniser, and a fake engine that is held while they are handed in, or hears badly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from asr.engines.port import RecognitionFailed, Speech
from asr.recognition.queue import RequestKind
from asr.recognition.recogniser import BatchRecogniser, RecogniserLimits, RecognitionRequest
from asr.types import Role, Transcript
from tests.fakes.engine import FakeEngine, Gate
from tests.stretches import speech, transcript


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


SECOND = ("careful", "full")
"""The efforts of a second look."""


class Doubts(FakeEngine):
    """In doubt about stretches of two seconds until it looks again; fails then with `breaks`."""

    def __init__(self, *script: object, breaks: bool = False, workers: int = 1) -> None:
        super().__init__(*script, workers=workers)  # type: ignore[arg-type]
        self.breaks = breaks

    def transcribe(self, batch: Sequence[Speech]) -> list[Transcript]:
        if self.breaks and any(each.effort in SECOND for each in batch):
            raise RecognitionFailed("scripted failure of a second look")
        heard = super().transcribe(batch)
        return [
            transcript("看清了") if each.effort in SECOND else replace(said, doubtful=each.seconds == 2.0)
            for each, said in zip(batch, heard, strict=True)
        ]


class Faint(FakeEngine):
    """Hears what the guard takes for nobody's words, until it gives all it has."""

    def __init__(self, *script: object, full: str = "看清了") -> None:
        super().__init__(*script)  # type: ignore[arg-type]
        self.full = full

    def transcribe(self, batch: Sequence[Speech]) -> list[Transcript]:
        super().transcribe(batch)
        faint = transcript("一三九", no_speech_prob=0.9, avg_logprob=-1.2)
        return [transcript(self.full) if each.effort == "full" else faint for each in batch]
