"""One leg's audio as values, and its way up to the rate that recognition takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from asr.audio.pcm import SAMPLE_RATE, Pcm, Resampler
from asr.types import Role, Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class LegAudio:
    """A run of one leg's samples. `start` counts samples of `rate` from the call's first; runs of a leg and rate
    follow each other without a hole, for what is missing is given as zeros. `pcm` may be read-only."""

    role: Role
    start: int
    rate: int
    pcm: Pcm

    @property
    def at(self) -> Seconds:
        return self.start / self.rate

    @property
    def end(self) -> Seconds:
        return (self.start + self.pcm.size) / self.rate


class LegBlocks:
    """Runs of every leg, joined until they are worth handling: fifty packets of 20 ms a second and leg each cost as
    much in calls as four of them together."""

    def __init__(self, block: Seconds) -> None:
        self._block = block
        self._held: dict[Role, list[LegAudio]] = {}

    def feed(self, audio: LegAudio) -> LegAudio | None:
        """The block that this run completes, if it does."""
        held = self._held.setdefault(audio.role, [])
        held.append(audio)
        return self._joined(audio.role) if audio.end - held[0].at >= self._block else None

    def flush(self) -> list[LegAudio]:
        """What is held of every leg."""
        return [self._joined(role) for role in list(self._held)]

    def _joined(self, role: Role) -> LegAudio:
        runs = self._held.pop(role)
        pcm = runs[0].pcm if len(runs) == 1 else np.concatenate([run.pcm for run in runs])
        return LegAudio(role=role, start=runs[0].start, rate=runs[0].rate, pcm=pcm)


class LegResampler:
    """All legs from their own rate to 16 kHz: 16 kHz sample n of a leg is heard at n / 16000 s on the call's clock.

    Output lags by up to 0.12 s and is never shifted. `begin`: the 16 kHz sample that each leg begins at.
    """

    def __init__(self, roles: Sequence[Role], rate: int, *, begin: Mapping[Role, int] | None = None) -> None:
        self._resamplers: dict[Role, Resampler] = {role: Resampler(rate) for role in roles}
        self._given: dict[Role, int] = dict(begin) if begin else dict.fromkeys(roles, 0)

    def feed(self, audio: LegAudio) -> LegAudio:
        """What is ready after this run; may be empty. Runs of a leg come in order and without holes."""
        return self._next(audio.role, self._resamplers[audio.role].push(audio.pcm))

    def flush(self) -> list[LegAudio]:
        """The withheld rest of every leg, when nothing follows for now."""
        return [self._next(role, resampler.flush()) for role, resampler in self._resamplers.items()]

    def _next(self, role: Role, pcm: Pcm) -> LegAudio:
        start = self._given[role]
        self._given[role] += pcm.size
        return LegAudio(role=role, start=start, rate=SAMPLE_RATE, pcm=pcm)
