"""How many messages a connection may send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.ingest.events import ProtocolViolation
from service.ingest.rate_limits import MESSAGES_A_SECOND, MESSAGES_AT_ONCE, MessageLimit, TokenBucket


@given(st.lists(st.floats(0, 2), max_size=200), st.floats(0.5, 20), st.integers(1, 20))
def test_a_bucket_gives_no_more_than_its_rate_and_its_burst(waits: list[float], rate: float, most: int) -> None:
    bucket = TokenBucket(rate, most, now=0.0)
    now, taken = 0.0, 0
    for wait in waits:
        now += wait
        taken += bucket.take(now)
        assert taken <= most + rate * now + 1e-6


def test_two_tracks_of_10_ms_packets_pass_at_ten_times_real_time_for_ever() -> None:
    limit = MessageLimit(now=0.0)
    for n in range(2 * MESSAGES_AT_ONCE):
        limit.count(n / MESSAGES_A_SECOND)


def test_a_backlog_passes_and_a_flood_is_one() -> None:
    limit = MessageLimit(now=0.0)
    for _ in range(MESSAGES_AT_ONCE):
        limit.count(0.0)
    with pytest.raises(ProtocolViolation) as caught:
        limit.count(0.0)
    assert (caught.value.field, caught.value.close_code) == ("message", 1008)


def test_time_that_steps_back_earns_nothing() -> None:
    bucket = TokenBucket(1.0, 1, now=10.0)
    assert bucket.take(10.0)
    assert not bucket.take(0.0)
    assert not bucket.take(10.5)
    assert bucket.take(11.6)
