"""What is known of speed and demand, and for how long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.recognition.load import CALLS_SPEECH, Demand, Demands, Pauses, Speed


def slowed(speed: Speed, until: float) -> Speed:
    """One that has just worked at a third of real time for half a minute."""
    for second in range(30):
        speed.learn(0.33, 1.0, "quick", until - 30 + second + 1)
    return speed


def test_a_slow_spell_shows_while_it_lasts():
    assert slowed(Speed(), 100.0).at(100.0) < 1.0


def test_what_a_slow_spell_showed_fades_to_what_was_measured_with_nothing_to_do():
    speed = Speed()
    speed.measured_idle(4.0, 0.4)
    slowed(speed, 100.0)
    seen = [speed.at(100.0 + idle) for idle in (0.0, 30.0, 60.0, 120.0, 300.0)]
    assert seen == sorted(seen)
    assert seen[0] < 1.0
    assert seen[-1] == pytest.approx(10.0, rel=0.01)


def test_a_measurement_with_nothing_to_do_replaces_what_was_learnt_before():
    speed = slowed(Speed(), 100.0)
    speed.measured_idle(4.0, 0.5)
    assert speed.at(100.0) == pytest.approx(8.0)


def test_a_second_look_costs_time_and_brings_no_speech():
    speed = Speed()
    for second in range(20):
        speed.learn(8.0, 1.0, "quick", second)
    without = speed.at(20.0)
    for second in range(20, 40):
        speed.learn(8.0, 1.0, "quick", second)
        speed.learn(8.0, 1.0, "full", second)
    assert speed.at(40.0) == pytest.approx(without / 2, rel=0.1)


works = st.lists(
    st.tuples(st.floats(0.1, 60.0), st.floats(0.001, 60.0), st.sampled_from(("quick", "normal", "careful")))
)


@given(works, st.floats(0, 1e6))
def test_the_speed_is_above_nothing_and_within_what_was_seen(batches: list[tuple[float, float, str]], idle: float):
    speed, now = Speed(), 0.0
    seen = [speed.at(now)]
    for speech, took, effort in batches:
        now += took
        speed.learn(speech, took, effort, now)  # type: ignore[arg-type]
        seen.append(1.4 * speech / took)
    assert 0.0 < speed.at(now + idle) <= max(seen) * 1.001


def test_a_clock_whose_ticks_stayed_away_was_stopped():
    pauses = Pauses(0.0)
    for tick in range(1, 51):
        pauses.tick(tick / 5)
    assert not pauses.since(3.0, 10.1)
    assert pauses.since(9.9, 28.0), "it has just woken, before the first tick"
    pauses.tick(28.0)
    assert pauses.since(9.9, 28.1)
    assert not pauses.since(28.0, 28.2)


def test_ticks_that_come_late_because_other_work_has_the_cores_are_no_pause():
    pauses = Pauses(0.0)
    for tick in range(1, 20):
        pauses.tick(tick * 0.9)
    assert not pauses.since(0.0, 17.5)


def test_a_calls_first_utterance_is_no_pace():
    demand = Demand(since=100.0)
    demand.add(6.0, 101.0)
    assert demand.at(101.0) < 1.0


def test_a_call_that_comes_at_nine_times_real_time_counts_as_nine_and_as_two_for_others():
    demands = Demands(since=0.0)
    for second in range(60):
        demands.add("fast", 9 * CALLS_SPEECH, float(second))
        demands.add("usual", CALLS_SPEECH, float(second))
    assert demands.of("fast", 60.0) == pytest.approx(9 * CALLS_SPEECH, rel=0.05)
    assert demands.fair(60.0) == pytest.approx(3 * CALLS_SPEECH, rel=0.05)


def test_a_call_that_is_over_brings_nothing_more():
    demands = Demands(since=0.0)
    demands.add("A", 5.0, 1.0)
    demands.forget("A")
    assert (demands.of("A", 1.0), demands.fair(1.0)) == (0.0, 0.0)
