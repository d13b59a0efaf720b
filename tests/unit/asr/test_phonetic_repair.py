from __future__ import annotations

import pytest

from asr.phonetics import PhoneticRepair, PhoneticTerm

REPAIR = PhoneticRepair(
    (
        PhoneticTerm(text="坐牢", fuzzy=True),
        PhoneticTerm(text="老赖", mishearings=("老蓝",)),
        PhoneticTerm(text="拘留"),
        PhoneticTerm(text="通讯录"),
    ),
    frozenset({"居留", "通讯", "老来"}),
)


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("你等着做劳吧", "你等着坐牢吧"),
        ("你等着作捞吧", "你等着坐牢吧"),
        ("你就是老蓝", "你就是老赖"),
        ("要被拘流的", "要被拘留的"),
    ],
)
def test_a_word_that_sounds_like_a_term_is_restored_in_place(heard: str, meant: str) -> None:
    assert REPAIR.repair(heard) == meant


@pytest.mark.parametrize("heard", ["你要坐牢", "办理居留许可", "老来得子", "打通讯公司电话", ""])
def test_ordinary_words_and_the_term_itself_are_left_alone(heard: str) -> None:
    assert REPAIR.repair(heard) is None
