"""Reads time zones as people and machines write them. The answer is a zone or None, whatever the text is.

Only names of the tz database's own list are opened, so no text reaches the file system.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from detectors.contract import Jurisdiction
from detectors.timezones.names import ABBREVIATED, EIGHTHS, database, key, names

LONGEST = 120
"""Characters. The longest name that Windows shows has 63."""

_UNSEEN = dict.fromkeys(map(ord, "\ufeff\u200b\u200e\u200f\u202a\u202c"), "")
_DASHES = dict.fromkeys(map(ord, "−–—﹣－"), "-")
_OFFSET = re.compile(
    r"(?P<utc>(?:utc/)?(?:utc|gmt|ut))?\s*(?P<sign>[+-]?)\s*"
    r"(?:(?P<hours>\d{1,2})(?::(?P<minutes>[0-5]\d)(?::00)?|\.(?P<part>\d{1,2}))?|(?P<run>\d{3,4}))\s*(?:h|hrs?|hours?|小?时)?",
)
_COUNTED = re.compile(f"(?P<side>[东東西])(?P<hours>[{EIGHTHS}]{{1,2}}|\\d{{1,2}})时?[区區]")
_SHOWN = re.compile(r"\((?P<offset>(?:utc|gmt)[^()]*)\)\s*(?P<rest>.+)")
"""A zone as Windows shows it: `(UTC+08:00) Beijing, Chongqing, Hong Kong, Urumqi`. The offset is that of winter."""
_WRITTEN = re.compile(r"(?P<offset>(?:(?:utc|gmt)\s*[+-]?|[+-])\s*[\d:]+)[\s(]+(?P<rest>\D.*)")
"""A zone as JavaScript writes it: `GMT+0800 (China Standard Time)`. The offset is that of the moment."""
_NAMED = re.compile(r"(?P<rest>[^()]*[^()\s])\s*\((?:[a-z]+, )?(?P<offset>[^()]*)\)")
"""A zone as Linux shows it: `Asia/Shanghai (CST, +0800)`."""
_POSIX = re.compile(r"(?P<name>[a-z]{3,5})\s*[+-]?(?P<hours>\d{1,2})(?::?00)?")
_COUNTRY = re.compile(r"\((us (&|and) canada|美国和加拿大)\)")
_TIME = re.compile(r"(standard|daylight|summer)?time$")
_WINTER, _SUMMER = datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 7, 15, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A clock and its name: the tz database's (`Asia/Shanghai`), or `UTC+08:00` where only an offset is known."""

    name: str
    clock: tzinfo


def read_zone(text: str, jurisdiction: Jurisdiction | None = None) -> Zone | None:
    """The zone that `text` means to whoever works under the jurisdiction's law; None where it cannot be told."""
    if len(text) > LONGEST:
        return None
    plain = _COUNTRY.sub("", unicodedata.normalize("NFKC", text).translate(_DASHES | _UNSEEN).casefold())
    return _read(plain.strip().strip("\"'").lstrip(":").strip(), jurisdiction)


class NoZone(ValueError):
    """A text that a person gave for a time zone names none."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text[:LONGEST]!r} is no time zone; give a name such as Asia/Shanghai")


def zone_name(text: str, jurisdiction: Jurisdiction | None = None) -> str:
    """The name of the zone that `text` means, "" where it is blank. Raises NoZone."""
    if not text.strip():
        return ""
    zone = read_zone(text, jurisdiction)
    if zone is None:
        raise NoZone(text)
    return zone.name


def load_zones() -> None:
    """Open every zone, so that none is read from disk while calls are live. Takes a tenth of a second, and 2 MB."""
    for name in sorted(database()):
        _zone(name)


def _read(text: str, jurisdiction: Jurisdiction | None) -> Zone | None:
    return _at_offset(text) or _by_name(text, jurisdiction) or _by_both(text, jurisdiction)


def _at_offset(text: str) -> Zone | None:
    """Reads a distance from UTC: `UTC+8`, `gmt+0800`, `+08:00`, `8`, `z`, `东八区`. `Etc/GMT+8` of the tz database is
    none."""
    if text in {"z", "utc", "gmt"}:
        return _fixed(0)
    if counted := _COUNTED.fullmatch(text):
        hours = counted["hours"]
        number = int(hours) if hours.isascii() else _chinese(hours)
        return _fixed(number * 60 * (1 if counted["side"] != "西" else -1))
    found = _OFFSET.fullmatch(text)
    minutes = None if found is None else _minutes(found)
    return None if found is None or minutes is None else _fixed(-minutes if found["sign"] == "-" else minutes)


def _minutes(found: re.Match[str]) -> int | None:
    """A run of three digits is told apart from a number of minutes by `utc` before it only."""
    if run := found["run"]:
        readable = int(run[-2:]) < 60 and (len(run) == 4 or found["utc"])
        return int(run[:-2]) * 60 + int(run[-2:]) if readable else None
    part = round(float(f"0.{found['part']}") * 60) if found["part"] else int(found["minutes"] or 0)
    return int(found["hours"]) * 60 + part


def _chinese(numeral: str) -> int:
    """Reads 一 to 十二."""
    return sum(EIGHTHS.index(digit) for digit in numeral)


def _fixed(minutes: int) -> Zone | None:
    """Clocks on Earth go from 12 hours behind UTC to 14 ahead, in quarters of an hour."""
    if not -12 * 60 <= minutes <= 14 * 60 or minutes % 15:
        return None
    if minutes == 0:
        return Zone(name="UTC", clock=UTC)
    name = f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    return Zone(name=name, clock=timezone(timedelta(minutes=minutes), name))


def _by_name(text: str, jurisdiction: Jurisdiction | None) -> Zone | None:
    name = key(text)
    short = ABBREVIATED[jurisdiction] if jurisdiction else {}
    known = names()
    found = short.get(name) or known.get(name) or known.get(_TIME.sub("", name))
    return _zone(found) if found else None


def _by_both(text: str, jurisdiction: Jurisdiction | None) -> Zone | None:
    """An offset and a name. A name that is not known leaves the offset, unless it is winter's; one that belies the
    offset leaves nothing."""
    if posix := _POSIX.fullmatch(text):
        return _by_abbreviation(posix, jurisdiction)
    both = _SHOWN.fullmatch(text) or _WRITTEN.fullmatch(text) or _NAMED.fullmatch(text)
    if both is None:
        return None
    offset = _at_offset(both["offset"].replace(" ", ""))
    pieces = (piece.strip(" ()") for piece in re.split("[,、;]", both["rest"]))
    named = next((zone for piece in pieces if (zone := _by_name(piece, jurisdiction))), None)
    if offset is None:  # Asia/Shanghai (CST)
        return named if "/" in both["rest"] else None
    if named is None:
        return offset if both.re is _WRITTEN else None
    return named if _apart(offset) & _apart(named) else None


def _by_abbreviation(posix: re.Match[str], jurisdiction: Jurisdiction | None) -> Zone | None:
    """`cst-8` of POSIX, whose signs are the other way round, and `est-5` as people write it: what the letters say, if
    the figure agrees."""
    named = _by_name(posix["name"], jurisdiction)
    hours = timedelta(hours=int(posix["hours"]))
    return named if named and {hours, -hours} & _apart(named) else None


def _apart(zone: Zone) -> set[timedelta | None]:
    """How far the clock is from UTC, in winter and in summer."""
    return {moment.astimezone(zone.clock).utcoffset() for moment in (_WINTER, _SUMMER)}


@lru_cache(maxsize=1024)  # there are about 600
def _zone(name: str) -> Zone | None:
    """A zone of the tz database; None where that is damaged."""
    try:
        return Zone(name=name, clock=ZoneInfo(name))
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return None
