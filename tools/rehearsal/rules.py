"""The rules that the rehearsal's calls break."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from detectors.contract import Bilingual, Severity


@dataclass(frozen=True)
class RehearsedRule:
    """A rule as the dashboard shows it."""

    category: str
    severity: Severity
    title: Bilingual
    why: Bilingual
    cites: tuple[str, ...]
    kind: Literal["violation", "duty_missing"] = "violation"


RULES = {
    rule.category: rule
    for rule in (
        RehearsedRule(
            "threat_violence",
            "critical",
            Bilingual(zh="暴力与人身伤害威胁", en="Threat of violence or physical harm"),
            Bilingual(
                zh="坐席以伤害债务人或其家人相要挟。", en="The agent threatens harm to the debtor or the family."
            ),
            ("CN-CRIM#293-1", "CN-PSAP2012#42(1)", "CN-CC2011#68"),
        ),
        RehearsedRule(
            "third_party_disclosure",
            "critical",
            Bilingual(zh="向第三人泄露债务信息", en="Disclosing the debt to third parties"),
            Bilingual(
                zh="对方表示不是本人，坐席仍说出欠款金额。",
                en="The person said they are not the debtor; the agent still told the amount.",
            ),
            ("CN-PIPL#10", "CN-CC2011#69", "CN-CBA2026#第三人规则"),
        ),
        RehearsedRule(
            "unauthorized_fee_or_channel",
            "critical",
            Bilingual(zh="额外收费或私账收款", en="Unauthorised fees or private payment channel"),
            Bilingual(zh="坐席要求把还款转入个人账户。", en="The agent asks for payment to a private account."),
            ("CN-CBA2026#prohibited(收取额外费用)", "CN-NIFA2018#19"),
        ),
        RehearsedRule(
            "abuse_insult",
            "high",
            Bilingual(zh="辱骂与人格侮辱", en="Insults and degrading language"),
            Bilingual(zh="坐席使用侮辱性称呼“老赖”。", en="The agent calls the customer a degrading name."),
            ("CN-NIFA2018#16", "CN-CIV#1024", "CN-CC2011#68"),
        ),
        RehearsedRule(
            "threat_exposure_contacts",
            "high",
            Bilingual(zh="威胁爆通讯录或公开曝光", en="Threat to expose the debt to contacts or public"),
            Bilingual(
                zh="坐席以联系通讯录、让同事亲戚知情相要挟。",
                en="The agent threatens to tell colleagues and relatives.",
            ),
            ("CN-CRIM#293-1(3)", "CN-CIV#1032", "CN-NIFA2018#18"),
        ),
        RehearsedRule(
            "false_legal_threat",
            "high",
            Bilingual(zh="虚假或夸大法律后果", en="False or exaggerated legal consequences"),
            Bilingual(
                zh="民事欠款不会坐牢；坐席夸大了法律后果。",
                en="A civil debt does not lead to prison; the agent exaggerates.",
            ),
            ("CN-CBA2026#prohibited(夸大法律后果)", "US-FDCPA#1692e(4)"),
        ),
        RehearsedRule(
            "obstruct_complaint",
            "high",
            Bilingual(zh="阻碍、威胁投诉", en="Obstructing or retaliating against complaints"),
            Bilingual(
                zh="客户提出投诉，坐席以后果相威胁。",
                en="The customer wants to complain; the agent threatens consequences.",
            ),
            ("CN-BIPR2022#41", "CN-GBT45251#5.6"),
        ),
        RehearsedRule(
            "pressure_harassment",
            "medium",
            Bilingual(zh="反复纠缠与逼迫施压", en="Badgering and coercive pressure"),
            Bilingual(
                zh="客户已说明困难，坐席仍反复逼迫当场还款。",
                en="The customer explained hardship; the agent keeps pressing for payment now.",
            ),
            ("CN-NIFA2018#16", "CN-CBA2026#催收行为规范"),
        ),
        RehearsedRule(
            "missing_recording_notice",
            "medium",
            Bilingual(zh="未告知录音", en="No recording notice"),
            Bilingual(
                zh="接通 30 秒内没有告知本次通话录音。", en="No recording notice within 30 seconds of the answer."
            ),
            ("CN-CC2011#68", "CN-PIPL#17"),
            "duty_missing",
        ),
        RehearsedRule(
            "agent_emotion_escalation",
            "low",
            Bilingual(zh="坐席情绪升高", en="Agent emotional escalation"),
            Bilingual(zh="坐席音量和语速连续升高。", en="The agent's loudness and pace keep rising."),
            ("CN-CBA2026#催收行为规范",),
        ),
    )
}
