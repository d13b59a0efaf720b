"""One leg's audio as values, and its way up to the rate that recognition takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asr.audio import SAMPLE_RATE, Pcm, Resampler
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


class LegResampler:
    """All legs from their own rate to 16 kHz: 16 kHz sample n of a leg is heard at n / 16000 s on the call's clock.

    Output lags by up to 0.12 s and is never shifted.
    """

    def __init__(self, roles: Sequence[Role], rate: int) -> None:
        self._resamplers: dict[Role, Resampler] = {role: Resampler(rate) for role in roles}
        self._given: dict[Role, int] = dict.fromkeys(roles, 0)

    def feed(self, audio: LegAudio) -> LegAudio:
        """What is ready after this run; may be empty. Runs of a leg come in order and without holes."""
        return self._next(audio.role, self._resamplers[audio.role].push(audio.pcm))

    def flush(self) -> list[LegAudio]:
        """The withheld rest of every leg, when the call is over."""
        return [self._next(role, resampler.flush()) for role, resampler in self._resamplers.items()]

    def _next(self, role: Role, pcm: Pcm) -> LegAudio:
        start = self._given[role]
        self._given[role] += pcm.size
        return LegAudio(role=role, start=start, rate=SAMPLE_RATE, pcm=pcm)
