"""The network between the parties and the gateway: loss, jitter, and silence that is not sent. Plain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from heapq import heappop, heappush
from random import Random
from typing import Final

from asr.audio.pcm import Pcm, dbfs, energy
from asr.types import Seconds
from service.simulation.gateway_client import Packet

QUIET_DBFS: Final = -60.0
"""A packet below this level is silence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkQuirks:
    """`loss`: of the packets of each leg, from 0 to 1. `jitter`: how late a packet may be. `seed`: the same one gives
    the same faults."""

    loss: float = 0.0
    jitter: Seconds = 0.0
    silent: bool = False
    seed: int = 0


class Network:
    """The network of one call. With `ordered` no packet overtakes another one."""

    def __init__(self, quirks: NetworkQuirks, *, ordered: bool = True) -> None:
        self._quirks = quirks
        self._ordered = ordered
        self._random = Random(quirks.seed)  # noqa: S311 - faults, not secrets
        self._on_the_way: list[tuple[Seconds, int, Packet]] = []
        self._taken = 0
        self._latest: Seconds = 0.0

    def push(self, packet: Packet) -> list[tuple[Seconds, Packet]]:
        """The packets that have arrived by this packet's end, each with the time of its arrival, in that order."""
        due = packet.end + self._random.uniform(0, self._quirks.jitter)
        if self._ordered:
            due = self._latest = max(due, self._latest)
        legs = {role: None if pcm is None or self._fails(pcm) else pcm for role, pcm in packet.legs.items()}
        heappush(self._on_the_way, (due, self._taken, replace(packet, legs=legs)))
        self._taken += 1
        return self._arrived(packet.end)

    def flush(self) -> list[tuple[Seconds, Packet]]:
        """The packets that are still on the way."""
        return self._arrived(float("inf"))

    def _arrived(self, now: Seconds) -> list[tuple[Seconds, Packet]]:
        arrived: list[tuple[Seconds, Packet]] = []
        while self._on_the_way and self._on_the_way[0][0] <= now:
            due, _, packet = heappop(self._on_the_way)
            arrived.append((due, packet))
        return arrived

    def _fails(self, pcm: Pcm) -> bool:
        lost = self._random.random() < self._quirks.loss
        return lost or (self._quirks.silent and dbfs(energy(pcm) / pcm.size) < QUIET_DBFS)
