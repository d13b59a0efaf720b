"""Which way an alert may be moved by a person. Pure; the store asks here before it writes a change."""

from __future__ import annotations

from typing import Literal, get_args

from service.record.facts import AlertState

Change = Literal["acknowledged", "confirmed", "dismissed"]

_ALLOWED: dict[AlertState, frozenset[AlertState]] = {
    "open": frozenset(get_args(Change)),
    "acknowledged": frozenset({"confirmed", "dismissed"}),
    # A decision may be corrected. It is never undone: somebody has judged the alert, and the record says so.
    "confirmed": frozenset({"dismissed"}),
    "dismissed": frozenset({"confirmed"}),
}


def may_change(present: AlertState, to: AlertState) -> bool:
    """Whether an alert in `present` may be moved to `to`. Moving to the same state is no move: a second
    supervisor who acknowledges is told that the first one did."""
    return to in _ALLOWED[present]
