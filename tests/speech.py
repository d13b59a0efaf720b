"""Utterances and calls as the tests of detectors write them, and what a detector says of them."""

from __future__ import annotations

from datetime import datetime

from asr.types import Role, Utterance, Word
from detectors.contract import CallContext, CallDetector, Finding, Jurisdiction, Observation


def said(
    role: Role, text: str, start: float = 0.0, end: float | None = None, index: int = 0, words: tuple[Word, ...] = ()
) -> Utterance:
    """An utterance; without an end it runs on at five characters a second."""
    return Utterance(
        id=f"{role}-{index}",
        call_id="c",
        role=role,
        index=index,
        start=start,
        end=start + len(text) / 5 if end is None else end,
        text=text,
        language="zh",
        confidence=0.9,
        words=words,
    )


def call(
    jurisdiction: Jurisdiction = "CN", started_at: str = "2026-03-10T15:00:00+08:00", **metadata: str
) -> CallContext:
    """A call in the afternoon."""
    return CallContext(
        call_id="c",
        language="zh" if jurisdiction == "CN" else "en",
        jurisdiction=jurisdiction,
        started_at=datetime.fromisoformat(started_at),
        metadata=metadata,
    )


def findings(observations: list[Observation]) -> list[Finding]:
    """Only the findings."""
    return [each for each in observations if isinstance(each, Finding)]


def play(detector: CallDetector, utterances: list[Utterance], until: float | None = None) -> list[Finding]:
    """Hear all, let time pass to `until`."""
    seen: list[Observation] = []
    for utterance in utterances:
        seen += detector.heard(utterance)
    seen += detector.elapsed(utterances[-1].end if until is None else until)
    return findings(seen)
