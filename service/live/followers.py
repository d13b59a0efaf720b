"""Those who asked for a call's facts back: gateways whose key has the right, and the client that waits for a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from service.storage.port import LoggedFact

MOST_FOLLOWED = 4096
"""Facts kept for one that reads slowly: about an hour of a busy call."""


class Followers:
    """Hands each stored fact of a call to everyone who follows that call; `most` are kept for each of them."""

    def __init__(self, most: int = MOST_FOLLOWED) -> None:
        self._most = most
        self._queues: dict[str, set[asyncio.Queue[LoggedFact | None]]] = {}

    def follow(self, call_id: str) -> AsyncGenerator[LoggedFact, None]:
        """The call's facts told from this moment on, until its end; fewer for one that falls too far behind."""
        queue: asyncio.Queue[LoggedFact | None] = asyncio.Queue()
        self._queues.setdefault(call_id, set()).add(queue)
        return self._following(call_id, queue)

    def tell(self, call_id: str, logged: LoggedFact) -> None:
        """Pass on a fact of the call. Who has fallen too far behind gets what is queued, and then the end."""
        for queue in list(self._queues.get(call_id, ())):
            if queue.qsize() < self._most:
                queue.put_nowait(logged)
            else:
                queue.put_nowait(None)
                self._leave(call_id, queue)

    def end(self, call_id: str) -> None:
        """Nothing more comes of this call."""
        for queue in self._queues.pop(call_id, ()):
            queue.put_nowait(None)

    async def _following(
        self, call_id: str, queue: asyncio.Queue[LoggedFact | None]
    ) -> AsyncGenerator[LoggedFact, None]:
        try:
            while (logged := await queue.get()) is not None:
                yield logged
        finally:
            self._leave(call_id, queue)

    def _leave(self, call_id: str, queue: asyncio.Queue[LoggedFact | None]) -> None:
        followers = self._queues.get(call_id, set())
        followers.discard(queue)
        if not followers:
            self._queues.pop(call_id, None)
