from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from service.calls import journal
from service.calls.journal import StoreJournal
from service.facts import Fact, UtteranceHeard
from service.live.hub import LiveHub
from service.live.schema import Health
from service.metrics import Metrics
from service.storage.port import LoggedFact, NotFound, StorageUnavailable
from service.storage.sql import SqlStore
from tests import scenes
from tests.doubles import now


class FailingStore(SqlStore):
    """The real store, whose writes can be made to fail."""

    broken = False

    async def append(self, call_id: str, facts: Sequence[Fact], at: datetime) -> list[LoggedFact]:
        if self.broken:
            raise StorageUnavailable("disk full")
        return await super().append(call_id, facts, at)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[FailingStore]:
    store = FailingStore(f"sqlite+aiosqlite:///{tmp_path / 'c.db'}")
    await store.open()
    yield store
    await store.close()


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "RETRY_SECONDS", (0.001,))


def hub_over(store: SqlStore) -> LiveHub:
    return LiveHub(store, health=lambda: Health(model="m", live_calls=0, max_calls=1, backlog=0.0), wall=now)


def texts(logged: list[LoggedFact]) -> list[Any]:
    return [each.fact.utterance.text for each in logged if isinstance(each.fact, UtteranceHeard)]


async def test_what_is_written_is_stored_and_then_followed(store: FailingStore) -> None:
    async with StoreJournal(store, hub_over(store), Metrics()) as written:
        follower = written.follow("call-1")
        await written.write("call-1", [scenes.opened(), scenes.heard()], now())
        written.finished("call-1")
        seen = [logged async for logged in follower]
    assert [logged.seq for logged in seen] == [1, 2]
    assert [logged.fact for logged in seen] == [logged.fact for logged in await store.facts("call-1")]


async def test_a_failing_store_loses_nothing_and_keeps_the_order(store: FailingStore) -> None:
    metrics = Metrics()
    async with StoreJournal(store, hub_over(store), metrics) as written:
        await written.write("call-1", [scenes.opened()], now())
        store.broken = True
        for index in range(5):
            await written.write("call-1", [scenes.heard(index=index, text=f"第{index}句")], now())
        assert written.failing
        store.broken = False
        follower = written.follow("call-1")
        await written.write("call-1", [scenes.heard(index=5, text="第5句")], now())
        written.finished("call-1")
        assert texts([logged async for logged in follower]) == [f"第{index}句" for index in range(6)]
        assert not written.failing
    assert texts(await store.facts("call-1")) == [f"第{index}句" for index in range(6)]
    assert metrics.store_failures._value.get() >= 1  # pyright: ignore[reportPrivateUsage] - the library offers no other


async def test_other_calls_wait_for_nobody(store: FailingStore) -> None:
    async with StoreJournal(store, hub_over(store), Metrics()) as written:
        await written.write("call-1", [scenes.opened("call-1")], now())
        await written.write("call-2", [scenes.opened("call-2")], now())
        store.broken = True
        await written.write("call-1", [scenes.heard("call-1")], now())
        store.broken = False
        await written.write("call-2", [scenes.heard("call-2")], now())
        assert len(await store.facts("call-2")) == 2


async def test_at_shutdown_one_last_try_is_made(store: FailingStore) -> None:
    async with StoreJournal(store, hub_over(store), Metrics()) as written:
        await written.write("call-1", [scenes.opened()], now())
        store.broken = True
        await written.write("call-1", [scenes.heard()], now())
        store.broken = False
    assert len(await store.facts("call-1")) == 2


async def test_what_no_waiting_would_mend_is_raised(store: FailingStore) -> None:
    async with StoreJournal(store, hub_over(store), Metrics()) as written:
        with pytest.raises(NotFound):
            await written.write("nobody", [scenes.heard("nobody")], now())


async def test_a_follower_that_does_not_read_is_let_go(store: FailingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "FOLLOWED", 2)
    async with StoreJournal(store, hub_over(store), Metrics()) as written:
        follower = written.follow("call-1")
        await written.write("call-1", [scenes.opened(), *[scenes.heard(index=i) for i in range(5)]], now())
        written.finished("call-1")
        async with asyncio.timeout(2):
            assert [(await anext(follower)).seq, (await anext(follower)).seq] == [1, 2]
