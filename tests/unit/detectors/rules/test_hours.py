from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.contract import CallContext, Finding, HoldAware, Jurisdiction
from detectors.packs.law import ForbiddenHours, Hours
from detectors.packs.taxonomy import load_taxonomy
from detectors.rules.hours import HoursDetector, seconds_until
from detectors.runtime.registry import load
from detectors.timezones.names import database
from detectors.timezones.zones import Zone
from tests.speech import call, findings, play, said

REGISTRY = load(encoder=None)
NEW_YORK = {"timezone": "America/New_York"}


def nights(context: CallContext, until: float = 600.0) -> list[Finding]:
    """What is found of the hour."""
    return play(dict(REGISTRY.open(context))["hours"], [said("agent", "您好", 1.0, 2.0)], until)


def broken_at(context: CallContext, until: float = 600.0) -> list[float]:
    """When forbidden hours were reported."""
    found = nights(context, until)
    assert all(not each.decided_by_transcript and each.category == "prohibited_time_contact" for each in found)
    return [each.start for each in found]


@pytest.mark.parametrize(
    ("jurisdiction", "started_at", "broken"),
    [
        ("CN", "2026-03-10T21:49:59+08:00", False),
        ("CN", "2026-03-10T22:00:00+08:00", True),
        ("CN", "2026-03-10T03:00:00+08:00", True),
        ("CN", "2026-03-10T07:59:00+08:00", True),
        ("CN", "2026-03-10T08:00:00+08:00", False),
        ("US", "2026-03-10T20:40:00-04:00", False),
        ("US", "2026-03-10T21:00:00-04:00", True),
        ("US", "2026-03-10T08:00:00-04:00", False),
        ("UK", "2026-07-10T20:40:00+01:00", False),
        ("UK", "2026-07-10T21:00:00+01:00", True),
        ("UK", "2026-07-10T07:30:00Z", False),
    ],
)
def test_calls_that_begin_in_forbidden_hours(jurisdiction: Jurisdiction, started_at: str, broken: bool) -> None:
    context = call(jurisdiction, started_at, **(NEW_YORK if jurisdiction == "US" else {}))
    assert broken_at(context) == ([0.0] if broken else [])


@pytest.mark.parametrize(
    ("started_at", "broken"),
    [
        ("2026-03-10T02:14:00Z", False),  # 10:14 in China
        ("2026-03-10T14:40:00+00:00", True),  # 22:40
        ("2026-03-09T22:40:00-04:00", False),  # 10:40
        ("2026-03-10T10:40:00-04:00", True),  # 22:40
    ],
)
def test_the_offset_of_the_start_fixes_the_instant_and_not_the_clock(started_at: str, broken: bool) -> None:
    assert broken_at(call("CN", started_at)) == ([0.0] if broken else [])


def test_a_call_that_runs_into_the_night_is_told_at_the_boundary() -> None:
    assert broken_at(call("CN", "2026-03-10T21:58:00+08:00")) == [120.0]
    assert broken_at(call("CN", "2026-03-10T13:58:00Z")) == [120.0]


def test_it_is_told_once_and_only_when_the_clock_has_got_there() -> None:
    detector = dict(REGISTRY.open(call("CN", "2026-03-10T21:58:00+08:00")))["hours"]
    assert detector.elapsed(119.9) == []
    assert len(detector.elapsed(120.0)) == 1
    assert detector.closed(500.0) == []


def test_the_debtors_own_time_zone_decides() -> None:
    late = "2026-03-11T02:30:00+00:00"
    assert broken_at(call("US", late, timezone="America/New_York")) == [0.0]
    assert broken_at(call("US", late, timezone="America/Los_Angeles")) == []


def test_the_zone_a_call_was_opened_with_decides_before_its_metadata() -> None:
    context = CallContext(
        call_id="c",
        language="en",
        jurisdiction="US",
        started_at=datetime(2026, 3, 11, 2, 30, tzinfo=UTC),
        timezone="America/Los_Angeles",
        metadata=NEW_YORK,
    )
    assert broken_at(context) == []


@pytest.mark.parametrize("zone", ["Mars/Olympus", "America", "US", "x" * 300, "../../etc/passwd", "\0", " "])
def test_a_zone_that_cannot_be_read_leaves_the_jurisdictions(zone: str) -> None:
    assert broken_at(call("CN", "2026-03-10T22:30:00+08:00", timezone=zone)) == [0.0]
    assert broken_at(call("CN", "2026-03-10T10:30:00-05:00", timezone=zone)) == [0.0]
    assert broken_at(call("CN", "2026-03-10T22:30:00-05:00", timezone=zone)) == []


@pytest.mark.parametrize(
    ("started_at", "broken"),
    [
        ("2026-03-10T22:30:00-04:00", []),  # 16:30 in Honolulu
        ("2026-03-11T03:00:00-04:00", [0.0]),  # 21:00 in Honolulu
        ("2026-03-11T02:55:00-04:00", [300.0]),
        ("2026-03-11T07:59:59-04:00", [0.0]),
        ("2026-03-11T08:00:00-04:00", []),
    ],
)
def test_without_a_zone_it_is_night_in_the_us_when_it_is_night_in_all_of_it(
    started_at: str, broken: list[float]
) -> None:
    assert broken_at(call("US", started_at)) == broken


def test_a_finding_tells_the_time_it_was_judged_by_and_where() -> None:
    why = nights(call("CN", "2026-03-10T14:40:00Z"))[0].why
    assert why.zh.startswith("债务人当地时间 22:40 (Asia/Shanghai)。")
    assert why.en.startswith("22:40 (Asia/Shanghai) on the debtor's clock. ")
    ran_into = nights(call("US", "2026-07-10T00:55:00Z", **NEW_YORK))[0].why
    assert ran_into.en.startswith("21:00 (America/New_York)")
    anywhere = nights(call("US", "2026-03-11T03:00:00-04:00"))[0].why
    assert "03:00 (America/New_York) to 21:00 (Pacific/Honolulu)" in anywhere.en
    assert "03:00 (America/New_York) 至 21:00 (Pacific/Honolulu)" in anywhere.zh


@pytest.mark.parametrize("metadata", [{"hours_consent": "yes"}, {"direction": "inbound"}])
def test_consent_and_calling_in_lift_the_ban(metadata: dict[str, str]) -> None:
    assert broken_at(call("CN", "2026-03-10T23:00:00+08:00", **metadata)) == []


@pytest.mark.parametrize("started_at", ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00"])
def test_where_no_calendar_reaches_nothing_is_told(started_at: str) -> None:
    assert broken_at(call("US", started_at, **NEW_YORK)) == []


def clocks(name: str) -> Zone:
    return Zone(name=name, clock=ZoneInfo(name))


@pytest.mark.parametrize(
    ("zone", "started_at", "seconds"),
    [
        ("America/New_York", "2026-03-08T01:59:00-05:00", 0.0),  # clocks go on an hour in the night
        ("Pacific/Easter", "2026-04-04T21:30:00-05:00", 5400.0),  # at 22:00 they go back to 21:00
        ("America/Nuuk", "2023-03-25T21:59:00-03:00", 60.0),  # at 22:00 they go on to 23:00
        ("Australia/Lord_Howe", "2026-04-05T21:00:00+10:30", 3600.0),
        ("Asia/Kathmandu", "2026-03-10T16:00:00Z", 900.0),  # 21:45
    ],
)
def test_a_change_of_the_clocks_counts(zone: str, started_at: str, seconds: float) -> None:
    night = ForbiddenHours(night=Hours(begins=time(22), ends=time(8)))
    assert seconds_until(night, [clocks(zone)], datetime.fromisoformat(started_at).timestamp()) == seconds


@given(
    names=st.lists(st.sampled_from(sorted(database())), min_size=1, max_size=2),
    start=st.datetimes(datetime(2007, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    begins=st.sampled_from([time(21), time(22)]),
)
def test_the_night_begins_when_the_clocks_on_the_wall_say_so(names: list[str], start: datetime, begins: time) -> None:
    """Against a minute hand that is looked at every minute: today's clocks differ from UTC by whole minutes."""
    night = ForbiddenHours(night=Hours(begins=begins, ends=time(8)))

    def dark(at: datetime) -> bool:
        return all(night.hold(at.astimezone(ZoneInfo(name))) for name in names)

    whole = start.replace(second=0, microsecond=0)
    minutes = (whole + timedelta(minutes=n) for n in range(1, 25 * 60))
    expected = start if dark(start) else next((at for at in minutes if dark(at)), None)
    got = seconds_until(night, [clocks(name) for name in names], start.timestamp())
    if expected is None:
        assert got is None or got > 25 * 3600 - 60
    else:
        assert got == pytest.approx((expected - start).total_seconds(), abs=1e-5)


def test_a_call_on_a_holiday_is_judged_by_the_days_own_hours_and_says_so() -> None:
    festival = date(2026, 2, 17)
    night = ForbiddenHours(
        night=Hours(begins=time(22), ends=time(8)),
        on_holidays=Hours(begins=time(20), ends=time(10)),
        calendar=frozenset({festival}),
    )
    detector = HoursDetector(
        load_taxonomy().categories["prohibited_time_contact"], {"CN": night, "US": night, "UK": night}
    )
    [found] = findings(detector.open(call(started_at="2026-02-17T09:30:00+08:00")).elapsed(1.0))
    assert found.why.zh == "债务人当地时间 09:30 (Asia/Shanghai)。法定节假日，本机构规则规定此时段不外呼。"
    assert "On a statutory holiday the rule pack forbids" in found.why.en
    assert found.cites == ()
    [at_night] = findings(detector.open(call(started_at="2026-02-17T23:30:00+08:00")).elapsed(1.0))
    assert at_night.cites != ()
    assert detector.open(call(started_at="2026-02-18T09:30:00+08:00")).elapsed(1.0) == []
    [ran_into] = findings(detector.open(call(started_at="2026-02-17T19:59:00+08:00")).elapsed(100.0))
    assert ran_into.start == 60.0


@given(
    holds=st.lists(st.tuples(st.integers(1, 60), st.integers(5, 1800)), max_size=6),
    daylight=st.integers(1, 3600),
)
def test_time_on_hold_counts_by_the_clock(holds: list[tuple[int, int]], daylight: int) -> None:
    start = datetime.fromisoformat("2026-03-10T22:00:00+08:00") - timedelta(seconds=daylight)
    hours = dict(REGISTRY.open(call("CN", start.isoformat())))["hours"]
    assert isinstance(hours, HoldAware)
    at, passed, found = 0, 0, []
    for talked, held in holds:
        at, passed = at + talked, passed + talked + held
        found += [*hours.elapsed(at)]
        hours.held(at, held)
    found += [*hours.elapsed(at), *hours.closed(at)]
    assert len(found) == (passed >= daylight)
    for each in found:
        assert isinstance(each, Finding)
        assert 0 <= each.start <= at
        assert each.why.en[:2] in ("22", "23", "00"), "it is night by the time that is told"
