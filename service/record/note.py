"""The record that is kept of a call's outcome (催记): drafted from what was said, corrected by people. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal

from detectors.contract import CONDUCT, SAID, Conduct, Currency, Said, Statement

LONGEST_TEXT = 4000
"""Characters of a note's own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallNote:
    """`outcomes` and `conduct`: what the debtor's side said and what the agent did, each once, in the order of their
    kinds. The promise's terms and the hour to call back are None where none were said or nobody promised."""

    outcomes: tuple[Said, ...] = ()
    conduct: tuple[Conduct, ...] = ()
    promise_amount: Decimal | None = None
    promise_currency: Currency | None = None
    promise_day: date | None = None
    callback_day: date | None = None
    callback_hour: time | None = None
    text: str = ""


def drafted(statements: Sequence[Statement]) -> CallNote:
    """The note drafted from these statements, in their order. Later words count more. If an agent repeats what was
    agreed, that fills in what the promise left open."""
    kinds = {statement.kind for statement in statements}
    promises = [each for each in statements if each.kind == "promise"]
    agreed = [each for each in statements if each.kind in ("promise", "confirms_promise")] if promises else []
    callbacks = [each for each in statements if each.kind == "callback"]
    amount = next((each for each in reversed(agreed) if each.amount is not None), None)
    return CallNote(
        outcomes=tuple(kind for kind in SAID if kind in kinds),
        conduct=tuple(kind for kind in CONDUCT if kind in kinds),
        promise_amount=amount.amount if amount else None,
        promise_currency=amount.currency if amount else None,
        promise_day=next((each.day for each in reversed(agreed) if each.day is not None), None),
        callback_day=next((each.day for each in reversed(callbacks) if each.day is not None), None),
        callback_hour=next((each.hour for each in reversed(callbacks) if each.hour is not None), None),
    )
