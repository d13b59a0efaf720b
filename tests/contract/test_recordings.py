"""What recorder, registry and web layer rely on in the recordings, tried on the fake and on the folder."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asr.audio.pcm import Pcm
from asr.types import Role
from service.recordings.folder import RecordingFolder
from service.recordings.peaks import Outlines
from service.recordings.reader import recorded_audio
from service.recordings.recordings import RecordingMismatch, RecordingMissing, Recordings, RecordingWriter, Unrecorded
from service.recordings.wav import HEAD_BYTES, WavForm, read_wav_head
from tests.fakes.recordings import FakeRecordings

BOTH: tuple[Role, ...] = ("agent", "customer")
RATE = 8000
FORM = WavForm(roles=BOTH, rate=RATE)


@pytest.fixture(params=["fake", "folder"])
def recordings(request: pytest.FixtureRequest, tmp_path: Path) -> Recordings:
    return FakeRecordings() if request.param == "fake" else RecordingFolder(tmp_path)


@pytest.fixture
def writer(recordings: Recordings) -> RecordingWriter:
    return recordings.writer("c-1", BOTH, RATE)


def loud(samples: int, value: int = 1000) -> Pcm:
    return np.full(samples, value, np.int16)


def speak(writer: RecordingWriter, begin: int, end: int, value: int = 1000) -> None:
    for role in BOTH:
        writer.write(role, begin, loud(end - begin, value))


def data_of(recordings: Recordings, call_id: str = "c-1") -> bytes:
    with closing(recordings.open(call_id)) as recording:
        return recording.read(0, recording.size)


def agent(recordings: Recordings) -> list[int]:
    """The agent's samples, as far as recorded."""
    return FORM.frames_of(data_of(recordings)[HEAD_BYTES:])[:, 0].tolist()


def test_a_recording_is_a_wav_file_with_a_head_that_names_its_legs(
    recordings: Recordings, writer: RecordingWriter
) -> None:
    speak(writer, 0, 100)
    writer.close()
    data = data_of(recordings)
    assert (data[:4], data[8:12]) == (b"RIFF", b"WAVE")
    assert read_wav_head(data[:HEAD_BYTES]) == FORM
    assert len(data) == HEAD_BYTES + 100 * FORM.frame_bytes


def test_a_call_that_was_not_recorded_has_no_recording(recordings: Recordings, writer: RecordingWriter) -> None:
    speak(writer, 0, 100)
    with pytest.raises(RecordingMissing):
        recordings.open("c-1")  # a writer touches nothing until it saves
    writer.close()
    with pytest.raises(RecordingMissing):
        recordings.open("c-2")


def test_what_every_leg_has_reached_is_there_after_each_save_and_the_rest_at_the_end(
    recordings: Recordings, writer: RecordingWriter
) -> None:
    writer.write("agent", 0, loud(300))
    writer.write("customer", 0, loud(100))
    writer.save()
    assert agent(recordings) == [1000] * 100
    writer.checkpoint()
    writer.close()
    assert agent(recordings) == [1000] * 300
    assert writer.lost == 0


def test_what_a_leg_skips_is_silence_and_what_it_repeats_is_left_out(
    recordings: Recordings, writer: RecordingWriter
) -> None:
    writer.write("agent", 10, loud(10, 1))
    writer.write("agent", 15, loud(10, 2))
    writer.close()
    assert agent(recordings) == [0] * 10 + [1] * 10 + [2] * 5


def test_what_is_skipped_is_silence_and_told_once_it_has_ended(recordings: Recordings, writer: RecordingWriter) -> None:
    speak(writer, 0, RATE)
    writer.save()
    speak(writer, RATE, 2 * RATE)
    writer.skip()
    assert [*writer.take_unrecorded(ended=False)] == []
    speak(writer, 2 * RATE, 3 * RATE)
    writer.close()
    assert [*writer.take_unrecorded(ended=True)] == [Unrecorded(role=None, start=1.0, end=2.0)]
    assert [*writer.take_unrecorded(ended=True)] == []
    assert writer.lost == 1.0
    assert agent(recordings) == [1000] * RATE + [0] * RATE + [1000] * RATE


def test_the_rest_may_be_skipped_at_the_end(recordings: Recordings, writer: RecordingWriter) -> None:
    speak(writer, 0, 100)
    writer.save()
    speak(writer, 100, 200)
    writer.close(skip=True)
    assert agent(recordings) == [1000] * 100


def test_a_recording_goes_on_where_the_call_does_and_a_new_one_begins_anew(recordings: Recordings) -> None:
    for value, resume_at in ((1, None), (2, 150), (3, None)):
        writer = recordings.writer("c-1", BOTH, RATE, resume_at=resume_at)
        speak(writer, resume_at or 0, (resume_at or 0) + 100, value)
        writer.close()
        if resume_at is not None:
            assert agent(recordings) == [1] * 100 + [0] * 50 + [2] * 100
    assert agent(recordings) == [3] * 100


def test_a_recording_of_other_legs_is_not_gone_on_with(recordings: Recordings, writer: RecordingWriter) -> None:
    speak(writer, 0, 100)
    writer.close()
    before = data_of(recordings)
    other = recordings.writer("c-1", ("customer",), RATE, resume_at=100)
    other.write("customer", 100, loud(100))
    with pytest.raises(RecordingMismatch):
        other.close()
    assert data_of(recordings) == before


def test_an_open_recording_ends_where_it_ended_when_it_was_opened(
    recordings: Recordings, writer: RecordingWriter
) -> None:
    speak(writer, 0, 100)
    writer.save()
    with closing(recordings.open("c-1")) as recording:
        size = recording.size
        speak(writer, 100, 200)
        writer.close()
        assert recording.size == size
        assert len(recording.read(HEAD_BYTES, 10**9)) == size - HEAD_BYTES
        assert recording.read(size, size + 10) == b""
        assert recording.read(100, 104) == b"\xe8\x03\xe8\x03"
    recording.close()


def test_the_version_changes_with_the_bytes_and_the_time_is_that_of_the_last_ones(
    recordings: Recordings, writer: RecordingWriter
) -> None:
    versions: list[str] = []
    for second in range(3):
        speak(writer, second * RATE, (second + 1) * RATE)
        writer.save()
        with closing(recordings.open("c-1")) as recording:
            versions.append(recording.version)
            assert abs(recording.changed_at - datetime.now(UTC)) < timedelta(seconds=10)
    assert len({*versions}) == 3
    with closing(recordings.open("c-1")) as recording:
        assert recording.version == versions[-1]
        assert recording.version.replace("-", "").isalnum()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(one=st.text() | st.sampled_from(["..", "../x", "/etc/passwd", ".", ""]), other=st.text())
def test_each_call_has_a_recording_of_its_own_whatever_its_id(recordings: Recordings, one: str, other: str) -> None:
    for value, call_id in enumerate((one, other), 1):
        writer = recordings.writer(call_id, BOTH, RATE)
        speak(writer, 0, 1, value)
        writer.close()
    assert data_of(recordings, other)[HEAD_BYTES] == 2
    assert data_of(recordings, one)[HEAD_BYTES] == (2 if one == other else 1)


def test_what_was_recorded_is_read_back_in_samples(recordings: Recordings, writer: RecordingWriter) -> None:
    speak(writer, 0, RATE)
    writer.save()
    found = recorded_audio(recordings, "c-1", FORM)
    assert found is not None
    assert (found.frames, found.duration) == (RATE, 1.0)
    assert found.read(RATE - 10, 2 * RATE).tolist() == [[1000, 1000]] * 10
    assert recorded_audio(recordings, "c-1", WavForm(roles=BOTH, rate=16_000)) is None
    assert recorded_audio(recordings, "c-2", FORM) is None


@pytest.mark.parametrize("points", [1, 3, 2000])
def test_an_outline_has_so_many_bins_a_leg_each_in_its_range(
    recordings: Recordings, writer: RecordingWriter, points: int
) -> None:
    speak(writer, 0, 2 * RATE)
    writer.close()
    outline = Outlines(recordings).peaks("c-1", points)
    assert (outline.duration, outline.roles) == (2.0, BOTH)
    assert [len(leg) for leg in outline.peaks] == [points, points]
    assert all(0 < top <= 1 for leg in outline.peaks for top in leg)


def test_an_outline_follows_a_recording_that_grows(recordings: Recordings, writer: RecordingWriter) -> None:
    outlines = Outlines(recordings)
    speak(writer, 0, 2, 8192)
    writer.save()
    assert outlines.peaks("c-1", 10) is outlines.peaks("c-1", 10)
    assert outlines.peaks("c-1", 10).peaks == ((0.25, 0.25),) * 2
    speak(writer, 2, 12, 16_384)
    writer.close()
    assert outlines.peaks("c-1", 3).peaks == ((0.5, 0.5, 0.5),) * 2


@pytest.mark.parametrize("points", [0, 20_001])
def test_absurd_points_are_refused(recordings: Recordings, points: int) -> None:
    with pytest.raises(ValueError, match="points"):
        Outlines(recordings).peaks("c-1", points)
