"""The zone by whose clock a call is judged: the debtor's, as far as anybody has told it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from detectors.contract import Jurisdiction
from detectors.timezones.zones import Zone, read_zone

FIELDS = ("customertimezone", "debtortimezone", "timezone", "tz")
"""Metadata that tells the debtor's zone, the surest first; case, blanks, `_` and `-` in their names do not count."""

OF_LAW: Mapping[Jurisdiction, tuple[str, ...]] = MappingProxyType(
    {
        "CN": ("Asia/Shanghai",),
        "US": (
            "America/New_York",
            "America/Chicago",
            "America/Denver",
            "America/Phoenix",
            "America/Los_Angeles",
            "America/Anchorage",
            "Pacific/Honolulu",
        ),
        "UK": ("Europe/London",),
    }
)
"""The zones in which those live whom the law protects."""

_LONGEST_SHOWN = 60
_PASSED_OVER = str.maketrans("", "", " _-")

ZoneTrouble = Literal["zone_unreadable", "zone_unknown"]
ZoneTeller = Literal["metadata", "source", "service", "law"]
"""The call's metadata; its source; the service's setting; its jurisdiction, where that has only one zone."""

_WHOSE: Mapping[ZoneTeller, str] = MappingProxyType(
    {"source": "the source's", "service": "the service's", "law": "the jurisdiction's"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DebtorZone:
    """The zone a call is judged by, None where it may be any of its jurisdiction's; who told it, and in which `field`
    of the metadata; and the metadata (field, value) that tell something which cannot be read."""

    zone: Zone | None
    told_by: ZoneTeller | None = None
    field: str = ""
    unreadable: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """The zone's name, "" where it is not known."""
        return self.zone.name if self.zone else ""

    def trouble(self) -> tuple[ZoneTrouble, str] | None:
        """What a person must know about the zone: a code and a sentence. None where the zone is clear."""
        if self.told_by is not None:
            whose = _WHOSE.get(self.told_by, f"which metadata.{self.field} tells")
            instead = f"permitted hours go by {self.name}, {whose}"
        else:
            instead = "a call counts as made at night only where it is night in all zones of the jurisdiction"
        if self.unreadable:
            fields = " and ".join(f"metadata.{field} {_shown(value)}" for field, value in self.unreadable)
            return "zone_unreadable", f"No time zone can be read from {fields}: {instead}."
        if self.zone is None:
            return "zone_unknown", f"The debtor's time zone is not known: {instead}. Give metadata.timezone."
        return None


def debtor_zone(
    metadata: Mapping[str, str], jurisdiction: Jurisdiction, *, source: str = "", default: str = ""
) -> DebtorZone:
    """The zone that the call's metadata tell, else its source's, else the default, else its jurisdiction's if that has
    one. `source` and `default` are names that `read_zone` reads, or empty."""
    unreadable: list[tuple[str, str]] = []
    for field, value in _told(metadata):
        if zone := read_zone(value, jurisdiction):
            return DebtorZone(zone=zone, told_by="metadata", field=field, unreadable=tuple(unreadable))
        unreadable.append((field, value))
    only = OF_LAW[jurisdiction][0] if len(OF_LAW[jurisdiction]) == 1 else ""
    others: dict[ZoneTeller, str] = {"source": source, "service": default, "law": only}
    for told_by, name in others.items():
        if name and (zone := read_zone(name, jurisdiction)):
            return DebtorZone(zone=zone, told_by=told_by, unreadable=tuple(unreadable))
    return DebtorZone(zone=None, unreadable=tuple(unreadable))


def possible_zones(name: str, metadata: Mapping[str, str], jurisdiction: Jurisdiction) -> tuple[Zone, ...]:
    """The zones a call may have been made to, at least one: that of `name`, else as metadata and jurisdiction tell."""
    zone = read_zone(name) or debtor_zone(metadata, jurisdiction).zone
    if zone is not None:
        return (zone,)
    return tuple(zone for each in OF_LAW[jurisdiction] if (zone := read_zone(each)))


def _told(metadata: Mapping[str, str]) -> list[tuple[str, str]]:
    """The zone that the metadata tell, by the surest field first. An empty field tells nothing."""
    given = [(_plain(field), field, value) for field, value in metadata.items() if value.strip()]
    return [(field, value) for known in FIELDS for plain, field, value in given if plain == known]


def _plain(field: str) -> str:
    return field.casefold().translate(_PASSED_OVER)


def _shown(value: str) -> str:
    return repr(value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}…")
