from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from asr.types import Word
from detectors.contract import CallDetector, Finding, Foreseeing, Jurisdiction
from detectors.runtime.registry import load
from tests.speech import call, findings, play, said

REGISTRY = load(encoder=None)
DATA = Path(__file__).parents[3] / "data"


def lexical(jurisdiction: Jurisdiction = "CN") -> CallDetector:
    return dict(REGISTRY.open(call(jurisdiction)))["lexical"]


def categories(text: str) -> set[str]:
    return {finding.category for finding in findings(lexical().heard(said("agent", text)))}


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("你等着，我找人打断你的腿", "threat_violence"),
        ("明天去你单位拉橫幅", "threat_intimidation"),
        ("你这个老赖", "abuse_insult"),
        ("你 他 妈 的", "profanity_obscene"),
        ("这里是公安局，配合调查", "impersonation_authority"),
        ("不还钱就等着坐牢", "false_legal_threat"),
        ("我把你通讯录挨个打一遍", "threat_exposure_contacts"),
        ("把验证码报给我", "privacy_overcollection"),
        ("转到我个人账户", "unauthorized_fee_or_channel"),
        ("There's a warrant out for your arrest.", "false_legal_threat"),
        ("You're nothing but a deadbeat", "abuse_insult"),
        ("Buy gift cards and read me the numbers.", "unauthorized_fee_or_channel"),
    ],
)
def test_what_an_agent_may_not_say_is_found(text: str, category: str) -> None:
    assert category in categories(text)


@pytest.mark.parametrize(
    "text",
    [
        "我们不会打断您的腿，请放心",
        "您刚才提到有人要您坐牢，我帮您登记投诉",
        "单纯欠款不会坐牢的",
        "请您不要骂人",
        "验证码千万不要告诉别人",
        "如果有人让您转到个人账户，请拨打官方客服核实",
        "他妈妈接的电话",
        "操作步骤我念给您听",
        "You can't be arrested for this debt.",
        "We will never threaten you or call your employer.",
        "The damage waiver fee is listed on page two.",
        "If anyone asks for gift cards, hang up and report it.",
    ],
)
def test_denials_reports_and_innocent_neighbours_are_left_alone(text: str) -> None:
    assert categories(text) == set()


def test_a_misheard_word_is_found_with_less_certainty() -> None:
    heard, meant = (findings(lexical().heard(said("agent", text)))[0] for text in ("你就是老蓝", "你就是老赖"))
    assert heard.category == meant.category == "abuse_insult"
    assert 0 < heard.score < meant.score


def test_a_finding_says_what_where_and_why() -> None:
    text = "你听好了，我们马上就到。你就是个不要脸的老赖！"
    finding = next(
        each for each in play(lexical(), [said("agent", text, 10.0, 20.0)]) if each.category == "abuse_insult"
    )
    assert finding.quote in text
    assert 15.0 < finding.start < finding.end <= 20.0
    assert finding.severity == "high"
    assert "CN-NIFA2018#16" in finding.cites
    assert not any(cite.startswith("US-") for cite in finding.cites)
    assert finding.utterance_id == "agent-0"


def test_word_times_are_used_where_the_engine_gave_them() -> None:
    words = tuple(
        Word(text=text, start=start, end=end, probability=0.9)
        for text, start, end in [("你好", 0.0, 1.0), ("你", 5.0, 5.2), ("废物", 5.2, 6.0)]
    )
    finding = play(lexical(), [said("agent", "你好你废物", 0.0, 6.0, words=words)])[0]
    assert finding.end == pytest.approx(6.0)
    assert finding.start >= 0.0
    assert finding.quote.endswith("废物")


def test_a_sentence_cut_by_a_short_pause_is_read_as_one() -> None:
    first, second = said("agent", "你再不还就等着", 0.0, 2.0), said("agent", "坐牢吧", 2.5, 3.5, index=1)
    told = play(lexical(), [first, second])
    assert [(each.category, each.utterance_id) for each in told] == [("false_legal_threat", "agent-1")]


def test_a_threat_cut_in_the_middle_of_its_words_is_found_across_the_cut() -> None:
    first, second = said("agent", "我把你的验证", 0.0, 2.0), said("agent", "码报给我", 2.3, 3.5, index=1)
    told = play(lexical(), [first, second])
    assert [each.category for each in told] == ["privacy_overcollection"]
    assert told[0].start < 2.0 < told[0].end
    assert told[0].quote == "把你的验证码"


def test_words_after_a_long_pause_are_a_new_thought() -> None:
    first, second = said("agent", "把你的验证", 0.0, 2.0), said("agent", "码报给我", 9.0, 10.0, index=1)
    assert play(lexical(), [first, second]) == []


def test_the_same_words_are_not_told_twice() -> None:
    first, second = said("agent", "你这个老赖", 0.0, 2.0), said("agent", "听见没有", 2.2, 3.0, index=1)
    assert len([each for each in play(lexical(), [first, second]) if each.category == "abuse_insult"]) == 1


def test_a_denial_just_before_the_cut_still_governs() -> None:
    first, second = said("agent", "我们不会去打断", 0.0, 2.0), said("agent", "你的腿", 2.2, 3.0, index=1)
    assert play(lexical(), [first, second]) == []


def test_customers_are_never_judged() -> None:
    assert play(lexical(), [said("customer", "我要弄死你们这些老赖")]) == []


def foreseen(text: str) -> set[str]:
    detector = lexical()
    assert isinstance(detector, Foreseeing)
    return {finding.category for finding in detector.foresee(said("agent", text))}


def test_a_threat_is_foreseen_once_enough_follows_that_could_have_turned_it() -> None:
    assert foreseen("你等着，我找人打断你的腿") == set()
    assert "threat_violence" in foreseen("你等着，我找人打断你的腿，明天我就到")


def test_what_is_foreseen_is_found_again_when_all_of_it_is_heard() -> None:
    detector = lexical()
    assert isinstance(detector, Foreseeing)
    text = "你等着，我找人打断你的腿，明天我就到"
    assert detector.foresee(said("agent", text))
    assert "threat_violence" in {finding.category for finding in findings(detector.heard(said("agent", text)))}


def test_nothing_the_customer_says_is_foreseen() -> None:
    detector = lexical()
    assert isinstance(detector, Foreseeing)
    assert detector.foresee(said("customer", "你等着，我找人打断你的腿，明天我就到")) == []


def test_of_the_labelled_lines_most_critical_hits_are_foreseen_and_none_that_the_end_takes_back() -> None:
    lines = [json.loads(line) for line in (DATA / "detect_dev.jsonl").read_text().splitlines()]
    at_stake = seen = taken_back = 0
    for line in (each for each in lines if each["speaker"] == "agent"):
        detector = lexical("CN" if line["lang"] == "zh" else "US")
        assert isinstance(detector, Foreseeing)
        held = critical(findings(detector.heard(said("agent", line["text"]))))
        units = list(line["text"]) if line["lang"] == "zh" else re.findall(r"\S+\s*", line["text"])
        early = set[str]().union(
            *(critical(detector.foresee(said("agent", "".join(units[:upto])))) for upto in range(1, len(units)))
        )
        at_stake, seen, taken_back = at_stake + len(held), seen + len(early & held), taken_back + len(early - held)
    assert taken_back == 0
    assert seen > at_stake / 2


def critical(found: list[Finding]) -> set[str]:
    return {finding.category for finding in found if finding.severity == "critical"}
