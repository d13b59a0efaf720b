"""Rules over several turns: debt named before the party is known, a request or a cry for help run over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from asr.types import LANGUAGES, Seconds, Utterance
from detectors.contract import CallContext, Finding, Jurisdiction, Observation
from detectors.matching.pattern import Pattern, PatternError, fold
from detectors.packs.law import SequenceLimit
from detectors.packs.loader import PackVocabulary
from detectors.packs.taxonomy import PACKS, Category, PackError, read_yaml
from detectors.rules.right_party import RightPartyCheck, compile_patterns, says

_VERIFIED = frozenset({"1", "true", "yes"})

DISCLOSED, CRISIS, STOP = "sequence.early_disclosure", "sequence.crisis_pressed", "sequence.stop_ignored"
"""Rules, by their ids in law.yaml."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cues:
    """What either party says that these rules turn on."""

    customer_crisis: tuple[Pattern, ...]
    customer_stop: tuple[Pattern, ...]
    agent_presses: tuple[Pattern, ...]
    agent_respects: tuple[Pattern, ...]
    agent_discloses: tuple[Pattern, ...]


def load_cues(vocabulary: PackVocabulary, path: Path = PACKS / "sequence.yaml") -> Cues:
    """Read sequence.yaml. Raises PackError."""
    raw = read_yaml(path)
    try:
        return Cues(**{str(name): compile_patterns(each, vocabulary) for name, each in raw.items()})
    except (TypeError, AttributeError, PatternError) as problem:
        raise PackError(f"{path.name}: {problem}") from problem


class SequenceDetector:
    """Watches the order of things; each rule reports once a call.

    Metadata `verified=yes` tells that the party was confirmed before the agent came on.
    """

    id: ClassVar[str] = "sequence"

    def __init__(
        self,
        categories: Mapping[str, Category],
        limits: Mapping[str, SequenceLimit],
        right_party: RightPartyCheck,
        cues: Cues,
    ) -> None:
        """Raises PackError where a rule has no limits."""
        if missing := {DISCLOSED, CRISIS, STOP} - set(limits):
            raise PackError(f"law.yaml: sequence: nothing is said of {missing.pop()}")
        self._categories = categories
        self._limits = limits
        self._right_party = right_party
        self._cues = cues

    def open(self, call: CallContext) -> SequenceCall:
        return SequenceCall(call, self._categories, self._limits, self._right_party, self._cues)


class SequenceCall:
    """One call's memory."""

    def __init__(
        self,
        call: CallContext,
        categories: Mapping[str, Category],
        limits: Mapping[str, SequenceLimit],
        right_party: RightPartyCheck,
        cues: Cues,
    ) -> None:
        self._jurisdiction: Jurisdiction = call.jurisdiction
        self._categories = categories
        self._limits = limits
        self._right_party = right_party.open()
        self._known = call.metadata.get("verified", "").strip().lower() in _VERIFIED
        self._cues = cues
        self._crisis_turns = 0  # of the agent, in which what was asked for must be done
        self._stop_turns = 0
        self._told: set[str] = set()

    def heard(self, utterance: Utterance) -> list[Observation]:
        self._right_party.heard(utterance)
        if utterance.role == "customer":
            if says(utterance.text, self._cues.customer_crisis):
                self._crisis_turns = self._limits[CRISIS].turns
            if says(utterance.text, self._cues.customer_stop):
                self._stop_turns = self._limits[STOP].turns
            return []
        return [*self._disclosed(utterance), *self._pressed(utterance)]

    def unheard(self, start: Seconds, end: Seconds) -> None:
        """The party may have been confirmed in it, the cry for help or the request answered."""
        self._known = True
        self._crisis_turns = self._stop_turns = 0

    def elapsed(self, at: Seconds) -> list[Observation]:
        return []

    def closed(self, at: Seconds) -> list[Observation]:
        return []

    def _disclosed(self, utterance: Utterance) -> list[Observation]:
        if self._known or self._right_party.confirmed_at is not None or self._right_party.denied:
            return []  # once a third party has answered, the lexical rule on third parties says it better
        return self._finding(DISCLOSED, utterance, self._cues.agent_discloses)

    def _pressed(self, utterance: Utterance) -> list[Observation]:
        if says(utterance.text, self._cues.agent_respects):
            self._crisis_turns = self._stop_turns = 0
        rule = CRISIS if self._crisis_turns == 1 else STOP if self._stop_turns == 1 else None
        self._crisis_turns, self._stop_turns = max(0, self._crisis_turns - 1), max(0, self._stop_turns - 1)
        return [] if rule is None else self._finding(rule, utterance, self._cues.agent_presses)

    def _finding(self, rule: str, utterance: Utterance, patterns: tuple[Pattern, ...]) -> list[Observation]:
        place = first_place(utterance.text, patterns)
        if place is None or rule in self._told:
            return []
        self._told.add(rule)
        limit = self._limits[rule]
        category = self._categories[limit.category]
        law = category.law[self._jurisdiction]
        start, end = utterance.span_in_time(*place)
        return [
            Finding(
                kind="violation",
                category=category.id,
                rule=rule,
                detector=SequenceDetector.id,
                severity=category.severity,
                score=limit.score,
                role="agent",
                start=start,
                end=end,
                quote=utterance.text[place[0] : place[1]],
                title=category.title,
                why=law.why,
                cites=law.cites,
                utterance_id=utterance.id,
            )
        ]


def first_place(text: str, patterns: tuple[Pattern, ...]) -> tuple[int, int] | None:
    """The earliest place one of the patterns is met, in the text's own offsets."""
    places: list[tuple[int, int]] = []
    for language in LANGUAGES:
        folded = fold(language, text)
        for pattern in patterns:
            if pattern.language == language:
                places += [folded.origin(span.begin, span.end) for span in pattern.spans(folded)]
    return min(places, default=None)
