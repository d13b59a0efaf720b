"""When a delivery is tried again, a webhook stopped, a digest due, a room full."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.record.webhook import Webhook
from service.webhooks.digests import digest_span
from service.webhooks.rate import SlidingWindow
from service.webhooks.retries import FAILING_FOR, LEAST_FAILURES, LONGEST_WAIT, next_try, stop_reason
from tests.scenes import NOON

FAILING = Webhook(
    name="w",
    created_at=NOON,
    origin="https://x.org",
    sealed_url="1",
    failures=LEAST_FAILURES,
    failing_since=NOON - FAILING_FOR,
)


def test_waits_grow_to_an_hour() -> None:
    waits = [(next_try(tries, NOON, 0.999999, None) - NOON).total_seconds() for tries in range(1, 9)]
    assert [round(wait) for wait in waits] == [5, 20, 80, 320, 1280, 3600, 3600, 3600]


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True), st.none() | st.floats(0, 1e7))
def test_a_wait_is_half_to_all_of_its_length_and_as_long_as_was_asked_for(
    tries: int, chance: float, asked: float | None
) -> None:
    wait = next_try(tries, NOON, chance, asked) - NOON
    whole = next_try(tries, NOON, 0.999999999) - NOON
    assert timedelta(seconds=2.4) < wait <= LONGEST_WAIT
    assert wait >= min(timedelta(seconds=asked or 0), LONGEST_WAIT)
    assert asked is not None or wait >= whole / 2 - timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("webhook", "status", "stops"),
    [
        (FAILING, 500, True),
        (FAILING, None, True),
        (replace(FAILING, failures=LEAST_FAILURES - 1), 500, False),
        (replace(FAILING, failing_since=NOON - FAILING_FOR + timedelta(seconds=1)), 500, False),
        (replace(FAILING, failures=1, failing_since=NOON), 410, True),
        (replace(FAILING, stopped_at=NOON), 410, False),
    ],
)
def test_a_webhook_stops_that_fails_long_and_often_or_wants_no_more(
    webhook: Webhook, status: int | None, stops: bool
) -> None:
    assert bool(stop_reason(webhook, status, NOON)) == stops


def test_a_digest_is_of_the_day_that_ended_at_its_hour() -> None:
    shanghai = ZoneInfo("Asia/Shanghai")
    at_six = datetime(2026, 3, 2, 10, tzinfo=UTC)
    day = timedelta(days=1)
    assert digest_span(18, shanghai, at_six) == (at_six - day, at_six)
    assert digest_span(18, shanghai, at_six - timedelta(seconds=1)) == (at_six - 2 * day, at_six - day)


def test_a_digest_keeps_its_hour_where_clocks_change() -> None:
    """The day on which they go forward has 23 hours."""
    since, until = digest_span(8, ZoneInfo("Europe/Berlin"), datetime(2026, 3, 29, 12, tzinfo=UTC))
    assert (since.hour, until.hour, until - since) == (7, 6, timedelta(hours=23))


@given(st.integers(0, 23), st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)))  # noqa: DTZ001
def test_a_digest_is_never_of_a_day_that_goes_on(hour: int, moment: datetime) -> None:
    now = moment.replace(tzinfo=UTC)
    since, until = digest_span(hour, ZoneInfo("America/New_York"), now)
    assert since < until <= now < until + timedelta(hours=25)


def test_a_room_that_is_full_has_room_again_a_minute_later() -> None:
    window = SlidingWindow()
    window.add(NOON, 2)
    window.add(NOON + timedelta(seconds=30), 1)
    assert [window.room(NOON + timedelta(seconds=each), 3) for each in (30, 59, 60, 90)] == [0, 0, 2, 3]
