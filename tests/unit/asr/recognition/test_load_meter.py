"""What the recogniser makes of what it measures."""

from __future__ import annotations

import pytest

from asr.recognition.load import CALLS_SPEECH
from asr.recognition.load_meter import LoadMeter
from asr.recognition.queue import RecogniserLimits


def measured(speed: float, workers: int = 2) -> LoadMeter:
    """Ticking for a second already; each worker has just shown that speed."""
    meter = LoadMeter(RecogniserLimits(), 0.0)
    for tick in range(6):
        meter.tick(tick / 5)
    meter.measured_idle([4.0 / speed] * workers, 4.0, 1.0)
    return meter


def test_a_faster_machine_carries_more_calls_and_the_slowest_one():
    carried = [measured(speed).calls(2, 1.0) for speed in (0.5, 3.0, 7.0, 15.0, 40.0)]
    assert carried == sorted(carried)
    assert carried[0] == 1
    assert carried[-1] > 40


def test_what_took_long_because_the_process_stood_still_is_not_learnt():
    meter = measured(8.0)
    assert not meter.worked(4.0, "normal", begun=1.1, now=19.0)
    meter.answered("A", 1.1, 19.0)
    meter.tick(19.0)
    assert not meter.worked(4.0, "normal", begun=1.1, now=19.1)
    assert meter.capacity(2, 19.1) == pytest.approx(16.0, rel=0.01)
    assert meter.carries(CALLS_SPEECH, 2, 19.1)


def test_what_took_long_because_others_had_the_cores_is_learnt():
    meter, now = measured(8.0), 1.0
    for _ in range(60):
        now += 0.2
        meter.tick(now)
        meter.worked(0.2, "quick", begun=now - 0.2, now=now)
    assert meter.capacity(2, now) < 4.0


def test_a_machine_that_is_late_with_the_longest_utterances_alone_carries_more_than_one_call():
    """4 s of speech in 0.64 s: what two cores show that do other things besides. Two utterances in 40 are too long."""
    assert 2 <= measured(6.3).calls(2, 1.0) <= 8
    assert measured(4.0).calls(2, 1.0) == 1


def test_texts_that_come_late_close_the_floor_until_they_come_in_time_again():
    meter, now = measured(30.0), 1.0
    assert meter.carries(3 * CALLS_SPEECH, 2, now)
    for _ in range(3):
        meter.answered("A", now - 1.9, now)
    assert not meter.carries(3 * CALLS_SPEECH, 2, now)
    assert meter.carries(3 * CALLS_SPEECH, 2, now + 120.0)


def test_a_busy_floor_leaves_partials_and_the_beam_out():
    meter, now = measured(8.0), 1.0
    for second in range(40):
        now += 0.5
        meter.tick(now)
        meter.came(f"call-{second % 10}", 5.0, now)
        meter.look(2, 0.0, now)
    assert meter.degradation.holds("greedy")
