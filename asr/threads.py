"""Blocking work beside the event loop."""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from anyio import CapacityLimiter, to_thread

T = TypeVar("T")

_NICE = 10
"""Enough for the event loop to run at once when it wakes. Other programs do not notice."""


def at_low_priority(make: Callable[[], T]) -> T:
    """What `make` returns or raises; the threads it starts give way to this process's others, where the system has a
    priority a thread (Linux, where new threads inherit it)."""

    def give_way() -> None:
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)

    with ThreadPoolExecutor(1, initializer=give_way) as maker:
        return maker.submit(make).result()


class InThread(Protocol):
    """Runs blocking work beside the event loop, and gives back what it returns or raises."""

    def __call__(self, work: Callable[[], T], /) -> Coroutine[Any, Any, T]: ...


_UNLIMITED = CapacityLimiter(math.inf)
"""Unlimited, because the callers have bounds of their own: the engine's workers, one question per call."""


async def in_thread(work: Callable[[], T]) -> T:
    """Run blocking work in a worker thread and return its result. If the caller stops waiting, the thread goes on, and
    takes no other caller's place."""
    return await to_thread.run_sync(work, abandon_on_cancel=True, limiter=_UNLIMITED)
