from __future__ import annotations

import numpy as np

from training.encoder.measure import FALSE_ALLOWED, f1_each, figures

LINES = 400
WIDTH = 73


def column() -> dict[str, np.ndarray]:
    """Every third line violates the first category; all moods and stances are one."""
    categories = np.zeros((LINES, 29), np.bool_)
    categories[::3, 0] = True
    return {
        "english": np.arange(LINES) % 2 == 1,
        "judged": np.ones(LINES, np.bool_),
        "categories": categories,
        "stance": np.zeros(LINES, np.int64),
        "sentiment": np.zeros(LINES, np.int64),
    }


def test_f1_of_each_column() -> None:
    gold = np.array([[True, False], [True, True], [False, False]])
    seen = np.array([[True, True], [False, True], [False, False]])
    assert f1_each(gold, seen).tolist() == [2 / 3, 2 / 3]


def test_one_threshold_flags_no_more_harmless_lines_than_allowed() -> None:
    known, dice = column(), np.random.default_rng(1)
    logits = dice.normal(0, 1, (LINES, WIDTH)).astype(np.float32)
    logits[known["categories"].any(1), 0] += 20
    of_zh = figures(known, np.arange(LINES), logits)["zh"]
    assert of_zh["lines"] == LINES // 2
    assert of_zh["found"] == of_zh["macro_f1"] == 1.0
    odds = np.log(of_zh["threshold"] / (1 - of_zh["threshold"]))
    harmless = ~known["english"] & ~known["categories"].any(1)
    assert (logits[harmless][:, :29].max(1) > odds + 0.01).mean() <= FALSE_ALLOWED + 0.01


def test_what_is_seen_nowhere_is_found_nowhere() -> None:
    logits = np.full((LINES, WIDTH), -5.0, np.float32)
    assert figures(column(), np.arange(LINES), logits)["zh"]["found"] == 0.0
