from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tzlocal.windows_tz import win_tz

from detectors.contract import Jurisdiction
from detectors.timezones.names import ABBREVIATED, SAID, database, key
from detectors.timezones.zones import LONGEST, NoZone, read_zone, zone_name

MOMENTS = [datetime(2026, month, 15, 12, tzinfo=UTC) for month in (1, 4, 7, 10)]
NAMES = sorted(database())


def read(text: str, jurisdiction: Jurisdiction | None = None) -> str | None:
    """The name of the zone that is read."""
    zone = read_zone(text, jurisdiction)
    return zone.name if zone else None


def offsets(text: str, jurisdiction: Jurisdiction | None = None) -> list[timedelta | None] | None:
    """The zone's distances from UTC through a year."""
    zone = read_zone(text, jurisdiction)
    return [moment.astimezone(zone.clock).utcoffset() for moment in MOMENTS] if zone else None


SPELLINGS: list[Callable[[str], str]] = [
    str.lower,
    str.upper,
    lambda name: f" {name}\t",
    lambda name: name.replace("_", " "),
    lambda name: name.replace("/", " / "),
    lambda name: name.replace("/", "\\"),
    lambda name: f"'{name}'",
    lambda name: f":{name}",
    lambda name: f"\ufeff{name}\u200e\r\n",
]


@pytest.mark.parametrize("spell", SPELLINGS)
def test_every_name_of_the_database_is_read_however_it_is_spelled(spell: Callable[[str], str]) -> None:
    wrong = {}
    for name in NAMES:
        expected = [moment.astimezone(ZoneInfo(name)).utcoffset() for moment in MOMENTS]
        if offsets(spell(name)) != expected:
            wrong[name] = read(spell(name))
    assert wrong == {}


def test_no_two_names_of_the_database_are_taken_for_one_another() -> None:
    assert len({key(name) for name in NAMES}) == len(NAMES) > 500


@pytest.mark.parametrize("season", ["Standard", "Daylight"])
def test_windows_names_are_read_in_winter_and_summer(season: str) -> None:
    assert len(win_tz) > 100
    unread = [name for name in win_tz if read(name.replace("Standard", season)) is None]
    assert unread == []
    assert read(f"Pacific {season} Time") == "America/Los_Angeles"


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("China Standard Time", "Asia/Shanghai"),
        ("china standard time ", "Asia/Shanghai"),
        ("Eastern Standard Time", "America/New_York"),
        ("Eastern Daylight Time", "America/New_York"),
        ("US Mountain Standard Time", "America/Phoenix"),
        ("US Mountain Time", "US/Mountain"),
        ("GMT Standard Time", "Europe/London"),
        ("GMT", "UTC"),
        ("Eastern Standard Time (Mexico)", "America/Cancun"),
        ("(UTC+08:00) Beijing", "Asia/Shanghai"),
        ("(UTC+08:00) Beijing, Chongqing, Hong Kong, Urumqi", "Asia/Shanghai"),
        ("(UTC+08:00) 北京，重庆，香港特别行政区，乌鲁木齐", "Asia/Shanghai"),
        ("(GMT-08:00) Pacific Time (US & Canada)", "America/Los_Angeles"),
        ("(UTC-05:00) 东部时间(美国和加拿大)", "America/New_York"),
        ("(UTC+05:30) Chennai, Kolkata, Mumbai, New Delhi", "Asia/Kolkata"),
        ("(UTC) Coordinated Universal Time", "UTC"),
        ("GMT+0800 (China Standard Time)", "Asia/Shanghai"),
        ("GMT+0800 (中国标准时间)", "Asia/Shanghai"),
        ("GMT-0400 (Eastern Daylight Time)", "America/New_York"),
        ("GMT+0300 (whatever this is)", "UTC+03:00"),
        ("UTC+08:00 Asia/Shanghai", "Asia/Shanghai"),
        ("Asia/Shanghai (UTC+8)", "Asia/Shanghai"),
        ("Asia/Shanghai (CST, +0800)", "Asia/Shanghai"),
        ("Asia/Beijing", "Asia/Shanghai"),
        ("beijing time", "Asia/Shanghai"),
        ("北京时间", "Asia/Shanghai"),
        ("PRC", "Asia/Shanghai"),
        ("Hong Kong", "Asia/Hong_Kong"),
        ("Asia/Urumqi", "Asia/Urumqi"),
        ("new york", "America/New_York"),
        ("US/Eastern", "US/Eastern"),
        ("EST5EDT", "EST5EDT"),
        ("Etc/GMT+8", "Etc/GMT+8"),
    ],
)
def test_names_of_machines_and_people(text: str, zone: str) -> None:
    assert read(text) == zone


EIGHT_AHEAD = (
    "UTC+8|utc+08|GMT+8|gmt+0800|UTC+08:00|GMT+800|+8|+08|+0800|+08:00|8|08:00|0800|8.0|UTC 8|GMT8|GMT +08:00|UTC + 8"
    "|＋８|UTC＋８：００|UTC/GMT+8|UTC+8小时|东八区|東八區|东8区"
)


@pytest.mark.parametrize("text", EIGHT_AHEAD.split("|"))
def test_an_offset_is_read_as_people_write_it(text: str) -> None:
    assert read(text) == "UTC+08:00"


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("UTC+5:30", "UTC+05:30"),
        ("+0545", "UTC+05:45"),
        ("-03:30", "UTC-03:30"),
        ("UTC-9.5", "UTC-09:30"),
        ("UTC−8", "UTC-08:00"),
        ("西五区", "UTC-05:00"),
        ("+14", "UTC+14:00"),
        ("-12", "UTC-12:00"),
        ("Z", "UTC"),
        ("z", "UTC"),
        ("UTC", "UTC"),
        ("utc+0", "UTC"),
        ("-00:00", "UTC"),
    ],
)
def test_other_offsets(text: str, zone: str) -> None:
    assert read(text) == zone


def test_posix_signs_are_the_databases_own_and_nobody_elses() -> None:
    assert offsets("Etc/GMT+8") == [timedelta(hours=-8)] * 4
    assert offsets("GMT+8") == [timedelta(hours=8)] * 4
    assert read("CST-8", "CN") == "Asia/Shanghai"
    assert read("EST5", "US") == read("EST-5", "US") == "America/New_York"
    assert read("CST-8", "US") is None


@pytest.mark.parametrize(
    ("text", "china", "america"),
    [
        ("CST", "Asia/Shanghai", "America/Chicago"),
        ("EST", None, "America/New_York"),
        ("edt", None, "America/New_York"),
        ("PST", None, "America/Los_Angeles"),
        ("Eastern", None, "America/New_York"),
        ("MST", None, None),
        ("IST", None, None),
    ],
)
def test_an_abbreviation_counts_where_it_means_one_clock(text: str, china: str | None, america: str | None) -> None:
    assert (read(text, "CN"), read(text, "US"), read(text)) == (china, america, None)


FOLDERS_AND_PATHS = "America|US|Asia|Etc|Indian|../../etc/passwd|/etc/passwd|../Asia/Shanghai|posix/Asia/Shanghai"
NO_OFFSETS = "480|-300|+800|28800|UTC+25|+99:00|-13|UTC+8:07|2026|8²|+|-|UTC+|()|GMT+ ()"
NO_NAMES = "Mars/Olympus|null|Factory|localtime|\ud800|\0|Asia/Shanghai\0"
AT_ODDS = "GMT+8 (Eastern Standard Time)|(UTC+05:00) Beijing|(UTC-08:00) Nowhere at all"


@pytest.mark.parametrize("text", "|".join((FOLDERS_AND_PATHS, NO_OFFSETS, NO_NAMES, AT_ODDS)).split("|"))
def test_what_names_no_zone_is_not_read(text: str) -> None:
    assert read(text, "CN") is None
    assert read(text, "US") is None


@pytest.mark.parametrize("text", ["", " ", "x" * 300, "Asia/Shanghai" + " " * 300])
def test_neither_nothing_nor_too_much_is_read(text: str) -> None:
    assert read(text, "CN") is None


@given(st.text(max_size=LONGEST + 5) | st.text("UTCGMutcgm+-0123456789:.()/ 东西区时八", max_size=24))
def test_any_text_is_a_clock_or_none(text: str) -> None:
    for jurisdiction in (None, "CN", "US"):
        zone = read_zone(text, jurisdiction)
        if zone is not None:
            assert abs(MOMENTS[0].astimezone(zone.clock).utcoffset() or timedelta()) <= timedelta(hours=14)
            assert read(zone.name) == zone.name, "a stored name is read as itself"


@given(st.integers(-12 * 4, 14 * 4), st.sampled_from(["", "UTC", "GMT ", "utc"]), st.booleans())
def test_every_offset_on_earth_is_read(quarters: int, prefix: str, colon: bool) -> None:
    minutes = abs(quarters) * 15
    sign = "-" if quarters < 0 else "+"
    text = f"{prefix}{sign}{minutes // 60:02d}{':' if colon else ''}{minutes % 60:02d}"
    assert offsets(text) == [timedelta(minutes=quarters * 15)] * 4


def test_every_name_that_is_said_is_a_zone() -> None:
    assert {read(zone) for zone in SAID.values()} == set(SAID.values())
    for jurisdiction, said in ABBREVIATED.items():
        assert {name: read(name, jurisdiction) for name in said} == dict(said)
    assert [name for name in SAID if key(name) != name] == []


def test_a_name_that_a_person_gives_is_kept_in_its_own_spelling_or_refused() -> None:
    assert zone_name(" asia/shanghai") == "Asia/Shanghai"
    assert zone_name("  ") == ""
    with pytest.raises(NoZone, match="'America' is no time zone"):
        zone_name("America")
