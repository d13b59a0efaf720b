"""Recognition for all calls: one queue a leg, batches across calls, one engine, off the event loop.

Order of service: finals before partials, oldest deadline first, but a leg's next utterance only once every other
waiting leg has had its turn in the batch (round robin), so that no call starves. Results of a leg come in its order.
Finals are never dropped: when the engine fails a batch, each item is tried once more alone, and only then does its
future get RecognitionFailed. Partials are shed as the backlog grows.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from asr.audio import SAMPLE_RATE
from asr.engine import Engine, RecognitionFailed, Speech
from asr.guard import judge
from asr.offload import in_thread
from asr.text import normalise
from asr.types import Role, Seconds, Transcript

Leg: TypeAlias = tuple[str, Role]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One stretch of a leg's speech. `seq` counts within the leg; `deadline` is on the scheduler's clock."""

    call_id: str
    role: Role
    seq: int
    speech: Speech
    final: bool
    deadline: float

    @property
    def seconds(self) -> Seconds:
        return len(self.speech.pcm) / SAMPLE_RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """What was said: `text` as it is stored and shown, and the transcript it comes from."""

    text: str
    transcript: Transcript


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerLimits:
    """`batch` items at most are decoded together: past 8 a batch gains little and its first item waits for its last.
    `batch_seconds` bounds their speech. Partials are shed while more than `shed_above` seconds wait. An engine that
    has not answered for `hang_seconds` counts as hanging."""

    batch: int = 8
    batch_seconds: Seconds = 40.0
    shed_above: Seconds = 8.0
    hang_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerCounts:
    """Since the start; for metrics and benchmarks."""

    batches: int = 0
    finals: int = 0
    speech_seconds: Seconds = 0.0
    redecoded: int = 0
    refused: int = 0
    guarded: int = 0
    failures: int = 0
    shed: int = 0
    hangs: int = 0


@dataclass(slots=True, eq=False)
class _Waiting:
    job: Job
    result: asyncio.Future[Recognised | None] = field(repr=False)


class Agenda:
    """Who is next. Plain: jobs in, batches out."""

    def __init__(self, limits: SchedulerLimits) -> None:
        self._limits = limits
        self._legs: dict[Leg, deque[_Waiting]] = {}
        self.seconds: Seconds = 0.0

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._legs.values())

    def add(self, waiting: _Waiting) -> None:
        job = waiting.job
        self._legs.setdefault((job.call_id, job.role), deque()).append(waiting)
        self.seconds += job.seconds

    def withdraw(self, call_id: str) -> list[_Waiting]:
        """Take out everything of a call."""
        gone = [leg for leg in self._legs if leg[0] == call_id]
        out = [waiting for leg in gone for waiting in self._legs.pop(leg)]
        self.seconds = self.seconds - sum(w.job.seconds for w in out) if self._legs else 0.0
        return out

    def shed(self) -> list[_Waiting]:
        """Take out every partial, if too much waits."""
        if self.seconds <= self._limits.shed_above:
            return []
        out: list[_Waiting] = []
        for leg, queue in list(self._legs.items()):
            out += [waiting for waiting in queue if not waiting.job.final]
            self._keep(leg, deque(waiting for waiting in queue if waiting.job.final))
        self.seconds -= sum(waiting.job.seconds for waiting in out)
        return out

    def next_batch(self) -> list[_Waiting]:
        """The most urgent job and those that fit beside it: one of each leg first, then second ones, and so on."""
        batch: list[_Waiting] = []
        seconds: Seconds = 0.0
        for waiting in self._in_turn():
            if batch and (
                len(batch) == self._limits.batch or seconds + waiting.job.seconds > self._limits.batch_seconds
            ):
                break
            batch.append(waiting)
            seconds += waiting.job.seconds
        for waiting in batch:
            leg = (waiting.job.call_id, waiting.job.role)
            self._legs[leg].remove(waiting)
            self._keep(leg, self._legs[leg])
        self.seconds = self.seconds - seconds if self._legs else 0.0
        return batch

    def _in_turn(self) -> list[_Waiting]:
        rounds = [
            (not waiting.job.final, depth, waiting.job.deadline, waiting)
            for queue in self._legs.values()
            for depth, waiting in enumerate(queue)
        ]
        return [entry[3] for entry in sorted(rounds, key=lambda entry: entry[:3])]

    def _keep(self, leg: Leg, queue: deque[_Waiting]) -> None:
        if queue:
            self._legs[leg] = queue
        else:
            del self._legs[leg]


class Scheduler:
    """The engine's only user. Use as an async context manager; leaving it fails what still waits.

    `second_opinion` is asked before an utterance costs recognition time: False means that nobody speaks in it.
    A hanging engine: its batch fails after `hang_seconds`, and the next batch is tried in a new thread beside it.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        second_opinion: Callable[[NDArray[np.float32]], bool],
        limits: SchedulerLimits | None = None,
    ) -> None:
        self._engine = engine
        self._opinion = second_opinion
        self._limits = limits or SchedulerLimits()
        self._agenda = Agenda(self._limits)
        self._wake = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        self._running: asyncio.Task[None] | None = None
        self._working: Seconds = 0.0
        self.counts = SchedulerCounts()

    @property
    def backlog_seconds(self) -> Seconds:
        """Speech that waits or is being recognised."""
        return self._agenda.seconds + self._working

    @property
    def overloaded(self) -> bool:
        """More waits than is good for partials."""
        return self.backlog_seconds > self._limits.shed_above

    async def __aenter__(self) -> Scheduler:
        await self._tasks.__aenter__()
        self._running = self._tasks.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._running is not None
        self._running.cancel()
        await self._tasks.__aexit__(None, None, None)
        while batch := self._agenda.next_batch():
            for waiting in batch:
                waiting.result.cancel()

    def submit(self, job: Job) -> asyncio.Future[Recognised | None]:
        """The text of a stretch of speech; None where nobody speaks, or (a partial) where there is no time for it.

        The future raises RecognitionFailed when the engine could not do it.
        """
        result: asyncio.Future[Recognised | None] = asyncio.get_running_loop().create_future()
        self._agenda.add(_Waiting(job=job, result=result))
        shed = self._agenda.shed()
        self._count(shed=len(shed))
        for waiting in shed:
            _settle(waiting, None)
        self._wake.set()
        return result

    def withdraw(self, call_id: str) -> None:
        """Nobody waits for this call's results any more."""
        for waiting in self._agenda.withdraw(call_id):
            waiting.result.cancel()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while batch := self._agenda.next_batch():
                self._working = sum(waiting.job.seconds for waiting in batch)
                await self._recognise(batch)
                self._working = 0.0

    async def _recognise(self, batch: list[_Waiting]) -> None:
        self._count(batches=1, finals=sum(waiting.job.final for waiting in batch), speech_seconds=self._working)
        speaking = await self._ask_opinion(batch)
        if not speaking:
            return
        outcome = await self._decode(speaking)
        if isinstance(outcome, RecognitionFailed) and len(speaking) > 1 and not isinstance(outcome, _Hanging):
            for waiting in speaking:
                self._deliver([waiting], await self._decode([waiting]))
        else:
            self._deliver(speaking, outcome)

    async def _ask_opinion(self, batch: list[_Waiting]) -> list[_Waiting]:
        verdicts = await in_thread(
            lambda: [self._opinion(waiting.job.speech.pcm) for waiting in batch], "second opinion"
        )
        silent = [waiting for waiting, speaks in zip(batch, verdicts, strict=True) if not speaks]
        self._count(refused=len(silent))
        for waiting in silent:
            _settle(waiting, None)
        return [waiting for waiting, speaks in zip(batch, verdicts, strict=True) if speaks]

    async def _decode(self, batch: Sequence[_Waiting]) -> list[Transcript] | RecognitionFailed:
        speeches = [waiting.job.speech for waiting in batch]
        try:
            async with asyncio.timeout(self._limits.hang_seconds):
                return await in_thread(lambda: self._engine.transcribe(speeches), "recognition")
        except TimeoutError:
            self._count(hangs=1)
            return _Hanging(f"{self._engine.name} has not answered for {self._limits.hang_seconds:g} s")
        except RecognitionFailed as failure:
            return failure

    def _deliver(self, batch: Sequence[_Waiting], outcome: list[Transcript] | RecognitionFailed) -> None:
        if isinstance(outcome, RecognitionFailed):
            self._count(failures=len(batch))
            for waiting in batch:
                _fail(waiting, outcome)
            return
        for waiting, transcript in zip(batch, outcome, strict=True):
            _settle(waiting, self._judged(waiting.job, transcript))

    def _judged(self, job: Job, transcript: Transcript) -> Recognised | None:
        self._count(redecoded=int(transcript.redecoded))
        verdict = judge(transcript, job.seconds, job.speech.prompt)
        text = normalise(verdict.text, transcript.language) if verdict.text else ""
        if not text:
            self._count(guarded=int(verdict.reason != "empty"))
            return None
        return Recognised(text=text, transcript=transcript)

    def _count(self, **more: float) -> None:
        grown = {name: getattr(self.counts, name) + amount for name, amount in more.items()}
        self.counts = replace(self.counts, **grown)


class _Hanging(RecognitionFailed):
    """The engine did not answer in time: trying its items alone would only hang again."""


def _settle(waiting: _Waiting, recognised: Recognised | None) -> None:
    if not waiting.result.done():
        waiting.result.set_result(recognised)


def _fail(waiting: _Waiting, failure: RecognitionFailed) -> None:
    if not waiting.result.done():
        waiting.result.set_exception(failure)
