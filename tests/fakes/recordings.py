"""Recordings in a folder whose outlines are made up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from service.recordings.peaks import Peaks


@dataclass
class FakeRecordings:
    folder: Path

    def path(self, call_id: str) -> Path:
        return self.folder / f"{call_id}.wav"

    def peaks(self, call_id: str, points: int) -> Peaks:
        if not self.path(call_id).exists():
            raise FileNotFoundError(call_id)
        return Peaks(duration=2.0, roles=("agent", "customer"), peaks=((0.5,) * points, (0.25,) * points))
