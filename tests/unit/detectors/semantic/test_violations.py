"""The one judgement, over a scripted encoder and scripted heads: which signals make a finding, and what it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

import numpy as np

from detectors.contract import Emotion, Observation, SentimentLabel
from detectors.packs.taxonomy import load_taxonomy
from detectors.rules.lexical import LexicalDetector
from detectors.runtime.registry import load
from detectors.semantic.heads import Heads, Stance
from detectors.semantic.judgement import CATEGORY_FEATURES, LINE_FEATURES, Judgement
from detectors.semantic.violations import SemanticCall, SemanticDetector, Understood, rule_of
from tests.fakes.text_encoder import FakeTextEncoder
from tests.speech import call, findings, said

CATEGORIES = ("threat_violence", "abuse_insult")
STANCES = get_args(Stance)
NAMES = {
    "categories": CATEGORIES,
    "any": ("any",),
    "stance": STANCES,
    "sentiment": get_args(SentimentLabel),
    "emotion": get_args(Emotion),
    "says": ("promise", "thanks"),
}
OUTPUTS = sum(map(len, NAMES.values()))
SURE, DENIED, CALM = 0, 1, 2
"""What a text can mean here, each its own axis: a threat, a threat denied, nothing."""

THREAT = "你腿还想不想要了"
PATTERN = "我打断你的腿"


def heads() -> Heads:
    """Reads the axes: a threat violates something with log odds of 6, one denied with 1, with its stance."""
    alone = np.zeros((OUTPUTS, 3), np.float32)
    alone[CATEGORIES.index("threat_violence")] = (6.0, 1.0, -6.0)
    alone[CATEGORIES.index("abuse_insult")] = -6.0
    alone[len(CATEGORIES)] = alone[CATEGORIES.index("threat_violence")]
    first = len(CATEGORIES) + 1
    alone[first + STANCES.index("asserts"), SURE] = 9.0
    alone[first + STANCES.index("denies"), DENIED] = 9.0
    alone[first + STANCES.index("none"), CALM] = 9.0
    weights = {
        "alone.weight": alone / np.sqrt(3).astype(np.float32),
        "alone.bias": np.zeros(OUTPUTS, np.float32),
        "inner.weight": np.zeros((1, 14), np.float32),
        "inner.bias": np.zeros(1, np.float32),
        "outer.weight": np.zeros((OUTPUTS, 1), np.float32),
        "outer.bias": np.zeros(OUTPUTS, np.float32),
    }
    return Heads(weights, NAMES)


WEIGHTS = {"one": -3.0, "violates": 1.0, "pattern": 4.0, "pattern_against": -4.0}
JUDGEMENT = Judgement(
    line=[WEIGHTS.get(name, 0.0) for name in LINE_FEATURES],
    category=[{"category": 1.0}.get(name, 0.0) for name in CATEGORY_FEATURES],
    thresholds=dict.fromkeys(CATEGORIES, 0.5),
    with_pattern=0.5,
    likeliest=0.3,
    another=0.5,
    says={},
    trust={},
    trust_in_other_rules=0.9,
)
PATTERNS = next(each for each in load(encoder=None).detectors if isinstance(each, LexicalDetector))


def opened(
    meant: Mapping[str, int] | None = None, judgement: Judgement = JUDGEMENT
) -> tuple[SemanticCall, FakeTextEncoder]:
    encoder = FakeTextEncoder(meant or {})
    understood = Understood(encoder=encoder, heads=heads(), judgement=judgement)
    detector = SemanticDetector(PATTERNS, understood, load_taxonomy().categories, frozenset())
    return detector.open(call()), encoder


def hear(detector: SemanticCall, encoder: FakeTextEncoder, text: str, role: str = "agent") -> list[Observation]:
    assert role in ("agent", "customer")
    [embedding] = encoder.encode([text])
    return detector.understood(said("agent" if role == "agent" else "customer", text), embedding)


def test_what_no_pattern_lists_is_found_by_its_meaning() -> None:
    judge, encoder = opened({THREAT: SURE})
    [found] = findings(hear(judge, encoder, THREAT))
    assert (found.category, found.rule, found.detector) == ("threat_violence", rule_of("threat_violence"), "semantic")
    assert found.quote == THREAT
    assert 0.5 < found.score <= 1.0
    assert found.cites


def test_a_pattern_needs_the_meaning_to_agree() -> None:
    judge, encoder = opened({PATTERN: SURE})
    [found] = findings(hear(judge, encoder, PATTERN))
    assert found.rule != rule_of("threat_violence")
    calm, encoder = opened({PATTERN: CALM})
    assert PATTERNS.open(call()).heard(said("agent", PATTERN))
    assert hear(calm, encoder, PATTERN) == []


def test_a_threat_that_is_denied_is_none() -> None:
    judge, encoder = opened({PATTERN: DENIED})
    assert hear(judge, encoder, PATTERN) == []


def test_a_customers_words_are_heard_and_never_judged() -> None:
    judge, encoder = opened({THREAT: SURE})
    assert hear(judge, encoder, THREAT, "customer") == []


def test_the_sentence_that_tells_most_is_the_evidence() -> None:
    long = f"好的，我跟您说一下。{THREAT}！您自己考虑吧。"
    judge, encoder = opened({long: SURE, f"{THREAT}！": SURE})
    [found] = findings(hear(judge, encoder, long))
    assert found.quote == f"{THREAT}！"
    whole = said("agent", long)
    assert whole.start < found.start < found.end < whole.end


def test_an_early_alert_needs_pattern_and_meaning() -> None:
    so_far = PATTERN + "你等着看吧"
    judge, _ = opened({so_far: SURE})
    assert [each.category for each in judge.foresee(said("agent", so_far))] == ["threat_violence"]
    judge, _ = opened({so_far: DENIED})
    assert judge.foresee(said("agent", so_far)) == []
    judge, encoder = opened()
    assert judge.foresee(said("agent", "您好，请问是本人吗")) == []
    assert encoder.asked == []


def test_an_agent_who_has_threatened_is_judged_by_it() -> None:
    """The second line is not enough by itself."""
    by_earlier = {**WEIGHTS, "one": -6.5, "earlier": 2.0}
    judgement = replace(JUDGEMENT, line=[by_earlier.get(name, 0.0) for name in LINE_FEATURES])
    judge, encoder = opened({PATTERN: SURE, THREAT: SURE}, judgement)
    assert findings(hear(judge, encoder, THREAT)) == []
    assert findings(hear(judge, encoder, PATTERN))
    assert findings(hear(judge, encoder, THREAT))
    customer, encoder = opened({PATTERN: SURE, THREAT: SURE}, judgement)
    hear(customer, encoder, PATTERN, "customer")
    assert findings(hear(customer, encoder, THREAT)) == []


def test_without_a_vector_the_patterns_judge() -> None:
    detector, _ = opened()
    [found] = findings(detector.heard(said("agent", PATTERN)))
    assert found.detector == "lexical"


def test_a_meaning_near_words_that_do_not_count_must_be_surer() -> None:
    """Both texts mean the same here, at 0.88; the second one has a rule's words, said to have been said by nobody."""
    doubtful = replace(JUDGEMENT, line=[{**WEIGHTS, "one": -4.0}.get(name, 0.0) for name in LINE_FEATURES])
    asked = "我什么时候说过要打断你的腿了"
    judge, encoder = opened({THREAT: SURE, asked: SURE}, doubtful)
    assert [found.rule for found in findings(hear(judge, encoder, THREAT))] == [rule_of("threat_violence")]
    assert findings(hear(judge, encoder, asked)) == []
    sure, encoder = opened({asked: SURE})
    assert [found.rule for found in findings(hear(sure, encoder, asked))] == [rule_of("threat_violence")]
