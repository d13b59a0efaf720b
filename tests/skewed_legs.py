"""Two legs whose clocks run differently, over a network that loses, delays and reorders, and what a timeline makes of
them: how far sound of one moment lies apart. No time passes.

Each sample tells the moment at which it was heard, in steps of 10 ms, so that the legs can be compared wherever both
have sound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from asr.types import ROLES, Role, Seconds
from service.ingest.events import AudioArrived, FormatChanged
from service.ingest.source import Clock
from service.media.legs import LegAudio
from service.media.timeline import CallTimeline, TimelineOutput

RATE = 8000
STEP: Seconds = 0.01
_STEPS = 30_000
"""What a sample can tell before it begins anew: five minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`skew`: how much faster each leg's samples are than time. `stamps`: whether timestamps tell true time, or count
    samples. `loss`: the share of packets. `jitter`: most delay of a packet; with `reordered` they overtake each other.
    `bursts`: packets come so long a stretch at once. `holds`: from when to when nothing is sent of anyone."""

    clock: Clock
    seconds: Seconds
    skew: Mapping[Role, float] = field(default_factory=lambda: {"agent": 100e-6, "customer": -100e-6})
    stamps: Literal["time", "samples"] = "time"
    packet: Seconds = 0.02
    loss: float = 0.05
    jitter: Seconds = 0.04
    reordered: bool = False
    bursts: Seconds = 0.0
    holds: tuple[tuple[Seconds, Seconds], ...] = ()
    seed: int = 1


def apart(line: Line) -> NDArray[np.float64]:
    """Of each moment that both legs have: by how many seconds the customer's sound of it lies after the agent's."""
    timeline = CallTimeline(ROLES, "pcm_s16le", RATE)
    timeline.reformat(FormatChanged(encoding="pcm_s16le", rate=RATE, roles=ROLES, clock=line.clock))
    told: list[TimelineOutput] = []
    for now, packet in _arrivals(line):
        told += timeline.feed(packet, now)
    while more := timeline.flush():
        told += more
    places: dict[Role, NDArray[np.float64]] = {role: _places(told, role, line) for role in ROLES}
    between = places["customer"] - places["agent"]
    return between[np.isfinite(between)]


def _arrivals(line: Line) -> Iterator[tuple[Seconds, AudioArrived]]:
    rng, size = np.random.default_rng(line.seed), round(line.packet * RATE)
    sent: list[tuple[Seconds, AudioArrived]] = []
    for role in ROLES:
        rate, last = RATE * (1 + line.skew[role]), 0.0
        for first in range(0, int(line.seconds * rate) - size, size):
            begun, over = first / rate, (first + size) / rate
            if rng.random() < line.loss or any(since <= begun < until for since, until in line.holds):
                continue
            arrived = over + rng.random() * line.jitter
            if line.bursts:
                arrived = np.ceil(arrived / line.bursts) * line.bursts
            last = arrived if line.reordered else max(last, arrived)
            moments = ((np.arange(first, first + size) / rate / STEP).astype(np.int64) % _STEPS + 1).astype("<i2")
            at = begun if line.stamps == "time" else first / RATE
            sent.append((last, AudioArrived(payload=moments.tobytes(), role=role, at=at)))
    yield from sorted(sent, key=lambda each: each[0])


def _places(told: list[TimelineOutput], role: Role, line: Line) -> NDArray[np.float64]:
    """Where on the call's clock each moment's sound lies, in seconds; NaN where it does not."""
    pcm = np.concatenate([run.pcm for run in told if isinstance(run, LegAudio) and run.role == role]).astype(np.int64)
    at = np.flatnonzero(pcm)
    moment = pcm[at] - 1
    moment += np.round((at / RATE / STEP - moment) / _STEPS).astype(np.int64) * _STEPS
    places = np.full(int(line.seconds / STEP) + 1, np.nan)
    places[moment] = at / RATE
    return places
