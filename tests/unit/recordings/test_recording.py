"""Recordings: what is in the file, whatever happened while it was written."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from asr.audio.pcm import Pcm
from asr.types import Role
from service.recordings.folder import RecordingFolder, recording_name
from service.recordings.peaks import Outlines
from service.recordings.reader import recorded_audio
from service.recordings.recordings import RecordingFailed, RecordingMismatch, RecordingMissing, RecordingUnreadable
from service.recordings.wav import HEAD_BYTES, NotARecording, WavForm, read_wav_head, wav_head
from service.recordings.wav_writer import KEPT_SECONDS, WavWriter

BOTH: tuple[Role, ...] = ("agent", "customer")
RATE = 8000


def ramp(begin: int, end: int, sign: int = 1) -> Pcm:
    return (sign * (np.arange(begin, end) % 30_000 + 1)).astype(np.int16)


def read(path: Path) -> tuple[list[list[int]], int]:
    """All channels and the rate, as another program reads them."""
    frames, rate = soundfile.read(path, dtype="int16", always_2d=True)
    return [[int(sample) for sample in leg] for leg in frames.T], rate


def writer(path: Path, roles: tuple[Role, ...] = BOTH, resume_at: int | None = None) -> WavWriter:
    return WavWriter(path / "call.wav", roles, RATE, resume_at=resume_at)


def test_each_leg_is_a_channel_in_the_order_of_the_roles(tmp_path: Path) -> None:
    recording = writer(tmp_path)
    recording.write("customer", 0, ramp(0, 300, -1))
    recording.write("agent", 0, ramp(0, 100))
    recording.write("agent", 100, ramp(100, 300))
    recording.close()

    assert read(recording.path) == ([ramp(0, 300).tolist(), ramp(0, 300, -1).tolist()], RATE)
    with wave.open(str(recording.path)) as player:
        assert (player.getnchannels(), player.getsampwidth(), player.getnframes()) == (2, 2, 300)


def test_one_leg_is_mono(tmp_path: Path) -> None:
    recording = writer(tmp_path, ("customer",))
    recording.write("customer", 0, ramp(0, 50))
    recording.close()
    assert read(recording.path) == ([ramp(0, 50).tolist()], RATE)


def test_the_file_plays_after_every_save_up_to_the_leg_that_is_behind(tmp_path: Path) -> None:
    recording = writer(tmp_path)
    recording.save()
    assert read(recording.path) == ([[], []], RATE)
    recording.write("agent", 0, ramp(0, 200))
    recording.write("customer", 0, ramp(0, 120, -1))
    recording.save()
    assert read(recording.path) == ([ramp(0, 120).tolist(), ramp(0, 120, -1).tolist()], RATE)
    recording.write("customer", 120, ramp(120, 200, -1))
    recording.checkpoint()
    assert read(recording.path) == ([ramp(0, 200).tolist(), ramp(0, 200, -1).tolist()], RATE)
    recording.close()


def test_the_shorter_leg_is_silent_at_the_end(tmp_path: Path) -> None:
    recording = writer(tmp_path)
    recording.write("agent", 0, ramp(0, 200))
    recording.write("customer", 0, ramp(0, 120, -1))
    recording.close()
    assert read(recording.path)[0][1] == [*ramp(0, 120, -1).tolist(), *[0] * 80]


def test_what_is_skipped_is_silence_and_what_is_repeated_is_left_out(tmp_path: Path) -> None:
    recording = writer(tmp_path, ("agent",))
    recording.write("agent", 0, ramp(0, 100))
    recording.write("agent", 150, ramp(150, 200))
    recording.write("agent", 180, ramp(0, 40, -1))
    recording.write("agent", 0, ramp(0, 10, -1))
    recording.close()
    expected = [*ramp(0, 100).tolist(), *[0] * 50, *ramp(150, 200).tolist(), *ramp(20, 40, -1).tolist()]
    assert read(recording.path)[0] == [expected]


@given(
    st.lists(st.tuples(st.sampled_from(BOTH), st.integers(0, 400), st.booleans()), max_size=30),
)
def test_however_the_legs_take_turns_every_sample_lies_in_its_place(
    tmp_path_factory: pytest.TempPathFactory, turns: list[tuple[Role, int, bool]]
) -> None:
    recording = writer(tmp_path_factory.mktemp("turns"))
    reached: dict[Role, int] = dict.fromkeys(BOTH, 0)
    for role, count, save in turns:
        recording.write(role, reached[role], ramp(reached[role], reached[role] + count))
        reached[role] += count
        if save:
            recording.save()
            channels, _ = read(recording.path)
            assert [len(channel) for channel in channels] == [min(reached.values())] * len(BOTH)
    recording.close()

    longest = max(reached.values())
    channels, _ = read(recording.path)
    for role, channel in zip(BOTH, channels, strict=True):
        assert channel == [*ramp(0, reached[role]).tolist(), *[0] * (longest - reached[role])]


def test_an_interrupted_recording_is_gone_on_with(tmp_path: Path) -> None:
    first = writer(tmp_path)
    first.write("agent", 0, ramp(0, 100))
    first.write("customer", 0, ramp(0, 100, -1))
    first.save()
    with first.path.open("ab") as file:
        file.write(ramp(100, 102).tobytes() + b"\x01\x02\x03")  # a block the head does not tell of, its end torn

    second = writer(tmp_path, resume_at=101)
    second.write("agent", 0, ramp(0, 50, -1))
    second.write("customer", 0, ramp(0, 50))
    second.write("agent", 150, ramp(150, 200))
    second.write("customer", 150, ramp(150, 200, -1))
    second.close()

    agent, customer = read(second.path)[0]
    assert agent[:101] == [*ramp(0, 100).tolist(), 101]
    assert customer[:101] == [*ramp(0, 100, -1).tolist(), 102]
    assert not any(agent[101:150])
    assert agent[150:] == ramp(150, 200).tolist()
    assert customer[150:] == ramp(150, 200, -1).tolist()


def test_a_file_whose_head_never_reached_the_disk_gets_one(tmp_path: Path) -> None:
    (tmp_path / "call.wav").write_bytes(bytes(HEAD_BYTES) + ramp(0, 200).tobytes())
    recording = writer(tmp_path, resume_at=100)
    recording.close()
    assert read(recording.path)[0] == [ramp(0, 200)[::2].tolist(), ramp(0, 200)[1::2].tolist()]


@pytest.mark.parametrize(
    "content",
    [
        b"The quick brown fox jumps over the lazy dog. " * 3,
        wav_head(WavForm(roles=("agent",), rate=RATE), 0),
        wav_head(WavForm(roles=BOTH, rate=16_000), 0),
    ],
)
def test_another_programs_or_another_calls_file_is_never_written_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "call.wav").write_bytes(content)
    recording = writer(tmp_path, resume_at=0)
    recording.write("agent", 0, ramp(0, 10))
    recording.write("customer", 0, ramp(0, 10))
    with pytest.raises(RecordingMismatch, match="move it away"):
        recording.save()
    with pytest.raises(RecordingMismatch):
        recording.close()
    assert recording.path.read_bytes() == content
    assert recording.lost == 10 / RATE


@pytest.mark.parametrize("content", [b"", b"no recording", wav_head(WavForm(roles=BOTH, rate=RATE), 1) + bytes(4)])
def test_a_new_calls_audio_never_lands_in_a_file_that_was_there_before(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "call.wav").write_bytes(content)
    (tmp_path / "call.wav.1").write_bytes(b"an earlier one")
    recording = writer(tmp_path, ("agent",))
    recording.write("agent", 0, ramp(0, 10))
    recording.save()
    recording.write("agent", 10, ramp(10, 20))
    recording.close()
    assert read(recording.path)[0] == [ramp(0, 20).tolist()]
    assert (tmp_path / "call.wav.1").read_bytes() == b"an earlier one"
    assert (tmp_path / "call.wav.2").read_bytes() == content


def test_what_was_recorded_is_read_back_up_to_the_last_whole_frame(tmp_path: Path) -> None:
    folder = RecordingFolder(tmp_path)
    recording = folder.writer("call", BOTH, RATE)
    recording.write("agent", 0, ramp(0, 100))
    recording.write("customer", 0, ramp(0, 100, -1))
    recording.save()
    with recording.path.open("ab") as file:
        file.write(b"\x01\x02\x03")
    found = recorded_audio(folder, "call", WavForm(roles=BOTH, rate=RATE))
    assert found is not None
    assert found.frames == 100
    assert found.read(90, 200)[:, 0].tolist() == ramp(90, 100).tolist()
    assert found.read(100, 120).shape == (0, 2)


def test_what_is_no_plain_file_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "call.wav").mkdir()
    with pytest.raises(RecordingUnreadable):
        RecordingFolder(tmp_path).open("call")


def test_a_recording_that_cannot_be_made_is_tried_again_and_loses_nothing_for_a_while(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("in the way")
    recording = WavWriter(tmp_path / "folder" / "call.wav", ("agent",), RATE)
    for second in range(int(KEPT_SECONDS) + 5):
        recording.write("agent", second * RATE, ramp(second * RATE, (second + 1) * RATE))
        with pytest.raises(RecordingFailed, match=r"call\.wav cannot be written"):
            recording.save()
    (tmp_path / "folder").unlink()
    recording.close()

    assert recording.lost == 5.0
    [agent], _ = read(recording.path)
    assert not any(agent[: 5 * RATE])
    assert agent[5 * RATE :] == ramp(5 * RATE, 35 * RATE).tolist()


def test_only_this_user_may_read_a_recording(tmp_path: Path) -> None:
    recording = WavWriter(tmp_path / "recordings" / "call.wav", BOTH, RATE)
    recording.close()
    assert recording.path.stat().st_mode & 0o077 == 0
    assert recording.path.parent.stat().st_mode & 0o077 == 0


@given(st.permutations(BOTH), st.sampled_from([8000, 16_000]), st.integers(0, 10**9))
def test_a_head_tells_the_legs_and_the_rate(roles: list[Role], rate: int, frames: int) -> None:
    form = WavForm(roles=tuple(roles), rate=rate)
    head = wav_head(form, frames)
    assert len(head) == HEAD_BYTES
    assert read_wav_head(head) == form


@given(
    st.binary(max_size=200)
    | st.binary(max_size=60).map(lambda tail: wav_head(WavForm(roles=BOTH, rate=1), 0)[:40] + tail)
)
def test_what_is_no_head_is_refused(head: bytes) -> None:
    with pytest.raises(NotARecording):
        read_wav_head(head)


@given(st.text(max_size=300), st.text(max_size=300))
def test_a_name_is_one_plain_file_and_tells_calls_apart(one: str, other: str) -> None:
    name = recording_name(one)
    assert Path("/r", name).parent == Path("/r")
    assert not name.startswith(".")
    assert len(name.encode("ascii")) <= 255
    assert (name == recording_name(other)) == (one == other)


def test_common_ids_are_their_own_names() -> None:
    assert recording_name("CA8e1f-20.7_x~2") == "CA8e1f-20.7_x~2.wav"
    assert recording_name("../../etc/passwd") == "%2E.%2F..%2Fetc%2Fpasswd.wav"


def test_peaks_are_the_greatest_samples_of_each_bin(tmp_path: Path) -> None:
    folder = RecordingFolder(tmp_path)
    recording = folder.writer("c-1", BOTH, RATE)
    loud = np.zeros(1000, np.int16)
    loud[[5, 250, 999]] = [-32_768, 16_384, 8192]
    recording.write("agent", 0, loud)
    recording.write("customer", 0, np.full(1000, -3277, np.int16))
    recording.close()

    peaks = Outlines(folder).peaks("c-1", 4)

    assert (peaks.duration, peaks.roles) == (1000 / RATE, BOTH)
    assert peaks.peaks == ((1.0, 0.5, 0.0, 0.25), (0.1, 0.1, 0.1, 0.1))


@pytest.mark.parametrize("points", [1, 7, 2000, 20_000])
def test_peaks_do_not_depend_on_the_blocks_they_are_read_in(tmp_path: Path, points: int) -> None:
    pcm = np.random.default_rng(7).integers(-32_768, 32_767, 600_000, dtype=np.int16)
    folder = RecordingFolder(tmp_path)
    recording = folder.writer("c-1", ("agent",), RATE)
    recording.write("agent", 0, pcm)
    recording.close()

    edges = np.linspace(0, pcm.size, points + 1).astype(int)
    expected = np.maximum.reduceat(np.abs(pcm.astype(int)), edges[:-1]) / 32_768
    assert Outlines(folder).peaks("c-1", points).peaks[0] == pytest.approx(expected, abs=1e-4)


def test_peaks_of_a_growing_recording_grow(tmp_path: Path) -> None:
    folder = RecordingFolder(tmp_path)
    recording = folder.writer("c-1", ("agent",), RATE)
    recording.save()
    assert Outlines(folder).peaks("c-1", 10).peaks == ((),)
    recording.write("agent", 0, np.full(2, 8192, np.int16))
    recording.save()
    assert Outlines(folder).peaks("c-1", 10).peaks == ((0.25, 0.25),)
    recording.write("agent", 2, np.full(10, 16_384, np.int16))
    recording.close()
    assert Outlines(folder).peaks("c-1", 3).peaks == ((0.5, 0.5, 0.5),)


def test_peaks_of_no_recording_or_of_absurd_points_are_refused(tmp_path: Path) -> None:
    folder = RecordingFolder(tmp_path)
    with pytest.raises(RecordingMissing):
        Outlines(folder).peaks("c-1", 10)
    for points in (0, 20_001):
        with pytest.raises(ValueError, match="points"):
            Outlines(folder).peaks("c-1", points)
