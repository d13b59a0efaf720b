"""Text as shown and text as compared."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.normalisation import comparable, normalise, occurrences, simplify


@pytest.mark.parametrize(
    ("heard", "shown"),
    [
        ("還款,謝謝.", "还款，谢谢。"),
        ("首先, 我們 說一下。", "首先，我们说一下。"),
        ("您 的 APP 逾期 3 天", "您的APP逾期3天"),
        ("什么?!", "什么？"),
        ("我……知道", "我…知道"),
        ("，好的", "好的"),
        ("年利率3.5%", "年利率3.5%"),
        ("１２３４５", "12345"),
        ("时间是10:30", "时间是10:30"),
        ("", ""),
    ],
)
def test_chinese_is_shown_in_simplified_script_with_chinese_marks(heard: str, shown: str):
    assert normalise(heard, "zh") == shown


def test_english_keeps_its_own_marks_and_one_space_between_words():
    assert normalise("  You owe $500,  don't you? ", "en") == "You owe $500, don't you?"


def test_chinese_in_an_english_call_is_still_shown_as_chinese():
    assert normalise("謝謝 you", "en") == "谢谢you"


@given(st.text(alphabet="還款后還 ,.?!，。…aB3", max_size=20))
def test_what_is_shown_does_not_change_when_it_is_normalised_again(text: str):
    once = normalise(text, "zh")
    assert normalise(once, "zh") == once


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("欠款10000元", "欠款一万元"),
        ("欠款1,050元", "欠款一千零五十元"),
        ("20300块", "二万零三百块"),
        ("一共105万", "一共一百零五万"),
        ("15天", "十五天"),
        ("还110块", "还一百一十块"),
        ("2024年", "二零二四年"),
        ("年利率3.5%", "年利率百分之三点五"),
        ("13812345678", "一三八一二三四五六七八"),
        ("拨打10086号", "拨打一零零八六号"),
        ("拨打12315投诉", "拨打一二三一五投诉"),
        ("00544879", "零零五四四八七九"),
        ("1亿零5元", "一亿零五元"),
        ("100000005元", "一亿零五元"),
        ("还0元", "还零元"),
    ],
)
def test_digits_compare_as_they_are_read(written: str, said: str):
    assert comparable(written + "好") == comparable(said + "好") == said + "好"


def test_spellings_of_the_same_sound_compare_as_one():
    assert comparable("兩萬二") == comparable("二万二") == "二万二"
    assert comparable("幺三八") == "一三八"


def test_marks_and_spaces_do_not_count_in_chinese():
    assert comparable("您好， 请问 是 Ａpp 用户吗？") == "您好请问是app用户吗"


def test_english_compares_as_lower_case_words():
    assert comparable("Don’t   YOU owe $500?") == "don't you owe 500"


@given(st.integers(0, 10**16 - 1))
def test_every_quantity_is_read_without_a_digit_left(amount: int):
    said = comparable(f"{amount:,}元" if amount >= 1000 else f"{amount}元")
    assert not any(char.isascii() for char in said)
    assert "零零" not in said


@given(st.text(max_size=40))
def test_any_text_can_be_compared(text: str):
    assert comparable(comparable(text)) == comparable(text)


def test_a_term_is_found_whatever_the_marks_script_and_digits():
    assert occurrences("欠款，8千元；欠 款", "欠款") == 2
    assert occurrences("通訊錄", "通讯录") == 1


def test_an_english_term_is_whole_words():
    assert occurrences("Unarrested; the arrest, then past due.", "arrest") == 1
    assert occurrences("It is Past-Due now", "past due") == 1


def test_threads_may_simplify_at_once():
    results: list[str] = []
    threads = [threading.Thread(target=lambda: results.append(simplify("還款" * 200))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["还款" * 200] * 8
