"""The promise about load, kept by the real recogniser and the real admission on simulated machines."""

from __future__ import annotations

import pytest
from blockbuster import BlockBuster

from tests.simulated_floor import CallSource, Plan, Spell, Talk, simulate


@pytest.fixture(autouse=True)
def its_threads_are_simulated_too(blocked_event_loop_fails: BlockBuster) -> None:
    blocked_event_loop_fails.deactivate()


CALLERS = (CallSource(key="A", calls=40, seconds=60.0),)


@pytest.mark.parametrize(
    ("speed", "workers", "talk", "least"),
    [
        (14.0, 1, Talk(), 3),
        (13.0, 2, Talk(), 4),
        (16.0, 2, Talk(), 4),
        (20.0, 2, Talk(), 7),
        (40.0, 2, Talk(), 18),
        (34.0, 4, Talk(), 7),
        (40.0, 4, Talk(mean=2.5, pause=0.2), 15),
    ],
)
def test_texts_of_what_is_admitted_come_within_two_seconds_on_whatever_machine(
    speed: float, workers: int, talk: Talk, least: int
):
    outcome = simulate(Plan(speed=speed, workers=workers, sources=CALLERS, talk=talk, seconds=150.0))
    assert outcome.late(0.95, begin=20.0) <= 2.1
    assert len(outcome.finals) == outcome.said
    live = sorted(calls for at, calls in outcome.calls if at > 30.0)
    assert live[len(live) // 2] >= least


@pytest.mark.parametrize("speed", [1.0, 5.0])
def test_a_machine_too_slow_for_the_promise_takes_one_call_and_loses_nothing(speed: float):
    outcome = simulate(Plan(speed=speed, sources=CALLERS[:1], seconds=60.0))
    assert max(calls for _, calls in outcome.calls) == 1
    assert outcome.refused_at_none == 0
    assert len(outcome.finals) == outcome.said


def test_where_cores_are_taken_customers_wait_behind_agents_nothing_is_lost_and_all_is_well_again():
    steal = Spell(begin=60.0, seconds=40.0, share=0.6)
    long_calls = (CallSource(key="A", calls=30, seconds=160.0),)
    outcome = simulate(Plan(speed=24.0, sources=long_calls, spells=(steal,), seconds=240.0))
    assert len(outcome.finals) == outcome.said
    assert outcome.late(0.95, 70.0, 100.0, role="agent") < outcome.late(0.95, 70.0, 100.0, role="customer") / 2
    assert "agents_first" in {level for at, level in outcome.levels if 60.0 < at < 100.0}
    assert {level for at, level in outcome.levels if at > 180.0} <= {"full", "no_partials", "greedy", "no_second_looks"}
    assert outcome.late(0.95, begin=150.0) <= 2.1


def test_a_process_that_stood_still_takes_calls_again_at_once():
    """A virtual machine that is suspended while the only call ends."""
    outcome = simulate(
        Plan(
            speed=24.0,
            sources=(
                CallSource(key="A", calls=1, seconds=30.0),
                CallSource(key="B", calls=6, begin=60.0, seconds=60.0),
            ),
            spells=(Spell(begin=30.2, seconds=18.0),),
            seconds=100.0,
        )
    )
    assert outcome.taken["B"] >= 4
    assert outcome.refused_at_none == 0
    assert min(capacity for at, capacity in outcome.capacity if at > 50.0) > 12.0


def test_calls_sent_at_nine_times_real_time_do_not_take_the_floor_from_another_key():
    outcome = simulate(
        Plan(
            speed=24.0,
            sources=(
                CallSource(key="A", calls=3, seconds=60.0, pace=9.0),
                CallSource(key="B", calls=4, begin=20.0, seconds=60.0),
            ),
            seconds=120.0,
        )
    )
    assert outcome.taken["B"] >= 3
    assert outcome.late(0.95, key="B") <= 2.5
    assert len(outcome.finals) == outcome.said


def test_a_key_that_comes_to_a_full_floor_gets_its_turn():
    outcome = simulate(
        Plan(
            speed=24.0,
            sources=(
                CallSource(key="A", calls=40, seconds=60.0),
                CallSource(key="B", calls=6, begin=30.0, seconds=60.0),
            ),
            seconds=300.0,
        )
    )
    assert outcome.taken["B"] >= 0.25 * outcome.taken["A"]
