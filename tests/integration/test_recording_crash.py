"""Recordings against a real disk: killed writers, full disks, many calls at once."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import structlog

from asr.audio.pcm import Pcm
from asr.types import Role
from service.recordings.folder import RecordingFolder
from service.recordings.recorder import QUEUED_SECONDS, CallRecording, RecordingThread
from service.recordings.recordings import Unrecorded
from tests.small_disk import SmallDisk, own_disk, unmount
from tests.small_disk import mounted as mount
from tests.small_disk import small_disk as a_small_disk

BOTH: tuple[Role, ...] = ("agent", "customer")
RATE = 8000
FRAME = 160


def ramp(begin: int, end: int, sign: int = 1) -> Pcm:
    return (sign * (np.arange(begin, end) % 30_000 + 1)).astype(np.int16)


def speak(recording: CallRecording, begin: int, end: int) -> None:
    """Both legs from sample `begin` to `end`, in packets."""
    for start in range(begin, end, FRAME):
        recording.write("agent", start, ramp(start, start + FRAME))
        recording.write("customer", start, ramp(start, start + FRAME, -1))


def read(path: Path) -> list[list[int]]:
    frames, rate = soundfile.read(path, dtype="int16", always_2d=True)
    assert rate == RATE
    return [[int(sample) for sample in leg] for leg in frames.T]


LIVE_CALL = """
import asyncio, sys, time
from pathlib import Path
import numpy as np
from service.recordings.recorder import RecordingThread
from service.recordings.recordings import Unrecorded
from service.recordings.folder import RecordingFolder

async def main() -> None:
    async with RecordingThread(RecordingFolder(Path(sys.argv[1]))) as thread:
        recording = thread.open("killed", ("agent", "customer"), 8000)
        begun = time.monotonic()
        for start in range(0, 8000 * 3600, 160):
            pcm = (np.arange(start, start + 160) % 30_000 + 1).astype(np.int16)
            recording.write("agent", start, pcm)
            recording.write("customer", start, -pcm)
            print(start + 160, flush=True)
            await asyncio.sleep(max(0.0, (start + 160) / 8000 - (time.monotonic() - begun)))

asyncio.run(main())
"""


def test_a_kill_loses_at_most_the_last_second_and_the_file_still_plays(tmp_path: Path) -> None:
    """Tried again where a disk made the recording wait just then."""
    assert any(lost_by_a_kill(tmp_path / name) <= RATE for name in ("first", "second", "third"))


def lost_by_a_kill(folder: Path) -> int:
    """How many samples of a live call its recording does not have; what it has is checked."""
    folder.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", LIVE_CALL, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as caller:
        assert caller.stdout is not None
        spoken = 0
        while spoken < 2.5 * RATE:
            spoken = int(caller.stdout.readline())
        caller.send_signal(signal.SIGKILL)
        spoken = max([spoken, *(int(line) for line in caller.stdout)])

    agent, customer = read(folder / "killed.wav")
    assert agent == ramp(0, len(agent)).tolist()
    assert customer == ramp(0, len(customer), -1).tolist()
    return spoken - len(agent)


async def test_after_a_kill_the_same_call_goes_on_in_the_same_file(tmp_path: Path) -> None:
    folder = RecordingFolder(tmp_path)
    killed = folder.writer("c-1", BOTH, RATE)
    killed.write("agent", 0, ramp(0, 800))
    killed.write("customer", 0, ramp(0, 800, -1))
    await asyncio.to_thread(killed.save)  # and never closed

    async with RecordingThread(folder) as thread:
        recording = thread.open("c-1", BOTH, RATE, resume_at=800)
        speak(recording, 1600, 2400)
        await recording.close()

    agent, customer = read(tmp_path / "c-1.wav")
    assert agent == [*ramp(0, 800).tolist(), *[0] * 800, *ramp(1600, 2400).tolist()]
    assert customer == [*ramp(0, 800, -1).tolist(), *[0] * 800, *ramp(1600, 2400, -1).tolist()]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    yield from a_small_disk(tmp_path, 40 * 1024)


async def test_a_disk_that_was_full_for_a_while_loses_nothing(small_disk: SmallDisk) -> None:
    folder = RecordingFolder(small_disk.folder)
    with structlog.testing.capture_logs() as logs:
        async with RecordingThread(folder) as thread:
            recording = thread.open("c-1", BOTH, RATE)
            speak(recording, 0, 800)
            await recording.flush()
            assert not recording.failing
            for second in range(10):
                speak(recording, 800 + second * RATE, 800 + (second + 1) * RATE)
                await recording.flush()
            assert recording.failing
            playable = len(read(small_disk.folder / "c-1.wav")[0])
            small_disk.heal()
            speak(recording, 800 + 10 * RATE, 800 + 11 * RATE)
            await recording.flush()
            assert not recording.failing
            await recording.close()

    assert 800 <= playable < 800 + 10 * RATE
    assert [entry["event"] for entry in logs] == ["recording failing", "recording recovered"]
    agent, customer = read(small_disk.folder / "c-1.wav")
    assert agent == ramp(0, 800 + 11 * RATE).tolist()
    assert customer == ramp(0, 800 + 11 * RATE, -1).tolist()
    assert recording.lost == 0


async def test_a_disk_that_was_full_for_long_leaves_silence_of_the_same_length(small_disk: SmallDisk) -> None:
    folder = RecordingFolder(small_disk.folder)
    async with RecordingThread(folder) as thread:
        recording = thread.open("c-1", BOTH, RATE)
        for second in range(40):
            speak(recording, second * RATE, (second + 1) * RATE)
            await recording.flush()
        small_disk.heal()
        speak(recording, 40 * RATE, 41 * RATE)
        await recording.close()

    agent, customer = read(small_disk.folder / "c-1.wav")
    assert len(agent) == len(customer) == 41 * RATE
    assert recording.lost == 9  # the first second found room, the last thirty were kept
    silent = agent.index(0)
    assert agent[:silent] == ramp(0, silent).tolist()
    assert not any(agent[silent : 10 * RATE])
    assert agent[10 * RATE :] == ramp(10 * RATE, 41 * RATE).tolist()
    assert customer[10 * RATE :] == ramp(10 * RATE, 41 * RATE, -1).tolist()


async def test_a_call_that_ends_on_a_full_disk_ends(small_disk: SmallDisk) -> None:
    folder = RecordingFolder(small_disk.folder)
    async with RecordingThread(folder) as thread:
        recording = thread.open("c-1", BOTH, RATE)
        speak(recording, 0, 10 * RATE)
        await recording.close()
        assert recording.failing
        assert recording.lost > 0
        await recording.close()
        await recording.flush()


async def test_many_calls_are_recorded_side_by_side(tmp_path: Path) -> None:
    folder = RecordingFolder(tmp_path)
    async with RecordingThread(folder) as thread:
        recordings = [thread.open(f"c-{n}", BOTH, RATE) for n in range(20)]
        for begin in range(0, 8000, 800):
            for recording in recordings:
                speak(recording, begin, begin + 800)
            await asyncio.sleep(0)
        await asyncio.gather(*(recording.close() for recording in recordings))
    for n in range(20):
        assert read(tmp_path / f"c-{n}.wav") == [ramp(0, 8000).tolist(), ramp(0, 8000, -1).tolist()]


async def test_leaving_the_thread_closes_what_is_open(tmp_path: Path) -> None:
    folder = RecordingFolder(tmp_path)
    async with RecordingThread(folder) as thread:
        recording = thread.open("c-1", BOTH, RATE)
        speak(recording, 0, 800)
    assert read(tmp_path / "c-1.wav")[0] == ramp(0, 800).tolist()
    await recording.close()
    recording.write("agent", 800, ramp(800, 960))


async def test_what_a_stalled_network_brings_at_once_is_recorded(tmp_path: Path) -> None:
    """Far more than the thread takes in one cycle; of two calls, for their network is one."""
    async with RecordingThread(RecordingFolder(tmp_path)) as thread:
        recordings = [thread.open(call_id, BOTH, RATE) for call_id in ("c-1", "c-2")]
        for second in range(300):
            for recording in recordings:
                speak(recording, second * RATE, (second + 1) * RATE)
        assert not any(recording.failing for recording in recordings)
    assert [soundfile.info(tmp_path / f"{name}.wav").frames for name in ("c-1", "c-2")] == [300 * RATE] * 2


async def test_a_hanging_disk_drops_audio_and_an_hour_of_silence_does_not(tmp_path: Path) -> None:
    folder = RecordingFolder(tmp_path)
    async with RecordingThread(folder, most_queued=int(QUEUED_SECONDS) * RATE * 2) as thread:
        quiet = thread.open("quiet", ("agent",), RATE)
        for second in range(600):
            quiet.write("agent", second * RATE, np.zeros(RATE, np.int16))
        quiet.write("agent", 600 * RATE, ramp(0, 160))
        assert not quiet.failing

        loud = thread.open("loud", ("agent",), RATE)
        for second in range(int(QUEUED_SECONDS) + 5):  # never letting the thread's turn come, as a hanging disk would
            loud.write("agent", second * RATE, ramp(0, RATE))
        assert loud.failing
        await loud.flush()
        loud.write("agent", 40 * RATE, ramp(0, 160))
        assert not loud.failing

    assert soundfile.info(tmp_path / "quiet.wav").frames == 600 * RATE + 160
    [agent] = read(tmp_path / "loud.wav")
    assert len(agent) == 40 * RATE + 160
    assert not any(agent[30 * RATE : 40 * RATE])
    assert agent[40 * RATE :] == ramp(0, 160).tolist()


async def test_while_paused_the_disk_is_left_alone_and_what_is_missing_is_known_to_the_sample(tmp_path: Path) -> None:
    folder = RecordingFolder(tmp_path)
    async with RecordingThread(folder) as thread:
        recording = thread.open("c-1", BOTH, RATE)
        speak(recording, 0, RATE)
        await recording.flush()
        thread.pause(True)
        before = await asyncio.to_thread(lambda: (tmp_path / "c-1.wav").stat())
        for second in range(1, 40):
            speak(recording, second * RATE, (second + 1) * RATE)
            await recording.flush()
        assert recording.paused
        assert not recording.failing
        assert recording.take_unrecorded() == []  # it still goes on
        assert await asyncio.to_thread(lambda: (tmp_path / "c-1.wav").stat().st_mtime_ns) == before.st_mtime_ns
        thread.pause(False)
        speak(recording, 40 * RATE, 41 * RATE)
        await recording.flush()
        assert not recording.paused
        assert recording.take_unrecorded() == [Unrecorded(role=None, start=1.0, end=40.0)]
        await recording.close()
        assert recording.take_unrecorded() == []
    agent, _ = read(tmp_path / "c-1.wav")
    assert len(agent) == 41 * RATE
    assert agent[:RATE] == ramp(0, RATE).tolist()
    assert not any(agent[RATE : 40 * RATE])
    assert agent[40 * RATE :] == ramp(40 * RATE, 41 * RATE).tolist()
    on_disk = (await asyncio.to_thread((tmp_path / "c-1.wav").stat)).st_blocks * 512
    assert on_disk < 5 * 4 * RATE  # what is missing takes no room


async def test_a_call_that_ends_while_paused_keeps_what_was_recorded_and_one_that_begins_then_makes_no_file(
    tmp_path: Path,
) -> None:
    folder = RecordingFolder(tmp_path)
    async with RecordingThread(folder) as thread:
        old = thread.open("old", BOTH, RATE)
        speak(old, 0, RATE)
        await old.flush()
        thread.pause(True)
        young = thread.open("young", BOTH, RATE)
        for recording in (old, young):
            speak(recording, RATE, 3 * RATE)
            await recording.close()
        assert old.take_unrecorded() == [Unrecorded(role=None, start=1.0, end=3.0)]
        assert young.take_unrecorded() == [Unrecorded(role=None, start=0.0, end=3.0)]
    assert len(read(tmp_path / "old.wav")[0]) == RATE
    assert not await asyncio.to_thread((tmp_path / "young.wav").exists)


async def test_what_a_full_disk_refused_for_too_long_is_marked(small_disk: SmallDisk) -> None:
    folder = RecordingFolder(small_disk.folder)
    async with RecordingThread(folder) as thread:
        recording = thread.open("c-1", BOTH, RATE)
        for second in range(60):
            speak(recording, second * RATE, (second + 1) * RATE)
            await recording.flush()
        assert recording.failing
        small_disk.heal()
        await recording.flush()
        [missing] = recording.take_unrecorded()
        await recording.close()
        assert recording.take_unrecorded() == []
    agent, _ = read(small_disk.folder / "c-1.wav")
    assert 25 <= missing.end - missing.start <= 31
    assert not any(
        agent[round(missing.start + 1) * RATE : round(missing.end) * RATE]
    )  # a part of the first may be there
    assert all(agent[: round(missing.start) * RATE])
    assert all(agent[round(missing.end) * RATE :])


async def test_a_recording_deleted_under_the_service_is_begun_anew_and_the_loss_is_marked(tmp_path: Path) -> None:
    folder = RecordingFolder(tmp_path / "recordings")
    await asyncio.to_thread(folder.begin)
    async with RecordingThread(folder) as thread:
        recording = thread.open("c-1", BOTH, RATE)
        speak(recording, 0, 2 * RATE)
        await recording.flush()
        await asyncio.to_thread((tmp_path / "recordings" / "c-1.wav").unlink)
        await asyncio.to_thread((tmp_path / "recordings").rmdir)
        speak(recording, 2 * RATE, 3 * RATE)
        await recording.flush()
        assert not recording.failing
        assert recording.take_unrecorded() == [Unrecorded(role=None, start=0.0, end=2.0)]
        await recording.close()
    agent, _ = read(tmp_path / "recordings" / "c-1.wav")
    assert not any(agent[: 2 * RATE])
    assert agent[2 * RATE :] == ramp(2 * RATE, 3 * RATE).tolist()


async def test_recordings_moved_away_and_back_go_on_without_loss(tmp_path: Path) -> None:
    folder = RecordingFolder(tmp_path / "data" / "recordings")
    await asyncio.to_thread((tmp_path / "data").mkdir)
    await asyncio.to_thread(folder.begin)
    async with RecordingThread(folder) as thread:
        recording = thread.open("c-1", BOTH, RATE)
        speak(recording, 0, RATE)
        await recording.flush()
        (tmp_path / "data").rename(tmp_path / "away")
        speak(recording, RATE, 2 * RATE)
        await recording.flush()
        assert recording.failing
        assert not await asyncio.to_thread((tmp_path / "data").exists)
        (tmp_path / "away").rename(tmp_path / "data")
        await recording.flush()
        assert not recording.failing
        assert recording.take_unrecorded() == []
        await recording.close()
    assert read(tmp_path / "data" / "recordings" / "c-1.wav")[0] == ramp(0, 2 * RATE).tolist()


async def test_nothing_is_recorded_into_what_lies_below_a_disk_that_is_gone(tmp_path: Path) -> None:
    for disk in own_disk(tmp_path):
        folder = RecordingFolder(tmp_path / "recordings")
        await asyncio.to_thread((tmp_path / "recordings").mkdir)
        mounted = await asyncio.to_thread(mount, tmp_path / "recordings")
        assert mounted
        await asyncio.to_thread(folder.begin)
        async with RecordingThread(folder) as thread:
            recording = thread.open("c-1", BOTH, RATE)
            speak(recording, 0, RATE)
            await recording.flush()
            await asyncio.to_thread(unmount, disk.folder / "recordings")
            speak(recording, RATE, 2 * RATE)
            await recording.flush()
            assert recording.failing
            await recording.close()
            assert recording.take_unrecorded() == [Unrecorded(role=None, start=1.0, end=2.0)]
        assert await asyncio.to_thread(lambda: list((tmp_path / "recordings").iterdir())) == []
