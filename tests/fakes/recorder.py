"""A recorder without a file; it passes the recorder's contract suite."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asr.types import Role
from service.recordings.recordings import Unrecorded


class FakeRecorder:
    """Knows how far each leg was recorded, in samples; is failing or paused, and has stretches that are missing, when
    told so."""

    def __init__(self) -> None:
        self.failing = False
        self.paused = False
        self.unrecorded: list[Unrecorded] = []
        self.reached: dict[Role, int] = {}
        self.closed = False

    def write(self, role: Role, start: int, pcm: NDArray[np.int16]) -> None:
        if not self.closed:
            self.reached[role] = max(self.reached.get(role, 0), start + pcm.size)

    def take_unrecorded(self) -> list[Unrecorded]:
        taken, self.unrecorded = self.unrecorded, []
        return taken

    async def close(self) -> None:
        self.closed = True
