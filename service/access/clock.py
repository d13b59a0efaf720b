"""Clocks for routes and for what they keep."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def utc_now() -> datetime:
    """The time of day, in UTC."""
    return datetime.now(UTC)


def steady_now() -> float:
    """Seconds that only go forward; for waits and limits inside one process."""
    return time.monotonic()
