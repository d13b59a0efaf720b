"""How late recognition will be: a queue with several workers (M/G/c). Pure.

Allen and Cunneen's approximation: a stretch waits with Erlang's probability C, and then exponentially long, on average
E[S²] / (2 E[S] c (1 - ρ)) for service times S, c workers and a utilisation ρ.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from asr.types import Seconds


def share_later(services: Sequence[Seconds], workers: int, utilisation: float, within: Seconds) -> float:
    """The share, 0 to 1, of what comes at random that is done later than `within`, waiting and service together.

    `services` are service times as they come, at least one; at a utilisation of 1 or more everything is late in time.
    """
    if utilisation >= 1.0:
        return 1.0
    mean, square = fmean(services), fmean(each * each for each in services)
    waits = erlang_c(workers, utilisation)
    rate = 2 * mean * workers * (1.0 - utilisation) / square
    return fmean(1.0 if each >= within else waits * math.exp(-rate * (within - each)) for each in services)


def erlang_c(workers: int, utilisation: float) -> float:
    """The probability, 0 to 1, that all workers are busy when something comes, at a utilisation below 1."""
    offered = workers * max(0.0, utilisation)
    blocked = 1.0
    for count in range(1, workers + 1):  # Erlang B, worker by worker
        blocked = offered * blocked / (count + offered * blocked)
    return blocked / (1.0 - utilisation * (1.0 - blocked))
