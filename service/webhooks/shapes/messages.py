"""An event in words, for people in a room. Pure.

Names that a gateway gave are another's words: what would be a link, a mention or a markup of the room's is taken out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from asr.types import Language
from detectors.contract import SEVERITIES, Bilingual, Severity
from service.record.facts import CallEnding
from service.record.outgoing import (
    AlertTold,
    CallEndedTold,
    CallStartedTold,
    DigestTold,
    OutgoingEvent,
    RuleCount,
)
from service.webhooks.shapes.letter import Letter
from service.webhooks.shapes.links import call_link

_LONGEST = 120
"""Characters of a name or title."""
_MARKUP = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069<>\[\]`*|]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`lines`: what is told and its name, in order. `link`: a page, empty where there is none."""

    title: str
    lines: tuple[tuple[str, str], ...]
    link: str
    link_text: str


_SEVERITY: Mapping[Severity, Bilingual] = MappingProxyType(
    {
        "critical": Bilingual(zh="严重", en="Critical"),
        "high": Bilingual(zh="高", en="High"),
        "medium": Bilingual(zh="中", en="Medium"),
        "low": Bilingual(zh="低", en="Low"),
    }
)
_ENDING: Mapping[CallEnding, Bilingual] = MappingProxyType(
    {
        "completed": Bilingual(zh="正常结束", en="completed"),
        "dropped": Bilingual(zh="连接中断", en="connection dropped"),
        "rejected": Bilingual(zh="协议错误而拒绝", en="rejected: protocol error"),
        "interrupted": Bilingual(zh="服务中断", en="service interrupted"),
    }
)
_LABELS: Mapping[str, Bilingual] = MappingProxyType(
    {
        "why": Bilingual(zh="依据", en="Why"),
        "rule": Bilingual(zh="规则", en="Rule"),
        "agent": Bilingual(zh="坐席", en="Agent"),
        "call": Bilingual(zh="通话", en="Call"),
        "source": Bilingual(zh="来源", en="Source"),
        "time": Bilingual(zh="时间", en="Time"),
        "duration": Bilingual(zh="时长", en="Duration"),
        "ending": Bilingual(zh="结束方式", en="Ending"),
        "alerts": Bilingual(zh="告警", en="Alerts"),
        "calls": Bilingual(zh="通话数", en="Calls"),
        "open": Bilingual(zh="待确认告警", en="Alerts not acknowledged"),
    }
)
_TITLES: Mapping[str, Bilingual] = MappingProxyType(
    {
        "call_started": Bilingual(zh="通话开始", en="Call started"),
        "call_ended": Bilingual(zh="通话结束", en="Call ended"),
        "digest": Bilingual(zh="质检日报", en="Daily digest"),
        "test": Bilingual(zh="测试消息：推送已接通", en="Test message: the webhook works"),
    }
)
_NO_NAME = Bilingual(zh="（未提供）", en="(not given)")
_NONE = Bilingual(zh="无", en="none")
_OPEN_PAGE = Bilingual(zh="打开页面", en="Open the page")


def message(letter: Letter) -> Message:
    """The letter's event in its language and by its clock."""
    return Message(
        title=_title(letter.event, letter.language),
        lines=tuple((_in(_LABELS[name], letter.language), text) for name, text in _lines(letter)),
        link=call_link(letter),
        link_text=_in(_OPEN_PAGE, letter.language),
    )


def _title(event: OutgoingEvent, language: Language) -> str:
    if isinstance(event, AlertTold):
        severity, title = _in(_SEVERITY[event.severity], language), plain(_in(event.title, language))
        return f"【{severity}】{title}" if language == "zh" else f"{severity}: {title}"
    return _in(_TITLES[event.type], language)


def _lines(letter: Letter) -> list[tuple[str, str]]:
    event, language = letter.event, letter.language
    match event:
        case AlertTold():
            told = [("why", plain(_in(event.why, language))), *_call(event, language)]
            return [*told, ("time", _time(event.raised_at, letter))]
        case CallStartedTold():
            return [*_call(event, language), ("time", _time(event.started_at, letter))]
        case CallEndedTold():
            told = [*_call(event, language), ("time", _time(event.ended_at, letter))]
            told += [("duration", _duration(event.duration)), ("ending", _in(_ENDING[event.ending], language))]
            return [*told, ("alerts", _counts(event.alerts, language))]
        case DigestTold():
            return _digest(event, letter)
        case _:
            return [("time", _time(event.asked_at, letter))]


def _digest(event: DigestTold, letter: Letter) -> list[tuple[str, str]]:
    language = letter.language
    told = [
        ("time", f"{_time(event.since, letter)} – {_time(event.until, letter)}"),
        ("calls", str(event.calls)),
        ("alerts", _counts(event.alerts, language)),
        ("open", str(event.open_alerts)),
    ]
    return told + [("rule", _rule(rule, language)) for rule in event.rules]


def _rule(rule: RuleCount, language: Language) -> str:
    return f"{_in(_SEVERITY[rule.severity], language)} · {plain(_in(rule.title, language))}: {rule.count}"


def _call(event: AlertTold | CallStartedTold | CallEndedTold, language: Language) -> list[tuple[str, str]]:
    agent = plain(event.agent) or _in(_NO_NAME, language)
    return [("agent", agent), ("call", plain(event.call_id)), ("source", plain(event.source))]


def _counts(counts: Mapping[Severity, int], language: Language) -> str:
    """Worst first."""
    told = [f"{_in(_SEVERITY[each], language)} {counts[each]}" for each in reversed(SEVERITIES) if counts.get(each)]
    return ("、" if language == "zh" else ", ").join(told) or _in(_NONE, language)


def _time(at: datetime, letter: Letter) -> str:
    there = at.astimezone(letter.clock)
    return f"{there:%Y-%m-%d %H:%M} ({there.tzname()})"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _in(text: Bilingual, language: Language) -> str:
    return text.zh if language == "zh" else text.en


def plain(text: str) -> str:
    """The text without what a room reads as markup, on one line, and no longer than it need be."""
    cleaned = _MARKUP.sub(" ", text).strip()
    return cleaned if len(cleaned) <= _LONGEST else cleaned[: _LONGEST - 1] + "…"
