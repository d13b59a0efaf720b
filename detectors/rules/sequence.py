"""Rules over several turns: debt named before the party is confirmed, a request or a cry for help ignored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import ClassVar, Final, Protocol

from asr.types import Seconds, Utterance
from detectors.contract import CallContext, Conduct, Embedding, Jurisdiction, Observation, Said
from detectors.matching.pattern import Pattern, PatternError
from detectors.packs.findings import finding_of
from detectors.packs.law import SequenceLimit
from detectors.packs.loader import PackVocabulary
from detectors.packs.taxonomy import PACKS, Category, PackError, read_yaml
from detectors.rules.metadata import is_yes
from detectors.rules.right_party import RightPartyCheck
from detectors.rules.wording import Patterns, Place, compile_patterns, places, says

DISCLOSED, CRISIS, STOP = "sequence.early_disclosure", "sequence.crisis_pressed", "sequence.stop_ignored"
"""Rules, by their ids in law.yaml."""
THIRD_PARTY = "third_party_disclosure"
"""The category of the rules on single utterances that tell of a debt told to somebody else."""
SURE: Final = 1.0
"""So far above its threshold the log odds must lie that whoever answered confirmed to be the debtor."""


class StatementsOfCall(Protocol):
    """Tells the statements of one call by their meaning."""

    def heard(self, utterance: Utterance, embedding: Embedding) -> Mapping[Said | Conduct, float]:
        """How far the log odds of each kind lie above its threshold."""
        ...


class StatementsTold(Protocol):
    """Tells statements by their meaning."""

    def open(self) -> StatementsOfCall:
        """For one call."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cues:
    """Wordings of either party that these rules depend on."""

    customer_crisis: tuple[Pattern, ...]
    customer_stop: tuple[Pattern, ...]
    agent_presses: tuple[Pattern, ...]
    agent_respects: tuple[Pattern, ...]
    agent_discloses: tuple[Pattern, ...]
    agent_names_trade: tuple[Pattern, ...]


def load_cues(vocabulary: PackVocabulary, path: Path = PACKS / "sequence.yaml") -> Cues:
    """Read sequence.yaml. Raises PackError."""
    raw = read_yaml(path)
    try:
        return Cues(**{str(name): compile_patterns(each, vocabulary) for name, each in raw.items()})
    except (TypeError, AttributeError, PatternError) as problem:
        raise PackError(f"{path.name}: {problem}") from problem


class SequenceDetector:
    """Watches the order of events; each rule reports once in a call.

    Metadata `verified=yes` says that the party was confirmed before the agent joined.
    """

    id: ClassVar[str] = "sequence"

    def __init__(
        self,
        categories: Mapping[str, Category],
        limits: Mapping[str, SequenceLimit],
        right_party: RightPartyCheck,
        cues: Cues,
        tells_third_party: Patterns = (),
        statements: StatementsTold | None = None,
    ) -> None:
        """`tells_third_party`: what the rules on single utterances know of telling a third party. `statements`: tells
        who confirms to be the debtor in words that no pattern lists. Raises PackError where a rule has no limits."""
        if missing := {DISCLOSED, CRISIS, STOP} - set(limits):
            raise PackError(f"law.yaml: sequence: nothing is said of {missing.pop()}")
        self._categories = categories
        self._limits = limits
        self._right_party = right_party
        self._cues = cues
        self._tells_third_party = tells_third_party
        self._statements = statements

    def open(self, call: CallContext) -> SequenceCall:
        return SequenceCall(
            call,
            self._categories,
            self._limits,
            self._right_party,
            self._cues,
            self._tells_third_party,
            self._statements,
        )


class SequenceCall:
    """One call's memory."""

    def __init__(
        self,
        call: CallContext,
        categories: Mapping[str, Category],
        limits: Mapping[str, SequenceLimit],
        right_party: RightPartyCheck,
        cues: Cues,
        tells_third_party: Patterns,
        statements: StatementsTold | None,
    ) -> None:
        self._jurisdiction: Jurisdiction = call.jurisdiction
        self._categories = categories
        self._limits = limits
        self._right_party = right_party.open()
        self._known = is_yes(call.metadata, "verified")
        self._cues = cues
        self._tells_third_party = tells_third_party
        self._statements = statements.open() if statements else None
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

    def understood(self, utterance: Utterance, embedding: Embedding) -> list[Observation]:
        """As `heard`; whoever answers may also confirm by the meaning of the answer."""
        observed = self.heard(utterance)
        if self._statements is not None and not self._known:
            told = self._statements.heard(utterance, embedding)
            if not self._right_party.denied and told.get("confirms_identity", -inf) >= SURE:
                self._known = True
        return observed

    def unheard(self, start: Seconds, end: Seconds) -> None:
        """A gap. In it the party may have been confirmed, or the cry for help or the request answered."""
        self._known = True
        self._crisis_turns = self._stop_turns = 0

    def elapsed(self, at: Seconds) -> list[Observation]:
        return []

    def closed(self, at: Seconds) -> list[Observation]:
        return []

    def _disclosed(self, utterance: Utterance) -> list[Observation]:
        if self._known or self._right_party.confirmed_at is not None:
            return []
        if self._right_party.denied and says(utterance.text, self._tells_third_party):
            self._told.add(DISCLOSED)  # the rule on third parties says it better, and one alert is enough
            return []
        trades = places(utterance.text, self._cues.agent_names_trade)
        told = [each for each in places(utterance.text, self._cues.agent_discloses) if not _within(each, trades)]
        return self._finding(DISCLOSED, utterance, told)

    def _pressed(self, utterance: Utterance) -> list[Observation]:
        if says(utterance.text, self._cues.agent_respects):
            self._crisis_turns = self._stop_turns = 0
        rule = CRISIS if self._crisis_turns == 1 else STOP if self._stop_turns == 1 else None
        self._crisis_turns, self._stop_turns = max(0, self._crisis_turns - 1), max(0, self._stop_turns - 1)
        return [] if rule is None else self._finding(rule, utterance, places(utterance.text, self._cues.agent_presses))

    def _finding(self, rule: str, utterance: Utterance, seen: Sequence[Place]) -> list[Observation]:
        if not seen or rule in self._told:
            return []
        self._told.add(rule)
        place = seen[0]
        limit = self._limits[rule]
        start, end = utterance.span_in_time(*place)
        return [
            finding_of(
                self._categories[limit.category],
                self._jurisdiction,
                rule=rule,
                detector=SequenceDetector.id,
                score=limit.score,
                start=start,
                end=end,
                quote=utterance.text[place[0] : place[1]],
                utterance_id=utterance.id,
            )
        ]


def _within(place: Place, trades: Sequence[Place]) -> bool:
    """Whether a cue is part of a trade's name: 逾期 in 逾期服务组 names no debt."""
    return any(begin < place[1] and place[0] < end for begin, end in trades)
