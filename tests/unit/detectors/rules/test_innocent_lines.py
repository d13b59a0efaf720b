"""Lines that hold a pattern's letters and mean no harm; and, beside each kind, lines that go on being found."""

from __future__ import annotations

import pytest

from detectors.contract import Jurisdiction
from detectors.matching.folding import Folded, word_borders
from detectors.rules import lexical
from detectors.rules.lexical import LexicalDetector
from detectors.runtime.registry import load
from tests.speech import call, findings, said

LEXICAL = next(detector for detector in load(encoder=None).detectors if isinstance(detector, LexicalDetector))

ACROSS_WORDS = (
    "您说的是宝鸡巴山路那家店吧",
    "账单日是每月8日你记一下",
    "请在三日你上班之前确认",
    "我操心的是您的征信",
    "系统是我操控的，您稍等",
    "我靠边停一下车再跟您说",
    "我草稿已经写好了，发给您看",
    "您住在姑妈蛋糕房楼上对吗",
    "您要坐台北那班飞机是吗",
    "您老子孙满堂，别为这点事着急",
)
SAME_WORDS = (
    "麻烦您把你妈的名字写在备用联系人那栏",
    "您可以直接动手操作，页面上有提示",
    "晚上天气不好，出门注意安全",
    "您是哪天出车祸住院的",
    "家里人把您送医院的时候是几点",
    "您胳膊上的线拆了没有",
    "您可能碰到骗子了，先别转账",
    "先生您让我说完好吗，说完您再考虑",
    "您打断了我没关系，您先讲",
    "您别想太多，会好受一点的",
)
SAID_BY_OTHERS = (
    "谁跟您说我们会打断你的腿的",
    "我什么时候讲过要抓你坐牢",
    "您的意思是他要弄死您吗",
    "对方威胁说要砸你家是吗，我记下来",
    "他们骂您是老赖，这个我要上报",
    "是谁骂你废物的，您记得工号吗",
)
INNOCENT_EN = (
    "Do you want to settle it today or else next Friday?",
    "I am speaking with the account holder, correct?",
    "You can call us when you get up in the morning.",
    "The portal is too slow to open on my side as well.",
    "Did anything happen to you that kept you from working?",
    "Your parents must be listed on the form as well.",
    "I will be quiet for a moment while you look.",
    "Did you lose your job recently?",
    "It takes about ten minutes to get the letter up.",
    "When did we say you would be arrested?",
    "She said you are a loser? That is not how we work.",
    "The email you received saying you will go to jail is not from us.",
)
STILL_FOUND = (
    ("我操，你还装", "profanity_obscene"),
    ("你鸡巴到底还不还", "profanity_obscene"),
    ("你妈的还钱", "profanity_obscene"),
    ("别怪我直接动手", "threat_violence"),
    ("晚上走夜路注意安全", "threat_violence"),
    ("哪天让你被车撞死", "threat_violence"),
    ("我让你躺着送医院", "threat_violence"),
    ("信不信我把你腿拆了", "threat_violence"),
    ("你就是个骗子", "abuse_insult"),
    ("你先听我说完", "agent_emotion_escalation"),
    ("我叫人打断你的腿", "threat_violence"),
    ("你休想好受", "threat_intimidation"),
)
STILL_FOUND_EN = (
    ("Pay today or else.", "threat_intimidation"),
    ("Pay it or else you will see.", "threat_intimidation"),
    ("Be quiet and listen.", "agent_emotion_escalation"),
    ("Do not cut in when I am speaking.", "agent_emotion_escalation"),
    ("You are too stupid to read a letter.", "abuse_insult"),
    ("Your parents must be so ashamed.", "abuse_insult"),
    ("You could lose your job over this.", "threat_intimidation"),
    ("Something bad could happen to you, something happens to you people.", "threat_violence"),
)


def found(text: str, jurisdiction: Jurisdiction) -> set[str]:
    heard = LEXICAL.open(call(jurisdiction=jurisdiction)).heard(said("agent", text))
    return {finding.category for finding in findings(heard)}


def test_a_text_is_cut_into_words_once_however_many_short_matches_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    cut: list[str] = []

    def counted(folded: Folded) -> frozenset[int]:
        cut.append(folded.text)
        return word_borders(folded)

    monkeypatch.setattr(lexical, "word_borders", counted)
    assert found("我操作一下" * 1000, "CN") == set()
    assert len(cut) == 1


@pytest.mark.parametrize("text", [*ACROSS_WORDS, *SAME_WORDS, *SAID_BY_OTHERS])
def test_nothing_is_found_where_nothing_is_meant(text: str) -> None:
    assert found(text, "CN") == set()


@pytest.mark.parametrize("text", INNOCENT_EN)
def test_nothing_is_found_where_nothing_is_meant_in_english(text: str) -> None:
    assert found(text, "US") == set()


@pytest.mark.parametrize(("text", "category"), STILL_FOUND)
def test_what_is_meant_is_found_beside_it(text: str, category: str) -> None:
    assert category in found(text, "CN")


@pytest.mark.parametrize(("text", "category"), STILL_FOUND_EN)
def test_what_is_meant_is_found_beside_it_in_english(text: str, category: str) -> None:
    assert category in found(text, "US")
