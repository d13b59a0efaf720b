"""The audio of a call's legs: off the wire, as values, in blocks, at the rate recognition takes; and how loud it is.

`service/media/timeline.py` stands between what comes off the wire and the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from asr.audio.codecs import DecodedAudio, decoder
from asr.audio.pcm import SAMPLE_RATE, Encoding, Pcm, Resampler, dbfs, energy, loudest
from asr.types import Role, Seconds
from service.ingest.events import AudioArrived, FormatChanged

LONGEST_LOSS: Seconds = 0.25
"""After a longer hole in a leg's timestamps its filter and its decoder begin anew: what they hold belongs before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegSamples:
    """Samples of one leg at the call's rate. `at`: the source's own time of the first sample; None if they follow
    on."""

    role: Role
    at: Seconds | None
    pcm: Pcm


class _LegWire:
    """One leg's decoder, and the filter to the call's rate, which withholds up to 0.12 s."""

    def __init__(self, encoding: Encoding, rate: int, call_rate: int) -> None:
        self._decoder = decoder(encoding, rate)
        self.rate = self._decoder.rate
        self._call_rate = call_rate
        self._resampler = None if self.rate == call_rate else Resampler(self.rate, call_rate)
        self._withheld: Seconds = 0.0
        self._end: Seconds | None = None

    def follows(self, at: Seconds | None) -> bool:
        """Whether audio at this time of the source goes on with what came last. A few missing packets count as going
        on."""
        return at is None or self._end is None or at - self._end <= LONGEST_LOSS

    def decoded(self, payload: bytes, legs: int) -> DecodedAudio:
        """What came of this leg, and of those that are interleaved with it."""
        return self._decoder.decode(payload, legs)

    def piece(self, role: Role, at: Seconds | None, pcm: Pcm) -> LegSamples:
        """The samples at the call's rate. Their time allows for what the filter withholds."""
        self._end = None if at is None else at + pcm.size / self.rate
        if self._resampler is None:
            return LegSamples(role=role, at=at, pcm=pcm)
        withheld, ready = self._withheld, self._resampler.push(pcm)
        self._withheld = withheld + pcm.size / self.rate - ready.size / self._call_rate
        return LegSamples(role=role, at=None if at is None else at - withheld, pcm=ready)

    def flush(self) -> Pcm | None:
        """What the filter withholds. The next payload follows nothing."""
        self._withheld = 0.0
        self._decoder.reset()
        return None if self._resampler is None else self._resampler.flush()


class WireAudio:
    """The decoded audio of every leg, at `call_rate`. Each leg has a form of its own, which was `set`."""

    def __init__(self, call_rate: int) -> None:
        self._call_rate = call_rate
        self._interleaved: tuple[Role, ...] = ()
        self._legs: dict[Role, _LegWire] = {}
        self._received: dict[Role, Seconds] = {}
        self.damaged = 0
        """Payloads that were no packet of their codec."""

    @property
    def received(self) -> Seconds:
        """How much audio has come, in seconds, of the leg with the most."""
        return max(self._received.values(), default=0.0)

    def set(self, form: FormatChanged) -> list[LegSamples]:
        """These legs have this form from here on. Returns what their filters withheld."""
        rest = self.flush(form.roles)
        self._interleaved = form.roles
        for role in form.roles:
            self._legs[role] = _LegWire(form.encoding, form.rate, self._call_rate)
        return rest

    def decoded(self, event: AudioArrived) -> list[LegSamples]:
        """One piece for each leg, and what filters withheld before a hole. A leg without a form is left out."""
        roles: tuple[Role, ...] = self._interleaved if event.role is None else (event.role,)
        wire = self._legs.get(roles[0])
        if wire is None:
            return []
        rest = [] if wire.follows(event.at) else self.flush(roles)
        decoded = wire.decoded(event.payload, len(roles))
        self.damaged += decoded.damaged
        return [*rest, *(self._piece(role, event.at, pcm) for role, pcm in zip(roles, decoded.legs, strict=True))]

    def flush(self, roles: Sequence[Role]) -> list[LegSamples]:
        """What the filters of these legs withhold."""
        rest: list[LegSamples] = []
        for role in roles:
            pcm = self._legs[role].flush() if role in self._legs else None
            if pcm is not None:
                rest.append(LegSamples(role=role, at=None, pcm=pcm))
        return rest

    def _piece(self, role: Role, at: Seconds | None, pcm: Pcm) -> LegSamples:
        wire = self._legs[role]
        self._received[role] = self._received.get(role, 0.0) + pcm.size / wire.rate
        return wire.piece(role, at, pcm)


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
        """Where the run begins, in seconds of the call."""
        return self.start / self.rate

    @property
    def end(self) -> Seconds:
        """Where the run ends, in seconds of the call."""
        return (self.start + self.pcm.size) / self.rate


class LegBlocks:
    """Runs of every leg, joined until they are worth handling: fifty packets of 20 ms a second and leg each cost as
    much in calls as four of them together."""

    def __init__(self, block: Seconds) -> None:
        self._block = block
        self._held: dict[Role, list[LegAudio]] = {}

    def feed(self, audio: LegAudio) -> LegAudio | None:
        """The block that this run completes, if any."""
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


class LevelMeter:
    """RMS level of each leg between two readings, in dB under full scale, for the meters on the wall of live calls; -96
    for silence and for nothing. And its loudest sample of all."""

    def __init__(self, roles: Sequence[Role]) -> None:
        self._energy: dict[Role, int] = dict.fromkeys(roles, 0)
        self._samples: dict[Role, int] = dict.fromkeys(roles, 0)
        self._loudest: dict[Role, int] = dict.fromkeys(roles, 0)

    def feed(self, audio: LegAudio) -> None:
        """Take a run of a leg into account."""
        run = energy(audio.pcm)
        self._energy[audio.role] += run
        self._samples[audio.role] += audio.pcm.size
        if run > self._loudest[audio.role] ** 2:  # no sample is louder than all of them together
            self._loudest[audio.role] = max(self._loudest[audio.role], loudest(audio.pcm))

    def peak(self, role: Role) -> float:
        """The loudest sample so far."""
        return round(dbfs(self._loudest[role] ** 2), 1)

    def take(self) -> dict[Role, float]:
        """The levels since the last reading."""
        levels: dict[Role, float] = {role: self._level(role) for role in self._energy}
        self._energy = dict.fromkeys(self._energy, 0)
        self._samples = dict.fromkeys(self._samples, 0)
        return levels

    def _level(self, role: Role) -> float:
        return round(dbfs(self._energy[role] / max(1, self._samples[role])), 1)
