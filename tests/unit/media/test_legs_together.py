"""What two parties say at once stays within 100 ms, whatever places their audio and whatever the line does to it.

`benchmarks/timeline.py` plays an hour at 200 ppm; here minutes at some times as much show the same.
"""

from __future__ import annotations

import numpy as np
import pytest

from asr.types import Role
from tests.skewed_legs import Line, apart

TIMES: dict[Role, float] = {"agent": 400e-6, "customer": -400e-6}
TOGETHER = 0.1

LINES = {
    "true timestamps, overtaking": Line(clock="timestamps", seconds=120, skew=TIMES, jitter=0.1, reordered=True),
    "timestamps that count samples": Line(clock="timestamps", seconds=160, skew=TIMES, stamps="samples"),
    "samples": Line(clock="samples", seconds=120, skew=TIMES),
    "samples in bursts": Line(clock="samples", seconds=120, skew=TIMES, bursts=0.25),
    "arrival, with a hold": Line(clock="arrival", seconds=120, skew=TIMES, holds=((30.0, 50.0),)),
    "arrival without loss": Line(clock="arrival", seconds=160, skew=TIMES, loss=0.0),
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_legs_stay_together(line: Line) -> None:
    """Where a packet lost cannot be told from a late one, 0.3 s may pass until it is: a little in a hundred."""
    between = np.abs(apart(line))
    assert between.size > 0.7 * line.seconds / 0.01
    assert np.mean(between > TOGETHER) <= (0.0 if line.clock == "timestamps" else 0.01)
    assert between.max() < 2 * TOGETHER
