from __future__ import annotations

import json
from typing import Any

import pytest

from asr.types import Role
from detectors.evaluation.batch import BadInput, Batch
from detectors.evaluation.replay import judge_call
from detectors.runtime.registry import load
from tests.speech import call, said

PATTERNS = load(encoder=None)
BATCH = Batch(PATTERNS)
CALL: dict[str, Any] = {
    "lang": "zh",
    "jurisdiction": "CN",
    "started_at": "2026-03-10T15:00:00+08:00",
    "metadata": {"recording_notice": "ivr"},
    "turns": [
        {"speaker": "agent", "start": 0.0, "end": 4.0, "text": "喂，在吗"},
        {"speaker": "customer", "start": 4.0, "end": 5.0, "text": "谁啊，你这个骗子"},
        {"speaker": "agent", "start": 5.0, "end": 30.0, "text": "不还钱就等着坐牢吧"},
    ],
}


def line(**changes: Any) -> str:
    return json.dumps({"id": "x", "lang": "zh", "speaker": "agent", "text": "你这个老赖", **changes})


def test_a_line_gets_labels_quotes_and_mood() -> None:
    judged = BATCH.utterance(line(), "CN", 1)
    assert judged["id"] == "x"
    assert judged["labels"] == [{"category": "abuse_insult", "score": 0.9, "quote": "你这个老赖"}]
    assert judged["sentiment"] == "negative"
    assert judged["sentiment_score"] < 0
    assert judged["emotion"] == "anger"


def test_a_customers_line_has_no_labels_but_a_mood() -> None:
    judged = BATCH.utterance(line(speaker="customer"), "CN", 1)
    assert judged["labels"] == []
    assert judged["sentiment"] == "negative"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "line 7: .*JSON"),
        (line(speaker="robot"), "line 7: speaker"),
        (line(lang="fr"), "line 7: lang"),
        (line(text=None), "line 7: text"),
        ("[]", "line 7"),
    ],
)
def test_a_bad_line_is_answered_with_its_number_and_field(text: str, complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint):
        BATCH.utterance(text, "CN", 7)


def test_a_call_gets_findings_in_its_own_time_and_missed_duties() -> None:
    judged = BATCH.call(json.dumps(CALL))
    assert judged["duties_missing"] == ["identity_company"]
    jail = next(each for each in judged["findings"] if each["category"] == "false_legal_threat")
    assert jail["speaker"] == "agent"
    assert 5.0 <= jail["start"] < jail["end"] <= 30.0
    assert jail["quote"] in "不还钱就等着坐牢吧"


def test_a_start_without_an_offset_is_the_debtors_own_time() -> None:
    night = BATCH.call(json.dumps({**CALL, "started_at": "2026-03-10T23:00:00"}))
    assert "prohibited_time_contact" in {each["category"] for each in night["findings"]}

    assert night == BATCH.call(json.dumps({**CALL, "started_at": "2026-03-10T15:00:00Z"}))
    american = {**CALL, "jurisdiction": "US", "started_at": "2026-03-10T21:30:00"}
    assert "prohibited_time_contact" in {each["category"] for each in BATCH.call(json.dumps(american))["findings"]}


def test_a_zone_that_cannot_be_read_is_told_beside_the_answer() -> None:
    told: list[str] = []
    judged = BATCH.call(json.dumps({**CALL, "metadata": {"timezone": "Asia"}}), told.append)
    assert set(judged) == {"findings", "duties_missing"}
    assert told == [
        "No time zone can be read from metadata.timezone 'Asia': "
        "permitted hours go by Asia/Shanghai, the jurisdiction's."
    ]


def test_a_mood_that_collapses_is_no_violation_of_a_line_or_a_call() -> None:
    texts = ["你好，谢谢你", "我很满意", "滚，你们全是骗子", *["滚，别再打电话了"] * 3]
    spoken = [said("customer", text, 10.0 * place, 10.0 * place + 5, place) for place, text in enumerate(texts)]
    moods = [found for found in judge_call(PATTERNS, call(), spoken, 55.0) if found.kind == "mood"]
    assert [found.end for found in moods] == [55.0]  # with the last turn

    turns = [{"speaker": each.role, "start": each.start, "end": each.end, "text": each.text} for each in spoken]
    assert BATCH.call(json.dumps({**CALL, "turns": turns}))["findings"] == []
    alone: list[tuple[Role, str]] = [(each.role, each.text) for each in spoken]
    assert BATCH.last_of(alone, "zh", "CN")[0] == []


def test_a_call_without_turns_is_empty() -> None:
    assert BATCH.call(json.dumps({**CALL, "turns": []})) == {"findings": [], "duties_missing": []}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"jurisdiction": "FR"}, "jurisdiction"),
        ({"started_at": "noon"}, "started_at"),
        ({"turns": [{"speaker": "agent", "start": 3, "end": 1, "text": ""}]}, "turns.0: .*end lies before start"),
    ],
)
def test_a_bad_call_is_answered_with_its_field(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint):
        BATCH.call(json.dumps({**CALL, **change}))
