"""Days and hours in what was said, reckoned from the day of the call. Pure."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date, time, timedelta
from types import MappingProxyType
from typing import Final, TypeAlias

from asr.types import Language
from detectors.facts.numbers import (
    CHINESE_NUMBER,
    ENGLISH_NUMBER,
    ENGLISH_ORDINAL,
    LONGEST,
    chinese_value,
    english_value,
    ordinal_value,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day; `begin` and `end` are its place in the text."""

    begin: int
    end: int
    day: date


_NOW: Final = re.compile(
    r"现在|马上|立刻|这就|这会儿|一会儿?|等会儿?|待会儿?|我(?:下午|晚上)"
    r"|\b(?:right )?now\b|\brn\b|\bright away\b|\bthis minute\b"
)


def is_now(text: str) -> bool:
    """Whether something is to be done at once, or in a while on the same day."""
    return _NOW.search(text[:LONGEST].lower()) is not None


Reckoning = Callable[[re.Match[str], date], date | None]
Reckonings: TypeAlias = tuple[tuple[re.Pattern[str], Reckoning], ...]

_WEEKDAYS_ZH: Final = "一二三四五六日"
_WEEKDAYS_EN: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS_EN: Final = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october"),
    *("november", "december"),
)
_NEAR_ZH: Final[Mapping[str, int]] = MappingProxyType(
    {"大后天": 3, "后天": 2, "后儿": 2, "明天": 1, "明儿": 1, "明晚": 1, "明早": 1, "今天": 0, "今儿": 0, "今晚": 0}
)
_SPAN_ZH: Final[Mapping[str, int]] = MappingProxyType({"天": 1, "周": 7, "星期": 7, "礼拜": 7})
_SPAN_EN: Final[Mapping[str, int]] = MappingProxyType({"day": 1, "week": 7})
_FARTHEST_DAYS: Final = 3660


def days_in(text: str, language: Language, today: date) -> list[Day]:
    """Days named in an utterance, in order. One that is too vague for a day of its own ("next week") is left out."""
    folded, table = _DAYS[language]
    text = folded(text[:LONGEST])
    taken: list[Day] = []
    for pattern, reckon in table:
        for match in pattern.finditer(text):
            if any(match.start() < day.end and day.begin < match.end() for day in taken):
                continue
            if (day := reckon(match, today)) is not None:
                taken.append(Day(begin=match.start(), end=match.end(), day=day))
    return sorted(taken, key=lambda day: day.begin)


def _on(year: int, month: int, day: int) -> date | None:
    """The day of a month, or the month's last day if it has fewer. None if no calendar has it."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    if not (1 <= day <= 31 and MINYEAR <= year < MAXYEAR):
        return None
    return date(year, month, min(day, monthrange(year, month)[1]))


def _later(today: date, days: int) -> date | None:
    return today + timedelta(days=days) if 0 <= days <= _FARTHEST_DAYS else None


def _of_the_month(today: date, months: int, day: int) -> date | None:
    return _on(today.year, today.month + months, day)


def _next_such_day(today: date, day: int) -> date | None:
    """The next day of that number: in this month, or in the next one if it is past."""
    return _of_the_month(today, int(day < today.day), day)


def _of_the_year(today: date, month: int, day: int) -> date | None:
    if not 1 <= month <= 12:
        return None
    this = _on(today.year, month, day)
    return this if this is None or this >= today else _on(today.year + 1, month, day)


def _weekday(today: date, weekday: int, weeks: int | None) -> date:
    """The weekday of the week so many weeks on; if no week is named, the next such day."""
    if weeks is None:
        return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)
    return today + timedelta(days=weekday - today.weekday() + 7 * weeks)


def _number(text: str) -> int:
    value = chinese_value(text)
    return int(value) if value is not None else -1


def _zh_month_and_day(match: re.Match[str], today: date) -> date | None:
    return _of_the_year(today, _number(match["month"]), _number(match["day"]))


def _zh_day_of_month(match: re.Match[str], today: date) -> date | None:
    day = _number(match["day"])
    if not match["which"]:
        return _next_such_day(today, day)
    return _of_the_month(today, match["which"].count("下"), day)


def _zh_part_of_month(match: re.Match[str], today: date) -> date | None:
    months = (match["which"] or "").count("下")
    return _of_the_month(today, months, 31 if match["part"] == "底" else 15)


def _zh_weekday(match: re.Match[str], today: date) -> date | None:
    weekday = _WEEKDAYS_ZH.index(match["day"].replace("天", "日"))
    which = match["which"]
    return _weekday(today, weekday, which.count("下") if which else None)


def _zh_span(match: re.Match[str], today: date) -> date | None:
    return _later(today, _number(match["number"]) * _SPAN_ZH[match["unit"]])


def _zh_months(match: re.Match[str], today: date) -> date | None:
    return _of_the_month(today, _number(match["number"]), today.day)


_SOON_ZH: Final = r"(?:之后|以后|之内|以内|后|内|里)"
_CHINESE: Final[Reckonings] = (
    (re.compile(rf"(?P<month>{CHINESE_NUMBER})月份?的?(?P<day>{CHINESE_NUMBER})[号日]"), _zh_month_and_day),
    (re.compile(r"(?P<which>(?:下{1,3}|这|本)个?)?(?:周|星期|礼拜)(?P<day>[一二三四五六日天])"), _zh_weekday),
    (
        re.compile(
            rf"(?P<which>(?:下{{1,2}}|这|本|当)个?月(?:的|份)?)?(?<!尾)(?P<day>{CHINESE_NUMBER})号(?![码线楼员])"
        ),
        _zh_day_of_month,
    ),
    (re.compile(r"(?P<which>(?:下{1,2}|这|本|当)个?)?月(?P<part>底|中旬|中(?!旬))"), _zh_part_of_month),
    (re.compile("|".join(_NEAR_ZH)), lambda match, today: _later(today, _NEAR_ZH[match[0]])),
    (re.compile(rf"(?P<number>{CHINESE_NUMBER})个?(?P<unit>天|周|星期|礼拜){_SOON_ZH}"), _zh_span),
    (re.compile(rf"(?P<number>{CHINESE_NUMBER})个月{_SOON_ZH}"), _zh_months),
    (re.compile(rf"半个月{_SOON_ZH}"), lambda _match, today: _later(today, 15)),
    (re.compile(r"[这本]?周末"), lambda _match, today: _later(today, 6 - today.weekday())),
    (re.compile(r"年底"), lambda _match, today: date(today.year, 12, 31)),
)
"""Patterns in their order: what is named more fully comes first."""


def _en_month_and_day(match: re.Match[str], today: date) -> date | None:
    month = next(place for place, name in enumerate(_MONTHS_EN, 1) if name.startswith(match["month"][:3]))
    day = match["day"]
    return _of_the_year(today, month, int(day) if day.isdigit() else ordinal_value(day))


def _en_numbered(match: re.Match[str], today: date) -> date | None:
    return _of_the_year(today, int(match["month"]), int(match["day"]))


def _en_weekday(match: re.Match[str], today: date) -> date | None:
    weekday = _WEEKDAYS_EN.index(match["day"])
    if match["from"]:
        found = _weekday(today, weekday, None)
        return found + timedelta(days=7)
    return _weekday(today, weekday, 1 if match["which"] == "next" else None)


def _en_day_of_month(match: re.Match[str], today: date) -> date | None:
    day = ordinal_value(match["day"])
    which = match["before"] or match["after"]
    return _next_such_day(today, day) if which is None else _of_the_month(today, int(which == "next"), day)


def _en_month_end(match: re.Match[str], today: date) -> date | None:
    return _of_the_month(today, int(match["which"] == "next"), 31)


def _en_span(match: re.Match[str], today: date) -> date | None:
    number = 1 if match["number"] in ("a", "one") else int(english_value(match["number"]) or -1)
    if match["unit"] == "month":
        return _of_the_month(today, number, today.day)
    return _later(today, number * _SPAN_EN[match["unit"]])


_MONTH: Final = r"(?P<month>" + "|".join(f"{name}|{name[:3]}" for name in _MONTHS_EN) + r"|sept)\b\.?"
_ENGLISH: Final[Reckonings] = (
    (re.compile(rf"\b{_MONTH}\s(?:the\s)?(?P<day>{ENGLISH_ORDINAL}|[12]?\d|3[01])\b(?![,\d])"), _en_month_and_day),
    (re.compile(rf"\b(?P<day>{ENGLISH_ORDINAL})\sof\s{_MONTH}"), _en_month_and_day),
    (
        re.compile(
            rf"\b(?:(?P<which>this|next|coming)\s)?(?P<from>a week (?:from|on)\s)?(?P<day>{'|'.join(_WEEKDAYS_EN)})\b"
        ),
        _en_weekday,
    ),
    (
        re.compile(
            rf"\b(?:(?P<before>this|next) month,?\s(?:on\s|by\s)?)?the\s(?P<day>{ENGLISH_ORDINAL})\b"
            r"(?:\sof\s(?P<after>this|next) month)?(?!\s(?:of|time|party|floor|call|payment|person|notice|one)\b)"
        ),
        _en_day_of_month,
    ),
    (re.compile(r"\bday after tomorrow\b"), lambda _match, today: _later(today, 2)),
    (re.compile(r"\btomorrow\b"), lambda _match, today: _later(today, 1)),
    (re.compile(r"\b(?:today|tonight)\b"), lambda _match, today: today),
    (re.compile(r"\bend of (?:the |this |(?P<which>next) )month\b"), _en_month_end),
    (re.compile(r"\bend of (?:the|this) week\b"), lambda _match, today: _weekday(today, 4, 0)),
    (re.compile(rf"\b(?:in|within)\s(?P<number>a|{ENGLISH_NUMBER})\s(?P<unit>day|week|month)s?\b"), _en_span),
    (re.compile(r"\b(?P<month>1[0-2]|0?[1-9])/(?P<day>3[01]|[12]\d|0?[1-9])\b"), _en_numbered),
)
"""Patterns in their order: what is named more fully comes first."""


_DAYS: Final[Mapping[Language, tuple[Callable[[str], str], Reckonings]]] = MappingProxyType(
    {"zh": (str, _CHINESE), "en": (str.lower, _ENGLISH)}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """An hour of the day; `begin` and `end` are its place in the text."""

    begin: int
    end: int
    hour: time


_HOUR_ZH: Final = re.compile(
    rf"(?P<half>凌晨|清晨|早上|上午|早晨|中午|下午|傍晚|晚上|夜里|今晚|明晚|明早)?(?<![差有早快慢了])(?P<hour>{CHINESE_NUMBER})点"
    rf"(?:钟|整|(?P<thirty>半)|(?P<quarter>一刻|三刻)|(?P<minute>{CHINESE_NUMBER})分?)?(?![儿多])"
)
_HOUR_EN: Final = re.compile(
    r"\b(?P<hour>1[0-2]|[1-9]|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
    r"(?::(?P<minute>[0-5]\d)|\s(?P<thirty>thirty))?"
    r"(?:\s?(?P<half>am|pm|a\.m\.?|p\.m\.?)|\so'?clock)?"
    r"(?:\s(?:in the\s|at\s)?(?P<part>morning|afternoon|evening|night|tonight))?"
)
_PAST_NOON: Final = frozenset(
    {"下午", "傍晚", "晚上", "夜里", "今晚", "明晚", "afternoon", "evening", "night", "tonight"}
)


def hours_in(text: str, language: Language) -> list[Hour]:
    """Hours of the day named in an utterance, in order. One that may be before or after noon is taken for the one in
    which people may be called: 7 to 18."""
    found = [_hour(match) for match in _HOURS[language](text[:LONGEST])]
    return [hour for hour in found if hour is not None]


def _hours_en(text: str) -> Iterator[re.Match[str]]:
    """Hours in English, where something besides the number marks them as hours."""
    text = text.lower()
    for match in _HOUR_EN.finditer(text):
        told = match["minute"] or match["half"] or match["part"] or "clock" in match[0]
        if told or re.search(r"\b(?:at|around|about|by|after|before|until)\s$", text[: match.start()]):
            yield match


_HOURS: Final[Mapping[Language, Callable[[str], Iterator[re.Match[str]]]]] = MappingProxyType(
    {"zh": _HOUR_ZH.finditer, "en": _hours_en}
)


def _hour(match: re.Match[str]) -> Hour | None:
    said = match.groupdict()
    hour = _hour_number(said["hour"])
    minute = 30 if said["thirty"] else {"一刻": 15, "三刻": 45}.get(said.get("quarter") or "", 0)
    if said["minute"]:
        minute = _number(said["minute"])
    half, part = said["half"] or "", said.get("part") or ""
    late = half in _PAST_NOON or part in _PAST_NOON or half.startswith("p") or (half == "中午" and hour < 10)
    told = bool(half or part)
    if hour < 12 and (late or (not told and hour < 7)):
        hour += 12
    if not (0 <= hour < 24 and 0 <= minute < 60):
        return None
    return Hour(begin=match.start(), end=match.end(), hour=time(hour, minute))


def _hour_number(text: str) -> int:
    if text.isascii() and text.isalpha():
        return int(english_value(text) or -1)
    return _number(text)
