from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detectors.matching.folding import fold_en, fold_zh


def test_chinese_is_folded_to_simplified_half_width_letters_without_marks() -> None:
    assert fold_zh("您 欠錢，不還！ＡＢ，嗯她").text == "您欠钱不还ab他"


def test_contractions_open_so_that_one_pattern_meets_every_spelling() -> None:
    assert fold_en("Don't").text == fold_en("DO NOT").text == fold_en("don’t").text == " do not"
    assert fold_en("We'll, um, you're gonna").text == " we will you are going to"


def test_possessives_lose_their_apostrophe_and_is_contractions_open() -> None:
    assert fold_en("it's your father's").text == " it is your fathers"


def test_a_folded_span_leads_back_to_the_very_words() -> None:
    text = "您好，你 就是 老赖！"
    folded = fold_zh(text)
    begin = folded.text.index("老赖")
    first, last = folded.origin(begin, begin + 2)
    assert text[first:last] == "老赖"


def test_clauses_end_at_marks_but_not_inside_a_number_or_a_list() -> None:
    folded = fold_en("Pay 3.50 now, or else.")
    begin = folded.text.index(" or")
    assert folded.text[slice(*folded.clause(begin, begin + 3))] == " or else"
    assert folded.sentence(0, 1) == (0, len(folded.text))
    listed = fold_zh("不会骂人、上门")
    assert listed.clause(4, 6) == (0, 6)


@given(st.text(max_size=80))
def test_every_folded_character_came_from_somewhere(text: str) -> None:
    for folded in (fold_zh(text), fold_en(text)):
        assert len(folded.text) == len(folded.starts) == len(folded.ends)
        assert all(0 <= a <= b <= len(text) for a, b in zip(folded.starts, folded.ends, strict=True))
        assert list(folded.starts) == sorted(folded.starts)
