"""An engine that does what a test tells it to; the recogniser above it is real."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from asr.engines.port import RecognitionFailed, Speech
from asr.types import Transcript, Word
from tests.stretches import transcript

Step = Callable[[Sequence[Speech]], None]


class FakeEngine:
    """Says how long each stretch is (`第1.50秒`), or what `says` makes of a batch, after the next step of its script
    has run in the worker's thread."""

    def __init__(
        self, *script: Step, workers: int = 1, says: Callable[[Sequence[Speech]], list[Transcript]] | None = None
    ) -> None:
        self._script = deque(script)
        self._says = says or (lambda batch: [length_of(each) for each in batch])
        self._busy = threading.Semaphore(workers)
        self.workers = workers
        self.batches: list[list[Speech]] = []
        self.closed = False

    @property
    def name(self) -> str:
        return "scripted"

    def transcribe(self, batch: Sequence[Speech]) -> list[Transcript]:
        assert not self.closed
        assert self._busy.acquire(blocking=False), "more threads than workers"
        try:
            self.batches.append(list(batch))
            if self._script:
                self._script.popleft()(batch)
            return self._says(batch)
        finally:
            self._busy.release()

    def come_back(self) -> None:
        """Blocks until one of the workers is free."""
        assert self._busy.acquire(timeout=10)
        self._busy.release()

    def close(self) -> None:
        self.closed = True


def length_of(stretch: Speech) -> Transcript:
    """What is said of a stretch: how long it is, or of a given text that it was all of it."""
    seconds = stretch.seconds
    text = f"第{seconds:.2f}秒" if stretch.language != "en" else f"second {seconds:.2f}"
    if stretch.text is not None:
        words = (Word(text=stretch.text, start=0.0, end=seconds, probability=0.9),)
        return transcript(stretch.text, language=stretch.language or "zh", words=words)
    return transcript(text, language=stretch.language or "zh", tokens=4)


def fails(_batch: Sequence[Speech]) -> None:
    """The engine reports that it could not decode the batch."""
    raise RecognitionFailed("scripted failure")


def fails_on_batches(batch: Sequence[Speech]) -> None:
    """Only single items work."""
    if len(batch) > 1:
        raise RecognitionFailed("scripted failure of a batch")


class Gate:
    """Holds the engine until the test opens it; `reached` tells that the engine waits."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._open = threading.Event()

    def __call__(self, _batch: Sequence[Speech]) -> None:
        self.reached.set()
        assert self._open.wait(timeout=15)

    def open(self) -> None:
        self._open.set()


_SECOND = ("careful", "full")
"""The efforts of a second look."""


class DoubtingEngine(FakeEngine):
    """In doubt about stretches of two seconds until it looks again; fails then with `breaks`."""

    def __init__(self, *script: Step, breaks: bool = False, workers: int = 1) -> None:
        super().__init__(*script, workers=workers)
        self.breaks = breaks

    def transcribe(self, batch: Sequence[Speech]) -> list[Transcript]:
        if self.breaks and any(each.effort in _SECOND for each in batch):
            raise RecognitionFailed("scripted failure of a second look")
        heard = super().transcribe(batch)
        return [
            transcript("看清了") if each.effort in _SECOND else replace(said, doubtful=each.seconds == 2.0)
            for each, said in zip(batch, heard, strict=True)
        ]


class FaintEngine(FakeEngine):
    """Hears what the hallucination filter takes for nobody's words, until it gives all it has."""

    def __init__(self, *script: Step, full: str = "看清了") -> None:
        super().__init__(*script)
        self.full = full

    def transcribe(self, batch: Sequence[Speech]) -> list[Transcript]:
        super().transcribe(batch)
        faint = transcript("一三九", no_speech_prob=0.9, avg_logprob=-1.2)
        return [transcript(self.full) if each.effort == "full" else faint for each in batch]
