"""When a webhook's daily digest is due. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

_DAY = timedelta(days=1)


def digest_span(hour: int, clock: tzinfo, now: datetime) -> tuple[datetime, datetime]:
    """The last day that was over by then: from that hour to the same hour of the next day, by the clock."""
    there = now.astimezone(clock)
    today = there.replace(hour=hour, minute=0, second=0, microsecond=0)
    until = today if today.astimezone(UTC) <= now.astimezone(UTC) else today - _DAY
    return (until - _DAY).astimezone(UTC), until.astimezone(UTC)
