"""The record of a call as it is drafted."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Any

from asr.types import Role
from detectors.contract import Conduct, Said, Statement
from service.record.note import CallNote, drafted


def statement(kind: Said | Conduct, **terms: Any) -> Statement:
    role: Role = "customer" if kind in ("promise", "callback", "hardship", "dispute") else "agent"
    return Statement(kind=kind, role=role, start=1.0, end=2.0, quote="…", utterance_id="u", score=0.9, **terms)


def test_nothing_said_makes_an_empty_record():
    assert drafted([]) == CallNote()


def test_later_terms_take_the_place_of_earlier_ones():
    note = drafted(
        [
            statement("promise", amount=Decimal(500), currency="CNY", day=date(2026, 12, 1)),
            statement("hardship"),
            statement("promise", amount=Decimal(300), currency="CNY"),
            statement("callback", day=date(2026, 12, 2), hour=time(15)),
        ]
    )
    assert note.outcomes == ("promise", "hardship", "callback")
    assert (note.promise_amount, note.promise_currency, note.promise_day) == (Decimal(300), "CNY", date(2026, 12, 1))
    assert (note.callback_day, note.callback_hour) == (date(2026, 12, 2), time(15))


def test_what_the_agent_repeats_fills_in_what_the_promise_left_open():
    repeated = statement("confirms_promise", amount=Decimal(800), currency="CNY", day=date(2026, 12, 15))
    note = drafted([statement("promise"), repeated])
    assert (note.promise_amount, note.promise_day) == (Decimal(800), date(2026, 12, 15))
    assert note.conduct == ("confirms_promise",)


def test_what_nobody_promised_has_no_terms():
    repeated = statement("confirms_promise", amount=Decimal(800), currency="CNY")
    assert drafted([repeated]).promise_amount is None
