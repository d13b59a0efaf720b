"""Plays a recorded call as a vendor's gateway would, over the network that the quirks describe."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from math import inf
from typing import Final

import numpy as np

from asr.audio.pcm import Pcm
from asr.types import ROLES, Role, Seconds
from service.audio_files.call import CallSound, packets
from service.simulation.connection import Ending, Listener, SimulatedConnection, connected
from service.simulation.gateway_client import Packet, SimulatedCall
from service.simulation.network import Network, NetworkQuirks
from service.simulation.vendors import Vendor

OUTAGE_SECONDS: Final[Seconds] = 1.0
"""How long a gateway is away whose connection broke; what is said meanwhile is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """`reconnect_after`: the connection breaks once so far into the call, and the gateway comes back."""

    network: NetworkQuirks = field(default_factory=NetworkQuirks)
    ending: Ending = "told"
    reconnect_after: Seconds | None = None


class _Clock:
    """Runs from the first look at it, `pace` times as fast as time does."""

    def __init__(self, pace: float) -> None:
        self._pace = pace
        self._begun: Seconds | None = None

    async def until(self, at: Seconds) -> None:
        self._begun = time.monotonic() if self._begun is None else self._begun
        await asyncio.sleep(max(0.0, self._begun + at / self._pace - time.monotonic()))


async def play(
    sound: CallSound, vendor: Vendor, call: SimulatedCall, quirks: Quirks, pace: float, listener: Listener
) -> str:
    """The call at `pace` times real time; gives the id by which the service knows it. Raises StreamFailed."""
    arrivals, clock = _arrivals(sound, vendor, quirks.network), _Clock(pace)
    breaks_at = inf if quirks.reconnect_after is None else quirks.reconnect_after
    if await _broke(vendor, call, arrivals, clock, listener, quirks.ending, breaks_at):
        back_at = breaks_at + OUTAGE_SECONDS
        await clock.until(back_at)
        again = replace(call, attempt=call.attempt + 1)
        await _broke(vendor, again, _since(arrivals, back_at), clock, listener, quirks.ending)
    return vendor.connect(call)[0].call_id


async def _broke(
    vendor: Vendor,
    call: SimulatedCall,
    arrivals: AsyncIterator[tuple[Seconds, Packet]],
    clock: _Clock,
    listener: Listener,
    ending: Ending,
    breaks_at: Seconds = inf,
) -> bool:
    """Whether the connections have broken before all of the call had arrived."""
    broke = False
    async with AsyncExitStack() as stack:
        clients = vendor.connect(call)
        connections = [await stack.enter_async_context(connected(client, listener)) for client in clients]
        for connection in connections:
            await connection.begin()
        async for due, packet in arrivals:
            if broke := due > breaks_at:
                break
            await clock.until(due)
            await _give(connections, packet)
            listener.sent(packet.end)
        for connection in connections:
            await connection.end("broken" if broke else ending)
    return broke


async def _give(connections: list[SimulatedConnection], packet: Packet) -> None:
    for connection in connections:
        await connection.send(connection.client.audio(packet))


async def _arrivals(sound: CallSound, vendor: Vendor, quirks: NetworkQuirks) -> AsyncIterator[tuple[Seconds, Packet]]:
    """The call's packets as they come to the gateway."""
    network = Network(replace(quirks, silent=quirks.silent or vendor.silent), ordered=vendor.ordered)
    begun = 0
    async for pcm in packets(sound, vendor.packet(sound.rate)):
        legs: dict[Role, Pcm | None] = dict(zip(ROLES, map(np.ascontiguousarray, pcm.T), strict=True))
        packet = Packet(at=begun / sound.rate, seconds=len(pcm) / sound.rate, legs=legs)
        begun += len(pcm)
        for arrived in network.push(packet):
            yield arrived
    for arrived in network.flush():
        yield arrived


async def _since(arrivals: AsyncIterator[tuple[Seconds, Packet]], at: Seconds) -> AsyncIterator[tuple[Seconds, Packet]]:
    """The packets that arrive at `at` or later."""
    async for due, packet in arrivals:
        if due >= at:
            yield due, packet
