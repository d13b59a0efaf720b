"""Blocking work beside the event loop."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Protocol, TypeVar, cast

T = TypeVar("T")

_NICE = 10
"""Enough for the event loop to run at once when it wakes, and no other program notices."""


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

    def __call__(self, work: Callable[[], T], name: str, /) -> Coroutine[Any, Any, T]: ...


async def in_thread(work: Callable[[], T], name: str) -> T:
    """Run blocking work in a daemon thread of its own, and give back what it returns or raises.

    Unlike a pool's thread, one that hangs takes nobody's place and does not hold up the end of the process:
    whoever awaits may give it up. A thread costs some 0.1 ms to start; what runs here takes longer.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def report(result: T | None, failure: BaseException | None) -> None:
        if done.done():
            return  # given up
        if failure is not None:
            done.set_exception(failure)
        else:
            done.set_result(cast(T, result))

    def run() -> None:
        result, failure = None, None
        try:
            result = work()
        except BaseException as raised:  # carried over to who awaits
            failure = raised
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(report, result, failure)

    threading.Thread(target=run, daemon=True, name=name).start()
    return await done
