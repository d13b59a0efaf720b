"""What the agent owes in answer to what the debtor says: options on hardship, a request to stop respected.

Both sides are read by meaning (`detectors/facts/statements.py`), so without an encoder nothing is told. A duty is
missed once the agent has spoken so many turns without it, and taken back where the agent does it later in the call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from asr.types import Seconds, Utterance
from detectors.contract import (
    CONDUCT,
    SAID,
    Bilingual,
    CallContext,
    Conduct,
    Embedding,
    Finding,
    Jurisdiction,
    Observation,
    Said,
    Withdrawn,
)
from detectors.duties.missed import missed_duty
from detectors.facts.statements import DOUBT, SURE, Kind, Statements
from detectors.packs.taxonomy import PACKS, Category, PackError, Taxonomy, read_yaml
from detectors.sentences import A_TURN, last_sentence, unit_count

_DONE_LATER = Bilingual(zh="坐席在本次通话后续已做到。", en="The agent did it later in the call.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One duty: after one of `asked_by` the agent does one of `met_by` within `turns` turns."""

    category: Category
    asked_by: frozenset[Said]
    met_by: frozenset[Conduct]
    turns: int


def load_responses(taxonomy: Taxonomy, path: Path = PACKS / "responses.yaml") -> tuple[Response, ...]:
    """Read and check responses.yaml. Raises PackError."""
    responses: list[Response] = []
    for name, raw in read_yaml(path).items():
        try:
            responses.append(_response(taxonomy.duties[name], raw))
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            raise PackError(f"{path.name}: {name}: {problem!r}") from problem
    return tuple(responses)


def _response(category: Category, raw: Any) -> Response:
    asked, met, turns = set(map(str, raw["asked_by"])), set(map(str, raw["met_by"])), int(raw["turns"])
    if strange := (asked - set(SAID)) | (met - set(CONDUCT)):
        raise ValueError(f"no statement is called {min(strange)!r}")
    if turns < 1 or not asked or not met:
        raise ValueError("a duty is asked for and met by something, within a turn or more")
    return Response(
        category=category,
        asked_by=frozenset(each for each in SAID if each in asked),
        met_by=frozenset(each for each in CONDUCT if each in met),
        turns=turns,
    )


class ResponsesDetector:
    """Watches all such duties of the call's jurisdiction."""

    id: ClassVar[str] = "responses"

    def __init__(self, responses: Sequence[Response], statements: Statements) -> None:
        self._responses = responses
        self._statements = statements

    def open(self, call: CallContext) -> ResponsesCall:
        owed = [each for each in self._responses if call.jurisdiction in each.category.law]
        return ResponsesCall(owed, self._statements, call.jurisdiction)


@dataclass(slots=True, kw_only=True)
class _OwedResponse:
    """A duty of one call. `asked`: the utterance that asks for it, while it is owed. `turns`: how many of the agent's
    turns since then are over. `speaks_until`: where the present turn ends so far. `told`: the finding that it was
    missed."""

    duty: Response
    asked: Utterance | None = None
    turns: int = 0
    speaks_until: Seconds | None = None
    told: Finding | None = None

    def ask(self, utterance: Utterance) -> None:
        """The debtor asks for it."""
        self.asked, self.turns, self.speaks_until = utterance, 0, None

    def turn_over(self) -> bool:
        """The agent's turn ends. Returns whether it was the last one in which the duty could be done."""
        if self.asked is None or self.speaks_until is None:
            return False
        self.turns += 1
        return self.turns >= self.duty.turns


class ResponsesCall:
    """The duties of one call. A duty that was met can be asked for anew; one that was missed is told once.

    A turn of the agent lasts until the customer says more than a word or two, however often the agent pauses.
    """

    def __init__(self, duties: Sequence[Response], statements: Statements, jurisdiction: Jurisdiction) -> None:
        self._owed = [_OwedResponse(duty=duty) for duty in duties]
        self._statements = statements.open()
        self._jurisdiction: Jurisdiction = jurisdiction

    def heard(self, utterance: Utterance) -> list[Observation]:
        """An utterance whose meaning is unknown. It may have been anything, so it counts as a gap."""
        if utterance.role == "agent":
            self.unheard(utterance.start, utterance.end)
        return []

    def understood(self, utterance: Utterance, embedding: Embedding) -> list[Observation]:
        above = self._statements.heard(utterance, embedding)
        least = SURE if utterance.role == "customer" else -DOUBT
        kinds: frozenset[Kind] = frozenset(kind for kind, margin in above.items() if margin >= least)
        if utterance.role == "agent":
            return [each for owed in self._owed for each in self._acted(owed, kinds, utterance)]
        missed = self._missed() if unit_count(utterance.text) >= A_TURN else []
        for owed in self._owed:
            if owed.asked is None and owed.told is None and kinds & owed.duty.asked_by:
                owed.ask(utterance)
        return missed

    def unheard(self, start: Seconds, end: Seconds) -> None:
        """A gap. The duty may have been done in it."""
        for owed in self._owed:
            owed.asked = None

    def elapsed(self, at: Seconds) -> list[Observation]:
        return []

    def closed(self, at: Seconds) -> list[Observation]:
        return self._missed()

    def _acted(self, owed: _OwedResponse, kinds: frozenset[Kind], utterance: Utterance) -> list[Observation]:
        told = owed.told
        if kinds & owed.duty.met_by:
            owed.asked = owed.told = None
            return [] if told is None else [_taken_back(told)]
        if owed.asked is not None and utterance.start >= owed.asked.end and utterance.text.strip():
            owed.speaks_until = utterance.end
        return []

    def _missed(self) -> list[Observation]:
        """The duties whose last turn is over and that were not done."""
        missed: list[Observation] = []
        for owed in self._owed:
            asked, end = owed.asked, owed.speaks_until
            if owed.turn_over() and asked is not None and end is not None:
                owed.told, owed.asked = self._finding(owed.duty, asked, end), None
                missed.append(owed.told)
            owed.speaks_until = None
        return missed

    def _finding(self, duty: Response, asked: Utterance, end: Seconds) -> Finding:
        missed = missed_duty(duty.category, self._jurisdiction, ResponsesDetector.id, 0.7, asked.start, end)
        return replace(missed, lead=last_sentence(asked.text), lead_role="customer")


def _taken_back(told: Finding) -> Withdrawn:
    return Withdrawn(rule=told.rule, role=told.role, start=told.start, end=told.end, why=_DONE_LATER)
