"""What a session relies on in its call's recorder, tried on the fake and on the one that writes a file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest

from asr.types import Role
from service.calls.ports import Recorder
from service.cli.transcribe import NoRecording
from service.recordings.folder import RecordingFolder
from service.recordings.reader import recorded_audio
from service.recordings.recorder import QUEUED_SECONDS, RecordingThread
from service.recordings.recordings import Unrecorded
from service.recordings.wav import WavForm
from tests.fakes.recorder import FakeRecorder

ROLES: tuple[Role, ...] = ("agent", "customer")
RATE = 8000
SECOND = np.full(RATE, 1000, np.int16)
MISSING = Unrecorded(role="agent", start=1.0, end=2.0 + QUEUED_SECONDS)


class Subject:
    """A recorder, how far it has recorded, and a stretch that goes missing."""

    def __init__(self, recorder: Recorder, reached: Callable[[], int], miss: Callable[[], None]) -> None:
        self.recorder = recorder
        self.reached = reached
        """Blocks: sample frames; once it is closed."""
        self.miss = miss
        """Audio of the agent's second second comes and is not recorded; then some that is."""


Opened: TypeAlias = Callable[[], AbstractAsyncContextManager[Subject]]


@asynccontextmanager
async def file(folder: Path) -> AsyncIterator[Subject]:
    recordings = RecordingFolder(folder)
    async with RecordingThread(recordings, most_queued=0) as thread:
        recorder = thread.open("c-1", ROLES, RATE)

        def reached() -> int:
            found = recorded_audio(recordings, "c-1", WavForm(roles=ROLES, rate=RATE))
            return found.frames if found is not None else 0

        def miss() -> None:
            """More at once than may wait for the disk."""
            too_much = np.full(int((QUEUED_SECONDS + 1) * RATE), 1000, np.int16)
            recorder.write("agent", RATE, too_much)
            recorder.write("agent", RATE + too_much.size, SECOND)

        yield Subject(recorder, reached, miss)


@asynccontextmanager
async def fake(_folder: Path) -> AsyncIterator[Subject]:
    recorder = FakeRecorder()
    yield Subject(
        recorder, lambda: max(recorder.reached.values(), default=0), lambda: recorder.unrecorded.append(MISSING)
    )


@pytest.fixture(params=[fake, file], ids=["fake", "file"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    return lambda: request.param(tmp_path)


@asynccontextmanager
async def of_a_file(_folder: Path) -> AsyncIterator[Subject]:
    """What is recorded already is not recorded again."""
    yield Subject(NoRecording(), lambda: 0, lambda: None)


@pytest.fixture(params=[fake, file, of_a_file], ids=["fake", "file", "transcribe"])
def any_opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    return lambda: request.param(tmp_path)


async def test_at_first_all_is_well(any_opened: Opened) -> None:
    async with any_opened() as subject:
        assert (subject.recorder.failing, subject.recorder.paused) == (False, False)
        assert [*subject.recorder.take_unrecorded()] == []
        await subject.recorder.close()


async def test_a_call_is_recorded_to_its_end_without_trouble(any_opened: Opened) -> None:
    async with any_opened() as subject:
        subject.recorder.write("agent", 0, SECOND)
        await subject.recorder.close()
        await subject.recorder.close()
        assert (subject.recorder.failing, [*subject.recorder.take_unrecorded()]) == (False, [])


async def test_what_came_of_the_longer_leg_is_recorded_when_it_is_closed(opened: Opened) -> None:
    async with opened() as subject:
        for second in range(3):
            subject.recorder.write("agent", second * RATE, SECOND)
        subject.recorder.write("customer", 0, SECOND)
        await subject.recorder.close()
        assert not subject.recorder.failing
        assert await asyncio.to_thread(subject.reached) == 3 * RATE


async def test_what_a_leg_skips_is_recorded_as_silence_and_moves_nothing(opened: Opened) -> None:
    async with opened() as subject:
        subject.recorder.write("agent", 0, SECOND)
        subject.recorder.write("agent", 4 * RATE, SECOND)
        await subject.recorder.close()
        assert await asyncio.to_thread(subject.reached) == 5 * RATE


async def test_a_stretch_that_is_missing_is_told_once(opened: Opened) -> None:
    async with opened() as subject:
        subject.recorder.write("agent", 0, SECOND)
        subject.miss()
        assert [*subject.recorder.take_unrecorded()] == [MISSING]
        assert [*subject.recorder.take_unrecorded()] == []
        await subject.recorder.close()


async def test_nothing_is_recorded_after_the_end_and_a_second_end_is_none(opened: Opened) -> None:
    async with opened() as subject:
        subject.recorder.write("agent", 0, SECOND)
        await subject.recorder.close()
        subject.recorder.write("agent", RATE, SECOND)
        await subject.recorder.close()
        assert await asyncio.to_thread(subject.reached) == RATE
