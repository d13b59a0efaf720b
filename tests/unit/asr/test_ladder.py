"""What is left undone under pressure: in order, and not by turns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from asr.ladder import LEVELS, Ladder, LadderLimits, Pressure

CALM = Pressure(load=0.0, wait=0.0, late=0.0)


def under(load: float = 0.0, wait: float = 0.0, late: float = 0.0) -> Pressure:
    return Pressure(load=load, wait=wait, late=late)


def test_the_more_is_asked_the_more_is_left_undone_in_the_stated_order():
    reached: list[str] = []
    for load in (0.1, 0.4, 0.6, 0.9, 1.1):
        ladder = Ladder(LadderLimits(), 0.0)
        ladder.look(under(load=load), 0.0)
        reached.append(ladder.level)
    assert tuple(reached) == LEVELS == ("full", "no_partials", "greedy", "no_second_looks", "agents_first")


def test_a_level_leaves_out_what_those_before_it_leave_out():
    ladder = Ladder(LadderLimits(), 0.0)
    ladder.look(under(wait=2.0), 0.0)
    assert [level for level in LEVELS if ladder.holds(level)] == ["full", "no_partials", "greedy", "no_second_looks"]


def test_levels_are_left_one_by_one_once_all_is_calm():
    ladder = Ladder(LadderLimits(), 0.0)
    ladder.look(under(load=1.5), 0.0)
    seen = ["agents_first"]
    for tenth in range(1, 200):
        ladder.look(CALM, tenth / 10)
        if ladder.level != seen[-1]:
            seen.append(ladder.level)
    assert seen == list(reversed(LEVELS))


def test_what_comes_late_calls_for_the_next_level_but_never_for_customers_to_wait():
    ladder = Ladder(LadderLimits(), 0.0)
    seen: list[str] = []
    for tenth in range(200):
        ladder.look(under(late=0.2), tenth / 10)
        seen.append(ladder.level)
    assert list(dict.fromkeys(seen)) == ["full", "no_partials", "greedy", "no_second_looks"]


def test_a_fixed_level_stays():
    ladder = Ladder(LadderLimits.fixed("greedy"), 0.0)
    for second in range(20):
        ladder.look(CALM if second % 2 else under(load=9.0), second)
        assert ladder.level == "greedy"


pressures = st.lists(st.builds(under, load=st.floats(0, 3), wait=st.floats(0, 9), late=st.floats(0, 1)), max_size=100)


@given(pressures, st.floats(0.05, 5.0))
def test_time_in_all_levels_is_the_time_that_passed(stream: list[Pressure], every: float):
    ladder, now = Ladder(LadderLimits(), 0.0), 0.0
    for pressure in stream:
        now += every
        ladder.look(pressure, now)
    assert abs(sum(ladder.seconds.values()) - now) < 1e-6


@given(st.floats(0.05, 2.0), st.floats(0.82, 0.98))
def test_a_load_that_swings_a_little_about_a_threshold_does_not_change_the_level_by_turns(every: float, low: float):
    ladder, changes, now = Ladder(LadderLimits(), 0.0), 0, 0.0
    for turn in range(200):
        before = ladder.level
        now += every
        ladder.look(under(load=0.5 * (low if turn % 2 else 1.02)), now)
        changes += ladder.level != before
    assert changes == 1
