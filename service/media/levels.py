"""How loud each leg is, for the meters on the wall of live calls."""

from __future__ import annotations

from collections.abc import Sequence

from asr.audio.pcm import dbfs, energy
from asr.types import Role
from service.media.legs import LegAudio


class LevelMeter:
    """RMS level of each leg between two readings, in dB under full scale; -96 for silence and for nothing."""

    def __init__(self, roles: Sequence[Role]) -> None:
        self._energy: dict[Role, int] = dict.fromkeys(roles, 0)
        self._samples: dict[Role, int] = dict.fromkeys(roles, 0)

    def feed(self, audio: LegAudio) -> None:
        self._energy[audio.role] += energy(audio.pcm)
        self._samples[audio.role] += audio.pcm.size

    def take(self) -> dict[Role, float]:
        """The levels since the last reading."""
        levels: dict[Role, float] = {role: self._level(role) for role in self._energy}
        self._energy = dict.fromkeys(self._energy, 0)
        self._samples = dict.fromkeys(self._samples, 0)
        return levels

    def _level(self, role: Role) -> float:
        return round(dbfs(self._energy[role] / max(1, self._samples[role])), 1)
