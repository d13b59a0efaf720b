"""Duties that the agent must do by a certain time. A missed one is told as soon as its time has passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

from asr.types import Seconds, Utterance
from detectors.contract import CONDUCT, CallContext, Conduct, Embedding, Finding, Jurisdiction, Observation
from detectors.duties.missed import missed_duty
from detectors.facts.statements import DOUBT, Statements
from detectors.matching.pattern import Pattern, PatternError, folds
from detectors.packs.loader import PackVocabulary
from detectors.packs.taxonomy import PACKS, Category, PackError, Taxonomy, read_yaml
from detectors.rules.right_party import RightPartyCheck
from detectors.rules.wording import compile_patterns, says

From = Literal["first_word", "verified"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Duty:
    """One duty with its window. `needs`: groups of patterns, each of which must be met, or `by`: statements, any one of
    which does it as well where there is an encoder; `denials` say the contrary. Without an encoder a duty that needs no
    pattern is not owed."""

    category: Category
    begins: From
    seconds: Seconds
    at_latest: Seconds | None
    met_by: Mapping[str, tuple[str, ...]]
    needs: tuple[tuple[Pattern, ...], ...]
    by: tuple[Conduct, ...]
    denials: tuple[Pattern, ...]

    def met_before_the_call(self, metadata: Mapping[str, str]) -> bool:
        """Whether an announcement before the call has done it already."""
        return any(metadata.get(key, "").lower() in values for key, values in self.met_by.items())


def load_duties(taxonomy: Taxonomy, vocabulary: PackVocabulary, path: Path = PACKS / "duties.yaml") -> tuple[Duty, ...]:
    """Read and check duties.yaml. Raises PackError."""
    duties: list[Duty] = []
    for name, raw in read_yaml(path).items():
        where = f"{path.name}: {name}"
        if name not in taxonomy.duties:
            raise PackError(f"{where}: the taxonomy has no such duty")
        try:
            duties.append(_duty(taxonomy.duties[name], raw, vocabulary))
        except (KeyError, TypeError, AttributeError, PatternError) as problem:
            raise PackError(f"{where}: {problem}") from problem
    return tuple(duties)


def _duty(category: Category, raw: Any, vocabulary: PackVocabulary) -> Duty:
    needs = tuple(compile_patterns(group, vocabulary) for group in raw.get("needs", ()))
    named = set(map(str, raw.get("by", ())))
    by: tuple[Conduct, ...] = tuple(each for each in CONDUCT if each in named)
    if len(by) < len(named) or not (needs or by):
        raise KeyError(f"by: {sorted(named - set(CONDUCT))} are no conduct" if named else "neither needs nor by")
    return Duty(
        category=category,
        begins=cast(From, raw["from"]),
        seconds=float(raw["seconds"]),
        at_latest=float(raw["at_latest"]) if "at_latest" in raw else None,
        met_by={key: tuple(map(str, values)) for key, values in raw.get("met_by", {}).items()},
        needs=needs,
        by=by,
        denials=compile_patterns(raw.get("denials", {}), vocabulary),
    )


class DutiesDetector:
    """Watches all duties of the call's jurisdiction."""

    id: ClassVar[str] = "duties"

    def __init__(
        self, duties: Sequence[Duty], right_party: RightPartyCheck, statements: Statements | None = None
    ) -> None:
        """Without `statements` only the patterns tell what was done."""
        self._duties = [duty for duty in duties if duty.needs or statements]
        self._right_party = right_party
        self._statements = statements

    def open(self, call: CallContext) -> DutiesCall:
        owed = [
            duty
            for duty in self._duties
            if call.jurisdiction in duty.category.law and not duty.met_before_the_call(call.metadata)
        ]
        return DutiesCall(owed, call.jurisdiction, self._right_party, self._statements)


@dataclass(slots=True, kw_only=True)
class _OwedDuty:
    duty: Duty
    met: dict[int, Seconds] = field(default_factory=dict)
    """When each group was first met."""
    stated: Seconds = inf
    """When it was done, by the meaning of what was said."""

    def done_by(self, deadline: Seconds) -> bool:
        """Whether the duty was done by then, in its words or by their meaning."""
        worded = max(self.met.values(), default=inf) if len(self.met) == len(self.duty.needs) else inf
        return min(worded, self.stated) <= deadline


class DutiesCall:
    """The duties of one call that are still owed."""

    def __init__(
        self,
        duties: Sequence[Duty],
        jurisdiction: Jurisdiction,
        right_party: RightPartyCheck,
        statements: Statements | None = None,
    ) -> None:
        self._jurisdiction: Jurisdiction = jurisdiction
        self._owed = [_OwedDuty(duty=duty) for duty in duties]
        self._right_party = right_party.open()
        self._statements = statements.open() if statements else None
        self._first_word: Seconds | None = None
        self._unheard: list[Seconds] = []
        """Where stretches begin that nobody has read."""
        self._worded: list[Seconds] = []
        """Where words begin that were read, and whose meaning is not known."""

    def unheard(self, start: Seconds, end: Seconds) -> None:
        """A duty may have been done in it."""
        self._unheard.append(start)

    def heard(self, utterance: Utterance) -> list[Observation]:
        """Where meanings are asked for and this one's did not come, a duty may have been done in other words."""
        if self._statements is not None and utterance.role == "agent":
            self._worded.append(utterance.start)
        return self._read(utterance)

    def _read(self, utterance: Utterance) -> list[Observation]:
        self._right_party.heard(utterance)
        if utterance.role != "agent":
            return []
        if self._first_word is None:
            self._first_word = utterance.start
        for owed in self._owed:
            self._note(owed, utterance)
        return []

    def understood(self, utterance: Utterance, embedding: Embedding) -> list[Observation]:
        told = self._read(utterance)
        if self._statements is None:
            return told
        done = {kind for kind, above in self._statements.heard(utterance, embedding).items() if above >= -DOUBT}
        for owed in self._owed:
            if not done.isdisjoint(owed.duty.by) and not says(utterance.text, owed.duty.denials):
                owed.stated = min(owed.stated, utterance.start)
        return told

    def elapsed(self, at: Seconds) -> list[Observation]:
        return self._due(at, closing=False)

    def closed(self, at: Seconds) -> list[Observation]:
        return self._due(at, closing=True) if self._first_word is not None else []

    def _note(self, owed: _OwedDuty, utterance: Utterance) -> None:
        """Records what the utterance does. Words late in a long turn count from where they were said, not from the
        turn's start."""
        if says(utterance.text, owed.duty.denials):
            return
        folds_by_language = folds(utterance.text)
        for group, patterns in enumerate(owed.duty.needs):
            if group in owed.met:
                continue
            for pattern in patterns:
                folded = folds_by_language.get(pattern.language)
                span = next(iter(pattern.spans(folded)), None) if folded else None
                if folded and span is not None:
                    owed.met[group] = utterance.span_in_time(*folded.origin(span.begin, span.end))[0]
                    break

    def _due(self, at: Seconds, *, closing: bool) -> list[Observation]:
        """The missed duties whose time has come. At the call's end these are all that were not done."""
        missed: list[Observation] = []
        for owed in list(self._owed):
            deadline = self._deadline(owed.duty)
            if deadline is None and not closing:
                continue
            if deadline is None and owed.duty.begins == "verified" and owed.duty.at_latest is None:
                self._owed.remove(owed)  # it is for the debtor's ears, who was never known to listen
                continue
            deadline = at if deadline is None else deadline
            if owed.done_by(deadline):
                self._owed.remove(owed)
            elif at >= deadline or closing:
                self._owed.remove(owed)
                if owed.duty.begins == "verified" and self._right_party.denied:
                    continue  # a third party must not hear that a debt is collected: 15 U.S.C. 1692b(2)
                maybe = [*self._unheard, *(self._worded if owed.duty.by else ())]
                if any(start < deadline for start in maybe):
                    continue  # nobody can tell
                missed.append(self._finding(owed.duty, min(at, deadline)))
        return missed

    def _deadline(self, duty: Duty) -> Seconds | None:
        if self._first_word is None:
            return None
        if duty.begins == "first_word":
            return self._first_word + duty.seconds
        if self._right_party.confirmed_at is not None:
            return self._right_party.confirmed_at + duty.seconds
        return None if duty.at_latest is None else self._first_word + duty.at_latest

    def _finding(self, duty: Duty, deadline: Seconds) -> Finding:
        start = self._first_word or 0.0
        return missed_duty(duty.category, self._jurisdiction, DutiesDetector.id, 0.9, start, max(deadline, start))
