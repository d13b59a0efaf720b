"""Statements that belong into the record of a call: promises with their amount and day, disputes, hardship, and what
the agent did well. They are told by meaning, so without an encoder there are none."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import ClassVar, Final

from asr.types import Seconds, Utterance
from detectors.contract import (
    CallContext,
    Currency,
    Embedding,
    Observation,
    Statement,
)
from detectors.facts.amounts import amounts_in
from detectors.facts.days import days_in, hours_in, is_now
from detectors.facts.statements import Kind, Statements
from detectors.semantic.heads import sigmoid
from detectors.timezones.debtor import possible_zones

OFFER_TURNS: Final = 2
"""A customer agrees to what the agent has proposed within so many turns."""
MOST_OF_A_KIND: Final = 20
"""So many statements of one kind are told in a call."""
_REPEATED: Final[frozenset[Kind]] = frozenset({"promise", "confirms_promise", "callback"})
"""Kinds that are told each time, because amount and day may change. Of the other kinds only the first statement is
told."""


class FactsDetector:
    """Tells the statements of both parties."""

    id: ClassVar[str] = "facts"

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def open(self, call: CallContext) -> FactsCall:
        zone = possible_zones(call.timezone, call.metadata, call.jurisdiction)[0]
        usual = "GBP" if call.jurisdiction == "UK" else "USD"
        return FactsCall(self._statements, call.started_at.astimezone(zone.clock).date(), usual)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """Money and time that an utterance names."""

    amount: Decimal | None = None
    currency: Currency | None = None
    day: date | None = None

    def __bool__(self) -> bool:
        return self.amount is not None or self.day is not None


class FactsCall:
    """One call's last turns, and what the agent proposed in them."""

    def __init__(self, statements: Statements, today: date, usual: Currency) -> None:
        self._statements = statements.open()
        self._usual: Currency = usual
        self._thresholds = statements.thresholds
        self._today = today
        self._offers: deque[_Terms] = deque(maxlen=OFFER_TURNS)
        self._told: dict[Kind, int] = {}

    def heard(self, utterance: Utterance) -> list[Observation]:
        return []

    def understood(self, utterance: Utterance, embedding: Embedding) -> list[Observation]:
        """At most one statement of each kind."""
        told = [
            self._statement(kind, above + self._thresholds[kind], utterance)
            for kind, above in self._statements.heard(utterance, embedding).items()
            if above >= 0 and self._is_news(kind)
        ]
        if utterance.role == "agent":
            self._offers.append(self._terms(utterance))
        return list(told)

    def elapsed(self, at: Seconds) -> list[Observation]:
        return []

    def closed(self, at: Seconds) -> list[Observation]:
        return []

    def _is_news(self, kind: Kind) -> bool:
        times = self._told.get(kind, 0)
        self._told[kind] = times + 1
        return times < (MOST_OF_A_KIND if kind in _REPEATED else 1)

    def _statement(self, kind: Kind, log_odds: float, utterance: Utterance) -> Statement:
        statement = Statement(
            kind=kind,
            role=utterance.role,
            start=utterance.start,
            end=utterance.end,
            quote=utterance.text,
            utterance_id=utterance.id,
            score=round(sigmoid(log_odds), 3),
        )
        if kind in ("promise", "confirms_promise"):
            terms = self._agreed(utterance)
            return replace(statement, amount=terms.amount, currency=terms.currency, day=terms.day)
        if kind == "callback":
            hours = hours_in(utterance.text, utterance.language)
            return replace(statement, day=self._terms(utterance).day, hour=hours[-1].hour if hours else None)
        return statement

    def _agreed(self, utterance: Utterance) -> _Terms:
        """The terms that the speaker agrees to: the speaker's own, completed by those that the agent has proposed."""
        own = self._terms(utterance)
        if utterance.role == "agent":
            return own
        offer = next((each for each in reversed(self._offers) if each), _Terms())
        if own.amount is None:
            own = replace(own, amount=offer.amount, currency=offer.currency)
        return own if own.day is not None else replace(own, day=offer.day)

    def _terms(self, utterance: Utterance) -> _Terms:
        """The last terms of an utterance. Somebody who corrects himself says the right ones last."""
        amounts = amounts_in(utterance.text, utterance.language, of_money=True, usual=self._usual)
        days = days_in(utterance.text, utterance.language, self._today)
        return _Terms(
            amount=amounts[-1].value if amounts else None,
            currency=amounts[-1].currency if amounts else None,
            day=days[-1].day if days else self._today if is_now(utterance.text) else None,
        )
