"""The order of service, under any arrivals."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from asr.engine import Speech
from asr.scheduling import Agenda, Job, SchedulerLimits
from asr.types import ROLES, Role

LIMITS = SchedulerLimits(batch=4, batch_seconds=30.0)
SILENCE = np.zeros(30 * 16_000, dtype=np.float32)


def job(
    call: str, seq: int = 0, *, role: Role = "agent", seconds: float = 2.0, final: bool = True, deadline: float = 0.0
) -> Job:
    pcm = SILENCE[: round(seconds * 16_000)]
    return Job(call_id=call, role=role, seq=seq, speech=Speech(pcm=pcm), final=final, deadline=deadline)


def drain(agenda: Agenda) -> list[list[Job]]:
    batches: list[list[Job]] = []
    while batch := agenda.next_batch():
        batches.append(batch)
        agenda.finished(batch)
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
    agenda = Agenda(LIMITS)
    served: list[Job] = []
    dropped: list[Job] = []
    submitted: list[Job] = []
    for seq, (call, role, seconds, final, deadline, serve) in enumerate(stream):
        submitted.append(job(call, seq, role=role, seconds=seconds, final=final, deadline=deadline))
        dropped += agenda.add(submitted[-1])
        if serve:
            served += (batch := agenda.next_batch())
            agenda.finished(batch)
    served += [each for batch in drain(agenda) for each in batch]

    assert not [each for each in dropped if each.final]
    assert sorted(each.seq for each in served + dropped) == [each.seq for each in submitted]
    legs: dict[tuple[str, Role], list[int]] = defaultdict(list)
    for each in served:
        legs[each.leg].append(each.seq)
    assert all(seqs == sorted(seqs) for seqs in legs.values())
    assert len(agenda) == 0
    assert agenda.seconds == 0


@given(arrivals)
def test_a_batch_keeps_its_bounds_and_never_mixes_partials_with_finals(
    stream: list[tuple[str, Role, float, bool, float, bool]],
):
    agenda = Agenda(LIMITS)
    for seq, (call, role, seconds, final, deadline, _) in enumerate(stream):
        agenda.add(job(call, seq, role=role, seconds=seconds, final=final, deadline=deadline))
    for batch in drain(agenda):
        assert len(batch) <= LIMITS.batch
        assert len(batch) == 1 or sum(each.seconds for each in batch) <= LIMITS.batch_seconds
        assert len({each.final for each in batch}) == 1
        edges = [0.0, 0.0, *LIMITS.bands, 30.0]
        two_bands = zip(edges, edges[2:], strict=False)
        assert any(all(low < each.seconds <= high for each in batch) for low, high in two_bands)


@given(st.data())
def test_no_call_starves_while_others_send_without_end(data: st.DataObject):
    """Six greedy calls send before every batch, always with older deadlines and any lengths; one sends once."""
    agenda = Agenda(LIMITS)
    greedy = [f"greedy-{number}" for number in range(6)]
    for call in greedy:
        agenda.add(job(call, deadline=-1.0))
    patient = job("patient", seconds=data.draw(st.floats(0.1, 30)), deadline=1e9)
    agenda.add(patient)
    bound = 2 * (len(greedy) + 1)
    for _ in range(bound):
        for call in data.draw(st.lists(st.sampled_from(greedy), max_size=8)):
            agenda.add(job(call, seconds=data.draw(st.floats(0.1, 30)), deadline=-1e6))
        if patient in agenda.next_batch():
            break
    else:
        raise AssertionError(f"not served in {bound} batches")


def test_the_oldest_deadline_comes_first_among_calls_that_wait_alike():
    agenda = Agenda(SchedulerLimits(batch=1))
    for call, deadline in (("late", 9.0), ("soon", 1.0), ("middle", 5.0)):
        agenda.add(job(call, deadline=deadline))
    assert [batch[0].call_id for batch in drain(agenda)] == ["soon", "middle", "late"]


def test_a_call_with_a_backlog_shares_the_batch_with_the_others():
    agenda = Agenda(SchedulerLimits(batch=4, quick_batch=4))
    for seq in range(6):
        agenda.add(job("backlog", seq, deadline=0.0))
    agenda.add(job("one", deadline=50.0))
    agenda.add(job("two", deadline=60.0))
    assert [each.call_id for each in agenda.next_batch()] == ["backlog", "one", "two", "backlog"]


def test_a_short_stretch_does_not_pay_for_a_long_one_beside_it():
    agenda = Agenda(LIMITS)
    agenda.add(job("long", seconds=25.0, deadline=0.0))
    agenda.add(job("short", seconds=2.0, deadline=1.0))
    assert [[each.call_id for each in batch] for batch in drain(agenda)] == [["long"], ["short"]]


def test_partials_wait_for_every_final():
    agenda = Agenda(LIMITS)
    agenda.add(job("A", final=False, deadline=0.0))
    agenda.add(job("B", seconds=25.0, deadline=9.0))
    agenda.add(job("C", deadline=8.0))
    assert [each.call_id for batch in drain(agenda) for each in batch] == ["C", "B", "A"]


def test_the_final_makes_the_waiting_partial_of_its_leg_pointless_but_not_the_other_legs():
    agenda = Agenda(LIMITS)
    agent, customer = job("A", final=False), job("A", role="customer", final=False)
    assert agenda.add(agent) == []
    assert agenda.add(customer) == []
    assert agenda.add(job("A", 1)) == [agent]
    assert len(agenda) == 2


def test_a_withdrawn_call_leaves_nothing_behind():
    agenda = Agenda(LIMITS)
    mine = [job("A"), job("A", 1), job("A", role="customer", final=False)]
    for each in mine:
        agenda.add(each)
    other = job("B")
    agenda.add(other)
    assert sorted(agenda.withdraw("A"), key=id) == sorted(mine, key=id)
    assert drain(agenda) == [[other]]


def test_shedding_takes_partials_only():
    agenda = Agenda(LIMITS)
    final, partial = job("A"), job("B", final=False)
    agenda.add(final)
    agenda.add(partial)
    assert agenda.shed() == [partial]
    assert drain(agenda) == [[final]]


def test_idle_workers_share_what_waits():
    agenda = Agenda(SchedulerLimits(batch=8, quick_batch=8))
    for n in range(5):
        agenda.add(job(f"call-{n}"))
    assert [len(agenda.next_batch(idle)) for idle in (2, 1)] == [3, 2]


def test_a_leg_whose_final_is_in_work_waits_for_it_and_its_other_leg_does_not():
    agenda = Agenda(SchedulerLimits())
    agenda.add(job("A", 0))
    first = agenda.next_batch()
    agenda.add(job("A", 1))
    agenda.add(job("A", 0, role="customer"))
    assert [each.role for each in agenda.next_batch()] == ["customer"]
    assert agenda.next_batch() == []
    agenda.finished(first)
    assert [each.seq for each in agenda.next_batch()] == [1]


def test_word_times_wait_for_finals_and_go_before_partials():
    agenda = Agenda(SchedulerLimits(batch=1))
    partial, final = job("A", final=False), job("B")
    words = replace(job("C"), speech=replace(job("C").speech, text="还钱"))
    for each in (partial, words, final):
        agenda.add(each)
    assert [agenda.next_batch() for _ in range(4)] == [[final], [words], [partial], []]


def test_word_times_neither_replace_a_partial_nor_hold_up_their_legs_finals():
    agenda = Agenda(SchedulerLimits(batch=1))
    words = replace(job("A"), speech=replace(job("A").speech, text="还钱"))
    agenda.add(job("A", final=False))
    assert agenda.add(words) == []
    assert agenda.shed()
    assert agenda.next_batch() == [words]
    final = job("A", 1)
    agenda.add(final)
    assert agenda.next_batch() == [final]


def test_a_calls_word_times_are_withdrawn_with_it():
    agenda = Agenda(LIMITS)
    agenda.add(replace(job("A"), speech=replace(job("A").speech, text="还钱")))
    agenda.withdraw("A")
    assert len(agenda) == 0
