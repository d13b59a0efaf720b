from __future__ import annotations

import pytest

from detectors.api import CallContext
from detectors.registry import load
from tests.speech import call, play, said

REGISTRY = load()


def broken_at(context: CallContext, until: float = 600.0) -> list[float]:
    """When forbidden hours were reported."""
    detector = dict(REGISTRY.open(context))["hours"]
    found = play(detector, [said("agent", "您好", 1.0, 2.0)], until)
    assert all(not each.decided_by_transcript and each.category == "prohibited_time_contact" for each in found)
    return [each.start for each in found]


@pytest.mark.parametrize(
    ("jurisdiction", "clock", "broken"),
    [
        ("CN", "21:49:59", False),
        ("CN", "22:00:00", True),
        ("CN", "03:00:00", True),
        ("CN", "07:59:00", True),
        ("CN", "08:00:00", False),
        ("US", "20:40:00", False),
        ("US", "21:00:00", True),
        ("US", "08:00:00", False),
    ],
)
def test_calls_that_begin_in_forbidden_hours(jurisdiction: str, clock: str, broken: bool) -> None:
    context = call(jurisdiction, f"2026-03-10T{clock}+08:00")  # type: ignore[arg-type]
    assert broken_at(context) == ([0.0] if broken else [])


def test_a_call_that_runs_into_the_night_is_told_at_the_boundary() -> None:
    assert broken_at(call("CN", "2026-03-10T21:58:00+08:00")) == [120.0]


def test_it_is_told_once_and_only_when_the_clock_has_got_there() -> None:
    detector = dict(REGISTRY.open(call("CN", "2026-03-10T21:58:00+08:00")))["hours"]
    assert detector.elapsed(119.9) == []
    assert len(detector.elapsed(120.0)) == 1
    assert detector.closed(500.0) == []


def test_the_debtors_own_time_zone_decides() -> None:
    late = "2026-03-11T02:30:00+00:00"
    assert broken_at(call("US", late, timezone="America/New_York")) == [0.0]
    assert broken_at(call("US", late, timezone="America/Los_Angeles")) == []


def test_an_unknown_zone_falls_back_to_the_offset_the_call_came_with() -> None:
    assert broken_at(call("US", "2026-03-10T22:30:00-05:00", timezone="Mars/Olympus")) == [0.0]


@pytest.mark.parametrize("metadata", [{"hours_consent": "yes"}, {"direction": "inbound"}])
def test_consent_and_calling_in_lift_the_ban(metadata: dict[str, str]) -> None:
    assert broken_at(call("CN", "2026-03-10T23:00:00+08:00", **metadata)) == []
