"""A call's queue holds no more than its bound, and loses nothing that was said."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.endpointing.endpointer import SpeechSegment
from asr.types import ROLES
from service.calls.audio_path import ChannelsCompared, TimePassed
from service.calls.call_recognition import PartialUtterance
from service.calls.work_queue import NOTICES_MORE, Finish, Suspend, Work, WorkQueue
from service.record.facts import DtmfPressed, GapMarked, Notice
from tests.stretches import recognised

MOST = 4
DIGIT = DtmfPressed(digit="1", at=1.0)
NOTICE = Notice(code="audio_missing", message="no audio", at=1.0)


def gap(start: float, end: float, role: str | None = "agent") -> GapMarked:
    return GapMarked(role=role, start=start, end=end, reason="unrecognised")  # type: ignore[arg-type]


def full() -> WorkQueue:
    queue = WorkQueue(MOST)
    for at in range(MOST):
        assert queue.put(TimePassed(at=float(at)))
    return queue


async def drained(queue: WorkQueue) -> list[Work]:
    return [await queue.get() for _ in range(len(queue))]


async def test_work_is_taken_in_the_order_it_came() -> None:
    queue = WorkQueue(MOST)
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    for work in (DIGIT, NOTICE):
        queue.put(work)
    assert await waiting == DIGIT
    assert await queue.get() == NOTICE


@pytest.mark.parametrize(
    "work",
    [
        DIGIT,
        TimePassed(at=9.0),
        PartialUtterance(role="agent", start=1.0, end=2.0, recognised=recognised("好的")),
    ],
)
async def test_where_it_is_full_what_can_be_left_out_is(work: Work) -> None:
    queue = full()
    assert not queue.put(work)
    assert len(queue) == MOST


@pytest.mark.parametrize(
    "work",
    [SpeechSegment(role="agent", first=0, pcm=bytes(3200)), Finish(ending="completed", reason=""), Suspend()],
)
async def test_speech_and_the_end_are_always_taken(work: Work) -> None:
    queue = full()
    assert queue.put(work)
    assert (await drained(queue))[-1] == work


async def test_where_it_is_full_some_notices_find_room() -> None:
    queue = full()
    assert [queue.put(NOTICE) for _ in range(NOTICES_MORE + 2)] == [*[True] * NOTICES_MORE, False, False]


async def test_where_it_is_full_a_gap_widens_the_one_of_its_kind() -> None:
    queue = full()
    for each in (gap(1.0, 2.0), gap(5.0, 6.0, "customer"), gap(3.0, 4.0), gap(7.0, 8.0)):
        assert queue.put(each)
    assert (await drained(queue))[MOST:] == [gap(1.0, 8.0), gap(5.0, 6.0, "customer")]


async def test_where_it_is_full_the_newest_comparison_of_channels_counts() -> None:
    queue = full()
    for equal in (True, False, True):
        assert queue.put(ChannelsCompared(at=float(equal), equal=equal))
    assert (await drained(queue))[MOST:] == [ChannelsCompared(at=1.0, equal=True)]


async def test_what_is_left_at_the_end_is_told_by_its_notices_and_digits() -> None:
    queue = WorkQueue(MOST)
    for work in (DIGIT, NOTICE, TimePassed(at=1.0)):
        queue.put(work)
    assert queue.rest() == [DIGIT, NOTICE]
    assert len(queue) == 0


PIECES = st.one_of(
    st.builds(TimePassed, at=st.floats(0, 99)),
    st.builds(gap, st.floats(0, 9), st.floats(10, 20), st.sampled_from([*ROLES, None])),
    st.builds(ChannelsCompared, at=st.floats(0, 99), equal=st.booleans()),
    st.just(DIGIT),
    st.just(NOTICE),
)


@given(st.lists(PIECES, max_size=80))
async def test_whatever_comes_it_stays_bounded_and_every_gap_is_covered(pieces: list[Work]) -> None:
    queue = WorkQueue(MOST)
    for work in pieces:
        queue.put(work)
    assert len(queue) <= MOST + NOTICES_MORE + len([*ROLES, None]) + 1
    held = [work for work in await drained(queue) if isinstance(work, GapMarked)]
    for work in pieces:
        if isinstance(work, GapMarked):
            alike = [each for each in held if each.role == work.role]
            assert any(each.start <= work.start and work.end <= each.end for each in alike)
