"""How each leg of a call comes in, for whoever sets its gateway up. Plain; one a call."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from asr.audio.pcm import FLOOR_DBFS
from asr.types import Role, Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class LegReading:
    """`dbfs`: the RMS level of the last half second of audio. `speech`: the mean of it while the party speaks, None
    where it has not yet. `peak`: the loudest sample so far. All in dB under full scale, -96 for silence.

    `lost`, `late`, `duplicates`, `strays`: as `service.media.timeline.TimelineCounts` has them, of this leg alone."""

    dbfs: float
    speech: float | None
    peak: float
    speaking: bool
    lost: Seconds
    late: int
    duplicates: int
    strays: int


class SpeechLevels:
    """Mean level of each party's speech, of the readings in which it speaks."""

    def __init__(self) -> None:
        self._power: dict[Role, float] = {}
        self._readings: dict[Role, int] = {}

    def read(self, dbfs: Mapping[Role, float], speaking: Collection[Role]) -> None:
        """One reading more."""
        for role in speaking:
            self._power[role] = self._power.get(role, 0.0) + 10 ** (dbfs[role] / 10)
            self._readings[role] = self._readings.get(role, 0) + 1

    def of(self, role: Role) -> float | None:
        """In dBFS, None where the party has not spoken yet."""
        if role not in self._readings:
            return None
        return round(max(FLOOR_DBFS, 10 * math.log10(self._power[role] / self._readings[role])), 1)
