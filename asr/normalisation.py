"""Text as it is shown, and text as it is compared. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from opencc import OpenCC

from asr.languages import traits_of
from asr.types import Language

_CJK = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HAS_CJK = re.compile(f"[{_CJK}]")
_WIDE = f"{_CJK}，。？！；：、…《》“”"
_SPACE_BESIDE_CJK = re.compile(rf"(?<=[{_WIDE}])\s+|\s+(?=[{_WIDE}])")
_SPACES = re.compile(r"\s+")
_ASCII_MARKS = re.compile(rf"(?<=[{_WIDE}])[,.?!;:][\s,.?!;:]*|[,?!;:][\s,?!;:]*(?=[{_WIDE}])")
_WIDE_MARKS = str.maketrans(",.?!;:", "，。？！；：")
_DOTS = re.compile(r"(?:\.{2,}|。{2,}|…)[\s.。…,，]*")
_TWICE = re.compile(r"([，。？！；：、])[，。？！；：、]+")
_LEADING_MARKS = re.compile(r"^[\s，。？！；：、,.?!;:…]+")
_FULLWIDTH = {code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}

_NUMBER = re.compile(r"(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<part>\d+))?(?P<percent>%)?(?P<next>.?)", re.DOTALL)
_DIGITS = "零一二三四五六七八九"
_PLACES = ("", "十", "百", "千")
_MYRIADS = ("", "万", "亿", "万亿")
_LONGEST_QUANTITY = 12
_COUNTED = frozenset("元块万亿千百个人天年月日期笔次分秒点小多")
_SAID_ALIKE = str.maketrans({"两": "二", "幺": "一", "〇": "零", "○": "零"})


@cache
def _simplifier() -> OpenCC:
    return OpenCC("t2s")


def simplify(text: str) -> str:
    """Traditional characters to simplified ones, phrase by phrase; about 0.2 ms an utterance."""
    return str(_simplifier().convert(text)) if _HAS_CJK.search(text) else text


def normalise(text: str, language: Language) -> str:
    """The form that is stored and shown: simplified script, Chinese marks beside Chinese, no space within it.

    Numbers stay as the recogniser wrote them.
    """
    text = _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip()
    if traits_of(language).spaced and not _HAS_CJK.search(text):
        return text
    text = simplify(text.translate(_FULLWIDTH))
    text = _DOTS.sub("…", _SPACE_BESIDE_CJK.sub("", text))
    text = _ASCII_MARKS.sub(lambda marks: _SPACES.sub("", marks[0]).translate(_WIDE_MARKS), text)
    text = _SPACE_BESIDE_CJK.sub("", _TWICE.sub(r"\1", text))
    return _LEADING_MARKS.sub("", text)


def comparable(text: str) -> str:
    """The form that error rates and matching use.

    Chinese: simplified, digits as the Chinese numerals they are read as, 两 as 二 and 幺 as 一, and neither
    mark nor space. Without any Chinese character: lower-case words of letters, digits and apostrophes,
    one space apart.
    """
    text = unicodedata.normalize("NFKC", text).lower()
    if not _HAS_CJK.search(text):
        return " ".join(re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text)).replace("’", "'")
    spoken = _NUMBER.sub(_read_aloud, simplify(text)).translate(_SAID_ALIKE)
    return "".join(char for char in spoken if char.isalnum())


def occurrences(text: str, term: str) -> int:
    """How often a term stands in a text, both made comparable first; words of English as whole words."""
    text, term = comparable(text), comparable(term)
    return f" {text} ".count(f" {term} ") if term.isascii() else text.count(term)


def _read_aloud(number: re.Match[str]) -> str:
    whole, part, following = number["whole"], number["part"], number["next"]
    grouped = "," in whole
    digits = whole.replace(",", "")
    if part is None and not grouped and _is_read_digit_by_digit(digits, following):
        return _digit_by_digit(digits) + following
    spoken = _quantity(digits)
    if part is not None:
        spoken += "点" + _digit_by_digit(part)
    return ("百分之" if number["percent"] else "") + spoken + following


def _is_read_digit_by_digit(digits: str, following: str) -> bool:
    """Years, telephone numbers and other codes are; amounts are not. A guess where Chinese itself is free."""
    if len(digits) > _LONGEST_QUANTITY or (len(digits) > 1 and digits[0] == "0"):
        return True
    if following == "年":
        return len(digits) == 4
    return len(digits) >= 5 and following not in _COUNTED and not digits.endswith("00")


def _digit_by_digit(digits: str) -> str:
    return "".join(_DIGITS[int(digit)] for digit in digits)


def _quantity(digits: str) -> str:
    """A whole number below 10**16 in words: 1050 is 一千零五十, 15 is 十五."""
    if len(digits) > 16:
        return _digit_by_digit(digits)
    value = int(digits)
    if value == 0:
        return "零"
    spoken = ""
    for power in range(3, -1, -1):
        group = value // 10_000**power % 10_000
        if group == 0:
            continue
        gap = spoken and group < 1000
        spoken += ("零" if gap else "") + _group(group) + _MYRIADS[power]
    return spoken[1:] if spoken.startswith("一十") else spoken


def _group(group: int) -> str:
    """1 to 9999 in words, with one 零 for any run of empty places inside."""
    spoken = ""
    for power in range(3, -1, -1):
        digit = group // 10**power % 10
        if digit:
            spoken += _DIGITS[digit] + _PLACES[power]
        elif spoken and group % 10**power and not spoken.endswith("零"):
            spoken += "零"
    return spoken
