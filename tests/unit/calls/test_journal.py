from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from service.calls.journal import MOST_KEPT, StoreJournal
from service.live.hub import HubLimits, LiveHub
from service.live.messages import Snapshot
from service.metrics import Metrics
from service.record.facts import UNDECIDED, DtmfPressed, Fact, Notice, UtteranceHeard, WordsTimed
from service.record.note import CallNote
from service.storage.port import AlreadyExists, LoggedFact, NotFound, StorageUnavailable
from service.storage.sql import SqlStore
from tests import scenes
from tests.fakes.store import FailingStore
from tests.scenes import now


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[FailingStore]:
    store = FailingStore(f"sqlite+aiosqlite:///{tmp_path / 'c.db'}")
    await store.open()
    yield store
    await store.close()


@asynccontextmanager
async def journal_over(
    store: SqlStore, metrics: Metrics | None = None, limits: HubLimits | None = None, most_kept: int = MOST_KEPT
) -> AsyncIterator[tuple[StoreJournal, LiveHub]]:
    """A journal that tries again at once, and the bus that it publishes on."""
    bus = LiveHub(store, health=lambda: scenes.HEALTH, wall=now, limits=limits)
    journal = StoreJournal(store, bus, metrics or Metrics(), retry_seconds=(0.001,), most_kept=most_kept)
    async with journal:
        yield journal, bus


async def write_all(written: StoreJournal, facts: Sequence[Fact]) -> None:
    for fact in facts:
        await written.write("call-1", [fact], now())


def stored(written: StoreJournal, bus: LiveHub, call_id: str) -> AsyncIterator[LoggedFact]:
    """What is stored of the call from now on, until nothing of it is kept."""
    follower = bus.follow(call_id)
    written.finished(call_id)
    return follower


def texts(logged: list[LoggedFact]) -> list[Any]:
    return [each.fact.utterance.text for each in logged if isinstance(each.fact, UtteranceHeard)]


async def test_what_is_written_is_stored_and_then_followed(store: FailingStore) -> None:
    async with journal_over(store) as (written, bus):
        follower = bus.follow("call-1")
        await written.write("call-1", [scenes.opened(), scenes.heard()], now())
        written.finished("call-1")
        seen = [logged async for logged in follower]
    assert [logged.seq for logged in seen] == [1, 2]
    assert [logged.fact for logged in seen] == [logged.fact for logged in await store.facts("call-1")]


async def test_a_failing_store_loses_nothing_and_keeps_the_order(store: FailingStore) -> None:
    metrics = Metrics()
    async with journal_over(store, metrics) as (written, bus):
        await written.write("call-1", [scenes.opened()], now())
        store.broken = True
        for index in range(5):
            await written.write("call-1", [scenes.heard(index=index, text=f"第{index}句")], now())
        assert written.failing
        store.broken = False
        follower = bus.follow("call-1")
        await written.write("call-1", [scenes.heard(index=5, text="第5句")], now())
        written.finished("call-1")
        assert texts([logged async for logged in follower]) == [f"第{index}句" for index in range(6)]
        assert not written.failing
    assert texts(await store.facts("call-1")) == [f"第{index}句" for index in range(6)]
    assert (metrics.registry.get_sample_value("callwarden_store_failures_total") or 0) >= 1


async def test_while_the_store_fails_no_call_waits_for_it(store: FailingStore) -> None:
    async with journal_over(store) as (written, bus):
        await written.write("call-1", [scenes.opened("call-1")], now())
        await written.write("call-2", [scenes.opened("call-2")], now())
        store.broken = True
        await written.write("call-1", [scenes.heard("call-1")], now())
        tries = store.tries
        await written.write("call-2", [scenes.heard("call-2")], now())
        assert store.tries == tries
        store.broken = False
        for call_id in ("call-1", "call-2"):
            assert len(texts([logged async for logged in stored(written, bus, call_id)])) == 1


async def test_at_shutdown_one_last_try_is_made(store: FailingStore) -> None:
    async with journal_over(store) as (written, _bus):
        await written.write("call-1", [scenes.opened()], now())
        store.broken = True
        await written.write("call-1", [scenes.heard()], now())
        store.broken = False
    assert len(await store.facts("call-1")) == 2


async def test_what_was_stored_though_nobody_was_told_is_not_stored_twice(store: FailingStore) -> None:
    async with journal_over(store) as (written, bus):
        for fact in (scenes.opened(), scenes.raised(), scenes.heard(index=0), scenes.heard(index=1, text="还\x00钱")):
            store.unconfirmed = True
            await written.write("call-1", [fact], now())
            follower = stored(written, bus, "call-1")
            assert [logged.fact.type async for logged in follower] == [fact.type]
        await store.change_alert("alert-1", "confirmed", "mei", now(), "")
    assert [logged.fact.type for logged in await store.facts("call-1")] == [
        "call_opened",
        "alert",
        "utterance",
        "utterance",
        "alert_changed",
    ]


async def test_same_words_said_again_are_stored_again(store: FailingStore) -> None:
    digit = DtmfPressed(digit="1", at=2.0)
    async with journal_over(store) as (written, _bus):
        await written.write("call-1", [scenes.opened()], now())
        store.broken = True
        await written.write("call-1", [digit], now())
        await written.write("call-1", [digit], now())
        store.broken = False
    assert [logged.fact for logged in await store.facts("call-1")] == [scenes.opened(), digit, digit]


async def test_kept_facts_that_can_never_be_stored_do_not_hold_up_the_rest(store: FailingStore) -> None:
    async with journal_over(store) as (written, _bus):
        await written.write("call-1", [scenes.opened(), scenes.heard(index=0)], now())
        store.broken = True
        await written.write("call-1", [scenes.heard(index=1)], now())
        await written.write("call-1", [scenes.heard(index=0)], now())  # its id is taken
        await written.write("call-1", [scenes.heard(index=2)], now())
        store.broken = False
    assert [logged.fact for logged in await store.facts("call-1")][1:] == [scenes.heard(index=i) for i in range(3)]


@pytest.mark.parametrize("broken", [False, True])
async def test_call_whose_opening_is_refused_leaves_the_call_of_that_id_alone(
    store: FailingStore, broken: bool
) -> None:
    await store.append("call-1", [scenes.opened(), scenes.closed()], now())
    before = await store.facts("call-1")
    async with journal_over(store) as (written, _bus):
        store.broken = broken
        with nullcontext() if broken else pytest.raises(AlreadyExists):
            await written.write("call-1", [scenes.opened(customer="another")], now())
        await written.write("call-1", [scenes.heard()], now())
        store.broken = False
        await written.write("call-1", [scenes.closed()], now())
        written.finished("call-1")
    assert await store.facts("call-1") == before


async def test_calls_try_a_failing_store_one_at_a_time(store: FailingStore) -> None:
    async with journal_over(store) as (written, _bus):
        calls = [f"call-{n}" for n in range(5)]
        for call_id in calls:
            await written.write(call_id, [scenes.opened(call_id)], now())
        store.broken = True
        store.most_at_once = 0
        for call_id in calls:
            await written.write(call_id, [scenes.heard(call_id)], now())
        store.broken = False
    assert store.most_at_once == 1
    assert [len(await store.facts(call_id)) for call_id in calls] == [2] * 5


async def test_writers_wait_when_no_more_can_be_kept(store: FailingStore) -> None:
    async with journal_over(store, most_kept=700) as (written, _bus):
        await written.write("call-1", [scenes.opened()], now())
        store.broken = True
        writes = [scenes.heard(index=i) for i in range(12)]
        writer = asyncio.create_task(write_all(written, writes))
        await store.asked(5)
        assert not writer.done()
        store.broken = False
        await writer
    assert [logged.fact for logged in await store.facts("call-1")] == [scenes.opened(), *writes]


async def test_writers_that_wait_for_room_are_let_go_at_shutdown(store: FailingStore) -> None:
    async with journal_over(store, most_kept=1) as (written, _bus):
        await written.write("call-1", [scenes.opened()], now())
        store.broken = True
        writer = asyncio.create_task(write_all(written, [scenes.heard(index=0), scenes.heard(index=1)]))
        await store.asked(2)
    await writer
    assert len(await store.facts("call-1")) == 1


async def test_dashboards_are_told_when_the_store_fails_and_when_it_is_back(store: FailingStore) -> None:
    async with journal_over(store) as (written, bus), bus.subscribe() as dashboard:
        messages = aiter(dashboard)
        assert (await anext(messages)).type == "snapshot"
        await written.write("call-1", [scenes.opened()], now())
        assert (await anext(messages)).type == "event"
        store.broken = True
        await written.write("call-1", [scenes.heard()], now())
        assert (await anext(messages)).type == "health"
        store.broken = False
        assert [(await anext(messages)).type for _ in range(2)] == ["event", "health"]


async def test_what_no_waiting_would_mend_is_raised(store: FailingStore) -> None:
    async with journal_over(store) as (written, _bus):
        with pytest.raises(NotFound):
            await written.write("nobody", [scenes.heard("nobody")], now())


async def test_a_follower_that_does_not_read_is_let_go(store: FailingStore) -> None:
    async with journal_over(store, limits=HubLimits(followed=2)) as (written, bus):
        follower = bus.follow("call-1")
        await written.write("call-1", [scenes.opened(), *[scenes.heard(index=i) for i in range(5)]], now())
        written.finished("call-1")
        async with asyncio.timeout(30):
            assert [logged.seq async for logged in follower] == [1, 2]


async def test_a_call_that_a_replaced_database_does_not_know_is_begun_anew_and_loses_nothing_from_then_on(
    store: FailingStore, tmp_path: Path
) -> None:
    backup = SqlStore(f"sqlite:///{tmp_path / 'backup.db'}")
    await backup.open()
    await backup.close()
    async with journal_over(store) as (written, bus), bus.subscribe() as dashboard:
        messages = aiter(dashboard)
        await anext(messages)
        await written.write("call-1", [scenes.opened(), scenes.heard()], now())
        (tmp_path / "c.db").rename(tmp_path / "away.db")
        await written.write("call-1", [scenes.heard(index=1)], now())
        assert written.failing
        words = WordsTimed(utterance_id="agent-0", words=())
        await written.write("call-1", [words, scenes.heard(index=2)], now())
        (tmp_path / "backup.db").rename(tmp_path / "c.db")
        async for _logged in stored(written, bus, "call-1"):
            pass
        while not isinstance(message := await anext(messages), Snapshot):
            pass
        assert message.calls[0].seq in (3, 4)  # of the new log, from which its events go on
    log = [each.fact for each in await store.facts("call-1")]
    assert log[0] == scenes.opened()
    assert isinstance(log[1], Notice)
    assert log[1].code == "storage_replaced"
    assert log[2:] == [scenes.heard(index=1), scenes.heard(index=2)]


async def test_a_fact_of_a_call_that_nobody_knows_is_still_an_error(store: FailingStore) -> None:
    async with journal_over(store) as (written, _bus):
        with pytest.raises(NotFound):
            await written.write("call-1", [scenes.heard()], now())
        await written.write("call-1", [scenes.opened()], now())
        with pytest.raises(NotFound, match="utterance"):
            await written.write("call-1", [WordsTimed(utterance_id="agent-9", words=())], now())


async def test_a_persons_decision_reaches_dashboards_and_followers_in_its_place(store: FailingStore) -> None:
    """A gateway that follows the call sees no hole in `seq`."""
    async with journal_over(store) as (written, bus):
        await written.write("call-1", [scenes.opened(), scenes.heard(), scenes.raised()], now())
        follower = bus.follow("call-1")
        alert = await written.decide("alert-1", "acknowledged", "lin", now(), "听过", UNDECIDED)
        await written.write("call-1", [scenes.heard(index=1)], now())
        written.finished("call-1")
        told = [logged async for logged in follower]
        assert (alert.state, alert.changed_by) == ("acknowledged", "lin")
        assert [(logged.seq, logged.fact.type) for logged in told] == [(4, "alert_changed"), (5, "utterance")]


async def test_of_two_who_decide_at_once_the_second_is_told(store: FailingStore) -> None:
    async with journal_over(store) as (written, _bus):
        await written.write("call-1", [scenes.opened(), scenes.heard(), scenes.raised()], now())
        decisions = await asyncio.gather(
            *(written.decide("alert-1", state, "lin", now(), "", UNDECIDED) for state in ("confirmed", "dismissed")),
            return_exceptions=True,
        )
        assert sorted(type(each).__name__ for each in decisions) == ["Alert", "StaleChange"]


async def test_nobody_decides_while_what_was_said_before_is_not_stored(store: FailingStore) -> None:
    """The fate of a write that failed is looked up at the end of the log: nobody else may have written there."""
    async with journal_over(store) as (written, bus):
        await written.write("call-1", [scenes.opened(), scenes.heard(), scenes.raised()], now())
        store.broken = True
        await written.write("call-1", [scenes.heard(index=1)], now())
        with pytest.raises(StorageUnavailable):
            await written.decide("alert-1", "confirmed", "lin", now(), "", UNDECIDED)
        store.broken = False
        followed = stored(written, bus, "call-1")
        assert [logged.fact.type async for logged in followed] == ["utterance"]
        await written.decide("alert-1", "confirmed", "lin", now(), "", UNDECIDED)


async def test_nobody_writes_a_record_while_what_was_said_before_is_not_stored(store: FailingStore) -> None:
    async with journal_over(store) as (written, bus):
        await written.write("call-1", [scenes.opened(), scenes.heard()], now())
        store.broken = True
        await written.write("call-1", [scenes.heard(index=1)], now())
        with pytest.raises(StorageUnavailable):
            await written.write_note("call-1", CallNote(text="说了会还"), "lin", now(), 0)
        store.broken = False
        assert [logged.fact.type async for logged in stored(written, bus, "call-1")] == ["utterance"]
        await written.write_note("call-1", CallNote(text="说了会还"), "lin", now(), 0)
        assert (await store.call("call-1")).note.text == "说了会还"


async def test_of_two_who_write_a_record_at_once_the_second_is_told(store: FailingStore) -> None:
    async with journal_over(store) as (written, _bus):
        await written.write("call-1", [scenes.opened()], now())
        writes = await asyncio.gather(
            *(written.write_note("call-1", CallNote(text=text), "lin", now(), 0) for text in ("甲", "乙")),
            return_exceptions=True,
        )
        assert sorted(type(each).__name__ for each in writes) == ["NoneType", "StaleChange"]
