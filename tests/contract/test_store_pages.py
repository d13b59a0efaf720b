"""What every store must do: find calls and alerts, and hand them out in pages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.storage.port import AlertQuery, CallQuery, InvalidCursor, Store
from tests import scenes
from tests.scenes import AT

HOUR = timedelta(hours=1)


async def _found(store: Store, query: CallQuery) -> list[str]:
    return [summary.call.id for summary in (await store.calls(query)).calls]


@pytest.fixture
async def floor(store: Store) -> Store:
    """Four calls, an hour apart, `c0` the newest."""
    await store.append("c0", [scenes.opened("c0", agent="mei", customer="A-100%"), scenes.heard("c0")], AT)
    await store.append("c1", [scenes.opened("c1", agent="lee", started_at=AT - HOUR), scenes.raised("a1", "c1")], AT)
    await store.append("c2", [scenes.opened("c2", agent="mei", started_at=AT - 2 * HOUR)], AT)
    await store.append("c2", [scenes.heard("c2", text="我_要 Lawyer 起诉"), scenes.raised("a2", "c2")], AT)
    await store.append("c2", [scenes.closed()], AT)
    await store.append("c3", [scenes.opened("c3", agent="lee", started_at=AT - 3 * HOUR), scenes.closed()], AT)
    await store.change_alert("a2", "dismissed", "mei", AT, "")
    return store


QUERIES = {
    "all, newest first": (CallQuery(), ["c0", "c1", "c2", "c3"]),
    "live": (CallQuery(state="live"), ["c0", "c1"]),
    "ended": (CallQuery(state="ended"), ["c2", "c3"]),
    "flagged: an alert nobody dismissed": (CallQuery(flagged=True), ["c1"]),
    "not flagged": (CallQuery(flagged=False), ["c0", "c2", "c3"]),
    "by agent": (CallQuery(agent="mei"), ["c0", "c2"]),
    "since, that moment included": (CallQuery(since=AT - HOUR), ["c0", "c1"]),
    "until, that moment excluded": (CallQuery(until=AT - HOUR), ["c2", "c3"]),
    "said, in Chinese": (CallQuery(text="起诉"), ["c2"]),
    "said, in any case": (CallQuery(text="lawyer"), ["c2"]),
    "in the agent's name": (CallQuery(text="LEE"), ["c1", "c3"]),
    "in the customer's reference": (CallQuery(text="a-100"), ["c0"]),
    "in the call's id": (CallQuery(text="C3"), ["c3"]),
    "a percent sign is a percent sign": (CallQuery(text="0%"), ["c0"]),
    "and nothing more": (CallQuery(text="A%0"), []),
    "an underscore is an underscore": (CallQuery(text="我_要"), ["c2"]),
    "and no other character": (CallQuery(text="起_"), []),
    "a slash is a slash": (CallQuery(text="/"), []),
    "what no database takes": (CallQuery(text="\x00\ud800"), []),
    "all at once": (CallQuery(state="ended", agent="mei", text="起诉", flagged=False, since=AT - 3 * HOUR), ["c2"]),
}


@pytest.mark.parametrize("name", QUERIES)
async def test_calls_are_found(floor: Store, name: str) -> None:
    query, expected = QUERIES[name]
    assert await _found(floor, query) == expected


async def test_pages_of_calls_hold_each_once_though_new_ones_come_in_between(store: Store) -> None:
    for number in range(7):  # three of them started at the very same moment
        started_at = AT - timedelta(microseconds=max(number, 3))
        await store.append(f"c{number}", [scenes.opened(f"c{number}", started_at=started_at)], AT)
    seen: list[str] = []
    cursor = None
    while True:
        page = await store.calls(CallQuery(limit=2, cursor=cursor))
        seen += [summary.call.id for summary in page.calls]
        await store.append(f"new{len(seen)}", [scenes.opened(f"new{len(seen)}", started_at=AT + HOUR)], AT)
        if page.next is None:
            break
        cursor = page.next
    assert len(seen) == 7
    assert set(seen) == {f"c{number}" for number in range(7)}


async def test_last_page_says_that_nothing_follows(floor: Store) -> None:
    page = await floor.calls(CallQuery(limit=4))
    assert (len(page.calls), page.next) == (4, None)
    assert (await floor.calls(CallQuery(limit=3))).next is not None


@pytest.mark.parametrize("limit", [-1, 0, 10_000])
async def test_page_size_is_kept_in_bounds(floor: Store, limit: int) -> None:
    page = await floor.calls(CallQuery(limit=limit))
    assert len(page.calls) == (4 if limit > 0 else 1)


@pytest.mark.parametrize("cursor", ["", "x", "bm8=", "MjAyNi0wMy0wMiBj", "\x00", "é"])
async def test_cursor_that_is_none_is_refused(floor: Store, cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        await floor.calls(CallQuery(cursor=cursor))
    with pytest.raises(InvalidCursor):
        await floor.alerts(AlertQuery(cursor=cursor))


@pytest.fixture
async def feed(store: Store) -> Store:
    """Six alerts of two calls, `a0` the newest."""
    for call_id in ("c0", "c1"):
        await store.append(call_id, [scenes.opened(call_id)], AT)
    for number, severity in enumerate(("critical", "high", "medium", "low", "high", "critical")):
        call_id = f"c{number % 2}"
        raised_at = AT - timedelta(seconds=number)
        await store.append(call_id, [scenes.raised(f"a{number}", call_id, severity=severity, raised_at=raised_at)], AT)
    await store.change_alert("a1", "acknowledged", "mei", AT, "")
    await store.change_alert("a2", "confirmed", "mei", AT, "")
    await store.change_alert("a3", "dismissed", "mei", AT, "")
    return store


ALERT_QUERIES = {
    "all, newest first": (AlertQuery(), ["a0", "a1", "a2", "a3", "a4", "a5"]),
    "undecided": (AlertQuery(states=("open", "acknowledged")), ["a0", "a1", "a4", "a5"]),
    "severe": (AlertQuery(severities=("critical", "high")), ["a0", "a1", "a4", "a5"]),
    "of a call": (AlertQuery(call_id="c1"), ["a1", "a3", "a5"]),
    "of a call nobody knows": (AlertQuery(call_id="none"), []),
    "all at once": (AlertQuery(states=("open",), severities=("critical",), call_id="c1"), ["a5"]),
}


@pytest.mark.parametrize("name", ALERT_QUERIES)
async def test_alerts_are_found(feed: Store, name: str) -> None:
    query, expected = ALERT_QUERIES[name]
    assert [alert.id for alert in (await feed.alerts(query)).alerts] == expected


async def test_pages_of_alerts_hold_each_once(feed: Store) -> None:
    first = await feed.alerts(AlertQuery(limit=4))
    second = await feed.alerts(AlertQuery(limit=4, cursor=first.next))
    assert [alert.id for alert in (*first.alerts, *second.alerts)] == ["a0", "a1", "a2", "a3", "a4", "a5"]
    assert second.next is None


async def test_a_page_of_alerts_tells_whose_calls_they_are(feed: Store) -> None:
    page = await feed.alerts(AlertQuery(limit=4))
    told = [call.id for call in page.calls]
    assert told == list(dict.fromkeys(alert.call_id for alert in page.alerts)), "each once, in the order of the alerts"
    assert page.calls[0] == (await feed.summary(told[0])).call
    assert (await feed.alerts(AlertQuery(call_id="none"))).calls == ()
