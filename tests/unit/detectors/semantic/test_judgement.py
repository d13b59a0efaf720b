from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest

from detectors.contract import Emotion, SentimentLabel
from detectors.semantic.heads import Meaning, Stance
from detectors.semantic.judgement import FEATURES, BadJudgement, Judgement, load_judgement


def meaning(category: float, **stances: float) -> Meaning:
    """Of a line that threatens with these log odds; all that is not named is 0."""
    return Meaning(
        categories={"threat_violence": category},
        violates=category,
        stances={each: stances.get(each, 0.0) for each in get_args(Stance)},
        sentiments=dict.fromkeys(get_args(SentimentLabel), 1 / 3),
        emotions=dict.fromkeys(get_args(Emotion), 1 / 7),
        says={},
    )


WEIGHTS = dict(zip(FEATURES, (-2.0, 1.0, 0.5, 2.0, -3.0, -1.0), strict=True))
JUDGEMENT = Judgement(
    weights=[*WEIGHTS.values()],
    thresholds={"threat_violence": 0.5},
    with_pattern=0.3,
    says={},
    trust={"threat.sure": 0.95, "threat.doubtful": 0.2},
    trust_in_other_rules=0.6,
)


def test_a_pattern_adds_to_what_was_meant() -> None:
    doubtful = meaning(0.5, asserts=1.0)
    alone = JUDGEMENT.probability(doubtful, "threat_violence")
    with_pattern = JUDGEMENT.probability(doubtful, "threat_violence", "threat.sure")
    assert not JUDGEMENT.tells("threat_violence", alone)
    assert JUDGEMENT.tells("threat_violence", with_pattern)


def test_a_rule_counts_by_how_often_it_was_right() -> None:
    line = meaning(0.5, asserts=1.0)
    each = [JUDGEMENT.probability(line, "threat_violence", f"threat.{rule}") for rule in ("doubtful", "new", "sure")]
    assert each == sorted(each)
    assert len(set(each)) == 3


def test_less_is_enough_where_a_pattern_is_met() -> None:
    assert not JUDGEMENT.tells("threat_violence", 0.4)
    assert JUDGEMENT.tells("threat_violence", 0.4, "threat.sure")
    assert not JUDGEMENT.tells("threat_violence", 0.2, "threat.sure")


def test_a_pattern_that_the_speaker_denies_tells_nothing() -> None:
    assert JUDGEMENT.probability(meaning(0.5, denies=0.6, quotes=0.4), "threat_violence", "threat.sure") < 0.3


def test_probabilities_stay_between_0_and_1_whatever_the_odds() -> None:
    for odds in (-1e6, -5.0, 0.0, 5.0, 1e6):
        assert 0.0 < JUDGEMENT.probability(meaning(odds, asserts=1.0), "threat_violence") <= 1.0


def test_a_file_without_a_weight_is_named(tmp_path: Path) -> None:
    others = {"thresholds": {}, "trust": {}, "says": {}, "trust_in_other_rules": 0.5, "with_pattern": 0.3}
    raw = {"weights": dict.fromkeys(FEATURES[1:], 0.0), **others}
    (tmp_path / "judgement.json").write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(BadJudgement, match=FEATURES[0]):
        load_judgement(tmp_path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadJudgement, match=r"judgement\.json"):
        load_judgement(tmp_path)
