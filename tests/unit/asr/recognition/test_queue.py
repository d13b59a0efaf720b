"""The order of service, under any arrivals."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from asr.engines.port import Speech
from asr.recognition.queue import RecogniserLimits, RecognitionQueue, RecognitionRequest, RequestKind
from asr.types import ROLES, Role

LIMITS = RecogniserLimits(batch=4, batch_seconds=30.0)


def request(
    call: str, utterance: int = 0, *, role: Role = "agent", seconds: float = 2.0, kind: RequestKind = "final"
) -> RecognitionRequest:
    speech = Speech(pcm=bytes(2 * round(seconds * 16_000)))
    return RecognitionRequest(call_id=call, role=role, utterance=utterance, kind=kind, speech=speech)


def words_of(call: str) -> RecognitionRequest:
    return replace(request(call, kind="words"), speech=replace(request(call).speech, text="还钱"))


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
        st.sampled_from(["final", "partial"]),
        st.booleans(),  # serve a batch after this arrival?
    ),
    max_size=60,
)


@given(arrivals)
def test_every_final_is_served_once_and_each_leg_in_its_order(stream: list[tuple[str, Role, float, RequestKind, bool]]):
    queue = RecognitionQueue(LIMITS)
    served: list[RecognitionRequest] = []
    dropped: list[RecognitionRequest] = []
    submitted: list[RecognitionRequest] = []
    for number, (call, role, seconds, kind, serve) in enumerate(stream):
        submitted.append(request(call, number, role=role, seconds=seconds, kind=kind))
        dropped += queue.add(submitted[-1])
        if serve:
            served += (batch := queue.next_batch())
            queue.finished(batch)
    served += [each for batch in drain(queue) for each in batch]

    assert not [each for each in dropped if each.kind == "final"]
    assert sorted(each.utterance for each in served + dropped) == [each.utterance for each in submitted]
    legs: dict[tuple[str, Role], list[int]] = defaultdict(list)
    for each in served:
        legs[each.leg].append(each.utterance)
    assert all(numbers == sorted(numbers) for numbers in legs.values())
    assert len(queue) == 0
    assert queue.seconds == 0


@given(arrivals)
def test_a_batch_keeps_its_bounds_and_never_mixes_partials_with_finals(
    stream: list[tuple[str, Role, float, RequestKind, bool]],
):
    queue = RecognitionQueue(LIMITS)
    for number, (call, role, seconds, kind, _) in enumerate(stream):
        queue.add(request(call, number, role=role, seconds=seconds, kind=kind))
    for batch in drain(queue):
        assert len(batch) <= LIMITS.batch
        assert len(batch) == 1 or sum(each.seconds for each in batch) <= LIMITS.batch_seconds
        assert len({each.kind for each in batch}) == 1
        edges = [0.0, 0.0, *LIMITS.bands, 30.0]
        two_bands = zip(edges, edges[2:], strict=False)
        assert any(all(low < each.seconds <= high for each in batch) for low, high in two_bands)


@given(st.data())
def test_no_call_starves_while_others_send_without_end(data: st.DataObject):
    """Six greedy calls send before every batch, stretches of any lengths; one sends once, after all of them."""
    queue = RecognitionQueue(LIMITS)
    greedy, numbers = [f"greedy-{number}" for number in range(6)], count(1)
    for call in greedy:
        queue.add(request(call))
    patient = request("patient", seconds=data.draw(st.floats(0.1, 30)))
    queue.add(patient)
    bound = 2 * (len(greedy) + 1)
    for _ in range(bound):
        for call in data.draw(st.lists(st.sampled_from(greedy), max_size=8)):
            queue.add(request(call, next(numbers), seconds=data.draw(st.floats(0.1, 30))))
        if patient in queue.next_batch():
            break
    else:
        raise AssertionError(f"not served in {bound} batches")


def test_who_has_waited_longest_comes_first_among_calls_that_wait_alike():
    queue = RecognitionQueue(RecogniserLimits(batch=1))
    for call in ("soon", "middle", "late"):
        queue.add(request(call))
    assert [batch[0].call_id for batch in drain(queue)] == ["soon", "middle", "late"]


def test_a_call_with_a_backlog_shares_the_batch_with_the_others():
    queue = RecognitionQueue(RecogniserLimits(batch=4, quick_batch=4))
    for number in range(6):
        queue.add(request("backlog", number))
    queue.add(request("one"))
    queue.add(request("two"))
    assert [each.call_id for each in queue.next_batch()] == ["backlog", "one", "two", "backlog"]


def test_a_short_stretch_does_not_pay_for_a_long_one_beside_it():
    queue = RecognitionQueue(LIMITS)
    queue.add(request("long", seconds=25.0))
    queue.add(request("short", seconds=2.0))
    assert [[each.call_id for each in batch] for batch in drain(queue)] == [["long"], ["short"]]


def test_partials_wait_for_every_final():
    queue = RecognitionQueue(LIMITS)
    queue.add(request("A", kind="partial"))
    queue.add(request("B"))
    queue.add(request("C", seconds=25.0))
    assert [each.call_id for batch in drain(queue) for each in batch] == ["B", "C", "A"]


def test_the_final_makes_the_waiting_partial_of_its_leg_pointless_but_not_the_other_legs():
    queue = RecognitionQueue(LIMITS)
    agent, customer = request("A", kind="partial"), request("A", role="customer", kind="partial")
    assert queue.add(agent) == []
    assert queue.add(customer) == []
    assert queue.add(request("A", 1)) == [agent]
    assert len(queue) == 2


def test_a_withdrawn_call_leaves_nothing_behind():
    queue = RecognitionQueue(LIMITS)
    mine = [request("A"), request("A", 1), request("A", role="customer", kind="partial")]
    for each in mine:
        queue.add(each)
    other = request("B")
    queue.add(other)
    assert set(queue.withdraw("A")) == set(mine)
    assert drain(queue) == [[other]]


def test_shedding_takes_partials_only():
    queue = RecognitionQueue(LIMITS)
    final, partial = request("A"), request("B", kind="partial")
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
    assert [each.utterance for each in queue.next_batch()] == [1]


def test_word_times_wait_for_finals_and_go_before_partials():
    queue = RecognitionQueue(RecogniserLimits(batch=1))
    partial, final = request("A", kind="partial"), request("B")
    words = words_of("C")
    for each in (partial, words, final):
        queue.add(each)
    assert [queue.next_batch() for _ in range(4)] == [[final], [words], [partial], []]


def test_word_times_neither_replace_a_partial_nor_hold_up_their_legs_finals():
    queue = RecognitionQueue(RecogniserLimits(batch=1))
    words = words_of("A")
    queue.add(request("A", kind="partial"))
    assert queue.add(words) == []
    assert queue.shed()
    assert queue.next_batch() == [words]
    final = request("A", 1)
    queue.add(final)
    assert queue.next_batch() == [final]


def test_a_calls_word_times_are_withdrawn_with_it():
    queue = RecognitionQueue(LIMITS)
    queue.add(words_of("A"))
    queue.withdraw("A")
    assert len(queue) == 0
