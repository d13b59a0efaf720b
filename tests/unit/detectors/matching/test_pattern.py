from __future__ import annotations

import pytest

from asr.types import Language
from detectors.matching.pattern import Pattern, PatternError, fold, keys_of


def first(source: str, text: str, language: Language = "zh", **lists: tuple[str, ...]) -> str | None:
    """What a pattern finds first, in the original's words."""
    folded = fold(language, text)
    pattern = Pattern(source, language, lists)
    for span in pattern.spans(folded):
        assert pattern.keys & keys_of(language, folded.text), "the index would have skipped this match"
        begin, end = folded.origin(span.begin, span.end)
        return text[begin:end]
    return None


@pytest.mark.parametrize(
    ("source", "text", "found"),
    [
        ("不还…坐牢", "你不还，就等着坐牢吧", "不还，就等着坐牢"),
        ("不还…2坐牢", "你不还，就等着坐牢吧", None),
        ("[打砍]断你的?腿", "我打断您腿", "打断您腿"),
        ("(上门|去你家)闹", "去你家闹一场", "去你家闹"),
        ("加收{num}块", "每天加收五百块", "加收五百块"),
        ("欠{what}", "他欠债", "欠债"),
        ("^操", "你好，操，别挂", "操"),
        ("^操", "请操作手机", None),
        ("^操$", "操作一下", None),
        ("滚$", "你给我滚，快点", "滚"),
        ("滚$", "滚动到下面", None),
        ("工资 & 扣", "直接扣，从他工资里", "扣，从他工资"),
        ("工资 & 扣", "扣吧。工资多少", None),
        ("您说", "你说不还", None),
    ],
)
def test_chinese_patterns(source: str, text: str, found: str | None) -> None:
    assert first(source, text, what=("债", "钱")) == found


@pytest.mark.parametrize(
    ("source", "text", "found"),
    [
        ("pay…jail", "Pay up or go to jail!", "Pay up or go to jail"),
        ("pay…2 jail", "Pay up or you will go to jail", None),
        ("damn", "The damage fee", None),
        ("threat*", "no threats please", "threats"),
        ("your? (son|daughter)", "where is Your daughter", "Your daughter"),
        ("do not hang up", "Don't hang up", "Don't hang up"),
        ("{num} dollars", "two hundred dollars", "two hundred dollars"),
        ("^pathetic", "Fifty? Pathetic.", "Pathetic"),
    ],
)
def test_english_patterns(source: str, text: str, found: str | None) -> None:
    assert first(source, text, "en") == found


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("(打|砍", "not closed"),
        ("打|", "empty alternative"),
        ("{nobody}", "no list is named 'nobody'"),
        ("{loop}", "contains itself"),
        ("不还…99坐牢", "a gap spans 1 to 40"),
        ("(好)?", "certain to occur"),
        ("[打，]", "letters and characters only"),
        ("，", "never occurs"),
        ("好)", "unexpected ')'"),
    ],
)
def test_a_pattern_that_cannot_be_read_is_refused_with_its_fault(source: str, complaint: str) -> None:
    with pytest.raises(PatternError, match=complaint.replace("(", r"\(").replace(")", r"\)")):
        Pattern(source, "zh", {"loop": ("{loop}",)})


def test_the_open_stretches_of_a_match_are_told_so_that_a_denial_inside_is_seen() -> None:
    folded = fold("zh", "不还钱也不会坐牢")
    span = next(Pattern("不还…坐牢", "zh", {}).spans(folded))
    assert [folded.text[begin:end] for begin, end in span.gaps] == ["钱也不会"]
