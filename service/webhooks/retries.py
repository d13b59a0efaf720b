"""When a delivery is tried again, and when nobody believes any more that it will arrive. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from service.record.webhook import Webhook

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=1)
_FACTOR = 4
LEAST_FAILURES = 10
FAILING_FOR = timedelta(hours=24)
"""A webhook that has failed for so long, so often and without one success is stopped."""
GONE = 410
"""The receiver says that it wants no more."""


def next_try(tries: int, now: datetime, chance: float, asked: float | None = None) -> datetime:
    """After so many tries. `chance`, from [0, 1), spreads tries over the second half of the wait, so that those that
    failed together do not come together. `asked`: seconds that the receiver asks for."""
    wait = min(FIRST_WAIT * _FACTOR ** min(tries - 1, 8), LONGEST_WAIT)
    spread = wait * (1 + chance) / 2
    return now + min(max(spread, timedelta(seconds=asked or 0)), LONGEST_WAIT)


def stop_reason(webhook: Webhook, status: int | None, now: datetime) -> str:
    """Why a webhook is stopped after a failure; empty where it goes on."""
    if webhook.stopped_at is not None:
        return ""
    if status == GONE:
        return "the receiver answered 410 Gone: it wants no more"
    since = webhook.failing_since
    if since is None or webhook.failures < LEAST_FAILURES or now - since < FAILING_FOR:
        return ""
    return f"nothing has arrived for {FAILING_FOR.days * 24} hours, in {webhook.failures} tries"
