from __future__ import annotations

import math

import pytest

from service.bench.statistics import Spread, histogram_spread, medians, slope, spread


def test_percentiles_are_values_that_occurred() -> None:
    assert spread([float(value) for value in range(100, 0, -1)]) == Spread(count=100, p50=50, p95=95, p99=99, most=100)
    assert spread([2.5]) == Spread(count=1, p50=2.5, p95=2.5, p99=2.5, most=2.5)
    assert spread([]) == Spread(count=0)


def test_a_histogram_is_spread_evenly_within_its_buckets() -> None:
    found = histogram_spread({1.0: 50.0, 2.0: 100.0, math.inf: 100.0})
    assert (found.count, found.p50, found.p95) == (100, 1.0, 1.9)
    assert histogram_spread({1.0: 0.0, math.inf: 10.0}).p50 == 1.0, "past the last bound: the bound"
    assert histogram_spread({}) == Spread(count=0)


def test_each_stretch_has_its_median() -> None:
    assert medians([1.0, 2.0, 90.0, 4.0, 5.0, 6.0], 2) == [2.0, 5.0]
    assert medians([7.0], 10) == [7.0]
    assert medians([], 10) == []


def test_the_slope_of_a_line_is_found_with_no_error_and_of_nothing_none() -> None:
    assert slope([(x, 3.0 * x + 1) for x in range(5)]) == pytest.approx((3.0, 0.0))
    assert slope([(0.0, 1.0), (1.0, 2.0)]) is None
    assert slope([(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]) is None
