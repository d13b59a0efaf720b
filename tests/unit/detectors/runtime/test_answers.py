"""What a detector may say, and what is no answer."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from detectors.contract import Sentiment, Statement, Withdrawn
from detectors.runtime.answers import MOST_AT_ONCE, BadAnswer, checked
from tests import scenes

FINDING = scenes.finding()
FELT = Sentiment(utterance_id="u", role="customer", at=1.0, score=-0.5, label="negative", emotion="anger", trend=0.0)
TAKEN_BACK = Withdrawn(rule="r", role="agent", start=1.0, end=2.0, why=FINDING.why)
PROMISE = Statement(kind="promise", role="customer", start=1.0, end=2.0, quote="我还", utterance_id="u", score=0.9)


def test_what_the_contract_allows_passes() -> None:
    told = [FINDING, replace(FINDING, kind="mood"), FELT, TAKEN_BACK, PROMISE]
    assert checked(told) == told


@pytest.mark.parametrize(
    "wrong",
    [
        {"detector": ""},
        {"role": "customer"},
        {"severity": "fatal"},
        {"kind": "gossip"},
        {"score": 0.0},
        {"score": math.nan},
        {"start": 3.0, "end": 2.0},
        {"end": math.inf},
        {"rule": ""},
        {"category": "x" * 1000},
        {"quote": "我" * 10_000},
        {"title": "Monologue"},
    ],
)
def test_a_finding_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        checked([replace(FINDING, **wrong)])


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "found",
        (FINDING,),
        ["found"],
        [None],
        [FINDING] * (MOST_AT_ONCE + 1),
        [replace(FELT, score=3.0)],
        [replace(TAKEN_BACK, why="no")],
        [replace(PROMISE, kind="gossip")],  # type: ignore[arg-type]
    ],
)
def test_what_is_no_answer_is_refused(answer: object) -> None:
    with pytest.raises(BadAnswer):
        checked(answer)
