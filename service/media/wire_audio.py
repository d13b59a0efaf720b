"""A connection's audio as it is on the wire, as samples of each leg at the call's rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asr.audio.pcm import Encoding, Pcm, Resampler, decode, deinterleave
from asr.types import Role, Seconds
from service.ingest.events import AudioArrived


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Samples of one party at the call's rate. `at`: the source's own time of the first, None where they follow on."""

    role: Role
    at: Seconds | None
    pcm: Pcm


class WireAudio:
    """One connection's form: `roles` in their order when interleaved, `encoding`, and `rate` samples a second.

    Pieces come at `call_rate`. Where that is another rate a filter withholds up to 0.12 s, and their times say so.
    """

    def __init__(self, roles: Sequence[Role], encoding: Encoding, rate: int, call_rate: int) -> None:
        self._roles = tuple(roles)
        self._encoding: Encoding = encoding
        self._rate = rate
        self._call_rate = call_rate
        self._resamplers: dict[Role, Resampler] = {}
        self._withheld: dict[Role, Seconds] = {}
        self._samples: dict[Role, int] = {}

    @property
    def received(self) -> Seconds:
        """Audio that came of the party of which most did."""
        return max(self._samples.values(), default=0) / self._rate

    def decoded(self, event: AudioArrived) -> list[Piece]:
        """One piece a party. Bytes past the last whole sample frame are left out."""
        roles = self._roles if event.role is None else (event.role,)
        frame = len(roles) * (2 if self._encoding == "pcm_s16le" else 1)
        whole = event.payload[: len(event.payload) // frame * frame]
        legs = deinterleave(decode(whole, self._encoding), len(roles))
        return [self._piece(role, event.at, pcm) for role, pcm in zip(roles, legs, strict=True)]

    def flush(self) -> list[Piece]:
        """What the filters withhold."""
        rest = [Piece(role=role, at=None, pcm=resampler.flush()) for role, resampler in self._resamplers.items()]
        self._withheld.clear()
        return rest

    def _piece(self, role: Role, at: Seconds | None, pcm: Pcm) -> Piece:
        self._samples[role] = self._samples.get(role, 0) + pcm.size
        if self._rate == self._call_rate:
            return Piece(role=role, at=at, pcm=pcm)
        withheld = self._withheld.get(role, 0.0)
        resampler = self._resamplers.setdefault(role, Resampler(self._rate, self._call_rate))
        ready = resampler.push(pcm)
        self._withheld[role] = withheld + pcm.size / self._rate - ready.size / self._call_rate
        return Piece(role=role, at=None if at is None else at - withheld, pcm=ready)
