"""A recorder without a file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asr.types import Role
from service.recordings.writer import Unrecorded


class FakeRecorder:
    """Counts samples; fails when told to."""

    def __init__(self) -> None:
        self.failing = False
        self.paused = False
        self.unrecorded: list[Unrecorded] = []
        self.samples: dict[Role, int] = {}
        self.closed = False

    def write(self, role: Role, start: int, pcm: NDArray[np.int16]) -> None:
        self.samples[role] = self.samples.get(role, 0) + pcm.size

    def take_unrecorded(self) -> list[Unrecorded]:
        taken, self.unrecorded = self.unrecorded, []
        return taken

    async def close(self) -> None:
        self.closed = True
