"""Names of time zones as people and machines write them, beside the tz database's: data.

Keys are in the form of `key`. Windows' names and their zones are CLDR's, as tzlocal keeps them up to date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

from tzlocal.windows_tz import win_tz

from detectors.contract import Jurisdiction

_PASSED_OVER = re.compile(r"[\s_/\\]|-(?!\d)")
_STANDARD_TIME = " Standard Time"
_PLACES = frozenset(
    ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
)
_NO_PLACE = frozenset(("ACT", "LHI", "NSW", "North", "South", "West"))
"""Parts of Australia whose names mean something else elsewhere."""
_NOT_MEANT = frozenset(("Factory", "EST", "MST"))
"""Names of the tz database that people mean otherwise. To it EST is five hours behind UTC all year round; a person who
writes it means New York, in summer too."""

SAID: Mapping[str, str] = MappingProxyType(
    {
        # China
        **dict.fromkeys(("asiabeijing", "beijing", "bjt", "peking", "china", "prc", "asiashenzhen"), "Asia/Shanghai"),
        **dict.fromkeys(("北京", "北京时间", "中国", "中国时间", "中国标准时间", "上海", "重庆"), "Asia/Shanghai"),
        **dict.fromkeys(("hongkong", "hkt", "香港", "香港时间", "香港标准时间"), "Asia/Hong_Kong"),
        **dict.fromkeys(("澳门", "澳门时间", "澳门标准时间"), "Asia/Macau"),
        **dict.fromkeys(("台北", "台北时间", "台北标准时间"), "Asia/Taipei"),
        **dict.fromkeys(("xinjiang", "新疆时间", "乌鲁木齐", "乌鲁木齐时间"), "Asia/Urumqi"),
        **dict.fromkeys(("新加坡", "新加坡时间", "新加坡标准时间"), "Asia/Singapore"),
        **dict.fromkeys(("japan", "东京", "东京标准时间", "日本时间", "日本标准时间"), "Asia/Tokyo"),
        **dict.fromkeys(("korean", "rok"), "Asia/Seoul"),
        # the United States
        **dict.fromkeys(("美东时间", "美国东部时间", "北美东部时间", "东部时间", "东部标准时间"), "America/New_York"),
        **dict.fromkeys(("中部时间", "美中时间", "美国中部时间", "北美中部时间"), "America/Chicago"),
        **dict.fromkeys(("山地时间", "美国山地时间", "北美山区时间"), "America/Denver"),
        **dict.fromkeys(
            ("美西时间", "美国西部时间", "太平洋时间", "太平洋标准时间", "北美太平洋时间"), "America/Los_Angeles"
        ),
        "alaska": "America/Anchorage",
        **dict.fromkeys(("hawaii", "hawaiialeutian"), "Pacific/Honolulu"),
        "arizona": "America/Phoenix",
        # everywhere
        **dict.fromkeys(("coordinateduniversal", "协调世界时", "世界协调时"), "UTC"),
        **dict.fromkeys(("greenwichmean", "格林威治时间", "格林尼治时间"), "UTC"),
    }
)
"""What is said for a zone in any jurisdiction."""

ABBREVIATED: Mapping[Jurisdiction, Mapping[str, str]] = MappingProxyType(
    {
        "CN": MappingProxyType({"cst": "Asia/Shanghai"}),
        "US": MappingProxyType(
            {
                **dict.fromkeys(("est", "edt", "et", "eastern", "easternusa"), "America/New_York"),
                **dict.fromkeys(("cst", "cdt", "ct", "central"), "America/Chicago"),
                **dict.fromkeys(("mdt", "mt", "mountain"), "America/Denver"),
                **dict.fromkeys(("pst", "pdt", "pt", "pacific"), "America/Los_Angeles"),
                **dict.fromkeys(("akst", "akdt", "akt"), "America/Anchorage"),
                **dict.fromkeys(("hdt", "hast"), "Pacific/Honolulu"),
            }
        ),
        "UK": MappingProxyType(dict.fromkeys(("bst", "uk", "gb"), "Europe/London")),
    }
)
"""Abbreviations that mean one clock to whoever works under that law: CST is China's or Chicago's. MST is missing:
it may be Denver's or Arizona's."""

EIGHTHS = "零一二三四五六七八九十"
"""Chinese time zones are counted east and west of Greenwich: 东八区."""


def key(name: str) -> str:
    """The form in which names are compared: case, blanks, underscores, slashes and hyphens do not count.

    The minus before a digit does: Etc/GMT-8 is not Etc/GMT+8.
    """
    return _PASSED_OVER.sub("", name.casefold())


@lru_cache(maxsize=1)
def database() -> frozenset[str]:
    """The names of the tz database. Reads one small file, once."""
    names = files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return frozenset(names) - _NOT_MEANT


@lru_cache(maxsize=1)
def names() -> Mapping[str, str]:
    """Every name that means one zone wherever it is read → the tz database's name."""
    known = database()
    windows = {key(said): zone for name, zone in win_tz.items() if zone in known for said in _windows(name)}
    places = {key(place): zone for place, zone in _places(sorted(known))}
    return MappingProxyType({**windows, **{key(name): name for name in known}, **places, **SAID})


def _places(known: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The last part of `Asia/Shanghai`, with the name. Of two names for one clock (Istanbul's) the later."""
    for name in known:
        region, _, place = name.partition("/")
        if region in _PLACES and "/" not in place and place not in _NO_PLACE:
            yield place, name


def _windows(name: str) -> Iterator[str]:
    """A Windows zone as it is called in winter and in summer. `US Mountain Time` is no name for Windows' `US Mountain
    Standard Time`, which is Arizona's, nor `GMT Time` one for London's."""
    yield name
    base, standard, rest = name.partition(_STANDARD_TIME)
    if standard:
        yield f"{base} Daylight Time{rest}"
        if not base.startswith(("US ", "GMT")):
            yield f"{base} Time{rest}"
            yield f"{base} Summer Time{rest}"
