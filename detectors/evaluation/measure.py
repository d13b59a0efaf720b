"""How well labelled lines are judged: precision, recall and F1 a category, with intervals, and the worst errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from asr.types import LANGUAGES, Language, Role
from detectors.contract import Jurisdiction, SentimentLabel
from detectors.evaluation.batch import BadInput, Batch, first_problem

OWN_LAW: Final[Mapping[Language, Jurisdiction]] = {"zh": "CN", "en": "US"}
DRAWS: Final = 1000
"""The intervals come from so many draws of lines, with replacement."""

Flags = NDArray[np.bool_]


class LabelledLine(BaseModel):
    """One line as files of labelled lines hold it. `before`: the turns before it, oldest first."""

    id: str | int = ""
    lang: Language
    speaker: Role
    text: str = Field(max_length=10_000)
    before: list[tuple[Role, str]] = Field(default_factory=list, max_length=10)
    labels: list[str] | None = None
    sentiment: SentimentLabel | None = None
    label: SentimentLabel | None = None
    jurisdiction: Jurisdiction | None = None
    split: str | None = None
    kind: str = ""

    @property
    def feeling(self) -> SentimentLabel | None:
        """The sentiment, by either of the two names in use."""
        return self.sentiment or self.label


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedLine:
    """A line, the categories found in it with their score and quote, and the sentiment it was given."""

    line: LabelledLine
    found: Mapping[str, tuple[float, str]]
    sentiment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measure in [0, 1], or a count in 100 lines, with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryFigures:
    """One category's: `lines` are those that it is in."""

    lines: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageFigures:
    """One language's. `macro_f1` is over the categories that occur; `found` the share of violating lines in which one
    of their violations is found; `false_per_100` how many agents' lines without one are flagged, in 100;
    `customers_flagged` must be 0. The tables by kind hold [lines, flagged]. None: no line tells it."""

    agents_lines: int
    macro_f1: Figure | None
    found: Figure | None
    false_per_100: Figure | None
    sentiment_f1: Figure | None
    customers_flagged: int
    categories: Mapping[str, CategoryFigures]
    violations_by_kind: Mapping[str, tuple[int, int]]
    harmless_by_kind: Mapping[str, tuple[int, int]]


def read_line(text: str, number: int) -> LabelledLine:
    """Reads a line from JSON. Raises BadInput."""
    try:
        return LabelledLine.model_validate_json(text)
    except ValidationError as problem:
        raise BadInput(f"line {number}: {first_problem(problem)}") from problem


def judge(batch: Batch, line: LabelledLine) -> JudgedLine:
    """Judges a line by its own law, after the turns before it."""
    law = line.jurisdiction or OWN_LAW[line.lang]
    findings, feeling = batch.last_of([*line.before, (line.speaker, line.text)], line.lang, law)
    found = {finding.category: (finding.score, finding.quote) for finding in findings}
    return JudgedLine(line=line, found=found, sentiment=feeling.label)


def figures(judged: Sequence[JudgedLine]) -> dict[Language, LanguageFigures]:
    """The figures of each language that occurs."""
    each: dict[Language, list[JudgedLine]] = {language: [] for language in LANGUAGES}
    for one in judged:
        each[one.line.lang].append(one)
    return {language: _of_language(lines) for language, lines in each.items() if lines}


def errors(judged: Sequence[JudgedLine]) -> Iterator[tuple[JudgedLine, list[str], list[str]]]:
    """The lines that were judged wrongly, with the categories that were missed and those that were told falsely. The
    surest false ones come first."""
    wrong = [
        (one, sorted(gold - set(one.found)), sorted(set(one.found) - gold))
        for one in judged
        if one.line.labels is not None and (gold := set(one.line.labels)) != set(one.found)
    ]
    yield from sorted(wrong, key=lambda each: -max((each[0].found[name][0] for name in each[2]), default=0.0))


def _of_language(judged: Sequence[JudgedLine]) -> LanguageFigures:
    agents = [one for one in judged if one.line.speaker == "agent" and one.line.labels is not None]
    names = sorted({name for one in agents for name in (*(one.line.labels or ()), *one.found)})
    shape = len(agents), len(names)
    gold = np.array([[name in (one.line.labels or ()) for name in names] for one in agents], bool).reshape(shape)
    seen = np.array([[name in one.found for name in names] for one in agents], bool).reshape(shape)
    felt = [one for one in judged if one.line.feeling is not None]
    violating = in_any(gold, 1)
    return LanguageFigures(
        agents_lines=len(agents),
        macro_f1=_figure(lambda rows: _macro(gold[rows], seen[rows], in_any(gold, 0)), len(agents)) if names else None,
        found=_share(in_any(gold & seen, 1)[violating]),
        false_per_100=_share(in_any(seen, 1)[~violating], 100.0),
        sentiment_f1=_sentiment(felt) if felt else None,
        customers_flagged=sum(bool(one.found) for one in judged if one.line.speaker == "customer"),
        categories={name: _category(gold[:, at], seen[:, at]) for at, name in enumerate(names)},
        violations_by_kind=_by_kind(agents, gold & seen, violating),
        harmless_by_kind=_by_kind(agents, seen, ~violating),
    )


def _category(gold: Flags, seen: Flags) -> CategoryFigures:
    hit = int((gold & seen).sum())
    return CategoryFigures(
        lines=int(gold.sum()),
        precision=round(_ratio(hit, int(seen.sum())), 3),
        recall=round(_ratio(hit, int(gold.sum())), 3),
        f1=round(float(_f1(gold[:, None], seen[:, None])[0]), 3),
    )


def _by_kind(agents: Sequence[JudgedLine], flags: Flags, of: Flags) -> dict[str, tuple[int, int]]:
    kinds = np.array([one.line.kind for one in agents])
    flagged = in_any(flags, 1)
    each = {str(kind): (kinds == kind) & of for kind in sorted({*kinds[of].tolist()}) if kind}
    return {kind: (int(place.sum()), int((flagged & place).sum())) for kind, place in each.items()}


def _sentiment(felt: Sequence[JudgedLine]) -> Figure:
    names = sorted({str(one.line.feeling) for one in felt})
    gold = np.array([[one.line.feeling == name for name in names] for one in felt])
    seen = np.array([[one.sentiment == name for name in names] for one in felt])
    return _figure(lambda rows: _macro(gold[rows], seen[rows], in_any(gold, 0)), len(felt))


def _share(flags: Flags, of: float = 1.0) -> Figure | None:
    return _figure(lambda rows: of * float(flags[rows].mean()), len(flags)) if len(flags) else None


def _figure(measure: Callable[[NDArray[np.int64]], float], lines: int) -> Figure:
    """The measure over all lines, and the range in which it lies in 95 of 100 draws."""
    dice = np.random.default_rng(1)
    draws = [measure(dice.integers(0, lines, lines)) for _ in range(DRAWS)]
    low, high = np.quantile(draws, (0.025, 0.975))
    return Figure(value=round(measure(np.arange(lines)), 3), low=round(float(low), 3), high=round(float(high), 3))


def _macro(gold: Flags, seen: Flags, occurring: Flags) -> float:
    return float(np.mean(_f1(gold, seen)[occurring])) if occurring.any() else 0.0


def _f1(gold: Flags, seen: Flags) -> NDArray[np.float64]:
    """F1 for each column; 1 where there is nothing to find and nothing was found."""
    hit, both = (gold & seen).sum(0), gold.sum(0) + seen.sum(0)
    return np.where(both == 0, 1.0, 2 * hit / np.maximum(1, both))


def in_any(flags: Flags, axis: int) -> Flags:
    """Whether any of the flags along the axis is set."""
    return np.asarray(flags.any(axis))


def _ratio(part: int, whole: int) -> float:
    """part / whole, 1 where there is nothing to get wrong."""
    return part / whole if whole else 1.0
