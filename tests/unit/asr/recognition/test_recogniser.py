"""Recognition for all calls, on an engine that is slow, fails, breaks down or hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import count

import numpy as np
import pytest
from numpy.typing import NDArray

from asr.engines.port import Engine, RecognitionError, RecognitionFailed, Speech
from asr.recognition.degradation import DEGRADATION_LEVELS, DegradationLevel
from asr.recognition.queue import without_deadlines
from asr.recognition.recogniser import BatchRecogniser, RecogniserLimits
from asr.types import Role, Transcript
from tests.fakes.engine import DoubtingEngine, FaintEngine, FakeEngine, Gate, fails, fails_on_batches, length_of
from tests.recognising import held, request, somebody, text_of
from tests.stretches import speech, transcript


def fixed(level: DegradationLevel) -> RecogniserLimits:
    return without_deadlines(level, level)


def _note(order: list[str], name: str, _done: object) -> None:
    order.append(name)


QUICK_TO_GIVE_UP = RecogniserLimits(hang_seconds=0.0, hang_factor=0.5)
"""A short stretch is given up at once; a long one is waited for as long as a busy machine may need."""
SHORT, LONG = 0.1, 20.0


async def test_a_stretch_of_speech_becomes_text():
    async with BatchRecogniser(FakeEngine(), second_opinion=somebody) as recogniser:
        assert await text_of(recogniser.submit(request("A", seconds=1.5))) == "第1.50秒"
        assert recogniser.counts.finals == 1
        assert recogniser.backlog_seconds == 0


async def test_what_waits_is_decoded_together():
    async with held() as (recogniser, engine, gate):
        waiting = [recogniser.submit(request(f"call-{n}", seconds=1 + n / 10)) for n in range(4)]
        gate.open()
        assert await asyncio.gather(*map(text_of, waiting)) == ["第1.00秒", "第1.10秒", "第1.20秒", "第1.30秒"]
    assert [len(batch) for batch in engine.batches] == [1, 2, 2]


async def test_batches_grow_when_much_waits():
    async with held(limits=RecogniserLimits(batch=4)) as (recogniser, engine, gate):
        waiting = [recogniser.submit(request(f"call-{n}")) for n in range(16)]
        gate.open()
        await asyncio.gather(*waiting)
    assert [len(batch) for batch in engine.batches] == [1, 4, 3, 2, 2, 2, 2, 1]


async def test_what_would_wait_too_long_is_recognised_in_a_hurry():
    async with held() as (recogniser, engine, gate):
        waiting = [
            recogniser.submit(request(f"call-{n}", seconds=2.0)) for n in range(3)
        ]  # 7 s at a guess of 6 a second
        assert recogniser.level == "greedy"
        gate.open()
        await asyncio.gather(*waiting)
    assert {each.effort for batch in engine.batches[1:] for each in batch} == {"quick"}


async def test_the_event_loop_runs_while_the_engine_works():
    async with held() as (recogniser, _, gate):
        asyncio.get_running_loop().call_soon(gate.open)  # only a loop that runs can open it
        assert await text_of(recogniser.submit(request("A"))) == "第1.00秒"


async def test_where_nobody_speaks_the_engine_is_not_asked():
    engine = FakeEngine()
    async with BatchRecogniser(engine, second_opinion=lambda pcm: len(pcm) > 16_000) as recogniser:
        assert await recogniser.submit(request("A", seconds=0.5)) is None
        assert engine.batches == []
        assert recogniser.counts.refused == 1


async def test_a_broken_second_opinion_costs_time_but_no_speech():
    def broken(_pcm: NDArray[np.float32]) -> bool:
        raise RuntimeError("no model")

    async with BatchRecogniser(FakeEngine(), second_opinion=broken) as recogniser:
        assert await text_of(recogniser.submit(request("A"))) == "第1.00秒"
        assert recogniser.counts.opinions_failed == 1


async def test_results_of_a_leg_come_in_its_order_even_where_one_of_them_is_silence():
    order: list[int] = []

    def somebody_speaks(pcm: NDArray[np.float32]) -> bool:
        return len(pcm) != 16_000 * 3

    async with held(second_opinion=somebody_speaks) as (recogniser, _, gate):
        lengths = (2.0, 3.0, 2.5, 3.0)
        results = [recogniser.submit(request("A", seq, seconds=seconds)) for seq, seconds in enumerate(lengths)]
        for seq, result in enumerate(results):
            result.add_done_callback(lambda _, seq=seq: order.append(seq))
        gate.open()
        await results[-1]
        await asyncio.sleep(0)  # the callbacks' turn
    assert order == [0, 1, 2, 3]


async def test_a_failed_batch_is_tried_again_item_by_item():
    async with held(fails_on_batches, limits=RecogniserLimits(quick_batch=3)) as (recogniser, engine, gate):
        waiting = [recogniser.submit(request(f"call-{n}")) for n in range(3)]
        gate.open()
        assert await asyncio.gather(*map(text_of, waiting)) == ["第1.00秒"] * 3
        assert recogniser.counts.retried == 3
        assert recogniser.counts.failures == 0
    assert [len(batch) for batch in engine.batches] == [1, 3, 1, 1, 1]


async def test_only_the_item_that_fails_alone_too_is_given_up():
    def bad_second(batch: Sequence[Speech]) -> None:
        if any(each.seconds == 2.0 for each in batch):
            raise RecognitionFailed("bad stretch")

    async with held(*[bad_second] * 4) as (recogniser, _, gate):
        good, bad, fine = (recogniser.submit(request(f"call-{s}", seconds=s)) for s in (1.0, 2.0, 3.0))
        gate.open()
        assert await text_of(good) == "第1.00秒"
        with pytest.raises(RecognitionFailed, match="bad stretch"):
            await bad
        assert await text_of(fine) == "第3.00秒"
        assert recogniser.counts.failures == 1


async def test_whatever_the_engine_raises_later_speech_is_recognised():
    def breaks(_batch: Sequence[Speech]) -> None:
        raise MemoryError("out of memory")

    async with BatchRecogniser(FakeEngine(breaks, breaks), second_opinion=somebody) as recogniser:
        with pytest.raises(RecognitionFailed, match="out of memory"):
            await recogniser.submit(request("A"))
        assert await text_of(recogniser.submit(request("A", 1))) == "第1.00秒"


async def test_an_engine_that_loses_an_item_does_not_shift_the_others_text():
    def loses(batch: Sequence[Speech]) -> list[Transcript]:
        return [length_of(each) for each in batch][: -1 if len(batch) > 1 else None]

    gate = Gate()
    async with BatchRecogniser(FakeEngine(gate, says=loses), second_opinion=somebody) as recogniser:
        first = recogniser.submit(request("first"))
        await asyncio.to_thread(gate.reached.wait, 10)
        waiting = [recogniser.submit(request(f"call-{s}", seconds=s)) for s in (1.0, 2.0)]
        gate.open()
        assert await asyncio.gather(*map(text_of, [first, *waiting])) == ["第1.00秒", "第1.00秒", "第2.00秒"]


async def test_a_hanging_engine_fails_its_batch_and_another_takes_its_place():
    hangs, fresh = Gate(), FakeEngine()
    async with BatchRecogniser(
        FakeEngine(hangs), second_opinion=somebody, limits=QUICK_TO_GIVE_UP, new_engine=lambda: fresh
    ) as recogniser:
        with pytest.raises(RecognitionFailed, match="has not answered"):
            await recogniser.submit(request("A", seconds=SHORT))
        assert await text_of(recogniser.submit(request("A", 1, seconds=LONG))) == "第20.00秒"
        assert (recogniser.counts.hangs, recogniser.counts.replaced) == (1, 1)
    hangs.open()
    assert len(fresh.batches) == 1


async def test_without_another_engine_batches_fail_until_the_hung_one_is_back():
    hangs = Gate()
    engine = FakeEngine(hangs)
    async with BatchRecogniser(engine, second_opinion=somebody, limits=QUICK_TO_GIVE_UP) as recogniser:
        for seq in range(2):
            with pytest.raises(RecognitionFailed):
                await recogniser.submit(request("A", seq, seconds=SHORT))
        hangs.open()
        await asyncio.to_thread(engine.come_back)
        assert await text_of(recogniser.submit(request("A", 2, seconds=LONG))) == "第20.00秒"


async def test_a_replacement_that_cannot_be_loaded_leaves_the_old_engine_in_place():
    def cannot() -> Engine:
        raise RecognitionError("no memory")

    hangs = Gate()
    async with BatchRecogniser(
        FakeEngine(hangs), second_opinion=somebody, limits=QUICK_TO_GIVE_UP, new_engine=cannot
    ) as recogniser:
        with pytest.raises(RecognitionFailed):
            await recogniser.submit(request("A", seconds=SHORT))
        assert recogniser.counts.replaced == 0
        hangs.open()


async def test_partials_are_shed_while_too_much_waits_and_finals_are_not():
    async with held() as (recogniser, _, gate):
        partial = recogniser.submit(request("A", kind="partial"))
        finals = [recogniser.submit(request("B", seq, seconds=5.0)) for seq in range(4)]
        assert await partial is None
        assert recogniser.counts.shed == 1
        gate.open()
        assert await asyncio.gather(*map(text_of, finals)) == ["第5.00秒"] * 4


async def test_it_says_when_it_is_overloaded_and_when_no_more():
    async with held(limits=RecogniserLimits(overload_wait=1.0)) as (recogniser, _, gate):
        assert not recogniser.overloaded
        results = [recogniser.submit(request(f"call-{n}", seconds=10.0)) for n in range(5)]
        assert recogniser.overloaded
        gate.open()
        await asyncio.gather(*results)
    assert not recogniser.overloaded


async def test_a_withdrawn_calls_results_are_cancelled_and_the_others_are_not():
    async with held() as (recogniser, engine, gate):
        gone = recogniser.submit(request("gone"))
        stays = recogniser.submit(request("stays"))
        recogniser.withdraw("gone")
        recogniser.withdraw("first")  # in work
        assert gone.cancelled()
        gate.open()
        assert await text_of(stays) == "第1.00秒"
    assert [len(batch) for batch in engine.batches] == [1, 1]


async def test_leaving_fails_what_waits_and_what_is_in_work():
    gate = Gate()
    async with BatchRecogniser(FakeEngine(gate), second_opinion=somebody) as recogniser:
        in_work = recogniser.submit(request("A"))
        await asyncio.to_thread(gate.reached.wait, 10)
        waits = recogniser.submit(request("B"))
    gate.open()
    for result in (in_work, waits):
        with pytest.raises(RecognitionFailed, match="stopped"):
            await result


async def test_a_hallucination_is_no_text_and_is_counted():
    def dreams(batch: Sequence[Speech]) -> list[Transcript]:
        return [transcript("請不吝點贊 訂閱 轉發 打賞支持明鏡與點點欄目", avg_logprob=-0.2) for _ in batch]

    async with BatchRecogniser(FakeEngine(says=dreams), second_opinion=somebody) as recogniser:
        assert await recogniser.submit(request("A")) is None
        assert recogniser.counts.filtered == 1


async def test_text_comes_in_simplified_script():
    def traditional(batch: Sequence[Speech]) -> list[Transcript]:
        return [transcript("還款,謝謝") for _ in batch]

    async with BatchRecogniser(FakeEngine(says=traditional), second_opinion=somebody) as recogniser:
        assert await text_of(recogniser.submit(request("A"))) == "还款，谢谢"


async def test_a_doubtful_final_is_decoded_again_with_care():
    async with BatchRecogniser(DoubtingEngine(), second_opinion=somebody) as recogniser:
        assert await text_of(recogniser.submit(request("A", seconds=2.0))) == "看清了"
        assert recogniser.counts.redecoded == 1
        assert recogniser.backlog_seconds == 0


async def test_no_text_is_dropped_as_hallucinated_on_a_first_look():
    async with BatchRecogniser(FaintEngine(), second_opinion=somebody) as recogniser:
        assert await text_of(recogniser.submit(request("A"))) == "看清了"
        assert (recogniser.counts.redecoded, recogniser.counts.filtered) == (1, 0)
    async with BatchRecogniser(FaintEngine(full="谢谢观看"), second_opinion=somebody) as recogniser:
        assert await recogniser.submit(request("A")) is None
        assert recogniser.counts.filtered == 1
    for level in DEGRADATION_LEVELS:
        async with BatchRecogniser(FaintEngine(), second_opinion=somebody, limits=fixed(level)) as recogniser:
            assert await text_of(recogniser.submit(request("A"))) == "看清了"


async def test_a_prompt_that_leaked_is_not_given_to_the_second_look():
    def leaks(batch: Sequence[Speech]) -> list[Transcript]:
        leaked = transcript("逾期", no_speech_prob=0.9)
        return [leaked if each.biasing_in("zh").prompt else transcript("你好") for each in batch]

    engine = FakeEngine(says=leaks)
    async with BatchRecogniser(engine, second_opinion=somebody) as recogniser:
        asked = replace(request("A"), speech=speech(1.0, prompt="逾期、欠款。"))
        assert await text_of(recogniser.submit(asked)) == "你好"
    assert [each.biasing_in("zh").prompt for batch in engine.batches for each in batch] == ["逾期、欠款。", ""]


async def test_words_of_the_prompt_that_are_heard_without_it_were_said():
    def sure(batch: Sequence[Speech]) -> list[Transcript]:
        return [transcript("逾期、欠款、还款、老赖。") for _ in batch]

    async with BatchRecogniser(FakeEngine(says=sure), second_opinion=somebody) as recogniser:
        asked = replace(request("A"), speech=speech(1.0, prompt="逾期、欠款、还款、老赖。"))
        assert await text_of(recogniser.submit(asked)) == "逾期、欠款、还款、老赖。"
        assert (recogniser.counts.redecoded, recogniser.counts.filtered) == (1, 0)


@pytest.mark.parametrize(
    ("level", "efforts"),
    [
        ("full", ["normal", "full"]),
        ("no_partials", ["normal", "full"]),
        ("greedy", ["quick", "careful"]),
        ("no_second_looks", ["quick"]),
        ("agents_first", ["quick"]),
    ],
)
async def test_a_second_look_has_the_time_there_is(level: DegradationLevel, efforts: list[str]):
    engine = DoubtingEngine()
    async with BatchRecogniser(engine, second_opinion=somebody, limits=fixed(level)) as recogniser:
        await recogniser.submit(request("A", seconds=2.0))
    assert [each.effort for batch in engine.batches for each in batch] == efforts


async def test_where_agents_go_first_customers_words_wait_behind_theirs_and_are_not_lost():
    order: list[str] = []
    async with held(limits=fixed("agents_first")) as (recogniser, _, gate):
        roles: tuple[Role, ...] = ("customer", "agent")
        asked: list[tuple[str, Role]] = [(call, role) for call in "AB" for role in roles]
        results = [recogniser.submit(request(call, role=role)) for call, role in asked]
        for (call, role), result in zip(asked, results, strict=True):
            result.add_done_callback(partial(_note, order, f"{call} {role}"))
        gate.open()
        await asyncio.gather(*results)
        await asyncio.sleep(0)
    assert [name.split()[1] for name in order] == ["agent", "agent", "customer", "customer"]


async def test_nobody_waits_for_anothers_second_look():
    second_look = Gate()
    async with BatchRecogniser(DoubtingEngine(lambda _: None, second_look), second_opinion=somebody) as recogniser:
        doubtful, sure = recogniser.submit(request("A", seconds=2.0)), recogniser.submit(request("B"))
        assert await text_of(sure) == "第1.00秒"
        assert not doubtful.done()
        second_look.open()
        assert await text_of(doubtful) == "看清了"


async def test_a_leg_keeps_its_order_when_its_earlier_final_is_looked_at_again():
    second_look = Gate()
    engine = DoubtingEngine(lambda _: None, second_look, workers=2)
    async with BatchRecogniser(engine, second_opinion=somebody) as recogniser:
        earlier = recogniser.submit(request("A", seconds=2.0))
        await asyncio.to_thread(second_look.reached.wait, 10)
        later = recogniser.submit(request("A", 1))
        assert await text_of(recogniser.submit(request("B"))) == "第1.00秒"  # the other worker goes on
        assert not later.done()
        second_look.open()
        assert await asyncio.gather(text_of(earlier), text_of(later)) == ["看清了", "第1.00秒"]


async def test_the_quick_text_stands_where_the_second_look_fails():
    async with BatchRecogniser(DoubtingEngine(breaks=True), second_opinion=somebody) as recogniser:
        assert await text_of(recogniser.submit(request("A", seconds=2.0))) == "第2.00秒"
        assert recogniser.counts.failures == 0


async def test_a_partial_is_not_looked_at_again():
    async with BatchRecogniser(DoubtingEngine(), second_opinion=somebody) as recogniser:
        assert await text_of(recogniser.submit(request("A", seconds=2.0, kind="partial"))) == "第2.00秒"
        assert recogniser.counts.redecoded == 0


async def test_a_texts_words_are_timed_whoever_doubts_that_somebody_speaks():
    async with BatchRecogniser(FakeEngine(), second_opinion=lambda _: False) as recogniser:
        asked = replace(request("A", kind="words"), speech=replace(speech(1.0), text="马上还钱。"))
        recognised = await recogniser.submit(asked)
    assert recognised is not None
    assert recognised.text == "马上还钱。"
    assert [(word.text, word.end) for word in recognised.words] == [("马上还钱。", 1.0)]


async def test_a_job_fails_rather_than_vanish_when_the_engine_fails_every_time():
    async with BatchRecogniser(FakeEngine(*[fails] * 20), second_opinion=somebody) as recogniser:
        results = [recogniser.submit(request("A", seq)) for seq in range(6)]
        outcomes = await asyncio.gather(*results, return_exceptions=True)
        assert all(isinstance(outcome, RecognitionFailed) for outcome in outcomes)
        assert recogniser.counts.failures == 6


async def test_as_many_batches_are_in_work_as_the_engine_has_workers():
    one, two = Gate(), Gate()
    engine = FakeEngine(one, two, workers=2)
    async with BatchRecogniser(engine, second_opinion=somebody) as recogniser:
        waiting = [recogniser.submit(request("A")), recogniser.submit(request("B"))]
        await asyncio.to_thread(one.reached.wait, 10)
        await asyncio.to_thread(two.reached.wait, 10)
        two.open()
        one.open()
        assert await asyncio.gather(*map(text_of, waiting)) == ["第1.00秒"] * 2
    assert [len(batch) for batch in engine.batches] == [1, 1]


async def test_a_leg_keeps_its_order_while_another_worker_is_idle():
    gate = Gate()
    order: list[int] = []
    async with BatchRecogniser(FakeEngine(gate, workers=2), second_opinion=somebody) as recogniser:
        results = [recogniser.submit(request("A", seq)) for seq in range(2)]
        for seq, result in enumerate(results):
            result.add_done_callback(lambda _, seq=seq: order.append(seq))
        await asyncio.to_thread(gate.reached.wait, 10)
        other = recogniser.submit(request("B"))
        assert await text_of(other) == "第1.00秒"  # the second worker works
        gate.open()
        await asyncio.gather(*results)
        await asyncio.sleep(0)  # the callbacks' turn
    assert order == [0, 1]


async def test_a_final_ends_its_legs_partial_that_is_still_in_work():
    gate = Gate()
    async with BatchRecogniser(FakeEngine(gate, workers=2), second_opinion=somebody) as recogniser:
        partial = recogniser.submit(request("A", kind="partial"))
        await asyncio.to_thread(gate.reached.wait, 10)
        final = recogniser.submit(request("A", 1))
        assert await partial is None
        assert await text_of(final) == "第1.00秒"
        gate.open()


async def test_an_idle_engine_is_measured_with_all_its_workers_and_in_a_hurry():
    now = [0.0]

    def takes_a_tenth_of_a_second(_batch: Sequence[Speech]) -> None:
        now[0] = 0.1

    engine = FakeEngine(takes_a_tenth_of_a_second, workers=2)
    async with BatchRecogniser(engine, second_opinion=somebody, sample=speech(4.0), clock=lambda: now[0]) as recogniser:
        await recogniser.measure()
        assert recogniser.capacity == pytest.approx(2 * 4.0 / 0.1)
        assert recogniser.counts.measured == 1
    assert [each.effort for batch in engine.batches for each in batch] == ["quick", "quick"]


async def test_an_engine_that_cannot_be_measured_stays_a_guess_and_takes_calls():
    async with BatchRecogniser(FakeEngine(fails), second_opinion=somebody, sample=speech(4.0)) as recogniser:
        await recogniser.measure()
        assert recogniser.carries(1000.0), "nobody knows yet how fast the engine is"


async def test_nothing_is_measured_while_speech_waits_for_its_text():
    gate = Gate()
    async with BatchRecogniser(FakeEngine(gate), second_opinion=somebody, sample=speech(4.0)) as recogniser:
        waits = recogniser.submit(request("A"))
        await recogniser.measure()
        assert recogniser.counts.measured == 0
        gate.open()
        await waits


async def test_a_batch_that_gets_no_core_has_not_hung():
    told, gate = count(), Gate()

    def waited_for_cores() -> float:
        """All the time, as each reading says; the core comes after two times the patience."""
        if (waited := next(told)) == 3:
            gate.open()
        return float(waited)

    recogniser = BatchRecogniser(
        FakeEngine(gate), second_opinion=somebody, limits=QUICK_TO_GIVE_UP, waited_for_cores=waited_for_cores
    )
    async with recogniser:
        assert await text_of(recogniser.submit(request("A", seconds=0.3))) == "第0.30秒"
        assert recogniser.counts.hangs == 0


async def test_an_engine_that_hangs_on_a_starved_machine_is_found_out_in_the_end():
    told, gate = count(), Gate()
    recogniser = BatchRecogniser(
        FakeEngine(gate), second_opinion=somebody, limits=QUICK_TO_GIVE_UP, waited_for_cores=lambda: next(told)
    )
    async with recogniser:
        with pytest.raises(RecognitionFailed, match="has not answered"):
            await recogniser.submit(request("A", seconds=SHORT))
        gate.open()


async def test_a_process_that_stood_still_with_a_batch_in_work_has_not_lost_it_nor_learnt_from_it():
    """A suspended process finds its clock far ahead: the engine seems to have hung, and to be slow."""
    loop, gate, asleep = asyncio.get_running_loop(), Gate(), [0.0]

    def is_suspended_and_wakes() -> float:
        """Asked for the first time when the batch is late, and again when its time is up."""
        if asleep[0]:
            gate.open()
        asleep[0] = 1000.0
        return 0.0

    async with BatchRecogniser(
        FakeEngine(gate),
        second_opinion=somebody,
        limits=QUICK_TO_GIVE_UP,
        clock=lambda: loop.time() + asleep[0],
        waited_for_cores=is_suspended_and_wakes,
    ) as recogniser:
        before = recogniser.capacity
        assert await text_of(recogniser.submit(request("A", seconds=0.6))) == "第0.60秒"
        assert recogniser.counts.hangs == 0
        assert recogniser.counts.untold == 1
        assert recogniser.capacity == pytest.approx(before)
