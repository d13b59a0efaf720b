"""Sums of money, and what only looks like one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asr.types import Language
from detectors.facts.amounts import amounts_in
from detectors.facts.numbers import chinese_value, english_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("下个月十五号先还两千", "2000"),
        ("我先还三百八", "380"),
        ("给你转1万2行吧", "12000"),
        ("一共欠了一万二千五百六十三块五", "12563.5"),
        ("还款三千，分六期", "3000"),
        ("最多五百块钱", "500"),
        ("还1.5万", "15000"),
        ("剩两千零五十", "2050"),
        ("每个月还八百来块", "800"),
        ("先打十块钱", "10"),
        ("还3,000", "3000"),
    ],
)
def test_a_sum_in_mandarin(text: str, value: str):
    [amount] = amounts_in(text, "zh")
    assert (amount.value, amount.currency) == (Decimal(value), "CNY")


@pytest.mark.parametrize(
    "text",
    [
        "我工号八零一二",
        "打了3次电话",
        "十五号还",
        "借了十天",
        "还有二十天",
        "先付一半",
        "给你打了三十多个电话",
        "还六个月",
    ],
)
def test_what_is_counted_is_no_sum_in_mandarin(text: str):
    assert amounts_in(text, "zh") == []


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("I can pay two hundred dollars on Friday", "200", "USD"),
        ("I'll send $1,500", "1500", "USD"),
        ("maybe do fifty bucks", "50", "USD"),
        ("I can do a hundred and fifty this week", "150", "USD"),
        ("pay twenty five hundred", "2500", "USD"),
        ("two grand is all I have", "2000", "USD"),
        ("pay 2k", "2000", "USD"),
        ("£40 a month", "40", "GBP"),
        ("forty quid then", "40", "GBP"),
        ("I'll pay three payments of 120", "120", "USD"),
        ("Nine hundred and twelve dollars", "912", "USD"),
    ],
)
def test_a_sum_in_english(text: str, value: str, currency: str):
    [amount] = amounts_in(text, "en")
    assert (amount.value, amount.currency) == (Decimal(value), currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [("I can do eighty a week", "GBP"), ("eighty dollars", "USD"), ("$80", "USD"), ("eighty quid", "GBP")],
)
def test_a_sum_that_names_no_currency_is_in_the_usual_one(text: str, currency: str):
    [amount] = amounts_in(text, "en", of_money=True, usual="GBP")
    assert (amount.value, amount.currency) == (Decimal(80), currency)


@pytest.mark.parametrize(
    "text", ["in 10 days", "call me at 5 pm", "of the 15th", "I can pay in three months", "make 12 payments"]
)
def test_what_is_counted_is_no_sum_in_english(text: str):
    assert amounts_in(text, "en") == []


def test_several_sums_come_in_order_and_tell_where_they_stand():
    text = "先还五百块，剩下的一千二下个月还"
    amounts = amounts_in(text, "zh")
    assert [str(each.value) for each in amounts] == ["500", "1200"]
    assert text[amounts[0].begin : amounts[0].end] == "五百块"


@given(st.integers(1, 99_999_999))
def test_a_number_in_digits_is_itself(number: int):
    assert chinese_value(str(number)) == number
    assert english_value(f"{number:,}") == number


@given(st.text(alphabet="零一二两三四五六七八九十百千万亿0123456789.,还块号 twohundredgrand$k-", max_size=60))
@example("一千五百块，two hundred and $1,500")  # in which each language has sums
def test_nothing_that_is_said_breaks_it(text: str):
    languages: tuple[Language, ...] = ("zh", "en")
    for language in languages:
        for amount in amounts_in(text, language):
            assert amount.value > 0
            assert 0 <= amount.begin < amount.end <= len(text)


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("一千五。", "zh", "1500"),
        ("后天六百六", "zh", "660"),
        ("八百九十八我备好，不会少", "zh", "898"),
        ("fifty's fine", "en", "50"),
        ("sixty-five is my number", "en", "65"),
        ("Friday, two sixteen", "en", "216"),
        ("one fifty a month", "en", "150"),
        ("twenty five, then", "en", "25"),
        ("I could do a tenner", "en", "10"),
    ],
)
def test_where_money_is_spoken_of_a_number_alone_is_a_sum(text: str, language: Language, value: str):
    assert [str(each.value) for each in amounts_in(text, language, of_money=True)] == [value]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("我工号八零一二", "zh"),
        ("过两天", "zh"),
        ("三期吧", "zh"),
        ("at 5 pm", "en"),
        ("the twenty fifth", "en"),
        ("in two weeks", "en"),
    ],
)
def test_what_is_counted_is_no_sum_there_either(text: str, language: Language):
    assert amounts_in(text, language, of_money=True) == []


def test_a_sum_has_cents_at_most_and_no_more_than_anybody_owes():
    assert [str(each.value) for each in amounts_in("还1.2345万", "zh")] == ["12345"]
    assert [str(each.value) for each in amounts_in("pay $10.1234", "en")] == ["10.12"]
    assert amounts_in("还九千九百亿亿", "zh") == []
    assert amounts_in("pay 999999999999999 dollars", "en") == []
