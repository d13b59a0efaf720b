"""Checks what detectors answer. An invalid answer must not reach the record of a call."""

from __future__ import annotations

import math
from typing import Any, Final

from asr.types import ROLES
from detectors.contract import (
    CONDUCT,
    FINDING_KINDS,
    SAID,
    SEVERITIES,
    Bilingual,
    DetectorError,
    Finding,
    Observation,
    Sentiment,
    Statement,
    Withdrawn,
)

LONGEST_NAME: Final = 100
LONGEST_QUOTE: Final = 5000
"""Characters: some minutes of speech."""
MOST_AT_ONCE: Final = 100


class BadAnswer(DetectorError):
    """An invalid answer of a detector. The message says what is wrong, and holds nothing that was said in the call."""


def checked(answer: object) -> list[Observation]:
    """The answer as it is. Raises BadAnswer."""
    if not isinstance(answer, list):
        raise BadAnswer(f"answered with a {type(answer).__name__}, not with a list")
    if len(answer) > MOST_AT_ONCE:
        raise BadAnswer(f"told {len(answer)} things at once")
    for each in answer:
        _check(each)
    return answer


def _check(told: Any) -> None:
    if isinstance(told, Finding):
        _check_span(told)
        _need(told.role == "agent", "only the agent can break a rule")
        _need(told.kind in FINDING_KINDS and told.severity in SEVERITIES, "no such kind or severity")
        _need(_is_share(told.score) and told.score > 0, "a score lies in (0, 1]")
        names = (told.detector, told.category, told.rule)
        _need(all(map(_is_name, names)), "detector, category and rule have 1 to 100 characters each")
        _need(len(told.quote) <= LONGEST_QUOTE, "the quote is too long")
        _need(_are_bilingual(told.title, told.why), "title and why are Bilingual")
    elif isinstance(told, Withdrawn):
        _check_span(told)
        _need(_are_bilingual(told.why), "why is Bilingual")
    elif isinstance(told, Statement):
        _check_span(told)
        _need(told.kind in (*SAID, *CONDUCT) and len(told.quote) <= LONGEST_QUOTE, "no such statement")
    elif isinstance(told, Sentiment):
        _need(told.role in ROLES and math.isfinite(told.at), "no such party or moment")
        _need(all(math.isfinite(each) and abs(each) <= 1 for each in (told.score, told.trend)), "[-1, 1]")
    else:
        raise BadAnswer(f"told a {type(told).__name__}")


def _check_span(told: Finding | Withdrawn | Statement) -> None:
    _need(told.role in ROLES, "no such party")
    _need(math.isfinite(told.start) and math.isfinite(told.end) and 0 <= told.start <= told.end, "no such span of time")


def _are_bilingual(*values: object) -> bool:
    return all(isinstance(value, Bilingual) for value in values)


def _is_share(value: float) -> bool:
    return math.isfinite(value) and 0 <= value <= 1


def _is_name(value: str) -> bool:
    return 0 < len(value) <= LONGEST_NAME


def _need(holds: bool, why: str) -> None:
    if not holds:
        raise BadAnswer(why)
