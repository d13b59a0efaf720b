"""The corpus is as its card says, line by line."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from detectors.contract import CONDUCT, SAID
from detectors.packs.taxonomy import load_taxonomy
from training.corpus.check import LABELS, LINES, SAYS, check, problems, read, split_of

SPLITS = ["train", "test", "train", "train", "train", "test", "train", "train"]
LINE: dict[str, Any] = {
    "scenario": "zh-x-001",
    "lang": "zh",
    "speaker": "agent",
    "before": [["customer", "我没钱"]],
    "text": "没钱也得还",
    "labels": [],
    "stance": "none",
    "kind": "work",
    "sentiment": "neutral",
    "emotion": "neutral",
}
FILES = sorted(LINES.glob("*.jsonl"))


def test_every_line_is_as_it_should_be() -> None:
    assert check(FILES) == []


def test_each_label_is_a_category_of_the_taxonomy() -> None:
    assert set(load_taxonomy().categories) >= LABELS


def test_what_belongs_into_the_record_of_a_call_is_what_the_detectors_can_tell() -> None:
    assert {"customer": set(SAID), "agent": set(CONDUCT)} == SAYS


def test_no_scenario_is_in_two_files_and_each_split_holds_both_languages() -> None:
    files, languages = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for path, _number, line in read(FILES):
        files[line["scenario"]].add(path.name)
        languages[split_of(line["scenario"])].add(line["lang"])
    assert {scenario for scenario, names in files.items() if len(names) > 1} == set()
    assert languages == {split: {"zh", "en"} for split in ("train", "dev", "test")}


def test_a_scenario_stays_in_its_split() -> None:
    assert [split_of(f"zh-threats-{number:03}") for number in range(1, 9)] == SPLITS


@pytest.mark.parametrize(
    "change",
    [
        {"lang": "fr"},
        {"speaker": "third"},
        {"says": ["promise"]},
        {"says": ["gossip"]},
        {"labels": ["rudeness"], "kind": "direct"},
        {"labels": ["abuse_insult"]},
        {"speaker": "customer"},
        {"speaker": "customer", "kind": "customer", "labels": ["abuse_insult"]},
        {"kind": "direct"},
        {"text": " "},
        {"text": "还" * 301},
        {"before": [["agent", "在吗"]] * 3},
        {"before": [["agent", ""]]},
        {"stance": "unsure"},
        {"more": 1},
    ],
)
def test_what_is_wrong_with_a_line_is_told(change: dict[str, Any]) -> None:
    assert list(problems(LINE)) == []
    assert list(problems({**LINE, **change}))
