"""Remembers readings for askers that come often."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from service.web.ports import ReadinessChecks
from service.web.schemas import Check

KEPT = 1.0
"""Seconds. Anybody may ask whether the service is ready, so the store is not asked each time."""


class RememberedChecks:
    """Readings that are taken anew when the last ones are older than a second."""

    def __init__(self, take: ReadinessChecks, now: Callable[[], float]) -> None:
        self._take = take
        self._now = now
        self._taken: tuple[float, Mapping[str, Check]] | None = None

    async def __call__(self) -> Mapping[str, Check]:
        if self._taken is None or self._now() - self._taken[0] >= KEPT:
            self._taken = self._now(), await self._take()
        return self._taken[1]
