from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from asr.types import Utterance
from detectors.contract import Conduct, Embedding, Finding, Said
from detectors.packs.law import load_law_figures
from detectors.packs.taxonomy import PACKS
from detectors.rules.pack import load_word_rules
from detectors.rules.right_party import load_right_party_check
from detectors.rules.sequence import SURE, SequenceCall, SequenceDetector, load_cues
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


class Told:
    """Tells so surely of each of these texts that its speaker confirms to be the debtor."""

    def __init__(self, **confirms: float) -> None:
        self._confirms = confirms

    def open(self) -> Told:
        return self

    def heard(self, utterance: Utterance, embedding: Embedding) -> Mapping[Said | Conduct, float]:
        return {"confirms_identity": self._confirms.get(utterance.text, -9.0)}


def understood(told: Told, answer: str) -> list[str]:
    """Rules that are met where the debt is named after this answer."""
    words = load_word_rules(PACKS)
    law = load_law_figures(words.taxonomy, PACKS / "law.yaml")
    right_party = load_right_party_check(words.vocabulary, PACKS / "right_party.yaml")
    detector = SequenceDetector(
        words.taxonomy.categories, law.sequence, right_party, load_cues(words.vocabulary), statements=told
    )
    opened, meaning = detector.open(call()), np.ones(1, np.float32)
    spoken = [said("customer", answer, 3, 4), said("agent", "您的贷款已经逾期了", 4, 7)]
    return [each.rule for line in spoken for each in opened.understood(line, meaning) if isinstance(each, Finding)]


def test_an_answer_that_confirms_by_its_meaning_is_one() -> None:
    answer = "苗健，说，身份证末四位一三零七"
    assert understood(Told(**{answer: SURE}), answer) == []
    assert understood(Told(**{answer: SURE - 0.1}), answer) == ["sequence.early_disclosure"]


def test_whoever_denied_to_be_the_debtor_does_not_become_it_by_the_meaning_of_the_denial() -> None:
    answer = "你打错了，我不认识他"
    assert understood(Told(**{answer: 5.0}), answer) == ["sequence.early_disclosure"]


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
