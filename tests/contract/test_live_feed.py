"""What live sockets rely on in the live feed, tried on the fake and on the hub over a real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from service.live.hub import LiveHub
from service.live.messages import Event, LiveMessage, Snapshot
from service.record.facts import Fact
from service.storage.sql import SqlStore
from service.web.ports import LiveFeed
from tests import scenes
from tests.fakes.live_feed import FakeLiveFeed

Tell: TypeAlias = Callable[..., Awaitable[None]]


class Subject:
    """A feed, and what is stored and shown of call `call-1`."""

    def __init__(self, store: SqlStore, feed: LiveHub | FakeLiveFeed) -> None:
        self._store = store
        self._publish = feed.publish
        self.feed: LiveFeed = feed

    async def tell(self, *facts: Fact) -> None:
        self._publish(*await self._store.append("call-1", facts, scenes.now()))


Opened: TypeAlias = Callable[[], AbstractAsyncContextManager[Subject]]


@pytest.fixture(params=["fake", "hub"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    @asynccontextmanager
    async def a_feed() -> AsyncIterator[Subject]:
        store = SqlStore(f"sqlite+aiosqlite:///{tmp_path / 'c.db'}")
        await store.open()
        hub = LiveHub(store, health=lambda: scenes.HEALTH, wall=lambda: scenes.NOON)
        async with asyncio.timeout(30):
            yield Subject(store, hub if request.param == "hub" else FakeLiveFeed())
        await store.close()

    return a_feed


async def events(messages: AsyncIterator[LiveMessage], count: int) -> list[tuple[int, str]]:
    came = [await anext(messages) for _ in range(count)]
    assert all(isinstance(each, Event) for each in came)
    return [(each.seq, each.fact.type) for each in came if isinstance(each, Event)]


async def test_a_snapshot_comes_first_with_what_is_live(opened: Opened) -> None:
    async with opened() as subject:
        async with subject.feed.subscribe() as empty:
            nothing = await anext(aiter(empty))
        await subject.tell(scenes.opened(), scenes.heard())
        async with subject.feed.subscribe() as dashboard:
            something = await anext(aiter(dashboard))
        await subject.tell(scenes.closed())
        async with subject.feed.subscribe() as late:
            over = await anext(aiter(late))
    assert isinstance(nothing, Snapshot)
    assert isinstance(something, Snapshot)
    assert isinstance(over, Snapshot)
    assert [(call.call.id, call.seq) for call in something.calls] == [("call-1", 2)]
    assert (nothing.calls, over.calls) == ((), ())
    assert something.health == scenes.HEALTH


async def test_what_is_published_comes_to_everyone_in_its_order(opened: Opened) -> None:
    async with opened() as subject, subject.feed.subscribe() as one, subject.feed.subscribe() as other:
        dashboards = [aiter(one), aiter(other)]
        for messages in dashboards:
            assert isinstance(await anext(messages), Snapshot)
        await subject.tell(scenes.opened(), scenes.heard())
        await subject.tell(scenes.closed())
        for messages in dashboards:
            assert await events(messages, 3) == [(1, "call_opened"), (2, "utterance"), (3, "call_closed")]


async def test_a_dashboard_gets_what_it_says_it_lacks_before_what_comes_then(opened: Opened) -> None:
    async with opened() as subject:
        await subject.tell(scenes.opened(), scenes.heard(), scenes.heard(index=1))
        async with subject.feed.subscribe() as dashboard:
            messages = aiter(dashboard)
            assert isinstance(await anext(messages), Snapshot)
            await dashboard.resume({"call-1": 1, "nobody's": 7})
            assert await events(messages, 2) == [(2, "utterance"), (3, "utterance")]
            await subject.tell(scenes.closed())
            assert await events(messages, 1) == [(4, "call_closed")]


async def test_who_has_left_harms_nobody(opened: Opened) -> None:
    async with opened() as subject:
        async with subject.feed.subscribe() as gone:
            await anext(aiter(gone))
        async with subject.feed.subscribe() as dashboard:
            messages = aiter(dashboard)
            await anext(messages)
            await subject.tell(scenes.opened())
            await gone.resume({"call-1": 0})
            assert await events(messages, 1) == [(1, "call_opened")]
