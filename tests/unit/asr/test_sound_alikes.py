from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asr.engines.port import BiasTerm
from asr.phonetics import sound_alikes

TERMS = tuple(
    BiasTerm(text=text)
    for text in ("催收", "撤案", "冻结", "传票", "核实", "律师", "录音", "通讯录", "分期还款", "贷款逾期")
)


def meant(text: str, *terms: BiasTerm) -> list[str]:
    return [alike.put_into(text) for alike in sound_alikes(text, terms or TERMS)]


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("北线公司推售专员", "北线公司催收专员"),
        ("我就帮你扯案", "我就帮你撤案"),
        ("法院已经动结了账户", "法院已经冻结了账户"),
        ("法院的团票", "法院的传票"),
        ("你的通信路好友", "你的通讯录好友"),
        ("不然别想分析海款", "不然别想分期还款"),
        ("您的贷款一期九十天", "您的贷款逾期九十天"),
    ],
)
def test_characters_that_form_no_word_and_sound_like_a_term_may_be_it(heard: str, said: str):
    assert meant(heard) == [said]


@pytest.mark.parametrize(
    "text", ["请问何时还款", "是张女士吗", "活动结束了", "我们会催收的", "好的，谢谢", "Okay, 138", ""]
)
def test_words_as_they_stand_and_what_belongs_to_the_words_around_are_let_be(text: str):
    assert meant(text) == []


def test_the_same_sound_needs_less_proof_than_an_akin_one():
    same, akin = (next(iter(sound_alikes(text, TERMS))) for text in ("已经动结了", "公司推售专员"))
    assert same.least < akin.least


def test_a_known_mishearing_is_doubted_however_good_a_word_it_is():
    term = BiasTerm(text="录音", mishearings=("录影",))
    assert meant("全程都会录影。", BiasTerm(text="录音")) == []
    (alike,) = sound_alikes("全程都会录影。", (term,))
    assert alike.put_into("全程都会录影。") == "全程都会录音。"
    assert alike.least < 0


@given(st.text("催收推售撤案扯贷款一期逾，。a1的", max_size=24))
@example("公司推售专员")  # in which something sounds alike
def test_a_term_takes_the_place_of_as_many_characters(text: str):
    for alike in sound_alikes(text, TERMS):
        assert text[alike.begin : alike.end] == alike.written != alike.term
        assert len(alike.put_into(text)) == len(text)
