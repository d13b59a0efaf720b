from __future__ import annotations

from typing import get_args

import pytest

from detectors.contract import Jurisdiction
from detectors.timezones.debtor import OF_LAW, debtor_zone, possible_zones
from detectors.timezones.zones import read_zone


def test_metadata_come_before_the_source_the_default_and_the_jurisdiction() -> None:
    told = {"timezone": "America/New_York"}
    every = {"source": "America/Denver", "default": "America/Chicago"}
    assert debtor_zone(told, "US", **every).name == "America/New_York"
    assert debtor_zone({}, "US", **every).name == "America/Denver"
    assert debtor_zone({}, "US", default="America/Chicago").name == "America/Chicago"
    assert debtor_zone({}, "US").name == ""
    assert debtor_zone({}, "CN").name == "Asia/Shanghai"
    assert debtor_zone({}, "CN").trouble() is None
    assert debtor_zone({}, "UK").name == "Europe/London"
    assert debtor_zone({"tz": "BST"}, "UK").name == "Europe/London"


@pytest.mark.parametrize(
    "field",
    ["timezone", "Timezone", "time_zone", "timeZone", "time-zone", "tz", "TZ", "customer_timezone"],
)
def test_the_field_goes_by_several_names(field: str) -> None:
    assert debtor_zone({field: "Asia/Tokyo"}, "CN").name == "Asia/Tokyo"
    assert debtor_zone({f"{field}s": "Asia/Tokyo"}, "CN").name == "Asia/Shanghai"


def test_the_surest_field_is_taken_first() -> None:
    told = {"tz": "Asia/Tokyo", "timezone": "Asia/Seoul", "customer_timezone": "Asia/Urumqi"}
    assert debtor_zone(told, "CN").name == "Asia/Urumqi"


def test_an_empty_field_tells_nothing() -> None:
    found = debtor_zone({"timezone": " ", "tz": ""}, "CN")
    assert (found.name, found.trouble()) == ("Asia/Shanghai", None)


@pytest.mark.parametrize("value", ["America", "x" * 300, "\0", "../../etc/passwd", "Mars/Olympus"])
def test_what_cannot_be_read_is_told_by_field_and_value_and_what_stands_in(value: str) -> None:
    found = debtor_zone({"timezone": value}, "CN")
    trouble = found.trouble()
    assert found.name == "Asia/Shanghai"
    assert trouble is not None
    code, message = trouble
    assert code == "zone_unreadable"
    assert f"metadata.timezone {value!r}"[:60] in message
    assert message.endswith("permitted hours go by Asia/Shanghai, the jurisdiction's.")
    assert len(message) < 250


def test_a_field_that_can_be_read_stands_in_for_one_that_cannot() -> None:
    found = debtor_zone({"timezone": "home", "tz": "Asia/Tokyo"}, "CN")
    assert found.name == "Asia/Tokyo"
    assert found.trouble() == (
        "zone_unreadable",
        "No time zone can be read from metadata.timezone 'home': "
        "permitted hours go by Asia/Tokyo, which metadata.tz tells.",
    )


def test_a_zone_that_nobody_knows_is_told() -> None:
    trouble = debtor_zone({}, "US").trouble()
    assert trouble is not None
    assert trouble[0] == "zone_unknown"
    unreadable = debtor_zone({"timezone": "MST"}, "US").trouble()
    assert unreadable is not None
    assert unreadable[0] == "zone_unreadable"
    assert "only where it is night in all zones of the jurisdiction" in unreadable[1]


@pytest.mark.parametrize("jurisdiction", get_args(Jurisdiction))
def test_a_call_may_have_been_made_to_any_zone_of_its_law(jurisdiction: Jurisdiction) -> None:
    assert tuple(zone.name for zone in possible_zones("", {}, jurisdiction)) == OF_LAW[jurisdiction]
    assert [zone.name for zone in possible_zones("Asia/Tokyo", {"tz": "PRC"}, jurisdiction)] == ["Asia/Tokyo"]
    assert [zone.name for zone in possible_zones("", {"tz": "Asia/Tokyo"}, jurisdiction)] == ["Asia/Tokyo"]
    assert all(read_zone(name) for name in OF_LAW[jurisdiction])
