from __future__ import annotations

from typing import Any, cast

from asr.types import Utterance
from detectors.rules.sequence import SequenceCall
from detectors.runtime.registry import load
from tests.speech import call, play, said

REGISTRY = load(encoder=None)


def rules(utterances: list[Utterance], **metadata: Any) -> list[str]:
    return [each.rule for each in play(dict(REGISTRY.open(call(**metadata)))["sequence"], utterances)]


def test_debt_named_before_the_party_is_known_is_told_once() -> None:
    spoken = [said("agent", "您的贷款已经逾期了", 0, 3), said("agent", "逾期三十天", 4, 6, index=1)]
    assert rules(spoken) == ["sequence.early_disclosure"]


def test_after_a_confirming_answer_the_debt_may_be_named() -> None:
    spoken = [
        said("agent", "请问是李女士本人吗", 0, 3),
        said("customer", "是我", 3, 4),
        said("agent", "您的贷款已经逾期了", 4, 7, index=1),
    ]
    assert rules(spoken) == []


def test_a_party_confirmed_beforehand_is_known() -> None:
    assert rules([said("agent", "您的贷款已经逾期了", 0, 3)], verified="yes") == []


def test_demanding_money_right_after_a_cry_for_help_is_told() -> None:
    spoken = [said("customer", "我真的不想活了", 0, 2), said("agent", "那你今天先把钱还上", 2, 4)]
    assert rules(spoken, verified="yes") == ["sequence.crisis_pressed"]


def test_a_caring_answer_to_a_cry_for_help_is_left_alone() -> None:
    spoken = [said("customer", "我真的不想活了", 0, 2), said("agent", "您的安全最重要，我们今天不谈还款", 2, 5)]
    assert rules(spoken, verified="yes") == []


def test_a_plea_to_stop_may_be_answered_first_and_then_counts() -> None:
    stop = said("customer", "我在开车，现在不方便", 0, 2)
    first, second = said("agent", "什么时候还钱", 2, 4), said("agent", "什么时候还钱", 5, 7, index=1)
    assert rules([stop, first], verified="yes") == []
    assert rules([stop, first, second], verified="yes") == ["sequence.stop_ignored"]


def test_calling_back_later_respects_the_plea() -> None:
    stop = said("customer", "我在开车，现在不方便", 0, 2)
    answer, later = said("agent", "好的，晚点再联系您", 2, 4), said("agent", "什么时候还钱", 60, 62, index=1)
    assert rules([stop, answer, later], verified="yes") == []


def test_after_a_stretch_that_nobody_heard_neither_verification_nor_an_answer_is_held_missing() -> None:
    cry = said("customer", "我真的不想活了", 0, 2)
    named = said("agent", "您的贷款已经逾期了，今天先把钱还上", 10, 14)
    for heard in ([named], [cry, named]):
        detector = cast("SequenceCall", dict(REGISTRY.open(call()))["sequence"])
        told = [each for utterance in heard[:-1] for each in detector.heard(utterance)]
        detector.unheard(3.0, 9.0)
        assert [*told, *detector.heard(heard[-1])] == []
