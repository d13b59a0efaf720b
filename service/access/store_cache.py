"""Keeps values read from the store that were used rightly, so that gateways can connect while the database is away."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from service.storage.port import NotFound, StorageUnavailable

T = TypeVar("T")

FRESH_SECONDS = 60.0
"""A value is not read again for so long. So a change by another process, such as a revoked key, takes effect within
this time."""
STALE_SECONDS = 600.0
"""A value is still used for so long while the store cannot be asked: a restart of the database, a failover."""
PATIENCE_SECONDS = 2.0
"""How long the store is waited for where there is such a value: a gateway hangs up on a handshake of 10 s."""
MOST_KEPT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Generic[T]):
    """A value as the store had it `at` that time (seconds of a steady clock). `reading`: the number of the last change
    when it was read."""

    name: str
    value: T
    at: float
    reading: int


class StoreCache(Generic[T]):
    """Keeps values that were used rightly, so guesses fill nothing. `read` raises NotFound for an unknown name, and
    StorageUnavailable."""

    def __init__(self, read: Callable[[str], Awaitable[T]], *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._read = read
        self._patience_seconds = patience_seconds
        self._kept: OrderedDict[str, Found[T]] = OrderedDict()
        self._reading = 0

    async def find(self, name: str, now: float) -> Found[T] | None:
        """The value by its name, None if there is none. Raises StorageUnavailable where nothing is known of it."""
        kept, reading = self._kept.get(name), self._reading
        if kept is not None and now - kept.at < FRESH_SECONDS:
            return kept
        usable = kept if kept is not None and now - kept.at < STALE_SECONDS else None
        try:
            async with asyncio.timeout(None if usable is None else self._patience_seconds):
                return Found(name=name, value=await self._read(name), at=now, reading=reading)
        except NotFound:
            self._kept.pop(name, None)
            return None
        except (StorageUnavailable, TimeoutError):
            if usable is None:
                raise
            return usable

    def keep(self, found: Found[T]) -> None:
        """The value was used rightly, so keep it."""
        if found.reading != self._reading:
            return
        self._kept[found.name] = found
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def drop(self, found: Found[T]) -> None:
        """The value is no longer good."""
        self._kept.pop(found.name, None)

    def forget(self) -> None:
        """Something was changed in this process, so no value read before is good any more."""
        self._kept.clear()
        self._reading += 1

    def __len__(self) -> int:
        """Values kept now."""
        return len(self._kept)
