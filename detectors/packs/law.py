"""The law's figures, read from the pack: hours, how often and whom to call, and limits of rules over several turns."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, cast, get_args

from holidays import country_holidays

from detectors.contract import HISTORY_DAYS, SAID, Jurisdiction, Said
from detectors.packs.taxonomy import JURISDICTIONS, PACKS, PackError, Taxonomy, read_yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Hours of every day, from `begins` after midnight until before `ends`. Equal bounds mean the whole day."""

    begins: time
    ends: time

    def holds(self, at: time) -> bool:
        """Whether the moment is one of the hours."""
        return at >= self.begins or at < self.ends


@dataclass(frozen=True, slots=True, kw_only=True)
class ForbiddenHours:
    """The hours in which nobody may be called: `night`, and on the days of `calendar`, a country's statutory holidays,
    `on_holidays` in its place, where there are such."""

    night: Hours
    on_holidays: Hours | None = None
    calendar: Container[date] = ()

    def hold(self, at: datetime) -> bool:
        """Whether calls are forbidden at this moment, by the moment's own clock."""
        hours = self.on_holidays if self.on_holidays and at.date() in self.calendar else self.night
        return hours.holds(at.time())


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceLimit:
    """`category`: the taxonomy's id. `score` in (0, 1]. `turns`: the agent's turn after the customer's words in which
    what was asked for must have been done, 0 where that does not count."""

    category: str
    score: float
    turns: int


YEARS: Final = range(2020, 2041)
"""The years in which holidays are known. Some are announced a year ahead; until then the calendar holds those that are
certain."""

Counts = Literal["calls", "conversations", "unanswered", "since_conversation"]
_COUNTS: tuple[Counts, ...] = get_args(Counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequencyLimit:
    """More than `most` of what it `counts` in `days` days of the debtor's calendar, today among them, is too often.
    `of_one`: metadata; calls that name another value there are not counted, empty counts all."""

    counts: Counts
    most: int
    days: int
    of_one: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoContact:
    """Who must not be called any more: `metadata` that says so, or all of one group of `said` in an earlier call and
    nothing of `unless`. `of_one`: metadata; only calls that name the same value there tell it, empty lets all."""

    category: str
    metadata: tuple[str, ...]
    said: tuple[frozenset[Said], ...]
    unless: frozenset[Said]
    of_one: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LawFigures:
    """`night` by jurisdiction, `frequency` by jurisdiction and rule, `no_contact` and `sequence` by rule."""

    night: Mapping[Jurisdiction, ForbiddenHours]
    frequency: Mapping[Jurisdiction, Mapping[str, FrequencyLimit]]
    no_contact: Mapping[str, NoContact]
    sequence: Mapping[str, SequenceLimit]


def load_law_figures(taxonomy: Taxonomy, path: Path = PACKS / "law.yaml") -> LawFigures:
    """Read law.yaml. Raises PackError."""
    raw = read_yaml(path)
    try:
        night: dict[Jurisdiction, ForbiddenHours] = {each: _forbidden(raw["night"][each]) for each in JURISDICTIONS}
        frequency: dict[Jurisdiction, Mapping[str, FrequencyLimit]] = {
            each: {str(rule): _frequency(limit) for rule, limit in raw["frequency"].get(each, {}).items()}
            for each in JURISDICTIONS
        }
        no_contact = {str(rule): _no_contact(flag) for rule, flag in raw["no_contact"].items()}
        sequence = {str(rule): _limit(limit) for rule, limit in raw["sequence"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise PackError(f"{path.name}: {problem!r}") from problem
    for rule, category in [(rule, each.category) for rule, each in (*no_contact.items(), *sequence.items())]:
        if category not in taxonomy.categories:
            raise PackError(f"{path.name}: {rule}: no category is named {category!r}")
    return LawFigures(
        night=MappingProxyType(night),
        frequency=MappingProxyType(frequency),
        no_contact=MappingProxyType(no_contact),
        sequence=MappingProxyType(sequence),
    )


def _forbidden(raw: Any) -> ForbiddenHours:
    night = _hours(raw)
    if night.begins <= night.ends:
        raise ValueError(f"a night from {night.begins} to {night.ends} does not run past midnight")
    if "holidays" not in raw:
        return ForbiddenHours(night=night)
    special = raw["holidays"]
    on_holidays = _hours(special)
    if on_holidays.begins < on_holidays.ends:
        raise ValueError(f"hours from {on_holidays.begins} to {on_holidays.ends} do not run past midnight")
    try:
        calendar = country_holidays(str(special["calendar"]), years=YEARS, expand=False)
    except NotImplementedError as problem:
        raise ValueError(f"calendar: {problem}") from problem
    return ForbiddenHours(night=night, on_holidays=on_holidays, calendar=frozenset(calendar))


def _hours(raw: Any) -> Hours:
    return Hours(begins=time.fromisoformat(raw["begins"]), ends=time.fromisoformat(raw["ends"]))


def _frequency(raw: Any) -> FrequencyLimit:
    if raw["counts"] not in _COUNTS:
        raise ValueError(f"counts: {raw['counts']!r} is none of {', '.join(_COUNTS)}")
    limit = FrequencyLimit(
        counts=cast(Counts, raw["counts"]),
        most=int(raw["most"]),
        days=int(raw["days"]),
        of_one=str(raw.get("of_one", "")),
    )
    if limit.most < 0 or not 0 < limit.days <= HISTORY_DAYS:
        raise ValueError(f"{limit} is out of bounds: nobody looks back more than {HISTORY_DAYS} days")
    return limit


def _no_contact(raw: Any) -> NoContact:
    return NoContact(
        category=str(raw["category"]),
        metadata=tuple(map(str, raw.get("metadata", ()))),
        said=tuple(_kinds(group) for group in raw.get("said", ())),
        unless=_kinds(raw.get("unless", ())),
        of_one=str(raw.get("of_one", "")),
    )


def _kinds(raw: Any) -> frozenset[Said]:
    if strange := set(raw) - set(SAID):
        raise ValueError(f"said: {strange.pop()!r} is none of {', '.join(SAID)}")
    return frozenset(each for each in SAID if each in raw)


def _limit(raw: Any) -> SequenceLimit:
    limit = SequenceLimit(category=str(raw["category"]), score=float(raw["score"]), turns=int(raw.get("turns", 0)))
    if not 0 < limit.score <= 1 or limit.turns < 0:
        raise ValueError(f"{limit} is out of bounds")
    return limit
