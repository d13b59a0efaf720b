from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from detectors.contract import Emotion, SentimentLabel
from detectors.semantic.heads import Meaning, Stance
from detectors.semantic.judgement import (
    CATEGORY_FEATURES,
    LINE_FEATURES,
    REMEMBERED,
    BadJudgement,
    EarlierUtterances,
    Judgement,
    Line,
    line_features,
    load_judgement,
)


def meaning(violates: float, *, insult: float = -6.0, **stances: float) -> Meaning:
    """Of a line that violates something, a threat, with these log odds; stances that are not named are 0."""
    return Meaning(
        categories={"threat_violence": violates, "abuse_insult": insult},
        violates=violates,
        stances={each: stances.get(each, 0.0) for each in get_args(Stance)},
        sentiments=dict.fromkeys(get_args(SentimentLabel), 1 / 3),
        emotions=dict.fromkeys(get_args(Emotion), 1 / 7),
        says={},
    )


LINE = {"one": -2.0, "violates": 1.0, "length": 0.1, "pattern": 3.0, "pattern_against": -4.0, "earlier": 0.5}
CATEGORY = {"one": 0.0, "category": 1.0, "violates": 0.0, "pattern": 1.0, "pattern_against": 0.0, "against": 0.0}
CATEGORIES = ("threat_violence", "abuse_insult")
JUDGEMENT = Judgement(
    line=[LINE[name] for name in LINE_FEATURES],
    category=[CATEGORY[name] for name in CATEGORY_FEATURES],
    thresholds=dict.fromkeys(CATEGORIES, 0.5),
    with_pattern=0.25,
    likeliest=0.1,
    another=0.4,
    says={},
    trust={"threat.sure": 0.95, "threat.doubtful": 0.2},
    trust_in_other_rules=0.6,
)


def line(of: Meaning, rule: str = "", earlier: float = 0.0) -> Line:
    return Line(meaning=of, text="x", rules={"threat_violence": rule} if rule else {}, earlier=earlier)


def told(of: Line) -> list[str]:
    return JUDGEMENT.told(of, CATEGORIES)


def test_a_pattern_adds_to_what_was_meant() -> None:
    doubtful = meaning(0.5, asserts=1.0)
    assert told(line(doubtful)) == []
    assert told(line(doubtful, "threat.sure")) == ["threat_violence"]


def test_less_is_enough_where_a_pattern_of_the_category_is_met() -> None:
    met = line(meaning(0.5, asserts=1.0), "threat.doubtful")
    assert JUDGEMENT.with_pattern < JUDGEMENT.violates(met) < JUDGEMENT.thresholds["threat_violence"]
    assert told(met) == ["threat_violence"]
    assert told(replace(met, rules={"abuse_insult": "threat.doubtful"})) == []


def test_a_rule_counts_by_how_often_it_was_right() -> None:
    doubtful = meaning(0.5, asserts=1.0)
    each = [JUDGEMENT.violates(line(doubtful, f"threat.{rule}")) for rule in ("doubtful", "new", "sure")]
    assert each == sorted(each)
    assert len(set(each)) == 3


def test_a_pattern_that_the_speaker_denies_tells_nothing() -> None:
    assert JUDGEMENT.violates(line(meaning(0.5, denies=0.6, quotes=0.4), "threat.sure")) < 0.3


def test_a_line_that_violates_something_is_told_by_its_likeliest_category() -> None:
    """Sure to violate, though no category is likely by itself, unless none is at all."""
    vague = replace(meaning(6.0), categories={"threat_violence": -2.0, "abuse_insult": -3.0})
    assert told(line(vague)) == ["threat_violence"]
    assert JUDGEMENT.told(line(vague), ["abuse_insult"]) == []
    assert JUDGEMENT.told(line(vague), []) == []


def test_another_category_is_told_beside_it_where_it_is_likely_by_itself() -> None:
    assert told(line(meaning(6.0, insult=0.0))) == [*CATEGORIES]
    assert told(line(meaning(6.0, insult=-1.0))) == ["threat_violence"]


def test_a_likely_category_is_not_told_of_a_line_that_violates_nothing() -> None:
    assert told(line(replace(meaning(-3.0), categories={"threat_violence": 3.0, "abuse_insult": -6.0}))) == []


def test_an_agent_who_has_broken_rules_is_judged_by_it_for_a_while() -> None:
    calm, rough, earlier = meaning(-6.0), meaning(6.0), EarlierUtterances()
    assert earlier.odds == 0.0
    earlier.add(rough)
    after = earlier.odds
    assert after > 0.0
    for _ in range(REMEMBERED):
        earlier.add(calm)
    forgotten = earlier.odds
    assert forgotten < 0.0
    for _ in range(50):
        earlier.add(calm)
    assert earlier.odds == pytest.approx(forgotten)
    assert JUDGEMENT.violates(line(meaning(1.0), earlier=after)) > JUDGEMENT.violates(line(meaning(1.0)))


def test_length_counts_alike_in_both_scripts() -> None:
    """A Chinese character holds about as much as three Latin ones."""
    features = [line_features(Line(meaning=meaning(0.0), text=text), 0.0) for text in ("钱" * 10, "a" * 30)]
    assert features[0] == features[1]


def test_probabilities_stay_between_0_and_1_whatever_the_odds() -> None:
    for odds in (-1e6, -5.0, 0.0, 5.0, 1e6):
        assert 0.0 < JUDGEMENT.violates(line(meaning(odds, asserts=1.0))) <= 1.0


def test_an_empty_line_has_a_probability() -> None:
    assert 0.0 < JUDGEMENT.violates(Line(meaning=meaning(0.0), text="")) < 1.0


@pytest.mark.parametrize(("group", "names"), [("line", LINE_FEATURES), ("category", CATEGORY_FEATURES)])
def test_a_file_without_a_weight_is_named(tmp_path: Path, group: str, names: Sequence[str]) -> None:
    raw: dict[str, Any] = {
        "line": dict.fromkeys(LINE_FEATURES, 0.0),
        "category": dict.fromkeys(CATEGORY_FEATURES, 0.0),
        **{"thresholds": {}, "trust": {}, "says": {}},
        **dict.fromkeys(("trust_in_other_rules", "with_pattern", "likeliest", "another"), 0.5),
    }
    (tmp_path / "judgement.json").write_text(json.dumps(raw), encoding="utf-8")
    load_judgement(tmp_path)
    del raw[group][names[-1]]
    (tmp_path / "judgement.json").write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(BadJudgement, match=names[-1]):
        load_judgement(tmp_path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadJudgement, match=r"judgement\.json"):
        load_judgement(tmp_path)
