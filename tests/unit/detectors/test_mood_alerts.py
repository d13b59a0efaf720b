"""Moods that fall: how far, below what, how often, and told as what."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.types import ROLES, Role
from detectors.contract import Finding, Sentiment, SentimentLabel
from detectors.packs.taxonomy import JURISDICTIONS, load_taxonomy
from detectors.sentiment.mood_alerts import AGAIN_AFTER, FIRST, MOOD_RULES, MoodAlerts
from tests.speech import findings, said

CATEGORIES = load_taxonomy().categories
Felt = tuple[Role, SentimentLabel, float]


def told(turns: Sequence[Felt], apart: float = 5.0) -> list[tuple[int, Finding]]:
    """The findings, each with its turn's place; a turn every so many seconds."""
    alerts, seen = MoodAlerts(CATEGORIES, "CN"), list[tuple[int, Finding]]()
    for place, (role, label, trend) in enumerate(turns):
        utterance = said(role, f"先听我说。第{place}句", place * apart, place * apart + 2.0, index=place)
        felt = Sentiment(
            utterance_id=utterance.id,
            role=role,
            at=utterance.end,
            score=trend,
            label=label,
            emotion="neutral",
            trend=trend,
        )
        seen += [(place, found) for found in findings(alerts.felt(utterance, felt))]
    return seen


def mood(role: Role, *trends: float) -> list[Felt]:
    return [(role, "negative" if trend < 0 else "neutral", trend) for trend in trends]


def test_the_customers_mood_that_collapses_is_told_with_the_customers_words() -> None:
    [(place, found)] = told(mood("customer", 0.2, 0.1, -0.3, -0.5))
    assert place == 3
    assert (found.kind, found.rule, found.category) == ("mood", "mood.customer_collapse", "customer_mood_collapse")
    assert (found.severity, found.role, found.decided_by_transcript) == ("medium", "agent", False)
    assert (found.title.zh, found.start, found.end) == ("客户情绪恶化，建议介入安抚", 15.0, 17.0)
    assert (found.quote, found.lead, found.lead_role) == ("", "第3句", "customer")


def test_the_agents_mood_that_escalates_is_told_with_the_agents_words() -> None:
    [(_place, found)] = told(mood("agent", 0.3, 0.2, -0.1, -0.3))
    assert (found.kind, found.rule, found.category) == ("mood", "mood.agent_escalation", "agent_emotion_escalation")
    assert (found.title.zh, found.quote, found.utterance_id) == ("坐席情绪升级", "先听我说。第3句", "agent-3")


@pytest.mark.parametrize(
    "turns",
    [
        mood("customer", -0.6, -0.7, -0.8, -0.9, -0.9),  # came with it
        mood("customer", 0.2, 0.1, -0.3, -0.49),
        mood("customer", 0.0, 0.0, -0.3, -0.59),
        mood("customer", 0.9, -0.7, -0.8),
        [*mood("customer", 0.9, 0.5, 0.4), ("customer", "negative", -0.6)],
        [*mood("customer", 0.9, 0.5, -0.4), ("customer", "neutral", -0.6)],
        mood("agent", 0.3, 0.2, -0.1, -0.29),
        mood("agent", 0.1, 0.1, -0.1, -0.39),
    ],
)
def test_a_mood_that_was_always_so_or_has_fallen_too_little_is_not_told(turns: list[Felt]) -> None:
    assert told(turns) == []


def test_it_is_told_again_only_after_two_minutes() -> None:
    places = [place for place, _found in told(mood("customer", 0.3, 0.2, -0.3, *[-0.8] * 60))]
    assert places == [3, 27, 51]
    assert places[1] * 5.0 - places[0] * 5.0 >= AGAIN_AFTER


def test_each_jurisdiction_has_a_reason_and_cites_for_both() -> None:
    for rule in MOOD_RULES.values():
        assert set(CATEGORIES[rule.category].law) == set(JURISDICTIONS)


TURNS = st.lists(
    st.tuples(
        st.sampled_from(ROLES),
        st.sampled_from(["negative", "negative", "neutral", "positive"]),
        st.integers(-10, 10).map(lambda tenths: tenths / 10),
    ),
    max_size=60,
)


@given(turns=TURNS)
def test_every_finding_stands_on_a_fall_and_none_within_two_minutes(turns: list[Felt]) -> None:
    seen = told(turns)
    for place, found in seen:
        role, _label, trend = turns[place]
        own = [turn for turn in turns[: place + 1] if turn[0] == role]
        rule = MOOD_RULES[role]
        assert found.rule == rule.id
        assert len(own) > FIRST
        assert [label for _role, label, _trend in own[-2:]] == ["negative"] * 2
        assert trend <= rule.lowest
        assert max(each for _role, _label, each in own) - trend >= rule.drop - 1e-9
    for rule in MOOD_RULES.values():
        ends = [found.end for _place, found in seen if found.rule == rule.id]
        assert all(later - earlier >= AGAIN_AFTER for earlier, later in pairwise(ends))


@given(turns=TURNS)
def test_one_partys_mood_says_nothing_of_the_others(turns: list[Felt]) -> None:
    customers = [(place, turn) for place, turn in enumerate(turns) if turn[0] == "customer"]
    quiet: list[Felt] = [turn if turn[0] == "customer" else ("agent", "positive", 1.0) for turn in turns]
    alone = [place for place, found in told(turns) if found.rule == "mood.customer_collapse"]
    assert alone == [place for place, _found in told(quiet)]
    assert set(alone) <= {place for place, _turn in customers}
