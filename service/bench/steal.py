"""Takes cores away in mid-run, by programs that do nothing else, and compares the parts of the run."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from asr.recognition.degradation import DEGRADATION_LEVELS
from asr.types import ROLES, Role, Seconds
from service.bench.statistics import spread

_SPIN = "import sys, time\nend = time.monotonic() + float(sys.argv[1])\nwhile time.monotonic() < end: pass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Steal:
    """So many cores, from `begin` seconds into the run, for `seconds`."""

    cores: int
    begin: Seconds
    seconds: Seconds

    @property
    def end(self) -> Seconds:
        """When it was over."""
        return self.begin + self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class TextCame:
    """When an utterance ended, in seconds into the run, and how long after its text came."""

    at: Seconds
    role: Role
    late: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReading:
    """The service's health at one moment of the run."""

    at: Seconds
    level: int
    calls: int
    capacity: float
    backlog: Seconds


async def take_cores(steal: Steal) -> None:
    """Sleep until it begins; then keep the cores busy. The programs end with this task, or by themselves."""
    await asyncio.sleep(steal.begin)
    command = [sys.executable, "-c", _SPIN, str(steal.seconds)]
    burners = [await asyncio.create_subprocess_exec(*command) for _ in range(steal.cores)]
    try:
        await asyncio.gather(*(burner.wait() for burner in burners))
    finally:
        for burner in burners:
            if burner.returncode is None:
                burner.kill()
                await burner.wait()


def steps(
    steal: Steal,
    first: Seconds,
    texts: Sequence[TextCame],
    readings: Sequence[HealthReading],
    refused: Sequence[Seconds],
) -> dict[str, Any]:
    """Before (from `first` on, when all calls are up), during and after: lateness, of each party's texts too, levels of
    what was left undone, calls, capacity and refusals; and how long after its end no more was than before."""
    stretches = {
        "before": (first, steal.begin),
        "during": (steal.begin, steal.end),
        "after": (steal.end, float("inf")),
    }
    told: dict[str, Any] = {
        name: _step(
            [text for text in texts if begin <= text.at < end],
            [reading for reading in readings if begin <= reading.at < end],
            sum(begin <= at < end for at in refused),
        )
        for name, (begin, end) in stretches.items()
    }
    return told | {"recovered_after_s": _recovered_after(steal, first, readings)}


def _step(texts: Sequence[TextCame], readings: Sequence[HealthReading], refusals: int) -> dict[str, Any]:
    levels = Counter(reading.level for reading in readings)
    return {
        "final_s": asdict(spread([text.late for text in texts])),
        **{f"final_s_{role}": asdict(spread([text.late for text in texts if text.role == role])) for role in ROLES},
        "readings_at_level": {name: levels[number] for number, name in enumerate(DEGRADATION_LEVELS) if levels[number]},
        "calls_most": max((reading.calls for reading in readings), default=0),
        "capacity_least": round(min((reading.capacity for reading in readings), default=0.0), 1),
        "backlog_most_s": round(max((reading.backlog for reading in readings), default=0.0), 1),
        "refusals": refusals,
    }


def _recovered_after(steal: Steal, first: Seconds, readings: Sequence[HealthReading]) -> Seconds | None:
    """None where it was not before the run's end."""
    usual = max((reading.level for reading in readings if first <= reading.at < steal.begin), default=0)
    over = (reading.at for reading in readings if reading.at >= steal.end and reading.level <= usual)
    recovered = next(over, None)
    return None if recovered is None else round(recovered - steal.end, 1)
