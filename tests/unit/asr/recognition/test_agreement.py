"""What two hypotheses in a row agree on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.recognition.agreement import Agreement

hypotheses = st.lists(st.text(alphabet="我你还钱不是，。 ab", max_size=12), max_size=8)


def agreed_after(*texts: str) -> list[str]:
    agreement = Agreement()
    return [agreement.add(text) for text in texts]


def test_a_word_is_agreed_when_it_is_said_again():
    assert agreed_after("你今天", "你今天必须还", "你今天必须还清") == ["", "你今天", "你今天必须还"]


def test_marks_at_the_end_are_not_agreed_but_those_between_are():
    assert agreed_after("你好，我是", "你好，我是。", "你好，我是王") == ["", "你好，我是", "你好，我是"]


def test_words_of_letters_are_agreed_whole():
    assert agreed_after("you will be ar", "you will be arrested to", "you will be arrested tomorrow") == [
        "",
        "you will be",
        "you will be arrested",
    ]


def test_case_and_marks_do_not_stand_against_agreement():
    assert agreed_after("Hello we", "Hello, We are") == ["", "Hello, We"]


def test_what_was_agreed_is_never_taken_back():
    assert agreed_after("他今天来", "他今天来", "她今天来吗")[-1] == "他今天来"


def test_growth_goes_on_behind_a_changed_mind_when_the_words_before_are_there_again():
    assert agreed_after("他今天来", "他今天来", "她今天来还钱", "她今天来还钱的") == [
        "",
        "他今天来",
        "他今天来",
        "他今天来还钱",
    ]


def test_words_before_that_have_moved_a_little_are_found_again():
    assert agreed_after("他今天来", "他今天来", "那么他今天来还", "那么他今天来还钱")[-1] == "他今天来还"


def test_growth_waits_while_the_words_before_stand_far_away():
    assert agreed_after("他今天来", "他今天来", "那么的话他今天来还", "那么的话他今天来还钱")[-1] == "他今天来"


def test_nothing_heard_harms_nothing():
    assert agreed_after("你好", "", "你好", "你好") == ["", "", "", "你好"]


@pytest.mark.parametrize("text", ["您好，请问是张先生吗", "This is about your account"])
def test_the_same_twice_is_agreed_wholly(text: str):
    assert agreed_after(text, text) == ["", text]


@given(hypotheses)
def test_it_only_ever_grows(texts: list[str]):
    before = ""
    for after in agreed_after(*texts):
        assert after.startswith(before)
        before = after


@given(hypotheses)
def test_what_is_added_stands_in_the_newest_hypothesis(texts: list[str]):
    before = ""
    for text, after in zip(texts, agreed_after(*texts), strict=True):
        assert after[len(before) :] in text
        before = after
