"""Audio as it is on the wire, as samples of each leg at the call's rate. Each leg has a form of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asr.audio.pcm import Encoding, Pcm, Resampler, decode, deinterleave
from asr.types import Role, Seconds
from service.ingest.events import AudioArrived, FormatChanged


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Samples of one leg at the call's rate. `at`: the source's own time of the first, None where they follow on."""

    role: Role
    at: Seconds | None
    pcm: Pcm


class _LegWire:
    """One leg's encoding and rate, and the filter to the call's rate, which withholds up to 0.12 s."""

    def __init__(self, encoding: Encoding, rate: int, call_rate: int) -> None:
        self.encoding: Encoding = encoding
        self.rate = rate
        self._call_rate = call_rate
        self._resampler = None if rate == call_rate else Resampler(rate, call_rate)
        self._withheld: Seconds = 0.0

    def piece(self, role: Role, at: Seconds | None, pcm: Pcm) -> Piece:
        """Where a filter withholds samples the piece's time says so."""
        if self._resampler is None:
            return Piece(role=role, at=at, pcm=pcm)
        withheld, ready = self._withheld, self._resampler.push(pcm)
        self._withheld = withheld + pcm.size / self.rate - ready.size / self._call_rate
        return Piece(role=role, at=None if at is None else at - withheld, pcm=ready)

    def flush(self) -> Pcm | None:
        """What the filter withholds."""
        self._withheld = 0.0
        return None if self._resampler is None else self._resampler.flush()


class WireAudio:
    """Every leg's audio at `call_rate`, as the forms say that were `set`."""

    def __init__(self, call_rate: int) -> None:
        self._call_rate = call_rate
        self._interleaved: tuple[Role, ...] = ()
        self._legs: dict[Role, _LegWire] = {}
        self._received: dict[Role, Seconds] = {}

    @property
    def received(self) -> Seconds:
        """Audio that came of the leg of which most did."""
        return max(self._received.values(), default=0.0)

    def set(self, form: FormatChanged) -> list[Piece]:
        """These legs come in this form from here on; what their filters withheld."""
        rest = self.flush(form.roles)
        self._interleaved = form.roles
        for role in form.roles:
            self._legs[role] = _LegWire(form.encoding, form.rate, self._call_rate)
        return rest

    def decoded(self, event: AudioArrived) -> list[Piece]:
        """One piece a leg. Bytes past the last whole sample frame are left out, and so is a leg without a form."""
        roles: tuple[Role, ...] = self._interleaved if event.role is None else (event.role,)
        wire = self._legs.get(roles[0])
        if wire is None:
            return []
        frame = len(roles) * (2 if wire.encoding == "pcm_s16le" else 1)
        whole = event.payload[: len(event.payload) // frame * frame]
        legs = deinterleave(decode(whole, wire.encoding), len(roles))
        return [self._piece(role, event.at, pcm) for role, pcm in zip(roles, legs, strict=True)]

    def flush(self, roles: Sequence[Role]) -> list[Piece]:
        """What the filters of these legs withhold."""
        rest: list[Piece] = []
        for role in roles:
            pcm = self._legs[role].flush() if role in self._legs else None
            if pcm is not None:
                rest.append(Piece(role=role, at=None, pcm=pcm))
        return rest

    def _piece(self, role: Role, at: Seconds | None, pcm: Pcm) -> Piece:
        wire = self._legs[role]
        self._received[role] = self._received.get(role, 0.0) + pcm.size / wire.rate
        return wire.piece(role, at, pcm)
