from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors.runtime.call_encoder import MOST_FAILURES, RESTS_FOR, TURNS, CallEncoder
from tests.fakes.text_encoder import FakeTextEncoder


async def test_an_answer_that_is_late_by_a_time_out_or_two_counts() -> None:
    release = threading.Event()
    encoder = CallEncoder(FakeTextEncoder({}, waits_for=release), timeout_s=0.4)
    asyncio.get_running_loop().call_later(0.4 * (TURNS - 1.5), release.set)
    assert await encoder.embeddings(["还钱"]) is not None


async def test_a_process_that_stood_still_is_no_slow_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is an hour further when the encoder answers."""
    loop, asked = asyncio.get_running_loop(), FakeTextEncoder({})
    steady, shift = loop.time, [0.0]
    encode = asked.encode

    def stands_still(texts: Sequence[str]) -> NDArray[np.float32]:
        shift[0] = 3600.0
        return encode(texts)

    monkeypatch.setattr(asked, "encode", stands_still)
    monkeypatch.setattr(loop, "time", lambda: steady() + shift[0])
    assert await CallEncoder(asked, timeout_s=5).embeddings(["还钱"]) is not None


async def test_one_that_hangs_is_waited_for_once_and_asked_again_once_it_has_answered() -> None:
    release = threading.Event()
    asked = FakeTextEncoder({}, waits_for=release)
    encoder = CallEncoder(asked, timeout_s=0.02)
    for spell in range(1, 6):  # more often than it may fail in a row
        with pytest.raises(TimeoutError, match="did not answer"):
            await encoder.embeddings(["一"])
        assert [await encoder.embeddings([text]) for text in "二三四五"] == [None] * 4
        assert asked.asked == ["一", "六"] * (spell - 1) + ["一"]
        release.set()
        while await encoder.embeddings(["六"]) is None:  # noqa: ASYNC110 - its late answer is nobody's to wait for
            await asyncio.sleep(0)
        release.clear()


@given(st.lists(st.booleans(), max_size=40))
async def test_after_failures_in_a_row_it_rests_and_is_asked_again_and_a_success_ends_that(fails: list[bool]) -> None:
    asked = FakeTextEncoder({}, fails=fails)
    encoder = CallEncoder(asked, timeout_s=20)
    in_a_row = unasked = 0
    for text in range(3 * RESTS_FOR):
        before = len(asked.asked)
        try:
            answer = await encoder.embeddings([str(text)])
        except MemoryError:
            in_a_row, unasked = in_a_row + 1, 0
            continue
        if len(asked.asked) == before:
            unasked += 1
            assert answer is None
            assert in_a_row >= MOST_FAILURES
            assert unasked < RESTS_FOR
        else:
            in_a_row = unasked = 0
            assert answer is not None
