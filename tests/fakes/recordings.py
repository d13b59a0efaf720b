"""Recordings in a folder whose outlines are made up; they pass the recordings' contract suite."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from service.recordings.folder import recording_name
from service.recordings.peaks import MOST_POINTS, Peaks


@dataclass
class FakeRecordings:
    """Whatever lies in a recording's place counts as one, of two seconds."""

    folder: Path

    def path(self, call_id: str) -> Path:
        return self.folder / recording_name(call_id)

    def peaks(self, call_id: str, points: int) -> Peaks:
        if not 1 <= points <= MOST_POINTS:
            raise ValueError(f"points must be 1 to {MOST_POINTS}, is {points}")
        if not self.path(call_id).exists():
            raise FileNotFoundError(call_id)
        return Peaks(duration=2.0, roles=("agent", "customer"), peaks=((0.5,) * points, (0.25,) * points))
