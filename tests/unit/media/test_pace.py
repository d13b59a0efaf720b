"""How fast audio may come."""

from __future__ import annotations

import pytest

from service.gateway.events import ProtocolViolation
from service.media.pace import BURST, PaceLimit


def play(limit: PaceLimit, pace: float) -> None:
    for second in range(1, 1000):
        limit.advance(float(second), second / pace)


def test_real_time_in_bursts_of_250_ms_passes_at_any_limit() -> None:
    pace = PaceLimit(1.0, now=100.0)
    for n in range(1, 20_000):
        pace.advance(n * 0.25, 100.0 + n * 0.25)


def test_ten_times_real_time_passes_and_more_is_refused() -> None:
    within = PaceLimit(10.0, now=0.0)
    play(within, pace=10.0)

    beyond = PaceLimit(10.0, now=0.0)
    with pytest.raises(ProtocolViolation) as caught:
        play(beyond, pace=12.5)
    assert caught.value.field == "audio"
    assert caught.value.close_code == 1008


def test_a_burst_passes_once_and_again_when_time_has_passed() -> None:
    pace = PaceLimit(10.0, now=0.0)
    pace.advance(BURST, 0.0)
    with pytest.raises(ProtocolViolation):
        pace.advance(BURST + 0.1, 0.0)

    rested = PaceLimit(10.0, now=0.0)
    rested.advance(BURST, 0.0)
    rested.advance(2 * BURST, BURST / 10)
    with pytest.raises(ProtocolViolation):
        rested.advance(4 * BURST, 1000.0)  # idle time saves up no more than one burst


def test_after_a_reconnection_the_gap_and_a_backlog_as_long_pass() -> None:
    pace = PaceLimit(10.0, now=0.0)
    pace.advance(5.0, 5.0)
    pace.resumed(60.0)
    pace.advance(65.0, 65.0)
    pace.advance(125.0, 65.0)
    with pytest.raises(ProtocolViolation):
        pace.advance(125.0 + BURST + 0.1, 65.0)


def test_a_clock_that_stands_or_steps_back_costs_nothing() -> None:
    pace = PaceLimit(10.0, now=10.0)
    pace.advance(5.0, 10.0)
    for _ in range(100):
        pace.advance(5.0, 9.0)
        pace.advance(4.0, 9.0)
