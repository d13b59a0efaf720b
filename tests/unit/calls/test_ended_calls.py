"""Calls that ended here are known by the names their gateways may announce again, for a while."""

from __future__ import annotations

from service.calls.ended_calls import EndedCall, EndedCalls


def test_the_last_call_of_a_name_is_known_until_it_is_too_long_ago() -> None:
    ended = EndedCalls(within=300.0)
    ended.add(("pbx", "c-1"), "c-1", 0.0)
    ended.add(("other", "c-1"), "c-1~2", 10.0)
    ended.add(("pbx", "c-1"), "c-1~3", 20.0)
    assert ended.of(("pbx", "c-1"), 320.0) == EndedCall(call_id="c-1~3", at=20.0)
    assert ended.of(("other", "c-1"), 320.0) is None
    assert ended.of(("pbx", "c-1"), 320.1) is None
    assert ended.of(("pbx", "c-2"), 0.0) is None
