"""Recordings through the stages of a live call, each into the store as a whole or not at all.

A call's facts are kept until all of it is known and then stored in one transaction; its recording is written aside and
moved into its place just before. So whatever ends the process leaves no half call behind, and a call that the store
knows is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal, Protocol
from weakref import WeakValueDictionary

import structlog

from asr.audio.pcm import SAMPLE_BYTES
from asr.recognition.recogniser import BatchRecogniser
from asr.types import Seconds
from detectors.contract import EarlierContact
from detectors.runtime.registry import Registry
from detectors.runtime.runner import ThreadedDetectorRunner
from service.audio_files.call import CallFile
from service.audio_files.reader import AudioUnusable
from service.calls.earlier_calls import history_of
from service.calls.opened_call import opened_call
from service.calls.session import CallSession
from service.calls.session_parts import SessionLimits, SessionParts, context_of
from service.importing.listing import RecordedCall
from service.importing.playing import PACKET, UNBOUNDED_PACE, FileClock, Unwatched, played
from service.ingest.events import CallAnnounced
from service.ingest.source import Source
from service.metrics import Metrics
from service.record.facts import AlertRaised, Call, CallClosed, Fact, GapMarked
from service.recordings.folder import RecordingFolder
from service.recordings.recorder import CallRecording, RecordingThread
from service.recordings.wav import MOST_DATA_BYTES
from service.settings import Settings
from service.storage.port import CallStore, NotFound, StorageError
from service.unusable import Unusable, told

log = structlog.get_logger()

SOURCE: Final = Source(name="import")
"""What calls show of where they came from."""
DATED_BY_FILE: Final = "started_at_from"
"""Metadata of a call whose start is known only from its file's age."""
DETECTOR_SECONDS: Final[Seconds] = 30.0
"""A detector gets so long, because nobody waits for it and all cores are at work."""
_LIMITS: Final = SessionLimits(words_within=60.0, recording_within=60.0)
_FLUSH_EVERY: Final[Seconds] = 10.0
"""The recording is flushed every so many seconds of audio. A file is read much faster than a disk writes, and a
recording's queue holds 30 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOutcome:
    """The result of importing a file. `skipped`: the store had its call. `reason`: why it was refused."""

    kind: Literal["taken", "skipped", "refused"]
    reason: str = ""


class Watcher(Protocol):
    """Is told about the progress of an import."""

    def begun(self, call: RecordedCall, seconds: Seconds | None) -> None:
        """A file of `seconds` is being read; None if its length is not known."""
        ...

    def progressed(self, call: RecordedCall, at: Seconds) -> None:
        """The file has been read up to `at`."""
        ...

    def ended(self, call: RecordedCall, outcome: FileOutcome) -> None:
        """The file is done."""
        ...


class _Refused(Exception):
    """The reason why a file is not taken."""


@dataclass(slots=True)
class KeptFacts:
    """A journal that keeps a call's facts. What they tell of its time is of the call, not of when its file was read."""

    began: datetime
    facts: list[Fact] = field(default_factory=list[Fact])
    failing: bool = False

    async def write(self, call_id: str, facts: Sequence[Fact], at: datetime) -> None:
        self.facts += [self._of_the_call(fact) for fact in facts]

    def finished(self, call_id: str) -> None:
        return

    def _of_the_call(self, fact: Fact) -> Fact:
        match fact:
            case AlertRaised(alert=alert):
                return replace(fact, alert=replace(alert, latency=0.0))  # nobody waited for it
            case CallClosed(duration=duration):
                return replace(fact, ended_at=self.began + timedelta(seconds=duration))
            case _:
                return fact


_SAME_START: Final = timedelta(minutes=5)
"""A list's clock is not the gateway's, and a call that was live begins when it is taken."""


class Importer:
    """Takes recordings in, several at a time if asked to; those of one customer one after another, for the earlier
    calls count. Everything it works with is running, and `aside` is a folder of its own on the disk of `recordings`."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: CallStore,
        registry: Registry,
        recogniser: BatchRecogniser,
        recordings: RecordingFolder,
        aside: RecordingFolder,
        recorder: RecordingThread,
        wall: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._store = store
        self._registry = registry
        self._recogniser = recogniser
        self._recordings = recordings
        self._aside = aside
        self._recorder = recorder
        self._wall = wall
        self._metrics = Metrics()
        self._customers: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def take_all(self, calls: Iterable[RecordedCall], at_once: int, watcher: Watcher) -> None:
        """The oldest call first. Raises StorageError, and Unusable where recordings cannot be written."""
        dated = await asyncio.to_thread(lambda: sorted(calls, key=_began_about))
        waiting = iter(dated)

        async def worker() -> None:
            for call in waiting:
                watcher.ended(call, await self.take(call, watcher))

        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(at_once):
                    workers.create_task(worker())
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def take(self, call: RecordedCall, watcher: Watcher) -> FileOutcome:
        """Raises as `take_all` does; the file is whole in the store then, or not at all."""
        announced = call.announced
        async with self._customers.setdefault(announced.customer or announced.call_id, asyncio.Lock()):
            if (stored := await self._stored(announced.call_id)) is not None:
                return _known(announced, stored)
            try:
                await self._take(call, watcher)
            except (AudioUnusable, _Refused) as refused:
                return FileOutcome(kind="refused", reason=str(refused).removeprefix(f"{call.file.path}: "))
            finally:
                await asyncio.to_thread(self._aside.discard, announced.call_id)
        return FileOutcome(kind="taken")

    async def _stored(self, call_id: str) -> Call | None:
        try:
            return (await self._store.summary(call_id)).call
        except NotFound:
            return None

    async def _take(self, call: RecordedCall, watcher: Watcher) -> None:
        with await asyncio.to_thread(CallFile, call.file.path, mono=True) as audio:
            announced = await asyncio.to_thread(_as_recorded, call, audio)
            watcher.begun(call, audio.seconds)
            facts = await self._processed(call, announced, audio, watcher)
            if audio.shortfall:
                raise _Refused(audio.shortfall)
        unread = sum(isinstance(fact, GapMarked) and fact.reason == "unrecognised" for fact in facts)
        if unread:
            raise _Refused(f"{unread} stretches of speech could not be recognised")
        try:
            await asyncio.to_thread(self._aside.hand_over, announced.call_id, self._recordings)
        except OSError as problem:
            raise Unusable(f"recordings folder: {told(problem, self._settings.recordings_dir)}") from problem
        await self._store.append(announced.call_id, facts, self._wall())

    async def _processed(
        self, call: RecordedCall, announced: CallAnnounced, audio: CallFile, watcher: Watcher
    ) -> list[Fact]:
        """Every fact of the call, its recording closed."""
        assert announced.started_at is not None
        opened, notices = opened_call(announced.call_id, announced, SOURCE, self._settings, self._wall())
        journal, clock = KeptFacts(announced.started_at), FileClock()
        recording = self._recorder.open(opened.id, opened.roles, opened.rate)
        parts = self._parts(opened, journal, clock, recording, await history_of(self._store, opened))
        session = CallSession(opened, parts)
        for notice in notices:
            session.tell(notice)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(session.run())
                async for at in played(audio, session, clock):
                    watcher.progressed(call, at)
                    await self._keep_up(recording, at)
                session.finish("completed")
        except ExceptionGroup as failed:
            raise _cause(failed, opened) from failed
        self._check(recording)
        return journal.facts

    async def _keep_up(self, recording: CallRecording, at: Seconds) -> None:
        """Wait for the disk as often as the recording needs it."""
        if at % _FLUSH_EVERY < PACKET:
            await recording.flush()
            self._check(recording)

    def _check(self, recording: CallRecording) -> None:
        if recording.failing or recording.lost:
            raise Unusable(f"recordings cannot be written to {self._settings.data_dir}: make room there")

    def _parts(
        self,
        call: Call,
        journal: KeptFacts,
        clock: FileClock,
        recording: CallRecording,
        history: tuple[EarlierContact, ...] | None,
    ) -> SessionParts:
        detectors = self._registry.open(context_of(call, history))
        return SessionParts(
            journal=journal,
            display=Unwatched(),
            recogniser=self._recogniser,
            detectors=ThreadedDetectorRunner(detectors, timeout_s=DETECTOR_SECONDS, encoder=self._registry.encoder),
            recorder=recording,
            metrics=self._metrics,
            monotonic=clock.monotonic,
            wall=self._wall,
            max_pace=UNBOUNDED_PACE,
            biasing=self._registry.biasing(call.jurisdiction, self._settings.own_terms),
            pack=self._registry.pack,
            partials=False,
            limits=_LIMITS,
        )


def _known(announced: CallAnnounced, stored: Call) -> FileOutcome:
    """Whether the stored call of this id is the file's own call. Files of another folder may have the same names."""
    begun = announced.started_at
    if begun is None or abs(begun - stored.started_at) <= _SAME_START:
        return FileOutcome(kind="skipped")
    other = f"{stored.id} of {stored.started_at.isoformat(sep=' ', timespec='seconds')}"
    return FileOutcome(kind="refused", reason=f"another call is stored as {other}; give this one an id in the list")


def _cause(failed: ExceptionGroup[Exception], call: Call) -> Exception:
    """The failure of one call. What would fail all calls is raised."""
    first = failed.exceptions[0]
    if isinstance(first, Unusable | StorageError):
        return first
    log.error("call session failed", call_id=call.id, exc_info=failed)
    return _Refused("the call's session failed; the log tells why")


def _as_recorded(call: RecordedCall, audio: CallFile) -> CallAnnounced:
    """The call, with the audio form of its file. Blocks. Raises _Refused."""
    announced = replace(call.announced, rate=audio.rate)
    if audio.channels == 1:
        if call.party is None:
            raise _Refused(
                "has one channel, in which nobody can tell who speaks; say whose words it holds with --party agent or"
                " --party customer, or in the list's column party"
            )
        announced = replace(announced, roles=(call.party,))
    if SAMPLE_BYTES * audio.channels * audio.rate * (audio.seconds or 0.0) > MOST_DATA_BYTES:
        raise _Refused(f"lasts {audio.seconds:.0f} s, longer than a recording can be")
    if announced.started_at is None:
        began = _changed_at(call.file.path) - timedelta(seconds=audio.seconds or 0.0)
        announced = replace(announced, started_at=began, metadata={**announced.metadata, DATED_BY_FILE: "file"})
    return announced


def _began_about(call: RecordedCall) -> datetime:
    return call.announced.started_at or _changed_at(call.file.path)


def _changed_at(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:  # whoever opens it tells why
        return datetime.now(UTC)
