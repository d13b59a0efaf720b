"""Finals that have their text from a partial of the very same speech."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from asr.engines.port import RecognitionFailed, Speech
from asr.recognition.recogniser import BatchRecogniser, RecognitionRequest
from tests.fakes.engine import DoubtingEngine, FakeEngine, Gate, fails
from tests.recognising import request, somebody, text_of


def partial_and_final(seconds: float = 1.0) -> tuple[RecognitionRequest, RecognitionRequest]:
    return request("A", seconds=seconds, kind="partial"), request("A", seconds=seconds)


async def test_a_final_has_the_text_of_a_partial_of_the_same_speech():
    engine = FakeEngine()
    async with BatchRecogniser(engine, second_opinion=somebody) as recogniser:
        partial, final = partial_and_final()
        await recogniser.submit(partial)
        assert await text_of(recogniser.submit(final)) == "第1.00秒"
        assert (recogniser.counts.finals, recogniser.counts.taken_over) == (1, 1)
    assert len(engine.batches) == 1


async def test_a_final_waits_for_a_partial_of_the_same_speech_that_is_in_work():
    gate = Gate()
    engine = FakeEngine(gate, workers=2)
    async with BatchRecogniser(engine, second_opinion=somebody) as recogniser:
        first, second = partial_and_final()
        partial = recogniser.submit(first)
        await asyncio.to_thread(gate.reached.wait, 10)
        final = recogniser.submit(second)
        assert await partial is None
        assert not final.done()
        gate.open()
        assert await text_of(final) == "第1.00秒"
    assert len(engine.batches) == 1


async def test_the_legs_next_final_waits_for_one_that_takes_over():
    gate = Gate()
    order: list[int] = []
    async with BatchRecogniser(FakeEngine(gate, workers=2), second_opinion=somebody) as recogniser:
        recogniser.submit(request("A", kind="partial"))
        await asyncio.to_thread(gate.reached.wait, 10)
        finals = [recogniser.submit(request("A", seq)) for seq in range(2)]
        for seq, final in enumerate(finals):
            final.add_done_callback(lambda _, seq=seq: order.append(seq))
        assert await text_of(recogniser.submit(request("B"))) == "第1.00秒"  # the other worker is free
        assert not any(final.done() for final in finals)
        gate.open()
        await asyncio.gather(*finals)
        await asyncio.sleep(0)  # the callbacks' turn
    assert order == [0, 1]


@pytest.mark.parametrize(
    "other",
    [
        request("A", seconds=0.9, kind="partial"),
        request("A", 1, kind="partial"),
        request("A", role="customer", kind="partial"),
        replace(request("A", kind="partial"), speech=replace(request("A").speech, effort="quick")),
    ],
    ids=["shorter", "another utterance", "another leg", "less effort"],
)
async def test_a_final_takes_over_nothing_else(other: RecognitionRequest):
    engine = FakeEngine()
    async with BatchRecogniser(engine, second_opinion=somebody) as recogniser:
        await recogniser.submit(other)
        assert await text_of(recogniser.submit(request("A"))) == "第1.00秒"
        assert recogniser.counts.taken_over == 0
    assert len(engine.batches) == 2


async def test_a_doubtful_partial_is_not_taken_over():
    async with BatchRecogniser(DoubtingEngine(), second_opinion=somebody) as recogniser:
        partial, final = partial_and_final(seconds=2.0)
        await recogniser.submit(partial)
        assert await text_of(recogniser.submit(final)) == "看清了"


async def test_a_doubtful_partial_that_a_final_waits_for_is_looked_at_again():
    gate = Gate()
    async with BatchRecogniser(DoubtingEngine(gate, workers=2), second_opinion=somebody) as recogniser:
        partial, final = partial_and_final(seconds=2.0)
        recogniser.submit(partial)
        await asyncio.to_thread(gate.reached.wait, 10)
        result = recogniser.submit(final)
        gate.open()
        assert await text_of(result) == "看清了"
        assert recogniser.counts.redecoded == 1


async def test_silence_is_taken_over_too():
    async with BatchRecogniser(FakeEngine(), second_opinion=lambda _: False) as recogniser:
        partial, final = partial_and_final()
        await recogniser.submit(partial)
        assert await recogniser.submit(final) is None
        assert recogniser.counts.refused == 1


async def test_a_final_fails_with_the_partial_it_waits_for_and_its_leg_goes_on():
    gate = Gate()

    def fails_when_let(batch: Sequence[Speech]) -> None:
        gate(batch)
        fails(batch)

    async with BatchRecogniser(FakeEngine(fails_when_let, fails), second_opinion=somebody) as recogniser:
        partial, final = partial_and_final()
        recogniser.submit(partial)
        await asyncio.to_thread(gate.reached.wait, 10)
        results = [recogniser.submit(final), recogniser.submit(request("A", 1))]
        gate.open()
        with pytest.raises(RecognitionFailed):
            await results[0]
        assert await text_of(results[1]) == "第1.00秒"


async def test_partials_leave_a_worker_to_finals():
    gate = Gate()
    async with BatchRecogniser(FakeEngine(gate, workers=2), second_opinion=somebody) as recogniser:
        partials = [recogniser.submit(request(call, kind="partial")) for call in "AB"]
        await asyncio.to_thread(gate.reached.wait, 10)
        assert await text_of(recogniser.submit(request("C"))) == "第1.00秒"
        assert not any(partial.done() for partial in partials)
        gate.open()
        assert await asyncio.gather(*map(text_of, partials)) == ["第1.00秒"] * 2


async def test_a_withdrawn_calls_texts_are_forgotten():
    engine = FakeEngine()
    async with BatchRecogniser(engine, second_opinion=somebody) as recogniser:
        partial, final = partial_and_final()
        await recogniser.submit(partial)
        recogniser.withdraw("A")
        await recogniser.submit(final)
    assert len(engine.batches) == 2
