"""What sessions rely on in a journal, tried on the fake and on the one over a real store: what is written is published,
and a call that is finished ends on the bus."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from service.calls.journal import StoreJournal
from service.calls.ports import Journal, LiveBus
from service.cli.transcribe import Printer
from service.importing.importer import KeptFacts
from service.live.hub import LiveHub
from service.metrics import Metrics
from service.record.facts import Fact, SentimentScored
from service.storage.port import LoggedFact, StorageError
from service.storage.sql import SqlStore
from tests import scenes
from tests.fakes.journal import FakeJournal
from tests.fakes.live_bus import FakeLiveBus

Opened: TypeAlias = Callable[[], AbstractAsyncContextManager[tuple[Journal, LiveBus]]]


@asynccontextmanager
async def over_a_store(folder: Path) -> AsyncIterator[tuple[Journal, LiveBus]]:
    store = SqlStore(f"sqlite+aiosqlite:///{folder / 'c.db'}")
    await store.open()
    bus = LiveHub(store, health=lambda: scenes.HEALTH, wall=scenes.now)
    async with StoreJournal(store, bus, Metrics()) as journal:
        yield journal, bus
    await store.close()


@asynccontextmanager
async def in_memory(_folder: Path) -> AsyncIterator[tuple[Journal, LiveBus]]:
    bus = FakeLiveBus()
    yield FakeJournal(bus), bus


@pytest.fixture(params=[in_memory, over_a_store], ids=["fake", "store"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    return lambda: request.param(tmp_path)


@asynccontextmanager
async def printing(_folder: Path) -> AsyncIterator[tuple[Journal, LiveBus]]:
    yield Printer(as_json=True, told_apart=True), FakeLiveBus()


@asynccontextmanager
async def keeping(_folder: Path) -> AsyncIterator[tuple[Journal, LiveBus]]:
    yield KeptFacts(scenes.AT), FakeLiveBus()


@pytest.fixture(params=[in_memory, over_a_store, printing, keeping], ids=["fake", "store", "transcribe", "import"])
def any_opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    """Also the ones that only print and keep, which nobody can follow."""
    return lambda: request.param(tmp_path)


async def written(journal: Journal, *facts: Fact, call_id: str = "call-1") -> None:
    await journal.write(call_id, facts, scenes.now())


async def rest(follower: AsyncIterator[LoggedFact]) -> list[tuple[int, str]]:
    return [(logged.seq, logged.fact.type) async for logged in follower]


async def test_a_call_is_taken_from_its_opening_to_its_end(any_opened: Opened) -> None:
    async with any_opened() as (journal, _bus):
        await written(journal, scenes.opened(), scenes.heard())
        await written(journal, SentimentScored(sentiment=scenes.sentiment()), scenes.closed())
        journal.finished("call-1")
        assert not journal.failing


async def test_what_is_written_is_followed_in_order_and_counted_without_holes(opened: Opened) -> None:
    async with opened() as (journal, bus):
        follower = bus.follow("call-1")
        await written(journal, scenes.opened(), scenes.heard())
        await written(journal, scenes.closed())
        journal.finished("call-1")
        assert await rest(follower) == [(1, "call_opened"), (2, "utterance"), (3, "call_closed")]


async def test_a_followed_fact_carries_its_moment_and_the_call_as_of_then(opened: Opened) -> None:
    async with opened() as (journal, bus):
        follower = bus.follow("call-1")
        await written(journal, scenes.opened(), scenes.raised())
        first, second = await anext(follower), await anext(follower)
        assert (first.call_id, first.at, first.fact) == ("call-1", scenes.now(), scenes.opened())
        assert (first.summary.alerts, second.summary.alerts) == ({}, {"high": 1})
        assert (first.summary.seq, second.summary.seq) == (1, 2)


async def test_every_follower_hears_all_from_the_moment_it_asked_and_nothing_of_before(opened: Opened) -> None:
    async with opened() as (journal, bus):
        early = bus.follow("call-1")
        await written(journal, scenes.opened())
        late = bus.follow("call-1")
        await written(journal, scenes.heard())
        journal.finished("call-1")
        assert await rest(early) == [(1, "call_opened"), (2, "utterance")]
        assert await rest(late) == [(2, "utterance")]


async def test_one_calls_end_is_not_anothers(opened: Opened) -> None:
    async with opened() as (journal, bus):
        mine, other = bus.follow("call-1"), bus.follow("call-2")
        await written(journal, scenes.opened())
        journal.finished("call-1")
        await written(journal, scenes.opened("call-2"), scenes.heard("call-2"), call_id="call-2")
        journal.finished("call-2")
        assert await rest(mine) == [(1, "call_opened")]
        assert await rest(other) == [(1, "call_opened"), (2, "utterance")]


async def test_a_call_is_opened_once_and_before_all_else(opened: Opened) -> None:
    async with opened() as (journal, _bus):
        with pytest.raises(StorageError):
            await written(journal, scenes.heard("call-9"), call_id="call-9")
        await written(journal, scenes.opened())
        with pytest.raises(StorageError):
            await written(journal, scenes.opened())
        assert not journal.failing, "what no waiting would mend is no trouble of the store's"
