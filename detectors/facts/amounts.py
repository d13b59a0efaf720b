"""Sums of money in what was said. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from asr.types import Language
from detectors.contract import Currency
from detectors.facts.numbers import (
    CHINESE_NUMBER,
    ENGLISH_NUMBER,
    ENGLISH_ORDINAL,
    LONGEST,
    chinese_value,
    english_value,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A sum of money; `begin` and `end` are its place in the text. A sum without a named currency is in the usual
    one."""

    begin: int
    end: int
    value: Decimal
    currency: Currency


_CHINESE: Final = re.compile(
    r"(?P<verb>(?:还|付|转|打|存|交|给|凑|拿|汇|缴|出|借|欠|剩|共|计|款|是)(?:个|上|了|您|你|我|清|出|到|进|过|来|去|下的?)?)?"
    rf"(?P<number>{CHINESE_NUMBER})"
    r"(?:(?:多|来)?(?P<money>块钱|块|元|圆|人民币)(?P<tenth>[一二三四五六七八九](?![十百千万个天号]))?"
    r"|(?P<counted>(?:多|来)?[天号日月年个期次分秒点位岁家条遍回%％]|小时))?"
)
_ENGLISH_NAMED: Final = (
    rf"(?P<sign>[$£])\s?(?P<signed>\d+(?:,\d{{3}})*(?:\.\d+)?)(?P<k>\s?k\b)?"
    rf"|(?P<named>{ENGLISH_NUMBER})\s?(?P<unit>dollars?|bucks?|pounds?|quid|usd|gbp)\b"
    rf"|(?P<grand>{ENGLISH_NUMBER}(?<=grand))"
    r"|\b(?P<note>fiver|tenner)\b"
)
_ENGLISH_SPENT: Final = (
    r"\b(?:pay|send|do|put|give|manage|afford|make|transfer|owe|offer|of|for|is|least|about|around|another)\s"
    r"(?:(?:you|down|in|at|least|about|around|like|maybe|the|full|up|to|only|just|towards?|it)\s){0,3}"
)
_ENGLISH_BARE: Final = (
    rf"(?P<bare>{ENGLISH_NUMBER})(?!\s?(?:%|percent|days?|weeks?|months?|years?|minutes?|hours?|am\b|pm\b|a\.m|p\.m"
    r"|o'?clock|st\b|nd\b|rd\b|th\b|payments?|installments?|instalments?|times?|of\b|:|/|people|calls?|more\b|last\b"
    rf"|{ENGLISH_ORDINAL}\b))"
)
_ENGLISH: Final = re.compile(rf"{_ENGLISH_NAMED}|{_ENGLISH_SPENT}{_ENGLISH_BARE}")
_ENGLISH_OF_MONEY: Final = re.compile(rf"{_ENGLISH_NAMED}|(?<![\w-]){_ENGLISH_BARE}(?![\w-])")
_NOTES: Final = {"fiver": Decimal(5), "tenner": Decimal(10)}
_ROUND: Final = re.compile(r"[百千万]|\d{3}")
"""A number with one of these is said as a sum, not digit by digit."""
_MOST: Final = Decimal(10) ** 11
"""The highest sum, because nobody owes more and a record takes no longer number."""
_CENT: Final = Decimal("0.01")
_LEAST_BARE: Final = Decimal(20)
"""The least number that is a sum because of its verb alone. Smaller ones are counts, hours and days."""


def amounts_in(text: str, language: Language, *, of_money: bool = False, usual: Currency = "USD") -> list[Amount]:
    """Sums of money in an utterance, in order. `of_money`: it is known to speak of a sum, so that a number which counts
    nothing else is one: 一千五, "fifty's fine". `usual`: what an English sum is in that names no currency."""
    return _READERS[language](text[:LONGEST], of_money, usual)


def _chinese(text: str, of_money: bool, _usual: Currency) -> list[Amount]:
    found: list[Amount] = []
    for match in _CHINESE.finditer(text):
        value = chinese_value(match["number"])
        told = match["verb"] or (of_money and _ROUND.search(match["number"]))
        sure = match["money"] or (told and not match["counted"] and value and value >= _LEAST_BARE)
        if not value or not sure or value > _MOST:
            continue
        if match["tenth"] and (tenth := chinese_value(match["tenth"])):
            value += tenth / 10  # 三块五
        found.append(Amount(begin=match.start("number"), end=match.end(), value=_in_cents(value), currency="CNY"))
    return found


def _english(text: str, of_money: bool, usual: Currency) -> list[Amount]:
    found: list[Amount] = []
    for match in (_ENGLISH_OF_MONEY if of_money else _ENGLISH).finditer(text.lower()):
        group = next(name for name in ("signed", "named", "grand", "note", "bare") if match[name])
        value = _NOTES[match[group]] if group == "note" else english_value(match[group])
        if value is None or value == 0 or (group == "bare" and value < _LEAST_BARE):
            continue
        value *= 1000 if match["k"] else 1
        if value > _MOST:
            continue
        begin = match.start("sign") if match["sign"] else match.start(group)
        currency = "GBP" if group == "note" else _named(match["sign"] or match["unit"] or "") or usual
        found.append(Amount(begin=begin, end=match.end(), value=_in_cents(value), currency=currency))
    return found


def _named(money: str) -> Currency | None:
    """The currency of a sign or of a word for it, None where there is neither."""
    if not money:
        return None
    return "GBP" if money.startswith(("£", "pound", "quid", "gbp")) else "USD"


def _in_cents(value: Decimal) -> Decimal:
    """The value without digits that no money has. Exact parts of a unit stay: 1.2345万 is 12345."""
    return Decimal(int(value)) if value == int(value) else value.quantize(_CENT)


_READERS: Final[Mapping[Language, Callable[[str, bool, Currency], list[Amount]]]] = MappingProxyType(
    {"zh": _chinese, "en": _english}
)
