"""What the web layer relies on in the recordings, tried on the fake and on the folder of real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.recordings.folder import RecordingFolder
from service.web.ports import Recordings
from tests.fakes.recordings import FakeRecordings

RATE = 8000


@pytest.fixture(params=[FakeRecordings, RecordingFolder], ids=["fake", "folder"])
def recordings(request: pytest.FixtureRequest, tmp_path: Path) -> Recordings:
    return request.param(tmp_path)


@pytest.fixture
def recorded(recordings: Recordings, tmp_path: Path) -> Recordings:
    """Two seconds of call `c-1`."""
    writer = RecordingFolder(tmp_path).create("c-1", ("agent", "customer"), RATE)
    for role in ("agent", "customer"):
        writer.write(role, 0, np.full(2 * RATE, 1000, np.int16))
    writer.close()
    assert recordings.path("c-1").is_file()
    return recordings


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=st.text() | st.sampled_from(["..", "../x", "/etc/passwd", ".", ""]), other=st.text())
def test_each_call_has_a_file_of_its_own_in_the_folder(
    recordings: Recordings, tmp_path: Path, one: str, other: str
) -> None:
    assert recordings.path(one).parent == tmp_path
    assert recordings.path(one).name not in ("", ".", "..")
    assert (recordings.path(one) == recordings.path(other)) == (one == other)


@pytest.mark.parametrize("points", [1, 3, 2000])
def test_an_outline_has_so_many_bins_a_leg_each_in_its_range(recorded: Recordings, points: int) -> None:
    outline = recorded.peaks("c-1", points)
    assert (outline.duration, outline.roles) == (2.0, ("agent", "customer"))
    assert [len(leg) for leg in outline.peaks] == [points, points]
    assert all(0 <= top <= 1 for leg in outline.peaks for top in leg)


def test_a_call_without_a_recording_has_no_outline(recorded: Recordings) -> None:
    with pytest.raises(FileNotFoundError):
        recorded.peaks("c-2", 10)


@pytest.mark.parametrize("points", [0, 20_001])
def test_absurd_points_are_refused(recorded: Recordings, points: int) -> None:
    with pytest.raises(ValueError, match="points"):
        recorded.peaks("c-1", points)
