"""How many messages a room takes in a minute. Pure."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

_MINUTE = timedelta(minutes=1)


class SlidingWindow:
    """What one webhook was sent in the last minute."""

    def __init__(self) -> None:
        self._at: deque[datetime] = deque()

    def room(self, now: datetime, a_minute: int) -> int:
        """How many more may be sent now."""
        while self._at and now - self._at[0] >= _MINUTE:
            self._at.popleft()
        return max(0, a_minute - len(self._at))

    def add(self, now: datetime, count: int) -> None:
        """So many were sent now."""
        self._at.extend([now] * count)
