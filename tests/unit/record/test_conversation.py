"""How a call's parties talk with each other, as it is folded from what they said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.types import ROLES, Acoustics, Role, Utterance
from detectors.acoustic.talk import Stretch
from detectors.sentences import unit_count
from service.record.conversation import DEAD_AIR, LONG, Conversation, PartyTalk, conversation_of
from service.record.facts import GapMarked, GapReason
from tests.speech import said


def of(*turns: Utterance, gaps: Sequence[GapMarked] = (), until: float = 0.0) -> Conversation:
    return conversation_of(ROLES, turns, gaps, until)


def party(conversation: Conversation, role: Role) -> PartyTalk:
    return next(each for each in conversation.parties if each.role == role)


def sounding(turn: Utterance, level: float, pitch: float | None) -> Utterance:
    return replace(turn, acoustics=Acoustics(level_dbfs=level, peak_dbfs=0.0, pitch_hz=pitch))


def gap(start: float, end: float, reason: GapReason = "unrecognised") -> GapMarked:
    return GapMarked(role="agent", start=start, end=end, reason=reason)


def test_an_utterance_is_spread_over_the_steps_that_it_lies_in() -> None:
    told = of(said("agent", "一二三四五六七八九十" * 4, 8.0, 16.0), until=25.0)
    first, second, third = party(told, "agent").steps
    assert (told.step, told.duration, len(told.silence)) == (10.0, 25.0, 3)
    assert (first.talked, second.talked, third.talked) == (2.0, 6.0, 0.0)
    assert (first.rate, second.rate, third.rate) == (300.0, 300.0, None)
    assert told.silence == (8.0, 4.0, 5.0)
    assert party(told, "customer").talked == 0.0


def test_english_is_counted_in_words() -> None:
    [step] = party(of(said("agent", "When can you pay this?", 0.0, 2.0)), "agent").steps
    assert step.rate == 150.0


def test_levels_are_averaged_as_power_and_pitches_by_their_time() -> None:
    loud = sounding(said("agent", "啊", 0.0, 1.0), -10.0, 200.0)
    soft = sounding(said("agent", "哦", 2.0, 5.0), -40.0, 100.0)
    whispered = sounding(said("agent", "嘘", 6.0, 7.0), -10.0, None)
    [step] = party(of(loud, soft, whispered, said("agent", "嗯", 8.0, 9.0)), "agent").steps
    assert (step.level_dbfs, step.pitch_hz) == (-14.0, 125.0)


def test_both_at_once_is_talk_over_and_the_shares_are_of_both() -> None:
    told = of(said("agent", "我先说一句", 0.0, 6.0), said("customer", "你听我说完", 4.0, 8.0), until=10.0)
    assert (told.talk_over, told.silence) == ((2.0,), (2.0,))
    assert (party(told, "agent").share, party(told, "customer").share) == (0.6, 0.4)


def test_nobody_has_a_share_of_nothing() -> None:
    told = of()
    assert (told.duration, told.silence, told.dead_air) == (0.0, (), ())
    assert [(each.share, each.monologue, each.steps) for each in told.parties] == [(None, None, ())] * 2


def test_a_monologue_goes_on_over_a_yes_and_ends_with_an_answer_or_a_long_pause() -> None:
    turns = [
        said("agent", "您这笔账", 0.0, 5.0, 0),
        said("customer", "嗯嗯", 5.0, 6.0, 0),
        said("agent", "已经逾期", 6.0, 12.0, 1),
        said("customer", "我知道了", 12.0, 13.5, 1),
        said("agent", "那您看", 13.5, 15.0, 2),
        said("agent", "什么时候还", 24.0, 26.0, 3),
    ]
    told = of(*turns)
    assert party(told, "agent").monologue == Stretch(start=0.0, end=12.0)
    assert party(told, "customer").monologue == Stretch(start=12.0, end=13.5)


def test_who_breaks_in_and_has_the_last_word_interrupts() -> None:
    told = of(
        said("customer", "你听我说完行不行", 0.0, 4.0, 0),
        said("agent", "你别说了", 2.0, 6.0, 0),
        said("customer", "好好", 4.5, 5.5, 1),
    )
    assert party(told, "agent").interruptions == (2.0,)
    assert party(told, "customer").interruptions == ()


def test_long_silences_are_dead_air_also_before_the_first_word_and_after_the_last() -> None:
    told = of(said("agent", "喂", 9.0, 10.0), said("customer", "在", 18.0, 19.0), until=40.0)
    assert told.dead_air == (Stretch(start=0.0, end=9.0), Stretch(start=19.0, end=40.0))


@pytest.mark.parametrize(("reason", "silent"), [("lost", 0.0), ("unrecognised", 0.0), ("silence", 9.0)])
def test_where_nobody_can_know_nobody_was_silent(reason: GapReason, silent: float) -> None:
    told = of(said("agent", "喂", 0.0, 1.0), gaps=[gap(1.0, 10.0, reason)], until=10.0)
    assert told.silence == (silent,)
    assert bool(told.dead_air) == bool(silent)


def test_a_call_of_one_party_is_never_silent() -> None:
    told = conversation_of(("agent",), [said("agent", "喂", 0.0, 1.0)], [], 30.0)
    assert [each.role for each in told.parties] == ["agent"]
    assert (told.silence, told.dead_air) == ((0.0, 0.0, 0.0), ())


def test_a_long_call_has_a_step_a_minute() -> None:
    assert len(of(until=LONG).silence) == 180
    told = of(said("agent", "一二三四五六", 50.0, 110.0), until=LONG + 90)
    assert (told.step, len(told.silence)) == (60.0, 32)
    assert [step.talked for step in party(told, "agent").steps[:3]] == [10.0, 50.0, 0.0]


TIMES = st.integers(0, 900).map(lambda tenths: tenths / 10)
TURNS = st.lists(
    st.tuples(
        st.sampled_from(ROLES), TIMES, st.integers(0, 150).map(lambda tenths: tenths / 10), st.text("啊a b", max_size=9)
    ),
    max_size=20,
)
GAPS = st.lists(st.tuples(TIMES, TIMES, st.sampled_from(["lost", "silence", "unrecorded", "disconnected"])), max_size=4)


@given(turns=TURNS, holes=GAPS, until=TIMES)
def test_every_second_is_told_once_and_nothing_said_is_dead_air(
    turns: list[tuple[Role, float, float, str]], holes: list[tuple[float, float, GapReason]], until: float
) -> None:
    utterances = [said(role, text, at, at + lasts, place) for place, (role, at, lasts, text) in enumerate(turns)]
    gaps = [gap(min(one, other), max(one, other), reason) for one, other, reason in holes]
    told = of(*utterances, gaps=gaps, until=until)
    agent, customer = (party(told, role) for role in ROLES)
    assert len(agent.steps) == len(customer.steps) == len(told.talk_over) == len(told.silence)
    hidden = [each for each in gaps if each.reason in ("lost", "disconnected")]
    for place, (one, other) in enumerate(zip(agent.steps, customer.steps, strict=True)):
        length = min(told.step, told.duration - place * told.step)
        filled = one.talked + other.talked - told.talk_over[place] + told.silence[place]
        assert filled <= length + 0.01
        assert hidden or filled == pytest.approx(length, abs=0.01)
    for stretch in told.dead_air:
        assert stretch.end - stretch.start > DEAD_AIR
        assert not any(each.start < stretch.end and each.end > stretch.start for each in (*utterances, *hidden))
    if agent.share is not None and customer.share is not None:
        assert agent.share + customer.share == pytest.approx(1.0, abs=0.002)


@given(turns=TURNS)
def test_all_that_a_party_says_is_in_its_rates(turns: list[tuple[Role, float, float, str]]) -> None:
    own = [
        said("agent", text, 100.0 * place, 100.0 * place + lasts + 1, place)
        for place, (*_, lasts, text) in enumerate(turns)
    ]
    steps = party(of(*own), "agent").steps
    spoken = sum((step.rate or 0.0) * step.talked / 60 for step in steps)
    assert spoken == pytest.approx(sum(unit_count(each.text) for each in own), abs=0.01 + 0.002 * len(steps))
