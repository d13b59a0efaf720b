from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.sentences import CUT, LONGEST, last_sentence, passage_of, sentences

MARKS = st.text(alphabet="你打a1 ，。！？；!?;.\n…", max_size=80)


def cut(text: str) -> list[str]:
    return [text[begin:end] for begin, end in sentences(text)]


def passage(text: str, words: str) -> tuple[str, str]:
    """The sentence of these words, and the one before."""
    begin = text.index(words)
    found = passage_of(text, begin, begin + len(words))
    return found.sentence, found.lead


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("您好。请问是王先生吗？是的！", ["您好。请问是王先生吗？", "是的！"]),
        ("我说了；今天必须还！！听见没有？", ["我说了；", "今天必须还！！", "听见没有？"]),
        ("Pay today. Or else!  We come.", ["Pay today.", "Or else!", "We come."]),
        ("No. I will not pay.", ["No. I will not pay."]),
        ("你再不还钱我就找人打你", ["你再不还钱我就找人打你"]),
        ("第一句没有标点\n第二句也没有", ["第一句没有标点", "第二句也没有"]),
        ("  前后有空格。  ", ["前后有空格。"]),
        ("。。", ["。。"]),
        ("", [""]),
    ],
)
def test_a_text_is_cut_at_the_marks_that_end_a_sentence(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


@given(MARKS)
def test_sentences_hold_all_that_was_said_in_its_order(text: str) -> None:
    spans = sentences(text)
    assert spans
    assert all(begin <= end for begin, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert "".join("".join(cut(text)).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("你是老赖！不要脸。", "老赖", ("你是老赖！", "")),
        ("钱呢？我找人打你。你等着。", "打你", ("钱呢？我找人打你。", "")),
        ("你的钱呢？我找人打你。你等着。", "打你", ("我找人打你。", "你的钱呢？")),
        ("Where is it? We send police. Today.", "police", ("We send police.", "Where is it?")),
        ("今天必须还。否则我们上门。再见。", "还。否则我们", ("今天必须还。否则我们上门。", "")),
        ("没有任何标点的一段话里说打你两个字", "打你", ("没有任何标点的一段话里说打你两个字", "")),
    ],
)
def test_words_stand_in_a_sentence_and_behind_another(text: str, words: str, expected: tuple[str, str]) -> None:
    assert passage(text, words) == expected


@given(MARKS.filter(bool), st.data())
def test_words_are_always_in_their_sentence(text: str, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(begin + 1, len(text)))
    assert text[begin:end] in passage_of(text, begin, end).sentence


@pytest.mark.parametrize("place", [0, 100, 5_000, 9_900, 9_998])
def test_of_ten_thousand_characters_those_around_the_words_are_shown(place: int) -> None:
    text = "啊" * place + "打你" + "啊" * (9_998 - place)
    sentence, lead = passage(text, "打你")
    assert len(sentence) >= LONGEST - 2 * len(CUT)
    assert len(sentence) <= LONGEST
    assert "打你" in sentence
    assert sentence.startswith(CUT) == (place > LONGEST // 2)
    assert sentence.endswith(CUT) == (place < 9_998 - LONGEST // 2)
    assert lead == ""


def test_ten_thousand_characters_before_are_shown_by_their_end() -> None:
    sentence, lead = passage("啊" * 9_990 + "走了。" + "我找人打你。", "打你")
    assert sentence == "我找人打你。"
    assert (len(lead), lead[:1], lead[-3:]) == (LONGEST, CUT, "走了。")


def test_words_that_are_too_long_themselves_lose_their_end() -> None:
    text = "骗" * 10_000
    assert passage_of(text, 50, 9_000).sentence == CUT + "骗" * (LONGEST - 2) + CUT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("是我，你说。", "是我，你说。"),
        ("我没钱。你们别打了！", "你们别打了！"),
        ("Stop it. Now please", "Now please"),
        (" ", ""),
    ],
)
def test_the_last_sentence_is_what_a_text_ends_with(text: str, expected: str) -> None:
    assert last_sentence(text) == expected


def test_the_last_sentence_is_bounded() -> None:
    assert last_sentence("啊" * 10_000) == CUT + "啊" * (LONGEST - 1)
