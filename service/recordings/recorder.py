"""Writes the recordings of all calls, in one thread and in order, beside the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from asr.audio.pcm import Pcm
from asr.lifetime import Lifetime, serving_tasks
from asr.types import Role, Seconds
from service.media.legs import LegAudio
from service.recordings.recordings import RecordingError, Recordings, RecordingWriter, Unrecorded

CYCLE: Seconds = 0.1
"""How often what came is written: fifty packets of 20 ms a second and leg are not worth a system call each."""
CHECKPOINT: Seconds = 1.0
"""How often the disk is made to keep a recording: more than that is lost only if the machine itself goes down."""
QUEUED_SECONDS: Seconds = 30.0
"""Audio of one leg that may wait for a thread that hangs on a slow disk. What comes then is dropped; it is silence
in the recording, and the call goes on."""
QUEUED_BYTES = 64 * 2**20
"""Audio of all calls up to which a leg may have more waiting: after a stall its network brings minutes at once, before
the next cycle. Half an hour of two legs at 8 kHz."""

log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class Queued:
    """Bytes of audio that wait for the thread, of all recordings."""

    most: int = QUEUED_BYTES
    now: int = 0


class CallRecording:
    """One call's recording. `write` never waits; `failing` is True while audio does not reach the disk."""

    def __init__(self, call_id: str, writer: RecordingWriter, rate: int, wake: asyncio.Event, queued: Queued) -> None:
        self._call_id = call_id
        self._writer = writer
        self._rate = rate
        self._wake = wake
        self._all_queued = queued
        self._queued: list[LegAudio] = []
        self._queued_samples: dict[Role, int] = {}
        self._overflowing = False
        self._error: RecordingError | None = None
        self._unqueued: dict[Role, Unrecorded] = {}
        self._unrecorded: list[Unrecorded] = []
        self.paused = False
        """Nothing is recorded, for the disk's last room is not for recordings."""
        self._flushed: list[asyncio.Future[None]] = []
        self._closing = False
        self._closed = asyncio.Event()
        self._checkpoint_due = 0.0

    @property
    def failing(self) -> bool:
        return self._error is not None or self._overflowing

    @property
    def lost(self) -> Seconds:
        """Seconds of audio that were given up because the disk refused them for too long. The recording is silent
        there."""
        return self._writer.lost

    def write(self, role: Role, start: int, pcm: Pcm) -> None:
        """A run of one leg from its sample `start` on."""
        if self._closing:
            return
        if not pcm.any():  # silence costs nothing to keep: that its leg goes on to its end says it all
            start, pcm = start + pcm.size, pcm[:0]
        waiting = self._queued_samples.get(role, 0) + pcm.size
        full = self._all_queued.now + pcm.nbytes > self._all_queued.most
        self._overflowing = full and waiting > QUEUED_SECONDS * self._rate
        if self._overflowing:
            self._leave_out(role, start, start + pcm.size)
            return
        self._queued_samples[role] = waiting
        self._all_queued.now += pcm.nbytes
        self._queued.append(LegAudio(role=role, start=start, rate=self._rate, pcm=pcm))
        if role in self._unqueued:
            self._unrecorded.append(self._unqueued.pop(role))

    def take_unrecorded(self) -> list[Unrecorded]:
        """Stretches that are missing in the recording and have come to their end since last asked."""
        taken, self._unrecorded = self._unrecorded, []
        return taken

    def _leave_out(self, role: Role, start: int, end: int) -> None:
        begun = self._unqueued.get(role)
        first = start / self._rate if begun is None else begun.start
        self._unqueued[role] = Unrecorded(role=role, start=first, end=end / self._rate)

    async def flush(self) -> None:
        """Returns when everything written so far was tried to be saved; `failing` tells how that went."""
        if self._closed.is_set():
            return
        done = asyncio.get_running_loop().create_future()
        self._flushed.append(done)
        self._wake.set()
        await done

    async def close(self) -> None:
        """Write what is left and let go of the file; what the disk refuses now is lost."""
        self._closing = True
        self._wake.set()
        await self._closed.wait()

    def begin_closing(self) -> None:
        """`close` without the wait."""
        self._closing = True

    def take(self, now: Seconds, *, paused: bool) -> _Batch:
        """The thread's work for this recording in this cycle."""
        flushing = bool(self._flushed) or self._closing
        batch = _Batch(
            recording=self,
            writer=self._writer,
            pieces=self._queued,
            checkpoint=flushing or now >= self._checkpoint_due,
            close=self._closing,
            paused=paused,
            flushed=self._flushed,
        )
        if batch.checkpoint:
            self._checkpoint_due = now + CHECKPOINT
        self._queued, self._queued_samples, self._flushed = [], {}, []
        return batch

    def settle(self, batch: _Batch, done: _Done) -> None:
        """The thread is done with the batch."""
        error, self.paused = done.error, batch.paused
        self._all_queued.now -= sum(piece.pcm.nbytes for piece in batch.pieces)
        self._unrecorded += done.unrecorded
        if error is not None and self._error is None:
            log.error("recording failing", call_id=self._call_id, error=str(error))
        if error is None and self._error is not None:
            log.info("recording recovered", call_id=self._call_id, lost_seconds=round(self.lost, 1))
        self._error = error
        for waiting in batch.flushed:
            if not waiting.done():
                waiting.set_result(None)
        if batch.close:
            self._unrecorded += self._unqueued.values()
            self._closed.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """One recording's work in one cycle."""

    recording: CallRecording
    writer: RecordingWriter
    pieces: Sequence[LegAudio]
    checkpoint: bool
    close: bool
    paused: bool
    flushed: Sequence[asyncio.Future[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """The result of that work."""

    error: RecordingError | None
    unrecorded: Sequence[Unrecorded]


class RecordingThread(Lifetime):
    """Use as an async context manager around all calls: leaving it closes what is open."""

    def __init__(self, recordings: Recordings, *, most_queued: int = QUEUED_BYTES) -> None:
        self._recordings = recordings
        self._queued = Queued(most=most_queued)
        self._open: list[CallRecording] = []
        self._wake = asyncio.Event()
        self._stopping = False
        self._paused = False

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None, None]:
        """What comes is written. At the end every recording is closed."""
        async with serving_tasks(self._stop) as tasks:
            tasks.create_task(self._run())
            yield

    def _stop(self) -> None:
        for recording in self._open:
            recording.begin_closing()
        self._stopping = True
        self._wake.set()

    def open(self, call_id: str, roles: Sequence[Role], rate: int, *, resume_at: int | None = None) -> CallRecording:
        """Begin a call's recording, or go on with it at a sample frame. Touches no disk yet."""
        writer = self._recordings.writer(call_id, roles, rate, resume_at=resume_at)
        recording = CallRecording(call_id, writer, rate, self._wake, self._queued)
        self._open.append(recording)
        self._wake.set()
        return recording

    def pause(self, paused: bool) -> None:
        """Leave the disk alone from the next cycle on, or use it again."""
        self._paused = paused

    async def _run(self) -> None:
        thread = ThreadPoolExecutor(1, thread_name_prefix="recordings")
        try:
            while self._open or not self._stopping:
                await self._rest()
                await self._cycle(thread)
        finally:
            thread.shutdown(wait=False)  # it is idle, or this task was cancelled and may not block the event loop

    async def _cycle(self, thread: ThreadPoolExecutor) -> None:
        now = time.monotonic()
        batches = [recording.take(now, paused=self._paused) for recording in self._open]
        results = await asyncio.get_running_loop().run_in_executor(thread, _work, batches)
        for batch, done in zip(batches, results, strict=True):
            batch.recording.settle(batch, done)
        closed = {batch.recording for batch in batches if batch.close}
        self._open = [recording for recording in self._open if recording not in closed]

    async def _rest(self) -> None:
        """Until the next cycle, or until someone waits for it."""
        try:
            async with asyncio.timeout(CYCLE if self._open else None):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()


def _work(batches: Sequence[_Batch]) -> list[_Done]:
    """Does the work of each recording's batch, in the thread, and returns the results."""
    return [_work_on(batch) for batch in batches]


def _work_on(batch: _Batch) -> _Done:
    for piece in batch.pieces:
        batch.writer.write(piece.role, piece.start, piece.pcm)
    error = None
    try:
        _save(batch)
    except RecordingError as failure:
        error = failure
    ended = batch.close or not (batch.paused or error)
    return _Done(error=error, unrecorded=batch.writer.take_unrecorded(ended=ended))


def _save(batch: _Batch) -> None:
    if batch.close:
        batch.writer.close(skip=batch.paused)
    elif batch.paused:
        batch.writer.skip()
    elif batch.checkpoint:
        batch.writer.checkpoint()
    else:
        batch.writer.save()
