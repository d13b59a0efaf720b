"""How hard the engine tries, by what there is time for."""

from __future__ import annotations

import pytest

from asr.recognition.degradation import DegradationLevel, DegradationLimits
from asr.recognition.load_meter import EffortPolicy, LoadMeter
from asr.recognition.queue import RecogniserLimits
from tests.recognising import request
from tests.stretches import transcript

DOUBTFUL = transcript("好的", doubtful=True)
DROPPED = transcript("", doubtful=True, filtered="no_speech")


def efforts(speed: float, level: DegradationLevel = "full", late: int = 0) -> EffortPolicy:
    """Of a worker of that speed, after so many texts that came late."""
    limits = RecogniserLimits(degradation=DegradationLimits(least=level, most=level))
    meter = LoadMeter(limits, 0.0)
    meter.measured_idle([4.0 / speed], 4.0, 0.1)
    for _ in range(late):
        meter.answered("A", -5.0, 0.1)
    return EffortPolicy(meter, limits)


@pytest.mark.parametrize(("speed", "waited", "effort"), [(40.0, 0.0, "full"), (12.0, 0.0, "careful"), (3.0, 0.5, None)])
def test_a_second_look_is_as_thorough_as_its_time_allows_where_texts_have_come_late(
    speed: float, waited: float, effort: str | None
):
    asked = efforts(speed, late=3).second(request("A"), DOUBTFUL, waited, 0.1)
    assert (asked and asked.effort) == effort


def test_a_few_texts_may_be_late_for_a_second_look():
    tried = efforts(3.0)
    asked = tried.second(request("A"), DOUBTFUL, 0.5, 0.1)
    assert asked is not None
    assert asked.effort == "full"
    assert tried.second(request("A"), DOUBTFUL, 0.5, 0.2) is None, "that one is not back yet"
    assert tried.second(request("A"), DOUBTFUL, 0.5, 130.0) is not None


def test_what_would_be_dropped_is_looked_at_again_however_short_time_is():
    asked = efforts(1.0, "agents_first", late=9).second(request("A"), DROPPED, 9.0, 0.1)
    assert asked is not None
    assert asked.effort == "full"


@pytest.mark.parametrize(("seconds", "effort"), [(3.0, "normal"), (12.0, "quick")])
def test_the_beam_is_left_out_where_it_would_make_a_text_late(seconds: float, effort: str):
    [(_, asked)] = efforts(8.0).first([request("A", seconds=seconds)], 0.0, 0.1)
    assert asked.effort == effort
