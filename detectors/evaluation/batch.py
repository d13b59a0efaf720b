"""Judging text in bulk, for evaluation: an utterance on its own, or one whole call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import accumulate
from math import inf
from typing import Any

from pydantic import BaseModel, Field, ValidationError, model_validator

from asr.types import Language, Role, Seconds, Utterance
from detectors.contract import CallContext, Finding, Jurisdiction, Observation
from detectors.rules.lexical import LexicalDetector
from detectors.runtime.registry import Registry
from detectors.sentiment.detector import SentimentDetector
from detectors.timezones.debtor import DebtorZone, debtor_zone

_NOON = datetime.fromisoformat("2026-01-05T12:00:00+08:00")
"""An utterance on its own is taken to be said at a permitted hour."""


def _unheard(_message: str) -> None:
    return


class BadInput(ValueError):
    """What was given is not of the documented form; the message names line and field."""


class _Line(BaseModel):
    id: str | int
    lang: Language
    speaker: Role
    text: str = Field(max_length=10_000)


class _Turn(BaseModel):
    speaker: Role
    start: Seconds = Field(ge=0)
    end: Seconds = Field(ge=0)
    text: str = Field(max_length=10_000)

    @model_validator(mode="after")
    def _runs_forward(self) -> _Turn:
        if self.end < self.start:
            raise ValueError("end lies before start")
        return self


class _Call(BaseModel):
    lang: Language
    jurisdiction: Jurisdiction
    started_at: datetime
    metadata: dict[str, str] = Field(default_factory=dict)
    turns: list[_Turn] = Field(max_length=10_000)


class Batch:
    """The `detect` command's two forms over one registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        by_id = {detector.id: detector for detector in registry.detectors}
        self._lexical = by_id[LexicalDetector.id]
        sentiment = by_id[SentimentDetector.id]
        assert isinstance(sentiment, SentimentDetector)
        self._sentiment = sentiment

    def utterance(self, line: str, jurisdiction: Jurisdiction, number: int) -> dict[str, Any]:
        """One JSON line, judged on its own. Raises BadInput."""
        try:
            given = _Line.model_validate_json(line)
        except ValidationError as problem:
            raise BadInput(f"line {number}: {_first(problem)}") from problem
        call = CallContext(call_id="", language=given.lang, jurisdiction=jurisdiction, started_at=_NOON)
        said = _utterance(0, _Turn(speaker=given.speaker, start=0.0, end=5.0, text=given.text), given.lang)
        findings = [seen for seen in self._lexical.open(call).heard(said) if isinstance(seen, Finding)]
        feeling = self._sentiment.feel(given.text)
        return {
            "id": given.id,
            "labels": [{"category": f.category, "score": f.score, "quote": f.quote} for f in findings],
            "sentiment": feeling.label,
            "sentiment_score": feeling.score,
            "emotion": feeling.emotion,
        }

    def call(self, text: str, notice: Callable[[str], None] = _unheard) -> dict[str, Any]:
        """One JSON call. `notice` is told where its time zone cannot be read or known. Raises BadInput."""
        try:
            given = _Call.model_validate_json(text)
        except ValidationError as problem:
            raise BadInput(_first(problem)) from problem
        zone = debtor_zone(given.metadata, given.jurisdiction)
        if (trouble := zone.trouble()) and (zone.zone or given.started_at.tzinfo):
            notice(trouble[1])
        findings = self._findings(given, zone)
        return {
            "findings": [_shown(finding) for finding in findings if finding.kind == "violation"],
            "duties_missing": [finding.category for finding in findings if finding.kind == "duty_missing"],
        }

    def _findings(self, given: _Call, zone: DebtorZone) -> list[Finding]:
        call = CallContext(
            call_id="",
            language=given.lang,
            jurisdiction=given.jurisdiction,
            started_at=_on_the_clock(given.started_at, zone),
            timezone=zone.name or ("" if given.started_at.tzinfo else "UTC"),
            metadata=given.metadata,
        )
        detectors = [detector for _, detector in self._registry.open(call)]
        seen: list[Observation] = []
        turns = sorted(given.turns, key=lambda turn: turn.end)
        # Time has passed as far as nobody who is still to be heard has begun to speak.
        begun = list(accumulate(reversed([turn.start for turn in turns[1:]]), min))[::-1]
        for index, (turn, settled) in enumerate(zip(turns, [*begun, inf], strict=False)):
            said = _utterance(index, turn, given.lang)
            for detector in detectors:
                seen += detector.heard(said)
                seen += detector.elapsed(min(turn.end, settled))
        for detector in detectors:
            seen += detector.closed(turns[-1].end if turns else 0.0)
        return [observation for observation in seen if isinstance(observation, Finding)]


def _on_the_clock(started_at: datetime, zone: DebtorZone) -> datetime:
    """A start without an offset is the debtor's own time."""
    if started_at.tzinfo is not None:
        return started_at
    return started_at.replace(tzinfo=zone.zone.clock if zone.zone else UTC)


def _utterance(index: int, turn: _Turn, language: Language) -> Utterance:
    return Utterance(
        id=f"{turn.speaker}-{index}",
        call_id="",
        role=turn.speaker,
        index=index,
        start=turn.start,
        end=turn.end,
        text=turn.text,
        language=language,
        confidence=1.0,
    )


def _shown(finding: Finding) -> dict[str, Any]:
    return {
        "category": finding.category,
        "speaker": finding.role,
        "start": round(finding.start, 3),
        "end": round(finding.end, 3),
        "quote": finding.quote,
        "score": finding.score,
    }


def _first(problem: ValidationError) -> str:
    error = problem.errors(include_url=False)[0]
    where = ".".join(map(str, error["loc"])) or "the text"
    return f"{where}: {error['msg']}"
