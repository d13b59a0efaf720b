"""Who answered: calls in which the right party is confirmed before the debt is named, and calls in which nobody is.

A call is one line of turns, `A:` the agent's and `C:` the customer's. Each is played with its marks and without, for
words recognised from telephone audio have none.
"""

from __future__ import annotations

import re

import pytest

from asr.types import Role, Utterance
from detectors.contract import Jurisdiction
from detectors.packs.loader import load_pack_vocabulary
from detectors.rules.right_party import load_right_party_check
from detectors.runtime.registry import load
from tests.speech import call, play, said

REGISTRY = load()
RIGHT_PARTY = load_right_party_check(load_pack_vocabulary())
TURN = re.compile(r"([AC]): (.+?)(?= [AC]: |$)")
MARKS = re.compile(r"[，。！？、…,.!?]+")

ASK_ZH = "A: 您好，这里是清川银行，工号三零二，通话录音，请问是罗佳明先生本人吗？"
ASK_EN = "A: Good morning, this is Nina at Redwood Services on a recorded line. May I speak with Paul Harmon?"
IS_IT_EN = "A: Hi, this is Nina at Redwood Services on a recorded line. Is this Paul Harmon?"
DEBT_ZH = "A: 您有一笔消费贷已经逾期四十天了。"
DEBT_EN = "A: You have an outstanding balance of nine hundred dollars, and it's past due."

CONFIRMED_ZH = (
    "C: 是的。",
    "C: 对。",
    "C: 嗯。",
    "C: 嗯，我是。",
    "C: 喂，我就是，您说。",
    "C: 是我，什么事？",
    "C: 是我，您哪位？",
    "C: 是的你说。",
    "C: 对，本人。",
    "C: 我就是罗佳明。",
    "C: 我是罗佳明，怎么了？",
    "C: 我姓罗，您讲。",
    "C: 没错，是我。",
    "C: 对对对，我在开车。",
    "C: 就是我啊，有什么事？",
    "C: 我是，您是哪个银行？",
    "C: 您哪位？ A: 我是清川银行的客服。 C: 哦，是我，你说。",
    "C: 你是谁啊？ A: 清川银行的，请问您是罗先生吗？ C: 是。",
    "C: 喂？ A: 请问是罗佳明先生吗？ C: 嗯，是的。",
    "C: 什么事？ A: 先跟您核对一下身份证后四位。 C: 六七零二。",
    "C: 你先说什么事。 A: 麻烦您报一下出生年月。 C: 八八年三月。",
    "C: 怎么了？ A: 请您核对一下登记的地址。 C: 江口区梧桐路十二号。",
    "C: 他在，我让他接。 A: 您好，请问是罗佳明先生吗？ C: 是我。",
    "C: 你等一下，我去叫他。 A: 好的。 C: 喂，我是罗佳明。",
    "C: 我知道我欠你们的钱，下个月就还。",
    "C: 又催款是吧，我这个月没钱。",
    "C: 是我，我老公不在家，你说。",
    "C: 我不是说了下个月还吗。",
    "C: 不是，我是他弟弟。 A: 麻烦让他接电话。 C: 好，你等下。 A: 好的。 C: 喂，我是罗佳明。",
)
CONFIRMED_EN = (
    "C: Yes.",
    "C: Speaking.",
    "C: This is he.",
    "C: Yeah, that's me.",
    "C: This is Paul.",
    "C: Yes, this is him, what's this about?",
    "C: Hi, yes, I'm Paul Harmon.",
    "C: You're speaking to him.",
    "C: That would be me.",
    "C: Yes, go ahead.",
    "C: It's me, who's calling?",
    "C: Paul speaking.",
    "C: Who's calling? A: My name is Nina. C: Okay, yeah, this is Paul.",
    "C: What is this about? A: It's a personal matter for Paul Harmon, is that you? C: Yes it is.",
    "C: Hello? A: Hello, am I speaking with Paul Harmon? C: Uh-huh.",
    "C: Who is this? A: Nina, sir. Could you verify your date of birth? C: March third, eighty one.",
    "C: Depends. A: I need the last four of your social. C: Four four one nine.",
    "C: Hold on, I'll get him. A: Thank you. C: Hello, this is Paul.",
    "C: He's right here, let me put him on. A: Am I speaking with Paul Harmon? C: Yes, you are.",
    "C: I know I'm behind on my card.",
    "C: I already told you I'd pay on Friday.",
    "C: This is Paul, my wife isn't home.",
    "C: Yeah, I'm at work, what is it?",
    "C: I got your letter, I can't pay it right now.",
)
NOT_CONFIRMED_ZH = (
    "C: 您是哪位？",
    "C: 您哪里？",
    "C: 你找他有什么事？",
    "C: 喂？",
    "C: 啊？",
    "C: 嗯？",
    "C: 是吗？",
    "C: 对不起，您打错了。",
    "C: 不是，你打错了。",
    "C: 不是我。",
    "C: 我不是罗佳明。",
    "C: 我是李海。",
    "C: 我是他妻子。",
    "C: 是我儿子，他不在。",
    "C: 他在上班，我是他同事。",
    "C: 这里是前台。",
    "C: 这是我们公司的电话。",
    "C: 没有这个人。",
    "C: 我不认识他。",
    "C: 人不在。",
    "C: 您好，请在提示音后留言。",
    "C: 您拨打的用户正忙，请稍后再拨。",
    "C: 可能是吧。",
    "C: 如果我是呢？",
    "C: 你怎么知道我是谁？",
    "C: 听不清，你大点声。",
    "C: 他不在。 A: 那您是他爱人吗？ C: 是的。",
    "C: 你等一下，我让他接。 A: 好的。 C: 喂，你好。",
    "C: 我是罗佳明。 A: 您好。 C: 等一下，我让我老婆跟你说。 A: 好的。 C: 喂？",
    "C: 您哪位？ A: 现在方便接电话吗？ C: 我在吃饭。",
    "C: 听不清。 A: 能听见吗？ C: 能，能听见。",
    "C: 是哪个罗先生？",
    "C: 他是我爸，电话给我用了。",
    "C: 打错了。 A: 这不是罗先生的号码吗？ C: 对，不是。",
    "C: 我是新机主，这个号刚办的。",
)
NOT_CONFIRMED_EN = (
    "C: Who's calling?",
    "C: May I ask who's calling?",
    "C: Yes, may I ask who's calling?",
    "C: What's this regarding?",
    "C: Hello?",
    "C: Yes?",
    "C: Maybe.",
    "C: What if I am?",
    "C: Wrong number.",
    "C: No, you have the wrong person.",
    "C: No, this is the front desk.",
    "C: He's not here right now.",
    "C: Sure, he just stepped out.",
    "C: Yes, hi, this is his brother.",
    "C: This is Paul's wife.",
    "C: This is Greg.",
    "C: I'm his roommate, he's at work.",
    "C: There's nobody here by that name.",
    "C: I don't know him.",
    "C: Is everything okay?",
    "C: I'm busy.",
    "C: You've reached Paul Harmon, leave a message after the beep.",
    "C: Hi, this is Paul. I can't come to the phone right now.",
    "C: Right, he moved out last year.",
    "C: Sure, hold on.",
    "C: He's out. A: Are you his wife? C: Yes.",
    "C: There is no Paul here.",
    "C: I'm not Paul.",
    "C: This is Greg Harmon.",
    "C: Who is it? A: Is this a good time? C: Yes.",
    "C: No. A: What's a better number for him? C: Five five five, one two one two.",
    "C: Yeah, no, he's my dad.",
    "C: Hold on, I'll get him. A: Thank you. C: Hello?",
    "C: This is Paul. A: Thanks. C: Here, talk to my wife. A: Okay. C: Hello?",
)
CALLS = tuple(
    (f"{ask} {answer} {debt}", jurisdiction, found)
    for ask, debt, jurisdiction, found, answers in (
        (ASK_ZH, DEBT_ZH, "CN", False, CONFIRMED_ZH),
        (ASK_EN, DEBT_EN, "US", False, CONFIRMED_EN),
        (IS_IT_EN, DEBT_EN, "US", False, CONFIRMED_EN),
        (ASK_ZH, DEBT_ZH, "CN", True, NOT_CONFIRMED_ZH),
        (ASK_EN, DEBT_EN, "US", True, NOT_CONFIRMED_EN),
        (IS_IT_EN, DEBT_EN, "US", True, tuple(each for each in NOT_CONFIRMED_EN if "Yes, may I" not in each)),
    )
    for answer in answers
)


def turns(line: str, *, marks: bool) -> list[Utterance]:
    spoken: list[Utterance] = []
    at = 0.0
    for index, (who, text) in enumerate(TURN.findall(line)):
        role: Role = "agent" if who == "A" else "customer"
        spoken.append(said(role, text if marks else MARKS.sub(" ", text).strip(), at, at + 2.0, index))
        at += 2.4
    return spoken


def disclosed(line: str, jurisdiction: Jurisdiction, *, marks: bool = True) -> bool:
    detector = dict(REGISTRY.open(call(jurisdiction)))["sequence"]
    return any(each.rule == "sequence.early_disclosure" for each in play(detector, turns(line, marks=marks)))


@pytest.mark.parametrize(("line", "jurisdiction", "found"), CALLS)
def test_the_debt_is_named_too_early_unless_the_answer_confirms(
    line: str, jurisdiction: Jurisdiction, found: bool
) -> None:
    assert disclosed(line, jurisdiction) is found


MARKS_DECIDE = ("嗯？", "是吗？", "Yes?", "Hold on, I'll get him. A: Thank you. C: Hello?")


@pytest.mark.parametrize(
    ("line", "jurisdiction", "found"), [each for each in CALLS if not any(mark in each[0] for mark in MARKS_DECIDE)]
)
def test_the_answer_is_read_without_marks_too(line: str, jurisdiction: Jurisdiction, found: bool) -> None:
    assert disclosed(line, jurisdiction, marks=False) is found


OTHER_QUESTIONS = (
    ("A: 请问是罗先生的爱人吗？ C: 是的。", "CN"),
    ("A: 请问这是罗先生的电话吗？ C: 是的，你哪位？", "CN"),
    ("A: 您认识罗佳明吗？ C: 认识。", "CN"),
    ("A: Are you Mr. Harmon's son? C: Yes.", "US"),
    ("A: Is this the Harmon residence? C: Yes, it is.", "US"),
    ("A: Do you know Paul Harmon? C: Yes, I do.", "US"),
    ("A: Hello, this is Nina from Redwood. C: Yes.", "US"),
)


@pytest.mark.parametrize(("line", "jurisdiction"), OTHER_QUESTIONS)
def test_a_yes_to_another_question_confirms_nobody(line: str, jurisdiction: Jurisdiction) -> None:
    debt = DEBT_ZH if jurisdiction == "CN" else DEBT_EN
    assert disclosed(f"{line} {debt}", jurisdiction)


GREETED = (
    ("A: 喂，罗先生您好。 C: 嗯。", "CN"),
    ("A: 罗佳明？ C: 我是。", "CN"),
    ("A: 是罗佳明吗？ C: 是，怎么说？", "CN"),
    ("A: Paul Harmon? C: Yep.", "US"),
    ("A: Hi, Mr. Harmon, it's Nina. C: Yes.", "US"),
    ("A: Hello, Ms. Jones? C: This is Ann Jones.", "US"),
    ("A: 罗先生，请报一下身份证后四位。 C: 三二一零。", "CN"),
)


TITLES = (
    "A: 您好，请问是邢桂英阿姨吗？ C: 是我，你是哪个？",
    "A: 您好，请问是陆小姐吗，陆雨欣。 C: 嗯是的。",
    "A: 喂请问是孟师傅吗？ C: 对，我是老孟。",
    "A: 您好，您是葛大哥吗？ C: 对，我在地里干活。",
    "A: 是谭老板吧？ C: 是。",
    "A: 您好，请问是王律师吗？ C: 是我。",
)


@pytest.mark.parametrize("line", TITLES)
def test_a_title_that_is_also_a_word_of_kin_asks_for_the_person(line: str) -> None:
    assert not disclosed(f"{line} {DEBT_ZH}", "CN")


@pytest.mark.parametrize(
    "line",
    [
        "A: 请问您是罗佳明的老板吗？ C: 是的。",
        "A: 您是他姐吗？ C: 对。",
        "A: 是罗佳明的同学吧？ C: 嗯。",
        "A: 你是罗先生的师傅吗？ C: 是。",
        "A: 请问您是他的律师吗？ C: 是的。",
    ],
)
def test_somebody_of_the_person_is_not_the_person(line: str) -> None:
    assert disclosed(f"{line} {DEBT_ZH}", "CN")


def test_an_agent_who_names_his_company_asks_nothing_of_a_company() -> None:
    asked = "A: 您好，请问是罗佳明先生吗？ C: 你哪里的？ A: 我们是第三方服务公司，请问是罗先生吗？ C: 是我。"
    assert not disclosed(f"{asked} {DEBT_ZH}", "CN")


@pytest.mark.parametrize(("line", "jurisdiction"), GREETED)
def test_to_greet_by_name_is_to_ask(line: str, jurisdiction: Jurisdiction) -> None:
    debt = DEBT_ZH if jurisdiction == "CN" else DEBT_EN
    assert not disclosed(f"{line} {debt}", jurisdiction)


INNOCENT = (
    ("A: 请问是罗先生本人吗？ C: 你找谁？ A: 我这边有一件私人事务要找他，麻烦让他回个电话。", "CN"),
    ("A: 您好，我是清川银行委托的催收专员，请问罗先生在吗？ C: 他不在。 A: 好的，那我改天再打。", "CN"),
    ("A: 您好，清川银行信用卡中心，请问是罗先生吗？ C: 打错了。 A: 不好意思打扰您了。", "CN"),
    ("A: 您好，我是清川银行逾期服务组的，请问罗先生在吗？ C: 什么事？ A: 具体的我只能跟他本人说。", "CN"),
    ("A: May I speak with Paul Harmon? C: Who is this? A: This is Nina, it's a personal business matter.", "US"),
    ("A: Is Paul there? C: No, can I take a message? A: Please have him call me back at this number.", "US"),
    ("A: Is this Paul Harmon? C: Yes. A: This is an attempt to collect a debt, I'm a debt collector.", "US"),
    ("A: Is this Paul Harmon? C: Speaking. A: You owe us ninety dollars. C: Hold on, let me get my card.", "US"),
    ("A: 请问是罗先生吗？ C: 是我。 A: 您的贷款逾期了。 C: 你等下我老公回来。 A: 好的，欠款是三千元。", "CN"),
    ("A: Is this Paul? C: Yes. A: You missed a payment. C: My wife is not here. A: Can you make a payment?", "US"),
)


@pytest.mark.parametrize(("line", "jurisdiction"), INNOCENT)
def test_what_names_no_debt_or_follows_a_confirming_answer_is_left_alone(line: str, jurisdiction: Jurisdiction) -> None:
    assert not disclosed(line, jurisdiction)


DISCLOSED = (
    ("您欠我们八千六百元", "CN"),
    ("您那张信用卡到期还没还款", "CN"),
    ("您名下有一笔借款需要处理", "CN"),
    ("花呗拖了三个月了", "CN"),
    ("今天能把钱还上吗", "CN"),
    ("这是向您催收贷款的电话", "CN"),
    ("You owe five hundred dollars.", "US"),
    ("Your account is seriously delinquent.", "US"),
    ("Your car loan payment is two months late.", "US"),
    ("This is an attempt to collect a debt.", "US"),
    ("You missed your last payment.", "US"),
    ("Your account has been sent to collections.", "US"),
)


@pytest.mark.parametrize(("text", "jurisdiction"), DISCLOSED)
def test_a_debt_is_named_in_many_words(text: str, jurisdiction: Jurisdiction) -> None:
    assert disclosed(f"A: {text}", jurisdiction)


def test_what_the_rule_on_third_parties_tells_is_told_once() -> None:
    told = "A: 您儿子在银行贷款三万元，已经逾期半年了。"
    assert not disclosed(f"{ASK_ZH} C: 不是，我是他妈妈。 {told} A: 欠款要尽快还。", "CN")
    assert disclosed(f"{ASK_ZH} C: 您哪位？ {told}", "CN")


@pytest.mark.parametrize(
    ("line", "denied"),
    [
        (f"{ASK_EN} C: This is his sister.", True),
        (f"{ASK_EN} C: He is not here.", True),
        (f"{ASK_EN} C: Please leave your message after the tone.", True),
        (f"{ASK_EN} C: Who is this?", False),
        (f"{ASK_EN} C: This is his sister, hold on, I'll get him.", False),
        (f"{ASK_EN} C: No. A: This is not Paul Harmon? C: Yes, this is Paul.", False),
        (f"{ASK_ZH} C: 打错了。", True),
        (f"{ASK_ZH} C: 是的。", False),
    ],
)
def test_whoever_denies_or_answers_in_the_persons_place_is_told_apart(line: str, denied: bool) -> None:
    watch = RIGHT_PARTY.open()
    for utterance in turns(line, marks=True):
        watch.heard(utterance)
    assert watch.denied is denied


def test_the_party_is_confirmed_at_the_end_of_the_confirming_answer() -> None:
    watch = RIGHT_PARTY.open()
    for utterance in turns(f"{ASK_ZH} C: 您哪位？ A: 清川银行的。 C: 是我。", marks=True):
        watch.heard(utterance)
    assert watch.confirmed_at == pytest.approx(9.2)


def test_a_yes_long_after_the_question_confirms_nothing() -> None:
    watch = RIGHT_PARTY.open()
    watch.heard(said("agent", "请问是罗先生本人吗？", 0, 2))
    watch.heard(said("customer", "是的", 40, 41))
    assert watch.confirmed_at is None
