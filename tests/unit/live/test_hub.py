from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from asr.types import Role
from service.live.hub import HubLimits, LiveHub, Subscription
from service.live.messages import Event, Health, HealthChanged, Levels, LiveMessage, Partial, Resync, Snapshot
from service.record.facts import CallResumed, Fact
from service.storage.port import LoggedFact
from tests import scenes
from tests.fakes.store import WatchedStore
from tests.scenes import AT

HEALTH = Health(model="base", live_calls=1, max_calls=16, backlog=0.0)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[WatchedStore]:
    store = WatchedStore(f"sqlite:///{tmp_path / 'c.db'}")
    await store.open()
    yield store
    await store.close()


class ShownFloor:
    """A hub, and calls whose facts are stored and published the way the journal does it."""

    def __init__(self, store: WatchedStore, **limits: int) -> None:
        self.store = store
        self.drops = 0
        self.hub = LiveHub(
            store, health=lambda: HEALTH, wall=lambda: AT, dropped=self._dropped, limits=HubLimits(**limits)
        )

    async def tell(self, call_id: str, *facts: Fact) -> Sequence[LoggedFact]:
        logged = await self.store.append(call_id, facts, AT)
        self.hub.publish(*logged)
        return logged

    def _dropped(self) -> None:
        self.drops += 1


@pytest.fixture
def floor(store: WatchedStore) -> ShownFloor:
    return ShownFloor(store)


async def take(subscription: AsyncIterator[LiveMessage], count: int) -> list[LiveMessage]:
    async with asyncio.timeout(30):
        return [await anext(subscription) for _ in range(count)]


async def waiting(messages: AsyncIterator[LiveMessage]) -> asyncio.Task[LiveMessage]:
    """The next message, asked for by a task that has begun to wait."""

    async def next_message() -> LiveMessage:
        return await anext(messages)

    task = asyncio.create_task(next_message())
    await asyncio.sleep(0)
    return task


def seqs(messages: Sequence[LiveMessage]) -> list[tuple[str, int]]:
    return [(message.call_id, message.seq) for message in messages if isinstance(message, Event)]


async def test_dashboard_sees_live_calls_and_undecided_alerts_then_what_happens(floor: ShownFloor) -> None:
    await floor.tell("over", scenes.opened("over"), scenes.raised("old", "over"), scenes.closed())
    [*_, last] = await floor.tell("call-1", scenes.opened(), scenes.raised("a1"), scenes.raised("a2", rule="r2"))
    floor.hub.publish(await floor.store.change_alert("a2", "dismissed", "mei", AT, ""))
    async with floor.hub.subscribe() as dashboard:
        messages = aiter(dashboard)
        [snapshot] = await take(messages, 1)
        [said] = await floor.tell("call-1", scenes.heard())
        [event] = await take(messages, 1)
    assert isinstance(snapshot, Snapshot)
    assert (snapshot.now, snapshot.health) == (AT, HEALTH)
    assert [(call.call.id, call.seq) for call in snapshot.calls] == [("call-1", last.seq + 1)]
    assert {alert.id for alert in snapshot.alerts} == {"a1", "old"}
    glance = replace(said.summary, call=replace(said.summary.call, metadata={}))
    assert event == Event(call_id="call-1", seq=5, at=AT, fact=said.fact, summary=glance)


async def test_nothing_published_while_the_snapshot_is_read_is_lost(floor: ShownFloor, store: WatchedStore) -> None:
    """An alert that the store had not yet when it was read must follow, with a seq above the snapshot's."""
    await floor.tell("call-1", scenes.opened())
    store.answer.clear()
    async with floor.hub.subscribe() as dashboard:
        messages = aiter(dashboard)
        first = await waiting(messages)
        await store.asked.wait()
        await floor.tell("call-1", scenes.raised())
        await floor.tell("call-2", scenes.opened("call-2"))
        store.answer.set()
        snapshot = await first
        following = await take(messages, 2)
    assert isinstance(snapshot, Snapshot)
    assert [(call.call.id, call.seq) for call in snapshot.calls] == [("call-1", 1)]
    assert seqs(following) == [("call-1", 2), ("call-2", 1)]


async def test_no_dashboard_that_joins_at_any_moment_misses_an_event(floor: ShownFloor) -> None:
    total = 60

    async def call() -> None:
        await floor.tell("call-1", scenes.opened())
        for index in range(total - 1):
            await floor.tell("call-1", scenes.heard(index=index))

    async def watch(turns: int) -> None:
        for _turn in range(turns):
            await asyncio.sleep(0)
        async with floor.hub.subscribe() as dashboard:
            messages = aiter(dashboard)
            snapshot = await anext(messages)
            assert isinstance(snapshot, Snapshot)
            at = max((summary.seq for summary in snapshot.calls), default=0)
            seen = [await anext(messages) for _ in range(at, total)]
        assert seqs(seen) == [("call-1", seq) for seq in range(at + 1, total + 1)]

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        for turns in range(0, 400, 10):
            group.create_task(watch(turns))
        group.create_task(call())


async def test_slow_dashboard_starts_anew_and_then_misses_nothing(store: WatchedStore) -> None:
    floor = ShownFloor(store, waiting=5)
    async with floor.hub.subscribe() as slow, floor.hub.subscribe() as quick:
        slow_messages, quick_messages = aiter(slow), aiter(quick)
        await take(slow_messages, 1)
        await take(quick_messages, 1)
        await floor.tell("call-1", scenes.opened())
        for index in range(9):
            await floor.tell("call-1", scenes.heard(index=index))
            await take(quick_messages, 1)
        assert floor.drops == 1
        resync, snapshot = await take(slow_messages, 2)
        await floor.tell("call-1", scenes.heard(index=9))
        [event] = await take(slow_messages, 1)
        assert seqs(await take(quick_messages, 2)) == [("call-1", 10), ("call-1", 11)]
    assert isinstance(resync, Resync)
    assert isinstance(snapshot, Snapshot)
    assert snapshot.calls[0].seq == 10
    assert seqs([event]) == [("call-1", 11)]


async def test_levels_wait_behind_events_and_only_each_calls_newest_is_kept(floor: ShownFloor) -> None:
    def levels(call_id: str, at: float) -> Levels:
        return Levels(call_id=call_id, at=at, dbfs={"agent": -20.0}, speaking=("agent",))

    async with floor.hub.subscribe() as dashboard:
        messages = aiter(dashboard)
        await take(messages, 1)
        for at in range(5000):
            floor.hub.show_levels(levels("call-1", at))
            floor.hub.show_levels(levels("call-2", at))
        floor.hub.show_health()
        await floor.tell("call-1", scenes.opened())
        event, health, *rest = await take(messages, 4)
    assert isinstance(event, Event)
    assert health == HealthChanged(health=HEALTH)
    assert rest == [levels("call-1", 4999), levels("call-2", 4999)]
    assert floor.drops == 0


def partial(text: str, *, start: float = 0.0, call_id: str = "call-1", role: Role = "agent") -> Partial:
    return Partial(call_id=call_id, role=role, start=start, text=text)


async def test_of_partials_only_each_partys_newest_waits_and_none_that_its_final_text_has_overtaken(
    floor: ShownFloor,
) -> None:
    await floor.tell("call-1", scenes.opened())
    await floor.tell("call-2", scenes.opened("call-2"))
    async with floor.hub.subscribe() as dashboard:
        messages = aiter(dashboard)
        await take(messages, 1)
        for text in ("您", "您好", "您好我是"):
            floor.hub.show_partial(partial(text))
            floor.hub.show_partial(partial(text, role="customer"))
            floor.hub.show_partial(partial(text, call_id="call-2"))
        await floor.tell("call-1", scenes.heard())
        await floor.tell("call-2", scenes.closed())
        event, ended, rest = await take(messages, 3)
        floor.hub.show_partial(partial("后来", start=2.0))
        await floor.tell("call-1", scenes.heard(role="customer"))
        _, later = await take(messages, 2)
    assert seqs([event, ended]) == [("call-1", 2), ("call-2", 2)]
    assert rest == partial("您好我是", role="customer")
    assert later == partial("后来", start=2.0), "it began where the written utterance had ended"


async def test_partials_of_a_call_that_is_not_live_are_not_shown(floor: ShownFloor) -> None:
    async with floor.hub.subscribe() as dashboard:
        messages = aiter(dashboard)
        await take(messages, 1)
        floor.hub.show_partial(partial("您好"))
        floor.hub.show_health()
        assert await take(messages, 1) == [HealthChanged(health=HEALTH)]


async def test_waiting_dashboard_is_woken_by_each_kind_of_message(floor: ShownFloor) -> None:
    logged = await floor.store.append("call-1", [scenes.opened()], AT)
    async with floor.hub.subscribe() as dashboard:
        messages = aiter(dashboard)
        await take(messages, 1)
        levels = Levels(call_id="call-1", at=0.0, dbfs={}, speaking=())
        told: list[LiveMessage] = []
        for publish in (
            lambda: floor.hub.publish(logged[0]),
            floor.hub.show_health,
            lambda: floor.hub.show_levels(levels),
        ):
            message = await waiting(messages)
            publish()
            async with asyncio.timeout(30):
                told.append(await message)
    assert seqs(told[:1]) == [("call-1", 1)]
    assert told[1:] == [HealthChanged(health=HEALTH), levels]


async def test_missed_events_follow_the_snapshot_before_new_ones(store: WatchedStore) -> None:
    floor = ShownFloor(store, page=2, waiting=4)  # more is missed than may ever wait
    await floor.tell("call-1", scenes.opened(), *scenes.talk("call-1", 7))
    await floor.tell("call-2", scenes.opened("call-2"), *scenes.talk("call-2", 2))
    async with floor.hub.subscribe() as dashboard:
        await dashboard.resume({"call-1": 3, "call-2": 3, "unknown": 0})
        messages = aiter(dashboard)
        snapshot, first = await take(messages, 2)
        await floor.tell("call-1", scenes.heard(index=7))
        rest = await take(messages, 5)
    assert isinstance(snapshot, Snapshot)
    assert seqs([first, *rest])[:5] == [("call-1", seq) for seq in range(4, 9)]
    assert seqs([first, *rest])[5] == ("call-1", 9)
    assert floor.drops == 0


async def test_dashboard_that_resumes_later_gets_what_it_asks_for(floor: ShownFloor) -> None:
    await floor.tell("call-1", scenes.opened(), *scenes.talk("call-1", 2))
    async with floor.hub.subscribe() as dashboard:
        messages = aiter(dashboard)
        await take(messages, 1)
        following = await waiting(messages)
        await dashboard.resume({"call-1": 1})
        assert seqs([await following, *await take(messages, 1)]) == [("call-1", 2), ("call-1", 3)]


async def test_resume_of_a_flood_of_calls_is_bounded(store: WatchedStore) -> None:
    floor = ShownFloor(store, resumed=2)
    for call_id in ("c1", "c2", "c3"):
        await floor.tell(call_id, scenes.opened(call_id))
    async with floor.hub.subscribe() as dashboard:
        messages = aiter(dashboard)
        await take(messages, 1)
        await dashboard.resume({"c1": 0, "c2": 0, "c3": 0})
        assert {call_id for call_id, _seq in seqs(await take(messages, 2))} == {"c1", "c2"}
        floor.hub.show_health()
        assert isinstance((await take(messages, 1))[0], HealthChanged)


async def test_while_the_store_is_down_the_picture_comes_from_what_was_published(
    floor: ShownFloor, store: WatchedStore
) -> None:
    await floor.tell("call-1", scenes.opened(), scenes.raised("a1"), scenes.raised("a2"), scenes.raised("a3"))
    floor.hub.publish(await store.change_alert("a1", "acknowledged", "mei", AT, ""))
    floor.hub.publish(await store.change_alert("a2", "dismissed", "mei", AT, ""))
    store.broken = True
    async with floor.hub.subscribe() as dashboard:
        await dashboard.resume({"call-1": 0})
        messages = aiter(dashboard)
        [snapshot] = await take(messages, 1)
        floor.hub.show_health()
        [health] = await take(messages, 1)
    assert isinstance(snapshot, Snapshot)
    assert [(alert.id, alert.state, alert.changed_by) for alert in snapshot.alerts] == [
        ("a1", "acknowledged", "mei"),
        ("a3", "open", None),
    ]
    assert [call.call.id for call in snapshot.calls] == ["call-1"]
    assert isinstance(health, HealthChanged)


async def test_closed_call_stays_closed_though_a_decision_on_it_is_published_late(floor: ShownFloor) -> None:
    await floor.tell("call-1", scenes.opened(), scenes.raised())
    late = await floor.store.change_alert("alert-1", "confirmed", "mei", AT, "")
    await floor.tell("call-1", scenes.closed())
    floor.hub.publish(late)
    assert floor.hub.live_calls() == ()


async def test_a_call_that_goes_on_after_its_end_or_after_a_restart_is_shown_again(floor: ShownFloor) -> None:
    await floor.tell("call-1", scenes.opened(), scenes.heard())
    await floor.tell("call-1", scenes.closed())
    async with floor.hub.subscribe() as dashboard:
        assert await dashboard.__aiter__().__anext__() is not None
        await floor.tell("call-1", CallResumed(at=120.0, cause="returned"))
        event = await dashboard.__aiter__().__anext__()
    assert isinstance(event, Event)
    assert event.summary is not None
    assert event.summary.state == "live"
    assert [summary.call.id for summary in floor.hub.live_calls()] == ["call-1"]


async def test_summary_of_a_call_never_goes_back(floor: ShownFloor) -> None:
    await floor.tell("call-1", scenes.opened(), scenes.raised())
    late = await floor.store.change_alert("alert-1", "confirmed", "mei", AT, "")
    await floor.tell("call-1", scenes.heard())
    floor.hub.publish(late)
    assert [summary.seq for summary in floor.hub.live_calls()] == [4]


async def test_dashboard_that_left_is_forgotten(floor: ShownFloor) -> None:
    async with floor.hub.subscribe() as dashboard:
        await take(aiter(dashboard), 1)
    left: Subscription = dashboard
    await floor.tell("call-1", scenes.opened())
    left.put(HealthChanged(health=HEALTH))
    assert seqs(await take(aiter(left), 1)) == []


async def test_hub_leaves_no_task_behind(floor: ShownFloor) -> None:
    before = asyncio.all_tasks()
    async with floor.hub.subscribe() as one, floor.hub.subscribe() as other:
        await take(aiter(one), 1)
        await floor.tell("call-1", scenes.opened())
        await take(aiter(other), 1)
        assert asyncio.all_tasks() == before
    assert asyncio.all_tasks() == before
