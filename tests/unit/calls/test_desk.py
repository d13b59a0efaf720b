from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from blockbuster import BlockBuster

from asr.load import CALLS_SPEECH
from service.calls.admission import Admission
from service.calls.desk import CallRefused, Desk, Line
from service.calls.journal import StoreJournal
from service.calls.session import CallSession, Parts
from service.facts import Call, CallClosed, GapMarked, Notice
from service.gateway.events import AudioArrived, CallAnnounced, ProtocolViolation
from service.live.hub import LiveHub
from service.live.schema import Health
from service.metrics import Metrics
from service.settings import Settings
from service.storage.port import GatewayKey
from service.storage.sql import SqlStore
from tests import scenes
from tests.doubles import MemoryRecorder, ScriptedJudge, ScriptedRecogniser, now

KEY = GatewayKey(
    id="k1", source="pbx", secret_hash="", rights=("stream",), first_track="customer", created_at=scenes.AT
)
SECOND = AudioArrived(payload=bytes(2 * 8000))
CALL = CallAnnounced(call_id="c-1", roles=("agent", "customer"), encoding="mulaw", rate=8000)


class Carries:
    """Recognition that keeps up with so many seconds of speech a second; nobody has spoken yet."""

    def __init__(self, most: float) -> None:
        self._most = most

    def speech_of(self, call_id: str) -> float:
        return 0.0

    def carries(self, speech: float) -> bool:
        return speech <= self._most


class Floor:
    """A desk over a real store, with sessions whose neighbours are scripted."""

    def __init__(
        self, store: SqlStore, *, carries: float = math.inf, most: int | None = None, **settings: float
    ) -> None:
        self.store = store
        self.metrics = Metrics()
        hub = LiveHub(store, health=lambda: Health(model="m", live_calls=0, max_calls=1, backlog=0.0), wall=now)
        self.journal = StoreJournal(store, hub, self.metrics)
        self.judge = ScriptedJudge()
        self.desk = Desk(
            settings=Settings(**settings),  # type: ignore[arg-type]
            store=store,
            journal=self.journal,
            open_session=self._session,
            admission=Admission(Carries(carries), most),
            metrics=self.metrics,
            wall=now,
        )

    def _session(self, call: Call) -> CallSession:
        parts = Parts(
            journal=self.journal,
            recogniser=ScriptedRecogniser(),
            judge=self.judge,
            recorder=MemoryRecorder(),
            metrics=self.metrics,
            monotonic=time.monotonic,
            wall=now,
            max_pace=1e9,
        )
        return CallSession(call, parts)

    async def attach(self, announced: CallAnnounced = CALL, key: GatewayKey = KEY) -> Line:
        return await self.desk.attach(announced, key, time.monotonic())

    async def closing(self, call_id: str = "c-1") -> CallClosed:
        [closed] = [f.fact for f in await self.store.facts(call_id) if isinstance(f.fact, CallClosed)]
        return closed


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = SqlStore(f"sqlite+aiosqlite:///{tmp_path / 'c.db'}")
    await store.open()
    yield store
    await store.close()


async def test_a_stopped_call_is_wholly_processed_when_stop_returns(store: SqlStore) -> None:
    floor = Floor(store)
    async with floor.journal, floor.desk:
        line = await floor.attach()
        await line.feed(SECOND)
        await line.stop()
        closed = await floor.closing()
    assert (closed.ending, closed.duration) == ("completed", 1.0)


async def test_a_full_floor_refuses_with_a_retry_hint(store: SqlStore) -> None:
    floor = Floor(store, most=1)
    async with floor.journal, floor.desk:
        await floor.attach()
        with pytest.raises(CallRefused) as refused:
            await floor.attach(replace(CALL, call_id="c-2"))
    assert refused.value.code == "capacity"
    assert refused.value.retry_after


async def test_a_call_that_recognition_has_no_time_for_is_refused_with_a_retry_hint(store: SqlStore) -> None:
    floor = Floor(store, carries=2.5 * CALLS_SPEECH)
    async with floor.journal, floor.desk:
        assert floor.desk.closed(0.0) == ""
        for name, now in (("c-1", 0.0), ("c-2", 5.0)):
            await floor.desk.attach(replace(CALL, call_id=name), KEY, now)
        with pytest.raises(CallRefused) as refused:
            await floor.desk.attach(replace(CALL, call_id="c-3"), KEY, 7.0)
        assert "busy" in floor.desk.closed(7.0)
    assert refused.value.code == "overload"
    assert refused.value.retry_after


async def test_with_nothing_live_a_call_is_taken_however_slow_recognition_is(store: SqlStore) -> None:
    floor = Floor(store, carries=0.0)
    async with floor.journal, floor.desk:
        for _ in range(3):
            await (await floor.attach()).stop()


async def test_a_dropped_connection_that_comes_back_is_the_same_call_with_a_visible_gap(store: SqlStore) -> None:
    floor = Floor(store, grace_seconds=30)
    async with floor.journal, floor.desk:
        first = await floor.attach()
        await first.feed(SECOND)
        await first.lost()
        again = await floor.desk.attach(CALL, KEY, time.monotonic() + 4)
        assert again.resumed
        await again.feed(SECOND)
        await again.stop()
        gaps = [f.fact for f in await store.facts("c-1") if isinstance(f.fact, GapMarked)]
        assert (await floor.closing()).duration == pytest.approx(6, abs=0.1)
    assert [(gap.reason, gap.end - gap.start) for gap in gaps] == [("disconnected", pytest.approx(4, abs=0.1))]


async def test_a_connection_that_stays_away_ends_the_call_as_dropped(store: SqlStore) -> None:
    floor = Floor(store, grace_seconds=0)
    async with floor.journal, floor.desk:
        line = await floor.attach()
        facts = line.events()
        await line.lost()
        async with asyncio.timeout(30):
            assert [logged.fact async for logged in facts][-1].type == "call_closed"
        assert (await floor.closing()).ending == "dropped"


async def test_a_later_connection_takes_the_call_over(store: SqlStore) -> None:
    floor = Floor(store)
    async with floor.journal, floor.desk:
        first = await floor.attach()
        second = await floor.attach()
        assert second.resumed
        with pytest.raises(ProtocolViolation, match="another connection"):
            await first.feed(SECOND)
        await first.lost()  # the old socket's end means nothing any more
        await second.feed(SECOND)
        await second.stop()
        assert (await floor.closing()).ending == "completed"


@pytest.mark.parametrize(
    ("announced", "key"),
    [(CALL, replace(KEY, id="k2")), (replace(CALL, rate=16000), KEY), (replace(CALL, encoding="alaw"), KEY)],
)
async def test_a_live_call_is_not_given_to_another_source_or_format(
    store: SqlStore, announced: CallAnnounced, key: GatewayKey
) -> None:
    floor = Floor(store)
    async with floor.journal, floor.desk:
        await floor.attach()
        with pytest.raises(CallRefused) as refused:
            await floor.attach(announced, key)
    assert refused.value.code == "conflict"


async def test_an_id_that_was_used_before_gets_a_number(store: SqlStore) -> None:
    floor = Floor(store)
    async with floor.journal, floor.desk:
        await (await floor.attach()).stop()
        line = await floor.attach()
        assert line.call_id == "c-1~2"
        assert not line.resumed


async def test_a_broken_protocol_keeps_what_came_before_and_marks_the_call(store: SqlStore) -> None:
    floor = Floor(store)
    async with floor.journal, floor.desk:
        line = await floor.attach()
        await line.feed(SECOND)
        facts = line.events()
        await line.reject(ProtocolViolation("audio", "half a sample", 1003))
        told = [logged.fact async for logged in facts]
        assert any(isinstance(fact, Notice) and fact.code == "protocol_error" for fact in told)
        closed = await floor.closing()
    assert (closed.ending, closed.duration) == ("rejected", 1.0)
    assert "half a sample" in closed.reason


async def test_stopping_the_service_finishes_every_call_as_interrupted(store: SqlStore) -> None:
    floor = Floor(store)
    async with floor.journal, floor.desk:
        await (await floor.attach()).feed(SECOND)
    assert (await floor.closing()).ending == "interrupted"


async def test_calls_left_live_by_a_crash_are_closed_at_the_next_start(store: SqlStore) -> None:
    await store.append("c-0", [scenes.opened("c-0"), scenes.heard("c-0")], now())
    floor = Floor(store)
    async with floor.journal, floor.desk:
        closed = await floor.closing("c-0")
    assert (closed.ending, closed.duration) == ("interrupted", 2.0)


async def test_a_defect_in_one_call_ends_that_call_and_no_other(
    store: SqlStore, blocked_event_loop_fails: BlockBuster
) -> None:
    blocked_event_loop_fails.deactivate()  # a traceback in the log reads source files: once a defect, not once a call
    floor = Floor(store)
    async with floor.journal, floor.desk:
        sound = await floor.attach(replace(CALL, call_id="c-2"))
        line = await floor.attach()

        async def defect(_at: float) -> list[object]:
            raise RuntimeError("defect")

        floor.judge.closed = defect  # type: ignore[assignment]
        await line.stop()
        assert (await floor.closing()).ending == "interrupted"
        floor.judge.closed = ScriptedJudge().closed  # type: ignore[method-assign]
        await sound.stop()
        assert (await floor.closing("c-2")).ending == "completed"
