"""Those who follow one call: gateways whose key has the right, and the client that waits for a call. They get its
facts, or its interim texts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Generic, TypeVar

MOST_FOLLOWED = 4096
"""Facts kept for one that reads slowly: about an hour of a busy call."""

T = TypeVar("T")


class Followers(Generic[T]):
    """Hands what is told of a call to everyone who follows that call; `most` are kept for each of them."""

    def __init__(self, most: int = MOST_FOLLOWED) -> None:
        self._most = most
        self._queues: dict[str, set[asyncio.Queue[T | None]]] = {}

    def follow(self, call_id: str) -> AsyncGenerator[T, None]:
        """What is told of the call from now until its end. A follower that falls too far behind gets less."""
        queue: asyncio.Queue[T | None] = asyncio.Queue()
        self._queues.setdefault(call_id, set()).add(queue)
        return self._following(call_id, queue)

    def tell(self, call_id: str, told: T) -> None:
        """Pass on what is told of the call. A follower that has fallen too far behind gets what is queued, and then the
        end."""
        for queue in list(self._queues.get(call_id, ())):
            if queue.qsize() < self._most:
                queue.put_nowait(told)
            else:
                queue.put_nowait(None)
                self._leave(call_id, queue)

    def end(self, call_id: str) -> None:
        """Nothing more comes of this call."""
        for queue in self._queues.pop(call_id, ()):
            queue.put_nowait(None)

    async def _following(self, call_id: str, queue: asyncio.Queue[T | None]) -> AsyncGenerator[T, None]:
        try:
            while (told := await queue.get()) is not None:
                yield told
        finally:
            self._leave(call_id, queue)

    def _leave(self, call_id: str, queue: asyncio.Queue[T | None]) -> None:
        followers = self._queues.get(call_id, set())
        followers.discard(queue)
        if not followers:
            self._queues.pop(call_id, None)
