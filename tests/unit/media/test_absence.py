"""Time without audio is told where nothing makes up for it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.media.absence import LONGEST_PAUSE, MOST_TOLD, SETTLED, TOLD_TOGETHER, Absence, Absences


class AudioSource:
    """Sends packets of 20 ms on a clock of its own."""

    def __init__(self) -> None:
        self.absences = Absences()
        self.now = 100.0
        self.position = 0.0
        self.told: list[Absence] = []

    def send(self, audio: float, pace: float = 1.0) -> None:
        for _ in range(round(audio / 0.02)):
            self.now += 0.02 / pace
            self.position += 0.02
            self.told += self.absences.arrived(self.position, self.now)

    def pause(self, seconds: float) -> None:
        self.now += seconds


def near(value: float, within: float = 1e-6) -> Any:
    """Equal to any number so near."""
    return pytest.approx(value, abs=within)


def test_a_hold_is_told_with_its_length_and_place_soon_after_it() -> None:
    source = AudioSource()
    source.send(3)
    source.pause(66)
    source.send(SETTLED + 0.1)
    assert source.told == [Absence(at=near(3, 0.03), seconds=near(66, 0.1))]
    source.send(100)
    assert len(source.told) == 1


@pytest.mark.parametrize("pace", [1e6, 20.0, 3.0, 1.3])
def test_a_stall_whose_backlog_follows_is_none(pace: float) -> None:
    source = AudioSource()
    source.send(3)
    source.pause(20)
    source.send(20 * pace / (pace - 1) if pace < 1e6 else 20, pace)
    source.send(60)
    assert source.told == []


def test_what_a_backlog_does_not_make_up_for_is_told() -> None:
    source = AudioSource()
    source.send(3)
    source.pause(40)
    source.send(10, pace=100)
    source.send(30)
    assert source.told == [Absence(at=near(3, 0.03), seconds=near(30, 0.15))]


def test_time_that_is_a_gap_on_the_clock_is_not_told_again() -> None:
    source = AudioSource()
    source.send(3)
    source.pause(66)
    source.position += 66  # the timestamps tell it
    source.send(30)
    assert source.told == []


def test_short_pauses_are_not_told() -> None:
    source = AudioSource()
    for _ in range(50):
        source.send(1)
        source.pause(LONGEST_PAUSE - 0.1)
    assert source.told == []


def test_one_hold_after_another_is_told_of_both() -> None:
    source = AudioSource()
    source.send(1)
    source.pause(10)
    source.send(2)
    source.pause(30)
    source.send(20)
    assert [round(absence.seconds) for absence in source.told] == [10, 30]


def test_a_hold_that_the_call_ends_in_is_told() -> None:
    source = AudioSource()
    source.send(3)
    source.pause(66)
    [absence] = source.absences.closed(source.now)
    assert (absence.at, absence.seconds) == (pytest.approx(3), pytest.approx(66))
    assert source.absences.closed(source.now + 60) == []


def test_a_call_that_ends_soon_after_a_hold_tells_it() -> None:
    source = AudioSource()
    source.send(3)
    source.pause(66)
    source.send(1)
    assert [round(absence.seconds) for absence in source.absences.closed(source.now)] == [66]


def test_what_comes_on_another_connection_makes_up_for_nothing() -> None:
    source = AudioSource()
    source.send(3)
    source.pause(66)
    source.send(1)
    assert [round(absence.seconds) for absence in source.absences.interrupted()] == [66]
    source.pause(30)
    source.send(30)
    assert source.told == []


def test_many_absences_are_told_together() -> None:
    source = AudioSource()
    for _ in range(2 * MOST_TOLD):
        source.send(1)
        source.pause(20)
    assert len(source.told) == MOST_TOLD + MOST_TOLD * 20 // TOLD_TOGETHER
    assert sum(absence.seconds for absence in source.told) == pytest.approx(2 * MOST_TOLD * 20, abs=TOLD_TOGETHER)


def test_a_call_of_which_nothing_was_heard_was_not_absent() -> None:
    assert Absences().closed(1000.0) == []


@given(st.lists(st.tuples(st.floats(0.1, 5), st.floats(0, 100), st.floats(0, 1)), max_size=12))
def test_what_is_told_is_what_is_missing_to_a_pause_or_two(steps: list[tuple[float, float, float]]) -> None:
    """Each step: speech, a pause, and the share of the pause that follows at once."""
    source = AudioSource()
    source.send(1)
    missing, untold = 0.0, 0
    for speech, pause, share in steps:
        source.send(speech)
        source.pause(pause)
        source.send(pause * share, pace=1e6)
        if pause >= LONGEST_PAUSE:
            missing += pause * (1 - share)
            untold += pause * (1 - share) < LONGEST_PAUSE + 0.1
    told = [*source.told, *source.absences.closed(source.now)]
    total = sum(absence.seconds for absence in told)
    assert missing - (untold + len(told)) * (LONGEST_PAUSE + 0.2) <= total <= missing + 0.1 * len(told) + 0.1
