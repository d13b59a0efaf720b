from __future__ import annotations

from collections.abc import Sequence

import pytest

from detectors.evaluation.batch import BadInput, Batch
from detectors.evaluation.measure import JudgedLine, LabelledLine, errors, figures, judge, read_line
from detectors.runtime.registry import load

BATCH = Batch(load(encoder=None))


def judged(
    labels: Sequence[str] | None, found: Sequence[str], *, speaker: str = "agent", kind: str = "", **more: str
) -> JudgedLine:
    line = LabelledLine.model_validate(
        {"lang": "zh", "speaker": speaker, "text": "x", "labels": labels, "kind": kind, **more}
    )
    return JudgedLine(line=line, found=dict.fromkeys(found, (0.9, "x")), sentiment="negative")


MIXED = [
    judged(["abuse_insult"], ["abuse_insult"], kind="direct"),
    judged(["abuse_insult", "threat_violence"], ["threat_violence"], kind="direct"),
    judged(["threat_violence"], [], kind="ironic"),
    judged([], ["abuse_insult"], kind="denial"),
    judged([], [], kind="denial"),
    judged([], [], speaker="customer", kind="customer", sentiment="negative"),
    judged([], [], speaker="customer", kind="customer", sentiment="neutral"),
]


def test_the_figures_are_those_of_the_lines() -> None:
    zh = figures(MIXED)["zh"]
    assert zh.agents_lines == 5
    insult, threat = zh.categories["abuse_insult"], zh.categories["threat_violence"]
    assert (insult.lines, insult.precision, insult.recall, insult.f1) == (2, 0.5, 0.5, 0.5)
    assert (threat.lines, threat.precision, threat.recall, threat.f1) == (2, 1.0, 0.5, 0.667)
    assert zh.macro_f1 is not None
    assert zh.macro_f1.value == pytest.approx((0.5 + 2 / 3) / 2, abs=0.001)
    assert zh.found is not None
    assert zh.found.value == pytest.approx(2 / 3, abs=0.001)
    assert zh.false_per_100 is not None
    assert zh.false_per_100.value == 50.0
    assert zh.violations_by_kind == {"direct": (2, 2), "ironic": (1, 0)}
    assert zh.harmless_by_kind == {"denial": (2, 1)}
    assert zh.sentiment_f1 is not None
    assert zh.sentiment_f1.value == pytest.approx((2 / 3 + 0) / 2, abs=0.001)


def test_an_interval_holds_its_value_and_narrows_with_more_lines() -> None:
    few, many = (figures(MIXED * times)["zh"].found for times in (1, 50))
    assert few is not None
    assert many is not None
    for each in (few, many):
        assert each.low <= each.value <= each.high
    assert many.high - many.low < few.high - few.low


def test_what_a_customer_says_counts_as_flagged_and_nowhere_else() -> None:
    zh = figures([judged([], ["abuse_insult"], speaker="customer")])["zh"]
    assert zh.customers_flagged == 1
    assert (zh.agents_lines, zh.macro_f1, zh.found, zh.false_per_100, zh.sentiment_f1) == (0, None, None, None, None)


def test_the_surest_false_alert_comes_first() -> None:
    told = [(missed, false) for _, missed, false in errors(MIXED)]
    assert told == [([], ["abuse_insult"]), (["abuse_insult"], []), (["threat_violence"], [])]


def test_a_line_is_judged_by_its_own_law_after_what_came_before() -> None:
    line = read_line(
        '{"id": 1, "lang": "zh", "speaker": "agent", "text": "信不信我打断你的腿", "labels": ["threat_violence"],'
        ' "before": [["customer", "你想怎么样"]], "label": "negative", "scenario": "left alone"}',
        1,
    )
    assert line.feeling == "negative"
    assert "threat_violence" in judge(BATCH, line).found


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("{}", "line 3: lang"), ('{"lang": "fr", "speaker": "agent", "text": ""}', "line 3: lang"), ("no", "line 3")],
)
def test_a_bad_line_is_named(text: str, complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint):
        read_line(text, 3)
