"""What the journal, sessions and connections rely on in the live bus, tried on the fake and on the hub."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from service.calls.ports import LiveBus, LiveDisplay
from service.importing.playing import Unwatched
from service.live.hub import LiveHub
from service.live.messages import Levels, Partial
from service.record.facts import Fact
from service.storage.port import LoggedFact
from service.storage.sql import SqlStore
from tests import scenes
from tests.fakes.live_bus import FakeLiveBus
from tests.fakes.live_feed import FakeLiveFeed


@pytest.fixture(params=[FakeLiveBus, FakeLiveFeed, LiveHub], ids=["fake", "fake feed", "hub"])
async def bus(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LiveBus]:
    store = SqlStore(f"sqlite+aiosqlite:///{tmp_path / 'c.db'}")
    await store.open()
    of_the_hub = {"store": store, "health": lambda: scenes.HEALTH, "wall": scenes.now}
    yield request.param(**of_the_hub if request.param is LiveHub else {})
    await store.close()


@pytest.fixture(params=["bus", "transcribe"])
def display(request: pytest.FixtureRequest, bus: LiveBus) -> LiveDisplay:
    return bus if request.param == "bus" else Unwatched()


def stored(facts: Sequence[Fact], call_id: str = "call-1", after: int = 0) -> list[LoggedFact]:
    """The facts as the store hands them out; `after` others of the call."""
    return [scenes.logged(fact, call_id, seq) for seq, fact in enumerate(facts, after + 1)]


async def rest(follower: AsyncIterator[LoggedFact]) -> list[tuple[int, str]]:
    return [(logged.seq, logged.fact.type) async for logged in follower]


async def test_what_is_published_is_followed_in_its_order_and_whole(bus: LiveBus) -> None:
    logged = stored([scenes.opened(), scenes.heard(), scenes.closed()])
    follower = bus.follow("call-1")
    bus.publish(*logged[:2])
    bus.publish(logged[2])
    bus.ended("call-1")
    assert [each async for each in follower] == logged


async def test_every_follower_hears_all_from_the_moment_it_asked_and_nothing_of_before(bus: LiveBus) -> None:
    early = bus.follow("call-1")
    bus.publish(*stored([scenes.opened()]))
    late = bus.follow("call-1")
    bus.publish(*stored([scenes.heard()], after=1))
    bus.ended("call-1")
    assert await rest(early) == [(1, "call_opened"), (2, "utterance")]
    assert await rest(late) == [(2, "utterance")]


async def test_one_calls_end_is_not_anothers(bus: LiveBus) -> None:
    mine, other = bus.follow("call-1"), bus.follow("call-2")
    bus.publish(*stored([scenes.opened()]))
    bus.ended("call-1")
    bus.publish(*stored([scenes.opened("call-2"), scenes.heard("call-2")], "call-2"))
    bus.ended("call-2")
    assert await rest(mine) == [(1, "call_opened")]
    assert await rest(other) == [(1, "call_opened"), (2, "utterance")]


async def test_what_is_only_shown_is_no_fact(bus: LiveBus) -> None:
    follower = bus.follow("call-1")
    bus.publish(*stored([scenes.opened()]))
    bus.show_levels(Levels(call_id="call-1", at=1.0, dbfs={"agent": -20.0}, speaking=("agent",)))
    bus.show_partial(Partial(call_id="call-1", role="agent", start=0.0, text="您好"))
    bus.show_health()
    bus.start_anew()
    bus.publish(*stored([scenes.heard()], after=1))
    bus.ended("call-1")
    assert await rest(follower) == [(1, "call_opened"), (2, "utterance")]


async def test_what_is_said_so_far_goes_to_who_follows_it_until_the_calls_end(bus: LiveBus) -> None:
    interim, other = bus.follow_partials("call-1"), bus.follow_partials("call-2")
    bus.publish(*stored([scenes.opened()]))
    said = [Partial(call_id="call-1", role="agent", start=0.0, text=text) for text in ("您", "您好", "")]
    for partial in said:
        bus.show_partial(partial)
    bus.ended("call-1")
    bus.ended("call-2")
    assert [partial async for partial in interim] == said
    assert [partial async for partial in other] == []


async def test_what_is_shown_of_a_call_that_nobody_knows_is_no_fault(display: LiveDisplay, bus: LiveBus) -> None:
    display.show_levels(Levels(call_id="call-9", at=1.0, dbfs={"agent": -20.0}, speaking=("agent",)))
    display.show_partial(Partial(call_id="call-9", role="agent", start=0.0, text="您好"))
    assert bus.live_call("call-9") is None


async def test_a_call_is_live_from_its_opening_to_its_closing(bus: LiveBus) -> None:
    logged = stored([scenes.opened(), scenes.heard(), scenes.closed()])
    assert bus.live_call("call-1") is None
    bus.publish(*logged[:2])
    assert bus.live_call("call-1") == scenes.call("call-1")
    assert bus.live_call("call-2") is None
    bus.publish(logged[2])
    assert bus.live_call("call-1") is None


async def test_who_leaves_early_harms_nobody(bus: LiveBus) -> None:
    gone, there = bus.follow("call-1"), bus.follow("call-1")
    bus.publish(*stored([scenes.opened()]))
    async for _logged in gone:
        break
    bus.publish(*stored([scenes.heard()], after=1))
    bus.ended("call-1")
    assert await rest(there) == [(1, "call_opened"), (2, "utterance")]
