"""Asking a store that may be away: it is asked again until it answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeVar

import structlog

from asr.types import Seconds
from service.storage.port import StorageUnavailable

T = TypeVar("T")

AGAIN_AFTER: Final[Seconds] = 0.5
"""Between an answer that did not come and the next question."""

log = structlog.get_logger(__name__)


async def answered(ask: Callable[[], Awaitable[T]], within: Seconds, given_up: asyncio.Event) -> T:
    """What the store answers, as soon as it does. Raises StorageUnavailable where it does not `within` so many seconds,
    or until this is `given_up`; StorageError that no waiting would mend."""
    began, told = time.monotonic(), False
    while True:
        try:
            return await ask()
        except StorageUnavailable as away:
            if given_up.is_set() or time.monotonic() - began >= within:
                raise
            if not told:
                log.warning("store is asked until it answers", error=str(away))
            told = True
        with suppress(TimeoutError):
            async with asyncio.timeout(AGAIN_AFTER):
                await given_up.wait()
