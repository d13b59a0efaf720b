"""What admission relies on in whoever tells what recognition can carry, tried on the fake and on the recogniser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

import pytest

from asr.recognition.recogniser import BatchRecogniser
from service.calls.admission import Pace
from tests.fakes.engine import FakeEngine
from tests.fakes.pace import FakePace
from tests.recognising import request, somebody
from tests.stretches import speech

Speak: TypeAlias = Callable[[str], Awaitable[None]]
Opened: TypeAlias = Callable[[], AbstractAsyncContextManager[tuple[Pace, Speak]]]

TOO_MUCH = 1e9
"""Seconds of speech a second."""


@asynccontextmanager
async def real() -> AsyncIterator[tuple[Pace, Speak]]:
    async with BatchRecogniser(FakeEngine(), second_opinion=somebody, sample=speech(4.0)) as recogniser:
        await recogniser.measure()

        async def speak(call_id: str) -> None:
            await recogniser.submit(request(call_id, seconds=5.0))

        yield recogniser, speak


@asynccontextmanager
async def fake() -> AsyncIterator[tuple[Pace, Speak]]:
    pace = FakePace(most=3.0)

    async def speak(call_id: str) -> None:
        pace.speech[call_id] = 1.0

    yield pace, speak


@pytest.fixture(params=[fake, real], ids=["fake", "recogniser"])
def opened(request: pytest.FixtureRequest) -> Opened:
    return request.param


async def test_a_call_that_has_said_nothing_has_brought_nothing(opened: Opened) -> None:
    async with opened() as (pace, _speak):
        assert pace.speech_of("c-1") == 0.0


async def test_what_a_call_says_counts_for_it_alone(opened: Opened) -> None:
    async with asyncio.timeout(30), opened() as (pace, speak):
        await speak("c-1")
        assert pace.speech_of("c-1") > 0.0
        assert pace.speech_of("c-2") == 0.0


async def test_nothing_is_carried_and_not_everything_is(opened: Opened) -> None:
    async with opened() as (pace, _speak):
        assert pace.carries(0.0)
        assert not pace.carries(TOO_MUCH)
