"""What is left undone under pressure: in order, and not by turns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from asr.recognition.degradation import DEGRADATION_LEVELS, Degradation, DegradationLimits, Pressure

CALM = Pressure(load=0.0, wait=0.0, late=0.0)


def under(load: float = 0.0, wait: float = 0.0, late: float = 0.0) -> Pressure:
    return Pressure(load=load, wait=wait, late=late)


def test_the_more_is_asked_the_more_is_left_undone_in_the_stated_order():
    reached: list[str] = []
    for load in (0.1, 0.4, 0.6, 0.9, 1.1):
        degradation = Degradation(DegradationLimits(), 0.0)
        degradation.look(under(load=load), 0.0)
        reached.append(degradation.level)
    assert tuple(reached) == DEGRADATION_LEVELS == ("full", "no_partials", "greedy", "no_second_looks", "agents_first")


def test_a_level_leaves_out_what_those_before_it_leave_out():
    degradation = Degradation(DegradationLimits(), 0.0)
    degradation.look(under(wait=2.0), 0.0)
    assert [level for level in DEGRADATION_LEVELS if degradation.holds(level)] == [
        "full",
        "no_partials",
        "greedy",
        "no_second_looks",
    ]


def test_levels_are_left_one_by_one_once_all_is_calm():
    degradation = Degradation(DegradationLimits(), 0.0)
    degradation.look(under(load=1.5), 0.0)
    seen = ["agents_first"]
    for tenth in range(1, 200):
        degradation.look(CALM, tenth / 10)
        if degradation.level != seen[-1]:
            seen.append(degradation.level)
    assert seen == list(reversed(DEGRADATION_LEVELS))


def test_what_comes_late_calls_for_the_next_level_but_never_for_customers_to_wait():
    degradation = Degradation(DegradationLimits(), 0.0)
    seen: list[str] = []
    for tenth in range(200):
        degradation.look(under(late=0.2), tenth / 10)
        seen.append(degradation.level)
    assert list(dict.fromkeys(seen)) == ["full", "no_partials", "greedy", "no_second_looks"]


def test_a_fixed_level_stays():
    degradation = Degradation(DegradationLimits(least="greedy", most="greedy"), 0.0)
    for second in range(20):
        degradation.look(CALM if second % 2 else under(load=9.0), second)
        assert degradation.level == "greedy"


pressures = st.lists(st.builds(under, load=st.floats(0, 3), wait=st.floats(0, 9), late=st.floats(0, 1)), max_size=100)


@given(pressures, st.floats(0.05, 5.0))
def test_time_in_all_levels_is_the_time_that_passed(stream: list[Pressure], every: float):
    degradation, now = Degradation(DegradationLimits(), 0.0), 0.0
    for pressure in stream:
        now += every
        degradation.look(pressure, now)
    assert abs(sum(degradation.seconds.values()) - now) < 1e-6


@given(st.floats(0.05, 2.0), st.floats(0.82, 0.98))
def test_a_load_that_swings_a_little_about_a_threshold_does_not_change_the_level_by_turns(every: float, low: float):
    degradation, changes, now = Degradation(DegradationLimits(), 0.0), 0, 0.0
    for turn in range(200):
        before = degradation.level
        now += every
        degradation.look(under(load=0.5 * (low if turn % 2 else 1.02)), now)
        changes += degradation.level != before
    assert changes == 1
