"""What calls rely on in a recogniser, tried on the fake and on the real one over a fake engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Literal, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from asr.engines.port import RecognitionFailed, Speech
from asr.recognition.recogniser import BatchRecogniser, RecognitionRequest
from asr.types import Role, Transcript
from service.calls.ports import Recogniser
from tests.fakes.engine import FakeEngine, Gate
from tests.fakes.recogniser import FakeRecogniser
from tests.recognising import request
from tests.stretches import speech

What: TypeAlias = Literal["speech", "nobody", "broken", "hanging"]
Opened: TypeAlias = Callable[[What], AbstractAsyncContextManager[Recogniser]]

TEXT = "再不还钱就上门"


def breaks(_batch: Sequence[Speech]) -> list[Transcript]:
    raise RecognitionFailed("out of memory")


@asynccontextmanager
async def real(what: What) -> AsyncIterator[Recogniser]:
    def somebody_speaks(_pcm: NDArray[np.float32]) -> bool:
        return what != "nobody"

    gate = Gate()
    engine = FakeEngine(says=breaks) if what == "broken" else FakeEngine(*[gate] * (what == "hanging"))
    async with BatchRecogniser(engine, second_opinion=somebody_speaks) as recogniser:
        yield recogniser
        gate.open()


@asynccontextmanager
async def fake(what: What) -> AsyncIterator[Recogniser]:
    answers: dict[What, list[str | Exception | None]] = {
        "broken": [RecognitionFailed("out of memory")] * 5,
        "nobody": [None] * 5,
    }
    recogniser = FakeRecogniser(*answers.get(what, []))
    if what in ("broken", "hanging"):
        recogniser.timing = "failing" if what == "broken" else "hanging"
    yield recogniser


@pytest.fixture(params=[fake, real], ids=["fake", "batch"])
def opened(request: pytest.FixtureRequest) -> Opened:
    return request.param


def words(call: str = "c-1", seconds: float = 2.0) -> RecognitionRequest:
    return replace(request(call, seconds=seconds, kind="words"), speech=replace(speech(seconds), text=TEXT))


async def came(*futures: asyncio.Future[Transcript | None]) -> list[Transcript | None]:
    async with asyncio.timeout(30):
        return [await future for future in futures]


async def test_a_final_gets_its_text(opened: Opened) -> None:
    async with opened("speech") as recogniser:
        [heard] = await came(recogniser.submit(request("c-1")))
    assert heard is not None
    assert heard.text.strip()


async def test_where_nobody_speaks_there_is_none(opened: Opened) -> None:
    async with opened("nobody") as recogniser:
        assert await came(recogniser.submit(request("c-1"))) == [None]


async def test_a_final_that_cannot_be_recognised_says_so(opened: Opened) -> None:
    async with opened("broken") as recogniser:
        with pytest.raises(RecognitionFailed, match="out of memory"):
            await came(recogniser.submit(request("c-1")))


async def test_a_partial_has_a_text_or_none(opened: Opened) -> None:
    async with opened("speech") as recogniser:
        [heard] = await came(recogniser.submit(request("c-1", kind="partial")))
    assert heard is None or heard.text.strip()


async def test_a_legs_results_come_in_the_order_of_its_requests(opened: Opened) -> None:
    order: list[tuple[Role, int]] = []

    def noted(role: Role, seq: int) -> Callable[[object], None]:
        return lambda _future: order.append((role, seq))

    async with opened("speech") as recogniser:
        futures = []
        asked: list[tuple[Role, float]] = [("agent", 9.0), ("customer", 1.0), ("agent", 1.0), ("agent", 4.0)]
        for seq, (role, seconds) in enumerate(asked):
            future = recogniser.submit(request("c-1", seq, role=role, seconds=seconds))
            future.add_done_callback(noted(role, seq))
            futures.append(future)
        await came(*futures)
        await asyncio.sleep(0)  # what is done at once is told in the next turn
    assert [seq for role, seq in order if role == "agent"] == [0, 2, 3]


async def test_the_times_of_a_texts_words_lie_in_its_stretch_and_their_order(opened: Opened) -> None:
    async with opened("speech") as recogniser:
        [timed] = await came(recogniser.submit(words(seconds=2.0)))
    assert timed is not None
    assert "".join(word.text for word in timed.words) == TEXT
    edges = [edge for word in timed.words for edge in (word.start, word.end)]
    assert edges == sorted(edges)
    assert 0 <= edges[0] <= edges[-1] <= 2.0


async def test_times_that_cannot_be_found_say_so(opened: Opened) -> None:
    async with opened("broken") as recogniser:
        with pytest.raises(RecognitionFailed):
            await came(recogniser.submit(words()))


async def test_a_withdrawn_calls_requests_are_cancelled_and_no_others(opened: Opened) -> None:
    async with opened("hanging") as recogniser:
        mine, other = recogniser.submit(words("c-1")), recogniser.submit(words("c-2"))
        recogniser.withdraw("c-1")
        recogniser.withdraw("c-1")
        await asyncio.sleep(0)
        assert mine.cancelled()
        assert not other.done()


async def test_equal_requests_are_one(opened: Opened) -> None:
    """What is sent again, for nobody knows whether it came, is not done twice."""
    async with opened("hanging") as recogniser:
        assert recogniser.submit(words("c-1")) is recogniser.submit(words("c-1"))
        assert recogniser.submit(words("c-1")) is not recogniser.submit(words("c-2"))
