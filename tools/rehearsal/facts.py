"""A play as the service would tell it: its facts, and when each becomes known."""

from __future__ import annotations

from datetime import timedelta

from asr.types import Acoustics, Role, Utterance
from detectors.contract import Finding, Sentiment
from service.calls.evidence import SaidLately
from service.calls.judging import AlertPolicy
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
from tools.rehearsal.plays import Play, PlayedTurn
from tools.rehearsal.rules import RULES, RehearsedRule

LAG = 1.3
"""Seconds from the end of an utterance to its text."""


def facts_of(call: Call, play: Play) -> list[tuple[float, Fact]]:
    """Every fact of the call after its opening, with the audio second at which it becomes known."""
    made: list[tuple[float, Fact]] = []
    policy = AlertPolicy(call.id)
    trend: dict[Role, float] = {"agent": 0.0, "customer": 0.0}
    indices: dict[Role, int] = {"agent": 0, "customer": 0}
    lately = SaidLately()
    for number, turn in enumerate(play.turns):
        said = Utterance(
            id=f"{turn.role}-{indices[turn.role]}",
            call_id=call.id,
            role=turn.role,
            index=indices[turn.role],
            start=turn.start,
            end=turn.end,
            text=turn.text,
            language=play.language,
            confidence=0.42 if number == 3 else 0.9,
            acoustics=_sound(turn),
        )
        indices[turn.role] += 1
        lately.add(said)
        trend[turn.role] = 0.5 * trend[turn.role] + 0.5 * turn.sentiment
        known = turn.end + LAG
        made.append((known, UtteranceHeard(utterance=said)))
        made.append((known + 0.05, SentimentScored(sentiment=sentiment(said, turn, trend[turn.role]))))
        for category, quote in turn.breaks:
            found = lately.quoted(finding(RULES[category], turn, said, quote))
            made += judged(call, policy, found, known + 0.1)
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


def _sound(turn: PlayedTurn) -> Acoustics:
    """Louder and higher the worse the mood is."""
    heat = max(0.0, -turn.sentiment)
    pitch = 140.0 if turn.role == "agent" else 210.0
    return Acoustics(level_dbfs=-28.0 + 12.0 * heat, peak_dbfs=-6.0, pitch_hz=pitch * (1 + 0.3 * heat))


def sentiment(said: Utterance, turn: PlayedTurn, trend: float) -> Sentiment:
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


def finding(rule: RehearsedRule, turn: PlayedTurn, said: Utterance | None, quote: str) -> Finding:
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
