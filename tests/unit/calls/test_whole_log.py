"""What is stored and what is kept are one log, wherever the one ends and the other begins."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from service.calls.whole_log import opens, whole_log
from service.record.facts import CallClosed, DtmfPressed, Fact
from tests import scenes

FACTS: list[Fact] = [
    scenes.opened("c-1"),
    scenes.heard("c-1"),
    DtmfPressed(digit="1", at=2.0),
    DtmfPressed(digit="1", at=2.0),
    scenes.closed(),
]
KEPT = [(fact, scenes.AT + timedelta(seconds=seq)) for seq, fact in enumerate(FACTS)]
LOG = whole_log("c-1", [], KEPT)


def test_a_log_that_is_wholly_kept_counts_and_folds_as_a_stored_one() -> None:
    assert [logged.seq for logged in LOG] == [1, 2, 3, 4, 5]
    assert LOG[-1].summary.state == "ended"
    assert isinstance(LOG[-1].fact, CallClosed)
    assert opens(KEPT)
    assert not opens(KEPT[1:])
    assert not opens([])


@given(stored=st.integers(1, len(FACTS)), both=st.integers(0, len(FACTS)))
def test_what_is_kept_and_stored_by_now_counts_once(stored: int, both: int) -> None:
    log = whole_log("c-1", LOG[:stored], KEPT[max(0, stored - both) :])
    assert [(each.seq, each.fact, each.at) for each in log] == [(each.seq, each.fact, each.at) for each in LOG]
    assert log[-1].summary == LOG[-1].summary
