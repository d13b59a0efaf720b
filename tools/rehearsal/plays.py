"""What the rehearsal's calls say, and when. Invented words, real shapes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from asr.types import Language, Role
from detectors.contract import Emotion
from tools.rehearsal.rules import RULES

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class PlayedTurn:
    """One turn of a play. `breaks`: the categories of the rules that it breaks, with the words that do. `start` and
    `end`: seconds of the call."""

    role: Role
    text: str
    sentiment: float
    emotion: Emotion
    breaks: tuple[tuple[str, str], ...]
    start: float = 0.0
    end: float = 0.0


@dataclass(frozen=True)
class Play:
    """One scripted call. `gap_after` and `notice_after`: the turns after which a gap or a notice comes; `duty`: a duty
    that is missed; `recording`: a sample call whose audio it has."""

    language: Language
    turns: tuple[PlayedTurn, ...]
    gap_after: int | None = None
    notice_after: int | None = None
    duty: str | None = None
    recording: str | None = None

    @property
    def duration(self) -> float:
        return self.turns[-1].end + 1.5

    def speaking(self, at: float) -> tuple[Role, ...]:
        return tuple({turn.role: None for turn in self.turns if turn.start <= at <= turn.end})


def a(text: str, sentiment: float = 0.1, emotion: Emotion = "neutral", *breaks: tuple[str, str]) -> PlayedTurn:
    """A turn of the agent."""
    return PlayedTurn("agent", text, sentiment, emotion, breaks)


def c(text: str, sentiment: float = 0.0, emotion: Emotion = "neutral", *breaks: tuple[str, str]) -> PlayedTurn:
    """A turn of the customer."""
    return PlayedTurn("customer", text, sentiment, emotion, breaks)


def timed(turns: tuple[PlayedTurn, ...], per_char: float) -> tuple[PlayedTurn, ...]:
    """The turns with their times, one after another, at so many seconds per character."""
    at, done = 0.9, list[PlayedTurn]()
    for turn in turns:
        end = at + max(1.1, len(turn.text) * per_char)
        done.append(
            PlayedTurn(turn.role, turn.text, turn.sentiment, turn.emotion, turn.breaks, round(at, 2), round(end, 2))
        )
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
        PlayedTurn(
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
