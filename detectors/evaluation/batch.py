"""Judging text in bulk, for evaluation: an utterance on its own, or one whole call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, Field, ValidationError, model_validator

from asr.types import Language, Role, Seconds, Utterance
from detectors.contract import CallContext, Finding, Jurisdiction, Observation, Sentiment
from detectors.evaluation.replay import embeddings, judge_call
from detectors.runtime.registry import Registry
from detectors.runtime.runner import ask_about
from detectors.timezones.debtor import DebtorZone, debtor_zone

JUDGE_WORDS = frozenset({"lexical", "semantic", "sentiment"})
"""Detectors that can judge an utterance without its call."""

_NOON = datetime.fromisoformat("2026-01-05T12:00:00+08:00")
"""An utterance on its own counts as said at a permitted hour."""


def _ignored(_message: str) -> None:
    return


class BadInput(ValueError):
    """The input has not the documented form. The message names line and field."""


class _InputLine(BaseModel):
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
    """Both forms of the `detect` command, over one registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def utterance(self, line: str, jurisdiction: Jurisdiction, number: int) -> dict[str, Any]:
        """One JSON line, judged on its own. Raises BadInput."""
        try:
            given = _InputLine.model_validate_json(line)
        except ValidationError as problem:
            raise BadInput(f"line {number}: {first_problem(problem)}") from problem
        findings, feeling = self.last_of([(given.speaker, given.text)], given.lang, jurisdiction)
        return {
            "id": given.id,
            "labels": [{"category": f.category, "score": f.score, "quote": f.quote} for f in findings],
            "sentiment": feeling.label,
            "sentiment_score": feeling.score,
            "emotion": feeling.emotion,
        }

    def last_of(
        self, turns: Sequence[tuple[Role, str]], language: Language, jurisdiction: Jurisdiction
    ) -> tuple[list[Finding], Sentiment]:
        """The violations in the last turn, after the others, and how it sounds, by the detectors of words. A call's
        duties, hours and order are left out."""
        call = CallContext(call_id="", language=language, jurisdiction=jurisdiction, started_at=_NOON)
        detectors = [detector for name, detector in self._registry.open(call) if name in JUDGE_WORDS]
        utterances = [_alone(index, *turn, language) for index, turn in enumerate(turns)]
        seen: list[Observation] = []
        for said, embedding in zip(utterances, embeddings(self._registry, utterances), strict=True):
            seen = [each for detector in detectors for each in ask_about(detector, said, embedding)]
        [feeling] = [each for each in seen if isinstance(each, Sentiment)]
        return [each for each in seen if isinstance(each, Finding) and each.kind == "violation"], feeling

    def call(self, text: str, notice: Callable[[str], None] = _ignored) -> dict[str, Any]:
        """One JSON call. `notice` is told where its time zone cannot be read or known. Raises BadInput."""
        try:
            given = _Call.model_validate_json(text)
        except ValidationError as problem:
            raise BadInput(first_problem(problem)) from problem
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
        turns = sorted(given.turns, key=lambda turn: turn.end)
        utterances = [_utterance(index, turn, given.lang) for index, turn in enumerate(turns)]
        return judge_call(self._registry, call, utterances, turns[-1].end if turns else 0.0)


def _on_the_clock(started_at: datetime, zone: DebtorZone) -> datetime:
    """A start without an offset is taken by the debtor's clock."""
    if started_at.tzinfo is not None:
        return started_at
    return started_at.replace(tzinfo=zone.zone.clock if zone.zone else UTC)


def _alone(index: int, speaker: Role, text: str, language: Language) -> Utterance:
    """A turn of which only the words are known, as an utterance."""
    return _utterance(index, _Turn(speaker=speaker, start=10.0 * index, end=10.0 * index + 5.0, text=text), language)


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


def first_problem(problem: ValidationError) -> str:
    """The first wrong field, and what is wrong with it."""
    error = problem.errors(include_url=False)[0]
    where = ".".join(map(str, error["loc"])) or "the text"
    return f"{where}: {error['msg']}"
