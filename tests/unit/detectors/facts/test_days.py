"""Days and hours as they are said on Wednesday, 25 November 2026."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asr.types import Language
from detectors.facts.days import days_in, hours_in

TODAY = date(2026, 11, 25)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("下个月十五号先还两千", "2026-12-15"),
        ("15号", "2026-12-15"),
        ("二十五号", "2026-11-25"),
        ("这个月二十八号", "2026-11-28"),
        ("三月五号", "2027-03-05"),
        ("12月3日前", "2026-12-03"),
        ("这周五", "2026-11-27"),
        ("周五吧", "2026-11-27"),
        ("礼拜三", "2026-12-02"),
        ("下周三", "2026-12-02"),
        ("下下周一", "2026-12-07"),
        ("月底", "2026-11-30"),
        ("下个月底", "2026-12-31"),
        ("下月中旬", "2026-12-15"),
        ("明天下午三点", "2026-11-26"),
        ("大后天上午", "2026-11-28"),
        ("三天之内", "2026-11-28"),
        ("两周后", "2026-12-09"),
        ("一个月后", "2026-12-25"),
        ("半个月内", "2026-12-10"),
        ("这周末", "2026-11-29"),
        ("下个月三十一号", "2026-12-31"),
    ],
)
def test_a_day_in_mandarin(text: str, day: str):
    assert [str(each.day) for each in days_in(text, "zh", TODAY)] == [day]


@pytest.mark.parametrize("text", ["尾号八零一二", "一百二十八号楼", "十号线", "过两天", "等发工资", "借了十天"])
def test_what_is_no_day_in_mandarin(text: str):
    assert days_in(text, "zh", TODAY) == []


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("on Friday", "2026-11-27"),
        ("next Friday", "2026-12-04"),
        ("a week from Friday", "2026-12-04"),
        ("the fifteenth", "2026-12-15"),
        ("the 5th of next month", "2026-12-05"),
        ("next month on the 5th", "2026-12-05"),
        ("March 5th", "2027-03-05"),
        ("the 5th of March", "2027-03-05"),
        ("december 3", "2026-12-03"),
        ("by the end of the month", "2026-11-30"),
        ("end of next month", "2026-12-31"),
        ("in two weeks", "2026-12-09"),
        ("within a week", "2026-12-02"),
        ("in thirty days", "2026-12-25"),
        ("tomorrow at 3 pm", "2026-11-26"),
        ("the day after tomorrow", "2026-11-27"),
        ("12/15", "2026-12-15"),
        ("the twenty first", "2026-12-21"),
    ],
)
def test_a_day_in_english(text: str, day: str):
    assert [str(each.day) for each in days_in(text, "en", TODAY)] == [day]


@pytest.mark.parametrize("text", ["may i ask", "the first time", "a month", "march over here", "the second call"])
def test_what_is_no_day_in_english(text: str):
    assert days_in(text, "en", TODAY) == []


@pytest.mark.parametrize(
    ("text", "language", "hour"),
    [
        ("明天下午三点", "zh", time(15)),
        ("晚上八点半", "zh", time(20, 30)),
        ("四点一刻", "zh", time(16, 15)),
        ("中午12点", "zh", time(12)),
        ("上午十点二十", "zh", time(10, 20)),
        ("call me at five thirty", "en", time(17, 30)),
        ("around 6 tonight", "en", time(18)),
        ("at 10", "en", time(10)),
        ("8:15 am", "en", time(8, 15)),
    ],
)
def test_an_hour(text: str, language: Language, hour: time):
    assert [each.hour for each in hours_in(text, language)] == [hour]


@pytest.mark.parametrize(("text", "language"), [("一点儿都没有", "zh"), ("差一点", "zh"), ("I have 3 kids", "en")])
def test_what_is_no_hour(text: str, language: Language):
    assert hours_in(text, language) == []


@pytest.mark.parametrize("text", ["九千万个月后还", "in 999999 months", "in 99999999999 weeks", "三十二号", "一万天后"])
def test_what_no_calendar_has_is_no_day(text: str):
    assert days_in(text, "zh" if text[0] > "z" else "en", TODAY) == []


@given(
    st.text(alphabet="下个这本月周星期礼拜号日底天后内半点刻一二三十百万0123456789/:amp nextfridaythsofmrch"),
    st.dates(date(2020, 1, 1), date(2090, 1, 1)),
)
@example("下周五，或者三月一号 next friday", TODAY)  # in which each language has days
def test_nothing_that_is_said_breaks_it(text: str, today: date):
    languages: tuple[Language, ...] = ("zh", "en")
    for language in languages:
        for day in days_in(text, language, today):
            assert 0 <= day.begin < day.end <= len(text)
        hours_in(text, language)
