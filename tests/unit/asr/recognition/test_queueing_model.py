"""The queue's formula, against queues that are known in closed form."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.recognition.queueing_model import erlang_c, share_later


def test_one_worker_is_busy_as_often_as_it_is_used():
    assert erlang_c(1, 0.3) == pytest.approx(0.3)


def test_two_workers_are_both_busy_as_erlang_tells():
    assert erlang_c(2, 0.5) == pytest.approx(1 / 3)  # 2 ρ² / (1 + ρ)


def test_nothing_waits_where_nothing_comes():
    assert share_later([1.0, 3.0], 2, 0.0, within=2.0) == 0.5


def test_one_worker_with_equal_services_waits_as_the_heavy_traffic_formula_tells():
    expected = 0.8 * math.exp(-2 * (1 - 0.8) * (4.0 - 1.0))
    assert share_later([1.0], 1, 0.8, within=4.0) == pytest.approx(expected)


services = st.lists(st.floats(0.01, 20.0), min_size=1, max_size=50)


@given(services, st.integers(1, 32), st.floats(0, 0.99), st.floats(0, 0.99), st.floats(0.1, 30.0))
def test_more_use_makes_nothing_come_earlier(times: list[float], workers: int, one: float, other: float, within: float):
    less, more = sorted((one, other))
    early, late = (share_later(times, workers, each, within) for each in (less, more))
    assert 0.0 <= early <= late + 1e-9 <= 1.0 + 1e-8


@given(services, st.integers(1, 32), st.floats(1.0, 5.0), st.floats(0.1, 30.0))
def test_where_more_comes_than_can_be_done_all_is_late(times: list[float], workers: int, use: float, within: float):
    assert share_later(times, workers, use, within) == 1.0
