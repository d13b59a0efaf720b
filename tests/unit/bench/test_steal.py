"""What a run was like before, while and after cores were taken from it."""

from __future__ import annotations

import os
import time

from asr.types import Role
from service.bench.steal import HealthReading, Steal, TextCame, steps, take_cores

STEAL = Steal(cores=1, begin=20.0, seconds=10.0)


def reading(at: float, level: int) -> HealthReading:
    return HealthReading(at=at, level=level, calls=4, capacity=20.0 - level, backlog=float(level))


def text(at: float, late: float, role: Role = "agent") -> TextCame:
    return TextCame(at=at, role=role, late=late)


def test_each_step_is_told_apart_and_when_all_was_as_before() -> None:
    told = steps(
        STEAL,
        5.0,
        [text(1.0, 9.0), text(10.0, 0.5), text(25.0, 2.0), text(25.0, 8.0, "customer"), text(35.0, 1.0)],
        [reading(10.0, 1), reading(25.0, 4), reading(31.0, 3), reading(36.0, 1)],
        [22.0, 40.0],
    )
    assert [told[step]["final_s"]["most"] for step in ("before", "during", "after")] == [0.5, 8.0, 1.0]
    assert told["during"]["final_s_agent"]["most"] == 2.0
    assert told["during"]["readings_at_level"] == {"agents_first": 1}
    assert [told[step]["refusals"] for step in ("before", "during", "after")] == [0, 1, 1]
    assert told["recovered_after_s"] == 6.0


def test_a_run_that_ends_before_all_is_well_says_so() -> None:
    assert steps(STEAL, 5.0, [], [reading(10.0, 0), reading(35.0, 2)], [])["recovered_after_s"] is None


async def test_cores_are_taken_for_as_long_as_asked_and_given_back() -> None:
    begun, used = time.monotonic(), sum(_children())
    await take_cores(Steal(cores=1, begin=0.0, seconds=0.3))
    assert time.monotonic() - begun >= 0.3
    assert sum(_children()) > used


def _children() -> tuple[float, float]:
    times = os.times()
    return times.children_user, times.children_system
