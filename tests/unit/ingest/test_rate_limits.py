"""How much may come in a while, and how fast: messages and audio."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.ingest.events import ProtocolViolation
from service.ingest.rate_limits import (
    AUDIO_AT_ONCE,
    MESSAGES_A_SECOND,
    MESSAGES_AT_ONCE,
    MessageLimit,
    PaceLimit,
    TokenBucket,
)


def refused(take: Callable[[], None]) -> bool:
    """Whether it breaks the limit."""
    try:
        take()
    except ProtocolViolation:
        return True
    return False


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
    counts = [partial(limit.count, n / MESSAGES_A_SECOND) for n in range(2 * MESSAGES_AT_ONCE)]
    assert not any(map(refused, counts))


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


WAITS = st.sampled_from([0.0, 0.0, 0.02, 0.25, 1.0, 15.0, 20.0, 66.0, 3600.0]) | st.floats(0, 10_000)


def play(limit: PaceLimit, pace: float, begin: float = 0.0) -> None:
    for second in range(1, 1000):
        limit.received(1.0, begin + second / pace)


@given(st.floats(1, 100), st.lists(st.tuples(WAITS, st.floats(0, 1)), max_size=60))
def test_audio_whose_total_never_exceeds_the_time_that_passed_is_never_too_fast(
    max_pace: float, arrivals: list[tuple[float, float]]
) -> None:
    limit = PaceLimit(max_pace, begun=5.0)
    now, total = 5.0, 0.0
    for wait, share in arrivals:
        now += wait
        audio = max(0.0, share * (now - 5.0 - total))  # up to all the backlog there can be, at once
        total += audio
        assert not refused(partial(limit.received, audio, now))


@given(st.floats(1, 20), st.floats(0.5, 3), st.floats(0, 100), st.floats(1, 30), st.lists(st.floats(0, 1), max_size=20))
def test_what_keeps_coming_faster_than_the_limit_is_refused_in_bounded_time(
    max_pace: float, excess: float, hold: float, packet: float, before: list[float]
) -> None:
    limit = PaceLimit(max_pace, begun=0.0)
    now = 0.0
    for audio in before:
        now += 1.0
        limit.received(audio, now)
    now += hold
    flood_begins = now
    most = AUDIO_AT_ONCE + now  # the burst, and the time that passed
    step = packet / (max_pace + excess)
    count = math.ceil((most + packet) / excess / step)

    def flood() -> None:
        for n in range(1, count + 1):
            limit.received(packet, flood_begins + n * step)

    with pytest.raises(ProtocolViolation):
        flood()


def test_real_time_in_bursts_of_250_ms_passes_at_any_limit() -> None:
    pace = PaceLimit(1.0, begun=100.0)
    packets = [partial(pace.received, 0.25, 100.0 + n * 0.25) for n in range(1, 20_000)]
    assert not any(map(refused, packets))


def test_ten_times_real_time_passes_and_more_is_refused() -> None:
    play(PaceLimit(10.0, begun=0.0), pace=10.0)

    with pytest.raises(ProtocolViolation) as caught:
        play(PaceLimit(10.0, begun=0.0), pace=12.5)
    assert caught.value.field == "audio"
    assert caught.value.close_code == 1008


def test_a_stall_and_its_backlog_pass_again_and_again() -> None:
    pace = PaceLimit(1.0, begun=0.0)
    backlogs = [partial(pace.received, 20.0, n * 20.0) for n in range(1, 50)]
    assert not any(map(refused, backlogs))


def test_a_burst_passes_once() -> None:
    pace = PaceLimit(10.0, begun=0.0)
    pace.received(AUDIO_AT_ONCE, 0.0)
    with pytest.raises(ProtocolViolation):
        pace.received(0.1, 0.0)


def test_after_a_hold_no_more_comes_at_once_than_the_time_it_took() -> None:
    held = PaceLimit(10.0, begun=0.0)
    held.received(3600.0 + AUDIO_AT_ONCE, 3600.0)
    with pytest.raises(ProtocolViolation):
        held.received(0.1, 3600.0)


def test_time_that_was_used_is_used() -> None:
    pace = PaceLimit(10.0, begun=0.0)
    for second in range(1, 3600):
        pace.received(1.0, float(second))
    with pytest.raises(ProtocolViolation):
        pace.received(AUDIO_AT_ONCE + 2.0, 3600.0)


def test_a_clock_that_stands_or_steps_back_costs_nothing() -> None:
    pace = PaceLimit(10.0, begun=10.0)
    pace.received(5.0, 10.0)
    assert not any(refused(partial(pace.received, 0.0, now)) for now in 100 * (10.0, 9.0))
