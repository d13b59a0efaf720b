"""Numbers as people say them. Pure."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Final

CHINESE_NUMBER: Final = r"(?:\d++(?:,\d{3})*+(?:\.\d++)?+|[零〇一二两三四五六七八九十百千万亿])++"
"""Numerals of both kinds in a row, as a regular expression. Its quantifiers are possessive, so every text takes linear
time."""
LONGEST: Final = 1000
"""So many characters of an utterance are read: two minutes of speech."""

_CHINESE_DIGITS: Final = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_CHINESE_UNITS: Final = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_CHINESE_TOKEN: Final = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?|.")

_ONES: Final = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ENGLISH: Final = {name: value for value, name in enumerate(_ONES)} | {
    name: 10 * value for value, name in enumerate(_TENS, 2)
}
_ENGLISH_UNITS: Final = {"hundred": 100, "thousand": 1000, "grand": 1000}
_ENGLISH_WORD: Final = "|".join(sorted((*_ENGLISH, *_ENGLISH_UNITS), key=len, reverse=True))
ENGLISH_NUMBER: Final = (
    r"(?:\d+(?:,\d{3})*(?:\.\d+)?(?:\s?k\b|\s(?:hundred|thousand|grand)\b)?"
    rf"|\b(?:a\s)?(?:{_ENGLISH_WORD})(?:[\s-](?:and\s)?(?:{_ENGLISH_WORD})\b)*)"
)
"""A number in digits or in words, as a regular expression for lower-case text."""

_ORDINAL_ONES: Final = {
    **{"first": 1, "second": 2, "third": 3, "fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12},
    **{f"{name}th": value for value, name in enumerate(_ONES) if value in (4, 6, 7, 10, 11, *range(13, 20))},
    **{"twentieth": 20, "thirtieth": 30},
}
ENGLISH_ORDINAL: Final = (
    r"(?:\d{1,2}(?:st|nd|rd|th)"
    rf"|(?:(?:twenty|thirty)[\s-])?(?:{'|'.join(sorted(_ORDINAL_ONES, key=len, reverse=True))}))"
)


def chinese_value(text: str) -> Decimal | None:
    """The value of 两千五, 1万2, 3,000 or 一千零五十. None for what is read digit by digit, such as a telephone
    number."""
    parts: list[str] = _CHINESE_TOKEN.findall(text)
    if len(parts) > 1 and not any(part in _CHINESE_UNITS for part in parts):
        return None
    total = section = number = Decimal(0)
    last, zero = 1, False
    for part in parts:
        if part in _CHINESE_UNITS:
            unit = _CHINESE_UNITS[part]
            number = number if number or (section and unit >= 10_000) else Decimal(1)
            if unit >= 10_000:
                total, section = (total + section + number) * unit, Decimal(0)
            else:
                section += number * unit
            number, last, zero = Decimal(0), unit, False
        else:
            zero = zero or part in "零〇"
            number = Decimal(part.replace(",", "")) if part[0].isdigit() else Decimal(_CHINESE_DIGITS[part])
    short = number and number < 10 and last >= 100 and not zero
    return total + section + (number * last / 10 if short else number)


def english_value(text: str) -> Decimal | None:
    """The value of `2,000`, `2k`, `twenty five hundred`, `a hundred and fifty` or `two sixteen` (216). None if the text
    is no number."""
    text = text.replace(",", "").strip()
    if text[:1].isdigit():
        digits, _, unit = text.partition(" ") if " " in text else (text.rstrip("k"), "", text[len(text.rstrip("k")) :])
        times = 1000 if unit == "k" else _ENGLISH_UNITS.get(unit, 1)
        try:
            return Decimal(digits) * times
        except InvalidOperation:
            return None
    total = current = 0
    for word in re.split(r"[\s-]+", text):
        if word in _ENGLISH:
            is_pair = 0 < current < 20 and _ENGLISH[word] >= 10  # "two sixteen" is said for 216
            current = current * (100 if is_pair else 1) + _ENGLISH[word]
        elif word == "hundred":
            current = max(1, current) * 100
        elif word in _ENGLISH_UNITS:
            total, current = total + max(1, current) * _ENGLISH_UNITS[word], 0
    return Decimal(total + current)


def ordinal_value(text: str) -> int:
    """The value, 1 to 39, of `15th`, `fifteenth` or `twenty first`."""
    if text[0].isdigit():
        return int(text[:-2])
    tens, _, ones = re.sub(r"[\s-]+", " ", text).rpartition(" ")
    return (_ENGLISH[tens] if tens else 0) + _ORDINAL_ONES[ones]
