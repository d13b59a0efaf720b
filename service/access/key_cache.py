"""Gateway keys that were verified of late, so that gateways can connect and come back while the database is away."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from service.storage.port import Accounts, GatewayKey, NotFound, StorageUnavailable

FRESH_SECONDS = 60.0
"""For so long the store is not asked again: a key that another process revokes (the command line) works on so long."""
STALE_SECONDS = 600.0
"""For so long a key is good while the store cannot be asked: a restart of the database, a failover."""
PATIENCE_SECONDS = 2.0
"""How long the store is waited for where there is such a key: a gateway hangs up on a handshake of 10 s."""
MOST_KEYS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundKey:
    """A key as the store had it `at` that time (seconds of a steady clock)."""

    key: GatewayKey
    at: float


class KeyCache:
    """Keeps keys whose secret was right, so guesses fill nothing. The secret is compared at each use all the same."""

    def __init__(self, store: Accounts, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._store = store
        self._patience_seconds = patience_seconds
        self._kept: OrderedDict[str, FoundKey] = OrderedDict()
        self._revoked: OrderedDict[str, None] = OrderedDict()

    async def find(self, key_id: str, now: float) -> FoundKey | None:
        """The key by its id, None if there is none. Raises StorageUnavailable where nothing is known of it."""
        kept = self._kept.get(key_id)
        if kept is not None and now - kept.at < FRESH_SECONDS:
            return kept
        usable = kept if kept is not None and now - kept.at < STALE_SECONDS else None
        try:
            async with asyncio.timeout(None if usable is None else self._patience_seconds):
                return FoundKey(key=await self._store.key(key_id), at=now)
        except NotFound:
            self._kept.pop(key_id, None)
            return None
        except (StorageUnavailable, TimeoutError):
            if usable is None:
                raise
            return usable

    def verified(self, found: FoundKey) -> None:
        """Its secret was right: keep it."""
        key_id = found.key.id
        if found.key.revoked_at is not None or key_id in self._revoked:
            self._kept.pop(key_id, None)
            return
        self._kept[key_id] = found
        _trim(self._kept)

    def revoked(self, key_id: str) -> None:
        """It was revoked in this process: it is not good any more, whatever was read of it before."""
        self._kept.pop(key_id, None)
        self._revoked[key_id] = None
        _trim(self._revoked)

    def __len__(self) -> int:
        """Keys kept now."""
        return len(self._kept)


def _trim(kept: OrderedDict[str, FoundKey] | OrderedDict[str, None]) -> None:
    while len(kept) > MOST_KEYS:
        kept.popitem(last=False)
