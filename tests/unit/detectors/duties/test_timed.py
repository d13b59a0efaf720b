from __future__ import annotations

from typing import cast

import pytest

from asr.types import Utterance
from detectors.contract import Jurisdiction
from detectors.duties.timed import DutiesCall, DutiesDetector, load_duties
from detectors.facts.statements import Kind
from detectors.packs.loader import load_pack_vocabulary
from detectors.packs.taxonomy import load_taxonomy
from detectors.rules.right_party import load_right_party_check
from detectors.runtime.registry import load
from tests.scripted_heads import STATEMENTS, embedding
from tests.speech import call, findings, play, said

REGISTRY = load(encoder=None)
IDENTITY = "您好，我是甲银行委托的乙公司催收专员，姓陈，工号八零一二。"
NOTICE = "本次通话全程录音。"
ENGLISH = "Hello, my name is Dana Wells from Northline Recovery. This call is being recorded."


def missed(
    utterances: list[Utterance], until: float, jurisdiction: Jurisdiction = "CN", **metadata: str
) -> list[tuple[str, float]]:
    """The duties found missing by `until`, with when they fell due."""
    detector = dict(REGISTRY.open(call(jurisdiction, **metadata)))["duties"]
    return [(each.category, each.end) for each in play(detector, utterances, until)]


def test_a_proper_opening_leaves_nothing_to_say() -> None:
    assert missed([said("agent", IDENTITY + NOTICE, 0, 9)], 60) == []


def test_duties_are_missed_the_moment_their_window_passes_and_told_once() -> None:
    detector = dict(REGISTRY.open(call()))["duties"]
    detector.heard(said("agent", "喂，在吗", 2.0, 3.0))
    assert detector.elapsed(21.9) == []
    told = findings(detector.elapsed(22.1))
    assert {each.category for each in told} == {"identity_company", "recording_notice"}
    assert all(each.kind == "duty_missing" and each.end == pytest.approx(22.0) for each in told)
    assert detector.elapsed(60.0) == []
    assert detector.closed(60.0) == []


def test_a_notice_late_in_a_long_turn_counts_from_where_it_was_said() -> None:
    padding = "今天跟您联系是想了解一下您近期的情况，"
    in_time = said("agent", IDENTITY + padding + NOTICE, 0, 15)
    too_late = said("agent", IDENTITY + padding * 4 + NOTICE, 0, 60)
    assert missed([in_time], 60) == []
    assert [duty for duty, _ in missed([too_late], 60)] == ["recording_notice"]


def test_an_announcement_before_the_call_stands_in_for_the_notice() -> None:
    assert missed([said("agent", IDENTITY, 0, 6)], 60, recording_notice="ivr") == []


@pytest.mark.parametrize("opening", [IDENTITY + "This call is being recorded.", f"{ENGLISH} 好的"])
def test_duties_are_met_in_either_language_where_the_agent_switches(opening: str) -> None:
    assert missed([said("agent", opening, 0, 9)], 60) == []


def test_a_denial_in_the_other_language_announces_nothing() -> None:
    spoken = [said("agent", f"{IDENTITY}{NOTICE} No, nobody is recording this", 0, 9)]
    assert [duty for duty, _ in missed(spoken, 60)] == ["recording_notice"]


@pytest.mark.parametrize("denial", ["没有录音，你放心说", "这通电话不录音的", "No, nobody is recording this"])
def test_denying_the_recording_announces_nothing(denial: str) -> None:
    assert [duty for duty, _ in missed([said("agent", f"{IDENTITY}{denial}", 0, 9)], 60)] == ["recording_notice"]


def test_the_customers_own_recording_is_no_notice() -> None:
    spoken = [said("agent", IDENTITY, 0, 6), said("customer", "我这边在录音", 6, 8)]
    assert [duty for duty, _ in missed(spoken, 60)] == ["recording_notice"]


def test_a_name_without_a_company_does_not_identify() -> None:
    assert [duty for duty, _ in missed([said("agent", "你好，我姓陈，" + NOTICE, 0, 6)], 60)] == ["identity_company"]


@pytest.mark.parametrize(
    "opening",
    [
        "Hello, it's Moira from Ashdown Vale, this call is recorded.",
        "Hi, Declan here from Kilbride Row. We're recording this.",
        "Good evening, you're through to Natalie at Elm Lane, calls are recorded.",
        "Hi there, Shane calling from Eastbrook, on a recorded line.",
        "你好，我是汇桥分期的，工号五五一二，电话有录音。",
        "您好，我是长宁金服客服专员，本次通话录音。",
    ],
)
def test_a_name_and_a_company_of_any_name_identify(opening: str) -> None:
    assert missed([said("agent", opening, 0, 9)], 60) == []


@pytest.mark.parametrize(
    "opening",
    [
        "您好，我这边是平台的，这通电话录音。",
        "我是市局的警官，电话有录音。",
        "This is Officer Dale from downtown, we're recording.",
    ],
)
def test_to_be_of_the_platform_or_the_police_identifies_nobody(opening: str) -> None:
    spoken = [said("agent", opening, 0, 6)]
    assert [duty for duty, _ in missed(spoken, 60)] == ["identity_company"]


def test_the_window_opens_with_the_agents_first_word() -> None:
    spoken = [said("customer", "喂喂喂", 0, 18), said("agent", IDENTITY + NOTICE, 18, 27)]
    assert missed(spoken, 60) == []


def test_a_call_in_which_the_agent_says_nothing_owes_nothing() -> None:
    detector = dict(REGISTRY.open(call()))["duties"]
    detector.heard(said("customer", "喂", 0, 1))
    assert detector.elapsed(60) == []
    assert detector.closed(60) == []


def test_what_was_never_said_is_missed_when_the_call_ends_early() -> None:
    detector = dict(REGISTRY.open(call()))["duties"]
    detector.heard(said("agent", "什么时候还钱", 0, 2))
    assert {each.category for each in findings(detector.closed(8.0))} == {"identity_company", "recording_notice"}


def asked_and_answered(answer: str, *later: Utterance) -> list[Utterance]:
    return [
        said("agent", ENGLISH, 0, 8),
        said("agent", "Am I speaking with Laura Chen?", 8, 10, index=1),
        said("customer", answer, 10.5, 12),
        *later,
    ]


def test_the_mini_miranda_is_due_after_verification() -> None:
    spoken = asked_and_answered("Yes, speaking.", said("agent", "You owe three hundred dollars.", 13, 15, index=2))
    assert missed(spoken, 60, "US") == [("mini_miranda", pytest.approx(42.0))]


def test_a_spoken_mini_miranda_is_heard_in_other_words_too() -> None:
    notice = said("agent", "I am a debt collector and this is an attempt to collect a debt.", 13, 17, index=2)
    assert missed(asked_and_answered("Yes, speaking.", notice), 120, "US") == []


def test_a_third_party_is_not_to_be_told_of_the_debt() -> None:
    detector = dict(REGISTRY.open(call("US")))["duties"]
    for utterance in asked_and_answered("No, you have the wrong number."):
        detector.heard(utterance)
    assert detector.closed(20.0) == []


def test_nobody_is_blamed_for_what_may_have_been_said_unheard() -> None:
    detector = cast("DutiesCall", dict(REGISTRY.open(call()))["duties"])
    detector.heard(said("agent", "喂，在吗", 2.0, 3.0))
    detector.unheard(12.0, 15.0)
    assert detector.elapsed(60.0) == []
    assert detector.closed(60.0) == []


def test_what_went_unheard_after_a_duty_was_due_excuses_nothing() -> None:
    detector = cast("DutiesCall", dict(REGISTRY.open(call()))["duties"])
    detector.heard(said("agent", "喂，在吗", 2.0, 3.0))
    detector.unheard(22.5, 30.0)
    assert len(detector.elapsed(60.0)) == 2


def understood(*turns: tuple[Utterance, tuple[Kind, ...] | None], jurisdiction: Jurisdiction = "CN") -> list[str]:
    """The duties found missing in the end, where what each turn does is known; None for one whose meaning came late."""
    vocabulary = load_pack_vocabulary()
    duties = load_duties(load_taxonomy(), vocabulary)
    detector = DutiesDetector(duties, load_right_party_check(vocabulary), STATEMENTS).open(call(jurisdiction))
    for spoken, kinds in turns:
        if kinds is None:
            detector.heard(spoken)
        else:
            detector.understood(spoken, embedding(*kinds))
    return [each.category for each in findings([*detector.elapsed(90.0), *detector.closed(90.0)])]


OPENED = (
    (said("agent", IDENTITY + NOTICE, 0, 6), ()),
    (said("agent", "请问是林先生吗", 6, 8, index=1), ()),
    (said("customer", "是我", 9, 10), ()),
)


def test_a_notice_in_words_that_no_pattern_knows_is_a_notice() -> None:
    said_so = said("agent", "我们通话的内容会保存下来", 6, 9, index=1)
    opened = (said("agent", IDENTITY, 0, 6), ())
    assert understood(opened, (said_so, ("recording_notice",))) == []
    assert understood(opened, (said_so, ())) == ["recording_notice"]


def test_nobody_is_blamed_for_what_may_have_been_meant_by_words_whose_meaning_came_late() -> None:
    """A duty that only certain words do is owed all the same."""
    said_so = said("agent", "我们通话的内容会保存下来", 6, 9, index=1)
    late = said("agent", "好的", 70, 71, index=2)
    assert understood((said("agent", IDENTITY, 0, 6), ()), (said_so, None)) == []
    assert understood((said("agent", IDENTITY, 0, 6), ()), (late, None)) == ["recording_notice"]
    assert understood((said("agent", "喂，在吗", 0, 2), None)) == ["identity_company"]


def test_the_purpose_is_owed_once_the_debtor_is_known_to_listen() -> None:
    told = said("agent", "跟您说一下那件事", 12, 15, index=2)
    assert understood(*OPENED, (told, ("purpose",))) == []
    assert understood(*OPENED, (told, ())) == ["call_purpose"]
    assert understood(*OPENED[:2], (told, ())) == []


def test_to_name_what_is_owed_tells_the_purpose_without_an_encoder() -> None:
    named = said("agent", "您那笔分期已经逾期了", 12, 15, index=2)
    told = missed([turn for turn, _ in OPENED], 90)
    assert [duty for duty, _ in told] == ["call_purpose"]
    assert missed([*(turn for turn, _ in OPENED), named], 90) == []


def test_a_purpose_told_before_is_told_and_one_told_late_is_missed() -> None:
    purpose: tuple[Kind, ...] = ("purpose",)
    before = (said("agent", IDENTITY + NOTICE, 0, 6), purpose)
    late = (said("agent", "就是那件事", 50, 52, index=3), purpose)
    assert understood(before, *OPENED[1:]) == []
    assert understood(*OPENED, late) == ["call_purpose"]
