"""When audio comes, against how long it lasts."""

from __future__ import annotations

import pytest

from service.preview.leg_arrival import LegArrival

PACKET = 0.02


def arrived(*times: float, places: list[float] | None = None) -> LegArrival:
    leg = LegArrival()
    for number, now in enumerate(times):
        leg.arrived(PACKET, None if places is None else places[number], now)
    return leg


def test_packets_that_come_as_they_are_spoken_have_no_jitter_and_pace_one() -> None:
    leg = arrived(*(number * PACKET for number in range(101)))
    assert leg.jitter == pytest.approx(0.0, abs=1e-9)
    assert leg.pace == pytest.approx(1.0, rel=0.03)
    assert leg.ahead == pytest.approx(PACKET)
    assert (leg.packets, leg.reordered) == (101, 0)


def test_bursts_of_250_ms_are_jitter_and_not_pace() -> None:
    leg = arrived(*(number // 12 * 0.24 for number in range(600)))
    assert leg.jitter > 0.02
    assert leg.pace == pytest.approx(1.0, rel=0.25)
    assert leg.longest_pause == pytest.approx(0.24)


def test_a_file_that_is_played_ten_times_as_fast_shows() -> None:
    leg = arrived(*(number * PACKET / 10 for number in range(1000)))
    assert leg.pace == pytest.approx(10.0, rel=0.02)
    assert leg.ahead == pytest.approx(18.0, rel=0.02)


def test_what_overtakes_is_counted_once_and_a_hold_is_a_pause_and_no_jitter() -> None:
    leg = arrived(0.0, 0.02, 0.03, 5.0, places=[0.0, 0.04, 0.02, 5.0])
    assert leg.reordered == 1
    assert leg.longest_pause == pytest.approx(4.97)
    assert leg.jitter < 0.01
    silent = arrived(0.0, 5.0, 5.02)
    assert silent.jitter == pytest.approx(0.0)


def test_nothing_that_came_is_nothing() -> None:
    assert (LegArrival().ahead, LegArrival().pace, LegArrival().last) == (0.0, 0.0, None)
