"""What the rehearsal's calls say, when, and what is found in it. Invented words, real shapes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from asr.types import Language, Role, Utterance
from detectors.contract import Bilingual, Emotion, Finding, Sentiment, Severity
from service.record.alert_policy import AlertPolicy
from service.record.facts import (
    AlertRaised,
    Call,
    CallClosed,
    Fact,
    FindingMade,
    GapMarked,
    Notice,
    SentimentScored,
    UtteranceHeard,
)

ROOT = Path(__file__).resolve().parents[2]
LAG = 1.3
"""Seconds from the end of an utterance to its text."""


@dataclass(frozen=True)
class Rule:
    category: str
    severity: Severity
    title: Bilingual
    why: Bilingual
    cites: tuple[str, ...]
    kind: Literal["violation", "duty_missing"] = "violation"


RULES = {
    rule.category: rule
    for rule in (
        Rule(
            "threat_violence",
            "critical",
            Bilingual(zh="暴力与人身伤害威胁", en="Threat of violence or physical harm"),
            Bilingual(
                zh="坐席以伤害债务人或其家人相要挟。", en="The agent threatens harm to the debtor or the family."
            ),
            ("CN-CRIM#293-1", "CN-PSAP2012#42(1)", "CN-CC2011#68"),
        ),
        Rule(
            "third_party_disclosure",
            "critical",
            Bilingual(zh="向第三人泄露债务信息", en="Disclosing the debt to third parties"),
            Bilingual(
                zh="对方表示不是本人，坐席仍说出欠款金额。",
                en="The person said they are not the debtor; the agent still told the amount.",
            ),
            ("CN-PIPL#10", "CN-CC2011#69", "CN-CBA2026#第三人规则"),
        ),
        Rule(
            "unauthorized_fee_or_channel",
            "critical",
            Bilingual(zh="额外收费或私账收款", en="Unauthorised fees or private payment channel"),
            Bilingual(zh="坐席要求把还款转入个人账户。", en="The agent asks for payment to a private account."),
            ("CN-CBA2026#prohibited(收取额外费用)", "CN-NIFA2018#19"),
        ),
        Rule(
            "abuse_insult",
            "high",
            Bilingual(zh="辱骂与人格侮辱", en="Insults and degrading language"),
            Bilingual(zh="坐席使用侮辱性称呼“老赖”。", en="The agent calls the customer a degrading name."),
            ("CN-NIFA2018#16", "CN-CIV#1024", "CN-CC2011#68"),
        ),
        Rule(
            "threat_exposure_contacts",
            "high",
            Bilingual(zh="威胁爆通讯录或公开曝光", en="Threat to expose the debt to contacts or public"),
            Bilingual(
                zh="坐席以联系通讯录、让同事亲戚知情相要挟。",
                en="The agent threatens to tell colleagues and relatives.",
            ),
            ("CN-CRIM#293-1(3)", "CN-CIV#1032", "CN-NIFA2018#18"),
        ),
        Rule(
            "false_legal_threat",
            "high",
            Bilingual(zh="虚假或夸大法律后果", en="False or exaggerated legal consequences"),
            Bilingual(
                zh="民事欠款不会坐牢；坐席夸大了法律后果。",
                en="A civil debt does not lead to prison; the agent exaggerates.",
            ),
            ("CN-CBA2026#prohibited(夸大法律后果)", "US-FDCPA#1692e(4)"),
        ),
        Rule(
            "obstruct_complaint",
            "high",
            Bilingual(zh="阻碍、威胁投诉", en="Obstructing or retaliating against complaints"),
            Bilingual(
                zh="客户提出投诉，坐席以后果相威胁。",
                en="The customer wants to complain; the agent threatens consequences.",
            ),
            ("CN-BIPR2022#41", "CN-GBT45251#5.6"),
        ),
        Rule(
            "pressure_harassment",
            "medium",
            Bilingual(zh="反复纠缠与逼迫施压", en="Badgering and coercive pressure"),
            Bilingual(
                zh="客户已说明困难，坐席仍反复逼迫当场还款。",
                en="The customer explained hardship; the agent keeps pressing for payment now.",
            ),
            ("CN-NIFA2018#16", "CN-CBA2026#催收行为规范"),
        ),
        Rule(
            "missing_recording_notice",
            "medium",
            Bilingual(zh="未告知录音", en="No recording notice"),
            Bilingual(
                zh="接通 30 秒内没有告知本次通话录音。", en="No recording notice within 30 seconds of the answer."
            ),
            ("CN-CC2011#68", "CN-PIPL#17"),
            "duty_missing",
        ),
        Rule(
            "agent_emotion_escalation",
            "low",
            Bilingual(zh="坐席情绪升高", en="Agent emotional escalation"),
            Bilingual(zh="坐席音量和语速连续升高。", en="The agent's loudness and pace keep rising."),
            ("CN-CBA2026#催收行为规范",),
        ),
    )
}


@dataclass(frozen=True)
class Turn:
    role: Role
    text: str
    sentiment: float
    emotion: Emotion
    breaks: tuple[tuple[str, str], ...]
    start: float = 0.0
    end: float = 0.0


@dataclass(frozen=True)
class Play:
    language: Language
    turns: tuple[Turn, ...]
    gap_after: int | None = None
    notice_after: int | None = None
    duty: str | None = None
    recording: str | None = None

    @property
    def duration(self) -> float:
        return self.turns[-1].end + 1.5

    def speaking(self, at: float) -> tuple[Role, ...]:
        return tuple({turn.role: None for turn in self.turns if turn.start <= at <= turn.end})


def a(text: str, sentiment: float = 0.1, emotion: Emotion = "neutral", *breaks: tuple[str, str]) -> Turn:
    return Turn("agent", text, sentiment, emotion, breaks)


def c(text: str, sentiment: float = 0.0, emotion: Emotion = "neutral", *breaks: tuple[str, str]) -> Turn:
    return Turn("customer", text, sentiment, emotion, breaks)


def timed(turns: tuple[Turn, ...], per_char: float) -> tuple[Turn, ...]:
    at, done = 0.9, list[Turn]()
    for turn in turns:
        end = at + max(1.1, len(turn.text) * per_char)
        done.append(Turn(turn.role, turn.text, turn.sentiment, turn.emotion, turn.breaks, round(at, 2), round(end, 2)))
        at = end + (0.7 if len(done) % 3 else 1.6)
    return tuple(done)


def from_sample(name: str, moods: dict[int, tuple[float, Emotion]]) -> Play:
    sample = json.loads((ROOT / "samples" / "calls" / f"{name}.json").read_text())
    quotes = {
        (f["turn"], f["category"]): f.get("quote", sample["turns"][f["turn"]]["text"])
        for f in sample["expected"]["findings"]
        if "turn" in f and f["category"] in RULES
    }
    turns = [
        Turn(
            t["speaker"],
            t["text"],
            *moods.get(i, (0.0, "neutral")),
            tuple((category, quote) for (turn, category), quote in quotes.items() if turn == i),
            t["start"],
            t["end"],
        )
        for i, t in enumerate(sample["turns"])
    ]
    return Play(sample["lang"], tuple(turns), recording=f"samples/calls/{name}.flac")


CALM = timed(
    (
        a("您好，这里是海港消费金融，我姓王，工号一零二六，本次通话会录音。请问是周先生本人吗？", 0.3),
        c("是我，你说。"),
        a("麻烦您报一下身份证后四位，方便我核实身份。", 0.2),
        c("三三一七。"),
        a("好的，核实通过。您本期账单一千二百三十元，昨天已经到期，请问是忘记还了还是有困难？", 0.2),
        c("哦，我这两天出差，忘了。", 0.0, "relief"),
        a("没关系，您今天二十四点前在官方应用里还上就可以，不会影响征信。", 0.5),
        c("行，我一会儿就还。", 0.4, "relief"),
        a("好的。如果还款时遇到问题，可以拨打官方客服热线。", 0.4),
        c("嗯，知道了，谢谢啊。", 0.6, "joy"),
        a("不客气，祝您生活愉快，再见。", 0.7, "joy"),
    ),
    0.21,
)

HARDSHIP = timed(
    (
        a("您好，我是海港银行委托的北线公司陈专员，工号八零一二，通话有录音。请问是李女士吗？", 0.2),
        c("是。又是你们。", -0.3, "frustration"),
        a("您的信用卡逾期四十五天，欠款六千八百元，今天能处理吗？", 0.0),
        c("我上个月住院刚出来，手里真的没有钱。", -0.5, "sadness"),
        a("理解您的情况，身体要紧。您看能不能先还最低还款额？", 0.3),
        c("最低也要七百多，我下个月十号发工资才行。", -0.4, "sadness"),
        a("可以，我帮您登记困难情况，申请延期到下个月十二号，审批结果会短信通知您。", 0.5),
        c("真的可以延期吗？会不会又加很多利息？", -0.1, "fear"),
        a("延期期间罚息按合同约定，具体金额以官方账单为准，我不会私下承诺减免。", 0.2),
        c("好吧，那麻烦你帮我登记。", 0.2, "relief"),
        a("已经登记，编号五五二零。您还有其他疑问吗？", 0.4),
        c("没有了，谢谢你这么耐心。", 0.6, "relief"),
    ),
    0.21,
)

PRIVATE = timed(
    (
        a("喂，你好，我海港这边的，你那个账单到底什么时候还？", -0.2, "frustration"),
        c("你是哪家公司的？工号多少？", -0.1),
        a("你别管我哪家的，一共九千四，今天必须处理掉。", -0.5, "anger", ("pressure_harassment", "今天必须处理掉")),
        c("我今天真拿不出来这么多，我家里老人刚做完手术。", -0.5, "sadness"),
        a(
            "谁家没点事？你先转三千到我这个个人账户，我帮你把罚息压下来。",
            -0.4,
            "frustration",
            ("unauthorized_fee_or_channel", "转三千到我这个个人账户"),
        ),
        c("转给个人？这合规吗？", -0.4, "fear"),
        a(
            "你还想不想解决了？不还就等着法院上门抓人，让你坐牢。",
            -0.8,
            "anger",
            ("false_legal_threat", "等着法院上门抓人，让你坐牢"),
        ),
        c("我要打你们官方电话核实，我要投诉。", -0.7, "anger"),
        a(
            "你投诉试试，你投诉一次我就天天打给你单位。",
            -0.9,
            "anger",
            ("obstruct_complaint", "你投诉一次我就天天打给你单位"),
        ),
        c("我已经录音了。", -0.8, "anger"),
        a("随便你录。", -0.8, "anger", ("agent_emotion_escalation", "")),
        c("那我们法院见。", -0.8, "anger"),
    ),
    0.2,
)

THIRD = timed(
    (
        a("您好，请问是张建国先生吗？", 0.1),
        c("不是，我是他同事，他今天没来上班。", 0.0),
        a(
            "他在我们这儿欠了三万二，已经逾期半年了，你转告他一声。",
            -0.2,
            "neutral",
            ("third_party_disclosure", "他在我们这儿欠了三万二，已经逾期半年了"),
        ),
        c("这个你跟我说不合适吧？", -0.3, "frustration"),
        a("你让他赶紧还钱，不然我们就上你们公司去。", -0.5, "anger", ("pressure_harassment", "不然我们就上你们公司去")),
        c("你们别再打我电话了。", -0.6, "anger"),
        a("电话是他留的，我们有权联系。", -0.4, "frustration"),
        c("我要挂了。", -0.5, "frustration"),
        a("那麻烦你转告他回电。", 0.0),
    ),
    0.22,
)

VIOLENT = timed(
    (
        a("你好，是赵强吧？我姓刘。", -0.1),
        c("是我，什么事？", 0.0),
        a("你欠的两万六打算拖到什么时候？", -0.4, "frustration"),
        c("我生意亏了，我在想办法。", -0.4, "sadness"),
        a("想办法想了三个月，你就是个老赖，不要脸。", -0.8, "anger", ("abuse_insult", "你就是个老赖，不要脸")),
        c("你怎么说话呢？", -0.6, "anger"),
        a(
            "你女儿放学走哪条路我们都清楚，你自己掂量掂量。",
            -0.9,
            "anger",
            ("threat_violence", "你女儿放学走哪条路我们都清楚"),
        ),
        c("你敢动我女儿试试，我现在就报警。", -0.95, "anger"),
        a("再拖下去就不是打电话这么客气了。", -0.9, "anger", ("threat_violence", "再拖下去就不是打电话这么客气了")),
        c("你这是威胁！", -0.95, "anger"),
        a(
            "我把你通讯录里的人挨个打一遍，看你还要不要脸。",
            -0.9,
            "anger",
            ("threat_exposure_contacts", "我把你通讯录里的人挨个打一遍"),
        ),
        c("我已经录下来了，等着吧。", -0.9, "anger"),
    ),
    0.22,
)

ENGLISH = timed(
    (
        a(
            "Hello, my name is Dana Wells with Northline Recovery, calling for First Harbor Bank on a recorded line.",
            0.3,
        ),
        c("Okay. What is this about?", 0.0),
        a("This is an attempt to collect a debt. Can you confirm your date of birth?", 0.1),
        c("I already told the last person I dispute this. I never opened that card.", -0.5, "frustration"),
        a(
            "If you don't pay today there will be a warrant and you could be arrested.",
            -0.6,
            "anger",
            ("false_legal_threat", "there will be a warrant and you could be arrested"),
        ),
        c("Arrested? Are you serious? That is illegal.", -0.8, "anger"),
        a("I'm only telling you what happens next.", -0.3, "frustration"),
        c("Send me the validation notice in writing and stop calling my office.", -0.6, "anger"),
        a("All right, I will note the dispute and mail the notice today.", 0.1),
        c("Fine. Goodbye.", -0.3, "frustration"),
    ),
    0.07,
)

PLAYS: tuple[Play, ...] = (
    from_sample(
        "zh-exposure-threat",
        {
            0: (0.2, "neutral"),
            4: (-0.1, "neutral"),
            5: (-0.5, "sadness"),
            6: (-0.8, "anger"),
            7: (-0.6, "anger"),
            8: (-0.9, "anger"),
            9: (-0.8, "anger"),
            10: (-0.9, "anger"),
            11: (-0.7, "anger"),
        },
    ),
    Play("zh", CALM),
    Play("zh", HARDSHIP, gap_after=4),
    Play("zh", PRIVATE, duty="missing_recording_notice"),
    Play("zh", CALM),
    Play("zh", THIRD),
    Play("zh", HARDSHIP),
    Play("en", ENGLISH),
    Play("zh", CALM, notice_after=5),
    Play("zh", VIOLENT, notice_after=5),
    Play("zh", HARDSHIP),
)


def facts_of(call: Call, play: Play) -> list[tuple[float, Fact]]:
    """Every fact of the call after its opening, with the audio second at which it becomes known."""
    made: list[tuple[float, Fact]] = []
    policy = AlertPolicy(call.id)
    trend: dict[Role, float] = {"agent": 0.0, "customer": 0.0}
    heard: dict[Role, int] = {"agent": 0, "customer": 0}
    for number, turn in enumerate(play.turns):
        said = Utterance(
            id=f"{turn.role}-{heard[turn.role]}",
            call_id=call.id,
            role=turn.role,
            index=heard[turn.role],
            start=turn.start,
            end=turn.end,
            text=turn.text,
            language=play.language,
            confidence=0.42 if number == 3 else 0.9,
        )
        heard[turn.role] += 1
        trend[turn.role] = 0.5 * trend[turn.role] + 0.5 * turn.sentiment
        known = turn.end + LAG
        made.append((known, UtteranceHeard(utterance=said)))
        made.append((known + 0.05, SentimentScored(sentiment=sentiment(said, turn, trend[turn.role]))))
        for category, quote in turn.breaks:
            made += judged(call, policy, finding(RULES[category], turn, said, quote), known + 0.1)
        if number == play.gap_after:
            made.append((turn.end + 0.5, GapMarked(role="customer", start=turn.end, end=turn.end + 0.5, reason="lost")))
        if number == play.notice_after:
            text = "detector semantic timed out after 2 s"
            made.append((known + 0.2, Notice(code="detector_failed", message=text, at=turn.end)))
    if play.duty is not None:
        made += judged(call, policy, finding(RULES[play.duty], play.turns[0], None, ""), 31.0)
    ended = call.started_at + timedelta(seconds=play.duration)
    closing = CallClosed(ended_at=ended, duration=play.duration, ending="completed")
    return [*sorted(made, key=lambda known: known[0]), (play.duration + LAG + 0.2, closing)]


def sentiment(said: Utterance, turn: Turn, trend: float) -> Sentiment:
    label = "negative" if turn.sentiment < -0.2 else "positive" if turn.sentiment > 0.2 else "neutral"
    return Sentiment(
        utterance_id=said.id,
        role=said.role,
        at=said.end,
        score=turn.sentiment,
        label=label,
        emotion=turn.emotion,
        trend=round(trend, 3),
    )


def judged(call: Call, policy: AlertPolicy, found: Finding, known: float) -> list[tuple[float, Fact]]:
    """The finding, and the alert that it raises, if any."""
    raised_at = call.started_at + timedelta(seconds=known)
    alert = policy.consider(found, raised_at=raised_at, latency=known - found.end)
    made: list[tuple[float, Fact]] = [(known, FindingMade(finding=found))]
    return made if alert is None else [*made, (known, AlertRaised(alert=alert))]


def finding(rule: Rule, turn: Turn, said: Utterance | None, quote: str) -> Finding:
    return Finding(
        kind=rule.kind,
        category=rule.category,
        rule=f"cn.{rule.category}.1",
        detector="rehearsal",
        severity=rule.severity,
        score=0.93,
        role="agent",
        start=0.0 if said is None else turn.start,
        end=30.0 if said is None else said.end,
        quote=quote,
        title=rule.title,
        why=rule.why,
        cites=rule.cites,
        utterance_id=None if said is None else said.id,
        decided_by_transcript=rule.category != "agent_emotion_escalation",
    )
