from __future__ import annotations

from typing import get_args

import pytest

from detectors.contract import DetectorError, Jurisdiction
from detectors.packs.source import pack_version
from detectors.packs.taxonomy import load_taxonomy
from detectors.runtime.registry import Registry, load
from detectors.sentiment.lexicon import load_lexicons
from detectors.sentiment.utterance_sentiment import SentimentDetector
from tests.speech import call, play, said

REGISTRY = load()


def test_rules_of_every_jurisdiction_cover_at_least_twenty_categories_each() -> None:
    for jurisdiction in get_args(Jurisdiction):
        covered = {rule.category for rule in REGISTRY.rules if rule.jurisdiction == jurisdiction}
        assert len(covered & set(load_taxonomy().categories)) >= 20


def test_a_rules_law_is_its_own_jurisdictions() -> None:
    assert REGISTRY.rules
    for rule in REGISTRY.rules:
        assert rule.cites
        assert all(cite.startswith(f"{rule.jurisdiction}-") for cite in rule.cites)
        assert all([rule.title.zh, rule.title.en, rule.why.zh, rule.why.en])


def test_no_rule_is_listed_twice_in_one_jurisdiction() -> None:
    keys = [(rule.id, rule.jurisdiction) for rule in REGISTRY.rules]
    assert len(keys) == len(set(keys))


def test_a_call_gets_its_own_fresh_detectors() -> None:
    one, other = REGISTRY.open(call()), REGISTRY.open(call())
    assert [name for name, _ in one] == [detector.id for detector in REGISTRY.detectors]
    assert all(a is not b for (_, a), (_, b) in zip(one, other, strict=True))


def test_two_detectors_of_one_name_are_refused() -> None:
    detector = SentimentDetector(load_lexicons(), load_taxonomy().categories)
    with pytest.raises(DetectorError, match="sentiment"):
        Registry([detector, detector], [], {}, pack_version())


def test_a_call_under_british_law_is_judged_by_it() -> None:
    threat = said("agent", "We'll break your legs if you don't pay.", 1.0, 3.0)
    found = play(dict(load(encoder=None).open(call("UK")))["lexical"], [threat])
    assert {(each.category, each.cites) for each in found} == {("threat_violence", ("UK-CONC#7",))}
