"""The order of service, under any arrivals."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from asr.engines.port import Speech
from asr.recognition.queue import RecogniserLimits, RecognitionQueue, RecognitionRequest
from asr.types import ROLES, Role

LIMITS = RecogniserLimits(batch=4, batch_seconds=30.0)
SILENCE = np.zeros(30 * 16_000, dtype=np.float32)


def request(
    call: str, seq: int = 0, *, role: Role = "agent", seconds: float = 2.0, final: bool = True, deadline: float = 0.0
) -> RecognitionRequest:
    pcm = SILENCE[: round(seconds * 16_000)]
    return RecognitionRequest(call_id=call, role=role, seq=seq, speech=Speech(pcm=pcm), final=final, deadline=deadline)


def drain(queue: RecognitionQueue) -> list[list[RecognitionRequest]]:
    batches: list[list[RecognitionRequest]] = []
    while batch := queue.next_batch():
        batches.append(batch)
        queue.finished(batch)
    return batches


arrivals = st.lists(
    st.tuples(
        st.sampled_from("ABCDEFG"),
        st.sampled_from(ROLES),
        st.floats(0.1, 30.0),
        st.booleans(),
        st.floats(-100, 100),
        st.booleans(),  # serve a batch after this arrival?
    ),
    max_size=60,
)


@given(arrivals)
def test_every_final_is_served_once_and_each_leg_in_its_order(stream: list[tuple[str, Role, float, bool, float, bool]]):
    queue = RecognitionQueue(LIMITS)
    served: list[RecognitionRequest] = []
    dropped: list[RecognitionRequest] = []
    submitted: list[RecognitionRequest] = []
    for seq, (call, role, seconds, final, deadline, serve) in enumerate(stream):
        submitted.append(request(call, seq, role=role, seconds=seconds, final=final, deadline=deadline))
        dropped += queue.add(submitted[-1])
        if serve:
            served += (batch := queue.next_batch())
            queue.finished(batch)
    served += [each for batch in drain(queue) for each in batch]

    assert not [each for each in dropped if each.final]
    assert sorted(each.seq for each in served + dropped) == [each.seq for each in submitted]
    legs: dict[tuple[str, Role], list[int]] = defaultdict(list)
    for each in served:
        legs[each.leg].append(each.seq)
    assert all(seqs == sorted(seqs) for seqs in legs.values())
    assert len(queue) == 0
    assert queue.seconds == 0


@given(arrivals)
def test_a_batch_keeps_its_bounds_and_never_mixes_partials_with_finals(
    stream: list[tuple[str, Role, float, bool, float, bool]],
):
    queue = RecognitionQueue(LIMITS)
    for seq, (call, role, seconds, final, deadline, _) in enumerate(stream):
        queue.add(request(call, seq, role=role, seconds=seconds, final=final, deadline=deadline))
    for batch in drain(queue):
        assert len(batch) <= LIMITS.batch
        assert len(batch) == 1 or sum(each.seconds for each in batch) <= LIMITS.batch_seconds
        assert len({each.final for each in batch}) == 1
        edges = [0.0, 0.0, *LIMITS.bands, 30.0]
        two_bands = zip(edges, edges[2:], strict=False)
        assert any(all(low < each.seconds <= high for each in batch) for low, high in two_bands)


@given(st.data())
def test_no_call_starves_while_others_send_without_end(data: st.DataObject):
    """Six greedy calls send before every batch, always with older deadlines and any lengths; one sends once."""
    queue = RecognitionQueue(LIMITS)
    greedy = [f"greedy-{number}" for number in range(6)]
    for call in greedy:
        queue.add(request(call, deadline=-1.0))
    patient = request("patient", seconds=data.draw(st.floats(0.1, 30)), deadline=1e9)
    queue.add(patient)
    bound = 2 * (len(greedy) + 1)
    for _ in range(bound):
        for call in data.draw(st.lists(st.sampled_from(greedy), max_size=8)):
            queue.add(request(call, seconds=data.draw(st.floats(0.1, 30)), deadline=-1e6))
        if patient in queue.next_batch():
            break
    else:
        raise AssertionError(f"not served in {bound} batches")


def test_the_oldest_deadline_comes_first_among_calls_that_wait_alike():
    queue = RecognitionQueue(RecogniserLimits(batch=1))
    for call, deadline in (("late", 9.0), ("soon", 1.0), ("middle", 5.0)):
        queue.add(request(call, deadline=deadline))
    assert [batch[0].call_id for batch in drain(queue)] == ["soon", "middle", "late"]


def test_a_call_with_a_backlog_shares_the_batch_with_the_others():
    queue = RecognitionQueue(RecogniserLimits(batch=4, quick_batch=4))
    for seq in range(6):
        queue.add(request("backlog", seq, deadline=0.0))
    queue.add(request("one", deadline=50.0))
    queue.add(request("two", deadline=60.0))
    assert [each.call_id for each in queue.next_batch()] == ["backlog", "one", "two", "backlog"]


def test_a_short_stretch_does_not_pay_for_a_long_one_beside_it():
    queue = RecognitionQueue(LIMITS)
    queue.add(request("long", seconds=25.0, deadline=0.0))
    queue.add(request("short", seconds=2.0, deadline=1.0))
    assert [[each.call_id for each in batch] for batch in drain(queue)] == [["long"], ["short"]]


def test_partials_wait_for_every_final():
    queue = RecognitionQueue(LIMITS)
    queue.add(request("A", final=False, deadline=0.0))
    queue.add(request("B", seconds=25.0, deadline=9.0))
    queue.add(request("C", deadline=8.0))
    assert [each.call_id for batch in drain(queue) for each in batch] == ["C", "B", "A"]


def test_the_final_makes_the_waiting_partial_of_its_leg_pointless_but_not_the_other_legs():
    queue = RecognitionQueue(LIMITS)
    agent, customer = request("A", final=False), request("A", role="customer", final=False)
    assert queue.add(agent) == []
    assert queue.add(customer) == []
    assert queue.add(request("A", 1)) == [agent]
    assert len(queue) == 2


def test_a_withdrawn_call_leaves_nothing_behind():
    queue = RecognitionQueue(LIMITS)
    mine = [request("A"), request("A", 1), request("A", role="customer", final=False)]
    for each in mine:
        queue.add(each)
    other = request("B")
    queue.add(other)
    assert sorted(queue.withdraw("A"), key=id) == sorted(mine, key=id)
    assert drain(queue) == [[other]]


def test_shedding_takes_partials_only():
    queue = RecognitionQueue(LIMITS)
    final, partial = request("A"), request("B", final=False)
    queue.add(final)
    queue.add(partial)
    assert queue.shed() == [partial]
    assert drain(queue) == [[final]]


def test_idle_workers_share_what_waits():
    queue = RecognitionQueue(RecogniserLimits(batch=8, quick_batch=8))
    for n in range(5):
        queue.add(request(f"call-{n}"))
    assert [len(queue.next_batch(idle)) for idle in (2, 1)] == [3, 2]


def test_a_leg_whose_final_is_in_work_waits_for_it_and_its_other_leg_does_not():
    queue = RecognitionQueue(RecogniserLimits())
    queue.add(request("A", 0))
    first = queue.next_batch()
    queue.add(request("A", 1))
    queue.add(request("A", 0, role="customer"))
    assert [each.role for each in queue.next_batch()] == ["customer"]
    assert queue.next_batch() == []
    queue.finished(first)
    assert [each.seq for each in queue.next_batch()] == [1]


def test_word_times_wait_for_finals_and_go_before_partials():
    queue = RecognitionQueue(RecogniserLimits(batch=1))
    partial, final = request("A", final=False), request("B")
    words = replace(request("C"), speech=replace(request("C").speech, text="还钱"))
    for each in (partial, words, final):
        queue.add(each)
    assert [queue.next_batch() for _ in range(4)] == [[final], [words], [partial], []]


def test_word_times_neither_replace_a_partial_nor_hold_up_their_legs_finals():
    queue = RecognitionQueue(RecogniserLimits(batch=1))
    words = replace(request("A"), speech=replace(request("A").speech, text="还钱"))
    queue.add(request("A", final=False))
    assert queue.add(words) == []
    assert queue.shed()
    assert queue.next_batch() == [words]
    final = request("A", 1)
    queue.add(final)
    assert queue.next_batch() == [final]


def test_a_calls_word_times_are_withdrawn_with_it():
    queue = RecognitionQueue(LIMITS)
    queue.add(replace(request("A"), speech=replace(request("A").speech, text="还钱")))
    queue.withdraw("A")
    assert len(queue) == 0
