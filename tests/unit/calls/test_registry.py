from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from blockbuster import BlockBuster
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.audio.pcm import Encoding
from asr.recognition.load import CALLS_SPEECH
from asr.types import Role
from service.calls import registry
from service.calls.admission import RETRY_AFTER
from service.calls.registered_call import CallConnection
from service.calls.registry import CallRefused
from service.ingest.events import AudioArrived, ProtocolViolation
from service.ingest.source import Source
from service.record.facts import (
    SYSTEM,
    CallClosed,
    CallOpened,
    CallResumed,
    FindingMade,
    GapMarked,
    Notice,
    WordsTimed,
)
from service.recordings.reader import RecordedAudio
from service.recordings.recordings import RecordingUnreadable
from service.storage.port import OWNED_FOR, LoggedFact, StorageUnavailable, Unstorable
from service.storage.sql import SqlStore
from tests import scenes
from tests.fakes.detector_runner import FakeDetectorRunner
from tests.floor import CALL, KEY, SECOND, Floor
from tests.scenes import now


async def test_a_stopped_call_is_wholly_processed_when_its_line_is_over(store: SqlStore) -> None:
    floor = Floor(store)
    async with floor.journal, floor.calls:
        connection = await floor.attach()
        connection.feed(SECOND)
        closed = await floor.ended(connection)
    assert (closed.ending, closed.duration) == ("completed", 1.0)


@pytest.mark.parametrize("zone", ["US", "x" * 300, "../../etc/passwd"])
async def test_a_zone_that_cannot_be_read_is_a_notice_and_what_stands_in_is_kept(store: SqlStore, zone: str) -> None:
    floor = Floor(store)
    async with floor.journal, floor.calls:
        connection = await floor.attach(replace(CALL, metadata={"timezone": zone}))
        await floor.ended(connection)
    [notice] = [f.fact for f in await store.facts("c-1") if isinstance(f.fact, Notice)]
    assert (notice.code, notice.at) == ("zone_unreadable", 0.0)
    summary = await store.summary("c-1")
    assert (summary.call.timezone, summary.troubles) == ("Asia/Shanghai", ("zone_unreadable",))


async def test_the_zone_of_a_call_is_its_own_then_its_sources_then_its_laws(store: SqlStore) -> None:
    floor = Floor(store)
    abroad = replace(KEY, source=Source(name="pbx", timezone="Asia/Urumqi"))
    given = {"own": ({"tz": "utc+9"}, abroad), "source's": ({}, abroad), "law's": ({}, KEY)}
    async with floor.journal, floor.calls:
        for call_id, (metadata, key) in given.items():
            connection = await floor.attach(replace(CALL, call_id=call_id, metadata=metadata), key)
            await floor.ended(connection)
    zones = [(await store.summary(call_id)).call.timezone for call_id in given]
    assert zones == ["UTC+09:00", "Asia/Urumqi", "Asia/Shanghai"]


async def test_a_full_floor_refuses_with_a_retry_hint(store: SqlStore) -> None:
    floor = Floor(store, most=1)
    async with floor.journal, floor.calls:
        await floor.attach()
        with pytest.raises(CallRefused) as refused:
            await floor.attach(replace(CALL, call_id="c-2"))
    assert refused.value.code == "capacity"
    assert refused.value.retry_after


async def test_calls_announced_at_once_are_no_more_than_are_allowed(store: SqlStore) -> None:
    floor = Floor(store, most=3)
    async with floor.journal, floor.calls:
        came = await asyncio.gather(
            *(floor.attach(replace(CALL, call_id=f"c-{number}")) for number in range(20)), return_exceptions=True
        )
    assert sum(isinstance(each, CallConnection) for each in came) == 3
    assert all(isinstance(each, CallConnection | CallRefused) for each in came)


async def test_a_call_that_recognition_has_no_time_for_is_refused_with_a_retry_hint(store: SqlStore) -> None:
    floor = Floor(store, carries=2.5 * CALLS_SPEECH)
    async with floor.journal, floor.calls:
        assert floor.calls.closed(0.0) == ""
        for name, now in (("c-1", 0.0), ("c-2", 5.0)):
            await floor.calls.attach(replace(CALL, call_id=name), KEY, now)
        with pytest.raises(CallRefused) as refused:
            await floor.calls.attach(replace(CALL, call_id="c-3"), KEY, 7.0)
        assert "busy" in floor.calls.closed(7.0)
    assert refused.value.code == "overload"
    assert refused.value.retry_after


async def test_with_nothing_live_a_call_is_taken_however_slow_recognition_is(store: SqlStore) -> None:
    floor = Floor(store, carries=0.0)
    async with floor.journal, floor.calls:
        endings = [
            (await floor.ended(await floor.attach(replace(CALL, call_id=f"c-{number}")))).ending for number in range(3)
        ]
    assert endings == ["completed"] * 3


async def test_a_dropped_connection_that_comes_back_is_the_same_call_with_a_visible_gap(store: SqlStore) -> None:
    floor = Floor(store, grace_seconds=30)
    async with floor.journal, floor.calls:
        first = await floor.attach()
        first.feed(SECOND)
        first.lost()
        again = await floor.calls.attach(CALL, KEY, time.monotonic() + 4)
        assert again.resumed
        again.feed(SECOND)
        closed = await floor.ended(again)
        gaps = [f.fact for f in await store.facts("c-1") if isinstance(f.fact, GapMarked)]
    assert closed.duration == pytest.approx(6, abs=0.1)
    assert [(gap.reason, gap.end - gap.start) for gap in gaps] == [("disconnected", pytest.approx(4, abs=0.1))]


async def test_a_connection_that_stays_away_ends_the_call_as_dropped(store: SqlStore) -> None:
    floor = Floor(store, grace_seconds=0)
    async with floor.journal, floor.calls:
        connection = await floor.attach()
        facts = connection.events()
        connection.lost()
        async with asyncio.timeout(30):
            assert [logged.fact async for logged in facts][-1].type == "call_closed"
        assert (await floor.closing()).ending == "dropped"


async def test_a_later_connection_takes_the_call_over_and_the_earlier_one_is_told(store: SqlStore) -> None:
    floor = Floor(store)
    async with floor.journal, floor.calls:
        first = await floor.attach()
        second = await floor.attach()
        assert second.resumed
        assert await first.over() == "taken_over"
        first.feed(SECOND)
        first.stop()
        first.reject(ProtocolViolation("audio", "half a sample"))
        first.lost()  # whatever comes of the old socket means nothing any more
        second.feed(SECOND)
        closed = await floor.ended(second)
    assert (closed.ending, closed.duration) == ("completed", 1.0)


async def test_two_sources_that_count_alike_have_a_call_each(store: SqlStore) -> None:
    """Neither hears the other's, and neither is turned away; announced at once or one after the other."""
    floor = Floor(store)
    other = replace(KEY, id="k2", source=Source(name="other-pbx"))
    async with floor.journal, floor.calls:
        ours, theirs = await asyncio.gather(floor.attach(), floor.attach(key=other))
        again = await floor.attach(replace(CALL, call_id="c-1"), other)
        assert {ours.call_id, theirs.call_id} == {"c-1", "c-1~2"}
        assert again.call_id == theirs.call_id
        assert await floor.ended(ours) is not None
        assert await floor.ended(again) is not None


async def test_a_new_key_of_the_same_source_goes_on_with_the_sources_call(store: SqlStore) -> None:
    floor = Floor(store)
    async with floor.journal, floor.calls:
        await floor.attach()
        assert (await floor.attach(key=replace(KEY, id="k-new"))).resumed


@pytest.mark.parametrize("changed", [{"call_over": True}, {"call_over": False}])
async def test_a_call_that_is_announced_again_just_after_its_stop_is_the_same_call(
    store: SqlStore, changed: dict[str, bool]
) -> None:
    floor = Floor(store)
    async with floor.journal, floor.calls:
        connection = await floor.attach()
        connection.feed(SECOND)
        connection.stop(**changed)
        again = await floor.attach()
        assert (again.call_id, again.resumed) == ("c-1", True)
        again.feed(SECOND)
        again.stop()
        assert await again.over() == "processed"
        last = (await store.facts("c-1"))[-1].fact
    assert isinstance(last, CallClosed)
    assert last.duration == pytest.approx(2.0, abs=0.5)


async def test_a_duty_held_missed_for_the_call_was_over_is_withdrawn_when_it_goes_on(store: SqlStore) -> None:
    floor = Floor(store)
    missed = scenes.finding(kind="duty_missing", rule="duty.identity", start=0.0, end=1.0, utterance_id=None)
    floor.detectors.says_at_the_end = [missed]
    async with floor.journal, floor.calls:
        connection = await floor.attach()
        connection.feed(SECOND)
        connection.stop()
        again = await floor.attach()
        floor.detectors.says_at_the_end = []
        again.stop()
        assert await again.over() == "processed"
        [alert] = (await store.call("c-1")).alerts
        assert (alert.rule, alert.state, alert.changed_by) == ("duty.identity", "dismissed", SYSTEM)
        [taken_back] = (await store.call("c-1")).withdrawals
        assert (taken_back.withdrawn.rule, taken_back.alert_id) == (alert.rule, alert.id)
        assert (await store.summary("c-1")).alerts == {}


async def test_what_is_known_of_a_debtors_other_calls_is_told_to_the_detectors(store: SqlStore) -> None:
    floor = Floor(store)
    async with floor.journal, floor.calls:
        for call_id in ("c-1", "c-2"):
            connection = await floor.attach(replace(CALL, call_id=call_id, customer="李四"))
            connection.feed(SECOND)
            await floor.ended(connection)
        unnamed = await floor.attach(replace(CALL, call_id="c-3"))
        await floor.ended(unnamed)
    assert floor.histories["c-1"] == ()
    [contact] = [*(floor.histories["c-2"] or ())]
    assert (contact.call_id, contact.duration) == ("c-1", 1.0)
    assert floor.histories["c-3"] is None


async def test_a_call_is_taken_where_the_debtors_other_calls_cannot_be_asked_for(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise StorageUnavailable("no database")

    monkeypatch.setattr(store, "contacts", fails)
    floor = Floor(store)
    async with floor.journal, floor.calls:
        connection = await floor.attach(replace(CALL, customer="李四"))
        await floor.ended(connection)
    assert floor.histories["c-1"] is None


async def test_a_stream_that_stopped_and_is_not_followed_by_another_is_a_completed_call(store: SqlStore) -> None:
    floor = Floor(store, grace_seconds=0)
    async with floor.journal, floor.calls:
        connection = await floor.attach()
        connection.stop(call_over=False)
        connection.lost()
        assert await connection.over() == "processed"
        assert (await floor.closing()).ending == "completed"


@pytest.mark.parametrize("gone", [True, False])
@pytest.mark.parametrize(
    ("encoding", "rate", "roles"),
    [
        ("alaw", 8000, ("agent", "customer")),
        ("mulaw", 16_000, ("agent", "customer")),
        ("pcm_s16le", 16_000, ("customer", "agent")),
    ],
)
async def test_a_connection_in_another_form_goes_on_with_the_same_call(
    store: SqlStore, encoding: Encoding, rate: int, roles: tuple[Role, ...], gone: bool
) -> None:
    floor = Floor(store)
    async with floor.journal, floor.calls:
        first = await floor.attach()
        first.feed(SECOND)
        if gone:
            first.lost()
        again = await floor.attach(replace(CALL, encoding=encoding, rate=rate, roles=roles))
        assert again.resumed
        again.feed(AudioArrived(payload=bytes(rate * (4 if encoding == "pcm_s16le" else 2))))
        closed = await floor.ended(again)
        notices = [f.fact for f in await store.facts("c-1") if isinstance(f.fact, Notice)]
    assert (closed.ending, closed.duration) == ("completed", pytest.approx(2.0, abs=0.1))
    assert {notice.code for notice in notices} == {"gateway_irregular"}


@pytest.mark.parametrize("roles", [("agent",), ("customer",), ("customer", "agent")])
async def test_legs_that_a_call_never_had_are_left_out_when_its_connection_comes_back_with_them(
    store: SqlStore, roles: tuple[Role, ...]
) -> None:
    floor = Floor(store)
    async with floor.journal, floor.calls:
        first = await floor.attach(replace(CALL, roles=("agent",)))
        first.feed(AudioArrived(payload=bytes(8000)))
        first.lost()
        again = await floor.attach(replace(CALL, roles=roles))
        again.feed(AudioArrived(payload=bytes(8000 * len(roles))))
        closed = await floor.ended(again)
        told = " ".join(f.fact.message for f in await store.facts("c-1") if isinstance(f.fact, Notice))
    assert closed.ending == "completed"
    assert closed.duration == pytest.approx(2.0 if "agent" in roles else 1.0, abs=0.1)
    assert ("never had a leg of the customer" in told) == ("customer" in roles)


HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SOON = timedelta(seconds=12)


@pytest.mark.parametrize(
    ("lasted", "later", "start", "same"),
    [
        (SOON, timedelta(minutes=4), None, True),
        (SOON, timedelta(minutes=6), None, False),
        (SOON, DAY, None, False),
        (SOON, timedelta(minutes=1), timedelta(0), True),  # the call's own start again
        (SOON, DAY, timedelta(0), False),
        (SOON, SOON, SOON + SOON, True),  # the start of the stream that follows
        (SOON, SOON, SOON, True),  # rounded, or by a clock that is late
        (SOON, timedelta(minutes=4), SOON + timedelta(minutes=4), True),
        (HOUR, SOON, HOUR + SOON, True),  # after an hour on hold, by an audio clock that stood
        (SOON, SOON, -SOON, True),  # by another host's clock
        (SOON, DAY, DAY, False),
        (SOON, SOON, DAY, False),  # a call of another day, played in at once
        (SOON, SOON, -DAY, False),
    ],
)
async def test_an_id_that_comes_back_is_the_same_call_for_some_minutes_if_its_start_fits(
    store: SqlStore, lasted: timedelta, later: timedelta, start: timedelta | None, same: bool
) -> None:
    began = now() - timedelta(hours=5)  # a recorded call, perhaps
    time_of_day = [now()]
    floor = Floor(store, wall=lambda: time_of_day[0])
    async with floor.journal, floor.calls:
        first = await floor.attach(replace(CALL, started_at=began))
        while not await store.live_calls():  # noqa: ASYNC110 - until its opening is stored
            await asyncio.sleep(0)
        time_of_day[0] += lasted
        await floor.ended(first)
        time_of_day[0] += later
        connection = await floor.attach(replace(CALL, started_at=None if start is None else began + start))
        assert (connection.call_id, connection.resumed) == (("c-1", True) if same else ("c-1~2", False))


async def test_a_store_that_cannot_say_whether_an_id_was_used_gives_the_call_one_that_was_not(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor = Floor(store, answers_within=0.0)
    async with floor.journal, floor.calls:
        await floor.ended(await floor.attach())

        async def unknown(*_: object) -> str:
            raise StorageUnavailable("the database is gone")

        monkeypatch.setattr(registry, "ENDS_WITHIN", 0.0)
        for asked in ("next_call_id", "summary", "facts"):
            monkeypatch.setattr(store, asked, unknown)
        connection, other = await floor.attach(), await floor.attach(replace(CALL, call_id="c-2"))
        assert connection.call_id.startswith("c-1~")
        assert other.call_id.startswith("c-2~")
        monkeypatch.undo()
        assert (await floor.ended(connection)).ending == "completed"


async def test_a_session_whose_opening_is_refused_tells_its_connection(
    store: SqlStore, blocked_event_loop_fails: BlockBuster, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked_event_loop_fails.deactivate()  # a traceback in the log reads source files
    floor = Floor(store)
    async with floor.journal, floor.calls:

        async def refused(*_: object) -> list[LoggedFact]:
            raise Unstorable("a figure that no database takes")

        monkeypatch.setattr(store, "append", refused)
        connection = await floor.attach()
        connection.feed(SECOND)
        assert await connection.over() == "failed"
        assert floor.calls.live == 0


async def test_a_broken_protocol_keeps_what_came_before_and_marks_the_call(store: SqlStore) -> None:
    floor = Floor(store)
    async with floor.journal, floor.calls:
        connection = await floor.attach()
        connection.feed(SECOND)
        facts = connection.events()
        connection.reject(ProtocolViolation("audio", "half a sample", 1003))
        told = [logged.fact async for logged in facts]
        assert any(isinstance(fact, Notice) and fact.code == "protocol_error" for fact in told)
        closed = await floor.closing()
    assert (closed.ending, closed.duration) == ("rejected", 1.0)
    assert "half a sample" in closed.reason


async def test_a_service_that_stops_takes_no_more_calls_and_leaves_its_own_to_the_next(store: SqlStore) -> None:
    floor = Floor(store)
    async with floor.journal, floor.calls:
        connection = await floor.attach()
        connection.feed(SECOND)
        await floor.calls.suspend()
        assert await connection.over() == "suspended"
        with pytest.raises(CallRefused) as refused:
            await floor.attach(replace(CALL, call_id="c-2"))
    assert refused.value.code == "restarting"
    assert [summary.call.id for summary in await store.live_calls()] == ["c-1"]

    following = Floor(store)
    async with following.journal, following.calls:
        again = await following.attach()
        assert (again.call_id, again.resumed) == ("c-1", True)
        assert (await following.ended(again)).ending == "completed"
    assert (await following.kinds()).count("call_resumed") == 1


async def test_a_gateway_is_answered_though_the_disk_that_its_call_is_read_from_hangs(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(*_: object) -> list[LoggedFact]:
        return await asyncio.get_running_loop().create_future()

    await store.append("c-1", [CallOpened(call=scenes.call("c-1"))], now())
    monkeypatch.setattr(registry, "ENDS_WITHIN", 0.05)
    monkeypatch.setattr(store, "facts", hangs)
    floor = Floor(store)
    async with floor.journal, floor.calls:
        with pytest.raises(CallRefused) as refused:
            await floor.attach()
        await floor.calls.suspend(within=0.05)
    assert (refused.value.code, refused.value.retry_after) == ("ending", RETRY_AFTER)


async def test_a_session_that_does_not_end_does_not_keep_the_service_from_stopping(store: SqlStore) -> None:
    floor = Floor(store)

    async def stuck(_at: float) -> list[object]:
        return await asyncio.get_running_loop().create_future()

    async with floor.journal, floor.calls:
        floor.detectors.heard = floor.detectors.elapsed = stuck  # type: ignore[assignment,method-assign]
        connection = await floor.attach()
        for _ in range(3):
            connection.feed(SECOND)
        await floor.calls.suspend(within=0.05)
        assert floor.calls.live == 0
        assert await connection.over() == "suspended"


async def test_calls_left_live_wait_for_their_gateway_and_then_end_as_interrupted(
    store: SqlStore,
) -> None:
    await store.append("c-0", [scenes.opened("c-0"), scenes.heard("c-0")], now())
    floor = Floor(store, return_after_restart=0.0, grace_seconds=0)
    async with floor.journal, asyncio.timeout(30):
        facts = floor.bus.follow("c-0")
        async with floor.calls:
            told = [logged.fact async for logged in facts]
    closed = told[-1]
    assert isinstance(told[0], CallResumed)
    assert isinstance(closed, CallClosed)
    assert (closed.ending, closed.duration) == ("interrupted", 2.0)


async def test_calls_left_long_ago_are_over_at_once(store: SqlStore) -> None:
    await store.append("c-0", [scenes.opened("c-0"), scenes.heard("c-0")], now() - timedelta(hours=2))
    floor = Floor(store)
    async with floor.journal, asyncio.timeout(30):
        facts = floor.bus.follow("c-0")
        async with floor.calls:
            assert [logged.fact async for logged in facts][-1].type == "call_closed"


async def test_a_recording_that_cannot_be_read_is_a_marked_stretch_and_the_clock_goes_on(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its disk fails at the second piece; the agent's speech has its text up to 2 s."""
    writer = (floor := Floor(store)).recordings.writer("c-1", CALL.roles, CALL.rate)
    for role in CALL.roles:
        writer.write(role, 0, np.zeros(6 * CALL.rate, np.int16))
    writer.save()
    real = RecordedAudio.read

    def fails(recorded: RecordedAudio, start: int, stop: int) -> NDArray[np.int16]:
        if start:
            raise RecordingUnreadable("input/output error")
        return real(recorded, start, stop)

    monkeypatch.setattr(RecordedAudio, "read", fails)
    await store.append("c-1", [CallOpened(call=scenes.call("c-1")), scenes.heard("c-1")], now())
    async with floor.journal, floor.calls:
        connection = await floor.attach()
        closed = await floor.ended(connection)
        gaps = [f.fact for f in await store.facts("c-1") if isinstance(f.fact, GapMarked)]
    assert connection.resumed
    assert closed.duration >= 6.0
    assert [(gap.role, gap.start, gap.end) for gap in gaps if gap.reason == "unrecognised"] == [
        ("agent", 2.0, 6.0),
        ("customer", 2.0, 6.0),
    ]


async def test_words_that_were_never_timed_are_timed_when_their_call_is_gone_on_with(store: SqlStore) -> None:
    writer = (floor := Floor(store)).recordings.writer("c-1", CALL.roles, CALL.rate)
    for role in CALL.roles:
        writer.write(role, 0, np.ones(6 * CALL.rate, np.int16))
    writer.save()
    said = [scenes.heard("c-1", index) for index in range(2)]
    found = [
        FindingMade(finding=scenes.finding(utterance_id=heard.utterance.id, start=heard.utterance.start))
        for heard in said
    ]
    timed = WordsTimed(utterance_id=said[0].utterance.id, words=())
    await store.append("c-1", [CallOpened(call=scenes.call("c-1")), *said, *found, timed], now())
    async with floor.journal, floor.calls:
        await floor.ended(await floor.attach())
        told = [f.fact for f in await store.facts("c-1") if isinstance(f.fact, WordsTimed)][1:]
    assert [each.utterance_id for each in told] == [said[1].utterance.id]
    assert told[0].words[0].start == said[1].utterance.start


@pytest.mark.parametrize("stopped", [True, False])
async def test_what_a_gateway_kept_while_it_could_not_send_is_taken_at_once_when_its_call_is_gone_on_with(
    store: SqlStore, *, stopped: bool
) -> None:
    """After its end, or the service's."""
    time_of_day = [now()]
    first = Floor(store, wall=lambda: time_of_day[0])
    async with first.journal, first.calls:
        connection = await first.attach()
        connection.feed(SECOND)
        if stopped:
            await first.ended(connection)
    time_of_day[0] += timedelta(seconds=90)
    floor = Floor(store, wall=lambda: time_of_day[0], max_pace=1.0)
    async with floor.journal, floor.calls:
        again = await floor.attach()
        for _second in range(90):
            again.feed(SECOND)
        with pytest.raises(ProtocolViolation, match="faster"):
            again.feed(AudioArrived(payload=70 * SECOND.payload))
        again.stop()
        assert await again.over() == "processed"


async def test_two_left_calls_of_one_announced_id_do_not_meet(store: SqlStore) -> None:
    for name in ("c-1", "c-1~2"):
        await store.append(name, [scenes.opened(name), scenes.heard(name)], now())
    floor = Floor(store)
    async with floor.journal, floor.calls:
        assert (await floor.attach()).call_id == "c-1~2"


async def test_a_defect_in_one_call_ends_that_call_and_no_other(
    store: SqlStore, blocked_event_loop_fails: BlockBuster
) -> None:
    blocked_event_loop_fails.deactivate()  # a traceback in the log reads source files: once a defect, not once a call
    floor = Floor(store)
    async with floor.journal, floor.calls:
        sound = await floor.attach(replace(CALL, call_id="c-2"))
        connection = await floor.attach()

        async def defect(_at: float) -> list[object]:
            raise RuntimeError("defect")

        floor.detectors.closed = defect  # type: ignore[assignment]
        connection.stop()
        assert await connection.over() == "failed"
        assert (await floor.closing()).ending == "interrupted"
        floor.detectors.closed = FakeDetectorRunner().closed  # type: ignore[method-assign]
        assert (await floor.ended(sound)).ending == "completed"


class Step(NamedTuple):
    """What one of several connections of one call id does, and how many turns of the event loop pass then."""

    socket: int
    act: str
    turns: int


STEPS = st.lists(
    st.builds(
        Step,
        st.integers(0, 2),
        st.sampled_from(["attach", "attach agent", "attach customer", "feed", "stop", "stream_stop", "lost", "reject"]),
        st.sampled_from([0, 0, 1, 3, 200]),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_whatever_connections_of_one_call_do_in_whatever_order_ends_no_other_call_and_leaves_none_live(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    store = SqlStore(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('orders') / 'c.db'}")
    await store.open()
    try:
        floor = Floor(store, grace_seconds=0)
        async with floor.journal, asyncio.timeout(30), floor.calls:
            bystander = await floor.attach(replace(CALL, call_id="bystander"))
            connections = await _perform(floor, steps)
            for connection in connections:
                connection.lost()
            bystander.feed(SECOND)
            assert (await floor.ended(bystander)).ending == "completed"
            while floor.calls.live:  # noqa: ASYNC110 - the registry tells nobody that it is empty
                await asyncio.sleep(0)
        assert await store.live_calls() == []
    finally:
        await store.close()


async def _perform(floor: Floor, steps: Sequence[Step]) -> list[CallConnection]:
    """Let each connection do its steps in order; attaching goes on in the background while others act."""
    connections: list[CallConnection] = []
    attaching: list[asyncio.Task[None]] = []

    async def attach(*legs: str) -> None:
        roles: tuple[Role, ...] = tuple(role for role in CALL.roles if not legs or role in legs)
        connections.append(await floor.attach(replace(CALL, roles=roles, call_roles=CALL.roles)))

    for step in steps:
        if step.act.startswith("attach"):
            attaching.append(asyncio.create_task(attach(*step.act.split()[1:])))
        elif len(connections) > step.socket:
            _act(connections[-1 - step.socket], step.act)
        for _ in range(step.turns):
            await asyncio.sleep(0)
    await asyncio.gather(*attaching)
    return connections


def _act(connection: CallConnection, act: str) -> None:
    match act:
        case "feed":
            connection.feed(SECOND)
        case "stop":
            connection.stop()
        case "stream_stop":
            connection.stop(call_over=False)
        case "reject":
            connection.reject(ProtocolViolation("audio", "half a sample"))
        case _:
            connection.lost()


async def test_of_two_installations_on_one_store_none_ends_the_calls_of_the_other(tmp_path: Path) -> None:
    stores = [SqlStore(f"sqlite+aiosqlite:///{tmp_path / 'c.db'}", owner) for owner in ("here", "there")]
    for each in stores:
        await each.open()
    here, there = Floor(stores[0]), Floor(stores[1])
    async with here.journal, here.calls:
        connection = await here.attach()
        connection.feed(SECOND)
        while not await stores[0].live_calls():  # noqa: ASYNC110 - until its opening is stored
            await asyncio.sleep(0)
        async with there.journal, there.calls:
            await there.calls.keep()
            assert there.calls.live == 0
        await here.calls.keep()
        assert (await here.ended(connection)).ending == "completed"
    for each in stores:
        await each.close()


async def test_calls_of_an_installation_that_is_gone_are_gone_on_with(tmp_path: Path) -> None:
    stores = [SqlStore(f"sqlite+aiosqlite:///{tmp_path / 'c.db'}", owner) for owner in ("here", "there")]
    for each in stores:
        await each.open()
    await stores[0].append("c-1", [CallOpened(call=scenes.call("c-1"))], now())
    clock = [now() + OWNED_FOR / 2]
    there = Floor(stores[1], wall=lambda: clock[0], grace_seconds=0)
    async with there.journal, there.calls:
        assert there.calls.live == 0
        clock[0] += OWNED_FOR
        await there.calls.keep()
        await there.calls.keep()
        assert there.calls.live == 1, "once, however often it is asked"
    for each in stores:
        await each.close()
