"""Joins legs that come in turns into sample frames of all legs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from asr.audio.pcm import Pcm
from asr.types import Role


class Interleaver:
    """Each leg's runs in, sample frames from `begin` up to where every leg has come out."""

    def __init__(self, roles: Sequence[Role], begin: int = 0) -> None:
        self._runs: dict[Role, list[Pcm]] = {role: [] for role in roles}
        self._next: dict[Role, int] = dict.fromkeys(roles, begin)
        self._taken = begin

    def put(self, role: Role, start: int, pcm: Pcm) -> None:
        """A leg's run from sample `start` on. What it skips is silence, what it repeats is left out."""
        at = self._next[role]
        if start > at:
            self._runs[role].append(np.zeros(start - at, np.int16))
        fresh = pcm[max(0, at - start) :]
        self._runs[role].append(fresh)
        self._next[role] = max(at, start) + fresh.size

    def take(self) -> tuple[int, NDArray[np.int16]]:
        """The first frame's number and the frames that are whole now, int16[frames, legs]; may be none."""
        return self._take(min(self._next.values()))

    def take_all(self) -> tuple[int, NDArray[np.int16]]:
        """All that is left, the shorter legs filled up with silence."""
        end = max(self._next.values())
        for role in self._next:
            self.put(role, end, np.zeros(0, np.int16))
        return self._take(end)

    def _take(self, end: int) -> tuple[int, NDArray[np.int16]]:
        first, count = self._taken, end - self._taken
        frames = np.empty((count, len(self._runs)), "<i2")
        for channel, runs in enumerate(self._runs.values()):
            whole = np.concatenate([np.zeros(0, np.int16), *runs])
            frames[:, channel] = whole[:count]
            runs[:] = [whole[count:]]
        self._taken = end
        return first, frames
