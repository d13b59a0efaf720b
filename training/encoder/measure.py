"""What a split's logits are worth, as the detectors would use them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.evaluation.measure import in_any
from training.encoder.texts import CATEGORIES, SENTIMENT_NAMES, STANCE_NAMES, Example

FALSE_ALLOWED = 0.015
"""Of harmless lines: under the two in a hundred that people still put up with."""


def figures(examples: Sequence[Example], logits: NDArray[np.float32]) -> dict[str, Any]:
    """A language each: category macro-F1, violating lines found, at one threshold that flags FALSE_ALLOWED of the
    harmless lines; and macro-F1 of stance and sentiment."""
    return {lang: _of_language(examples, logits, lang) for lang in ("zh", "en")}


def _of_language(examples: Sequence[Example], logits: NDArray[np.float32], lang: str) -> dict[str, Any]:
    rows = [row for row, each in enumerate(examples) if each.lang == lang and each.labels is not None]
    gold = np.array([[name in (examples[row].labels or ()) for name in CATEGORIES] for row in rows])
    scores = logits[rows, : len(CATEGORIES)]
    violates = in_any(gold, 1)
    threshold = float(np.quantile(scores[~violates].max(1), 1 - FALSE_ALLOWED))
    seen = scores > threshold
    width = len(CATEGORIES) + 1
    feeling = [row for row, each in enumerate(examples) if each.lang == lang and each.sentiment is not None]
    return {
        "lines": len(rows),
        "threshold": round(1 / (1 + float(np.exp(-threshold))), 3),
        "macro_f1": round(float(np.mean(f1_each(gold, seen)[in_any(gold, 0)])), 3),
        "macro_f1_at_half": round(float(np.mean(f1_each(gold, scores > 0)[in_any(gold, 0)])), 3),
        "found": round(float(in_any(gold & seen, 1)[violates].mean()), 3),
        "flagged_at_half": round(float(in_any(scores > 0, 1)[~violates].mean()), 3),
        "found_at_half": round(float(in_any(gold & (scores > 0), 1)[violates].mean()), 3),
        "stance": _macro(
            [STANCE_NAMES.index(examples[row].stance or "none") for row in rows],
            logits[rows, width : width + len(STANCE_NAMES)].argmax(1),
        ),
        "sentiment": _macro(
            [SENTIMENT_NAMES.index(examples[row].sentiment or "") for row in feeling],
            logits[feeling, width + len(STANCE_NAMES) :][:, : len(SENTIMENT_NAMES)].argmax(1),
        ),
    }


def f1_each(gold: NDArray[np.bool_], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """F1 a column."""
    hit = (gold & seen).sum(0)
    return 2 * hit / np.maximum(1, gold.sum(0) + seen.sum(0))


def _macro(gold: Sequence[int], seen: NDArray[np.int64]) -> float:
    held = np.array(gold)
    names = sorted(set(gold))
    each = [f1_each((held == name)[:, None], (seen == name)[:, None])[0] for name in names]
    return round(float(np.mean(each)), 3)
