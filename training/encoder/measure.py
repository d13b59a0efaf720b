"""What a split's logits are worth, as the detectors would use them. Needs numpy alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

FALSE_ALLOWED = 0.015
"""The share of harmless lines that may be flagged, below the two in a hundred that people still put up with."""
STANCE, SENTIMENT = slice(30, 37), slice(37, 40)
"""The places of those groups' logits."""


def figures(column: Mapping[str, NDArray[Any]], rows: NDArray[np.int64], logits: NDArray[np.float32]) -> dict[str, Any]:
    """A language each: category macro-F1, violating lines found, at one threshold that flags FALSE_ALLOWED of the
    harmless lines; and macro-F1 of stance and sentiment. `column`: the fields of all lines, of which `rows` have
    `logits`."""
    known = {name: values[rows] for name, values in column.items()}
    mine = {"zh": ~known["english"], "en": known["english"]}
    return {lang: _of_language(known, mine[lang], logits) for lang in mine}


def _of_language(
    known: Mapping[str, NDArray[Any]], mine: NDArray[np.bool_], logits: NDArray[np.float32]
) -> dict[str, Any]:
    judged = np.logical_and(mine, known["judged"])
    gold = known["categories"][judged]
    scores = logits[judged][:, : gold.shape[1]]
    violates = np.asarray(gold.any(1), np.bool_)
    threshold = float(np.quantile(scores[~violates].max(1), 1 - FALSE_ALLOWED))
    seen = scores > threshold
    held = gold.any(0)
    return {
        "lines": int(judged.sum()),
        "threshold": round(1 / (1 + float(np.exp(-threshold))), 3),
        "macro_f1": round(float(np.mean(f1_each(gold, seen)[held])), 3),
        "macro_f1_at_half": round(float(np.mean(f1_each(gold, scores > 0)[held])), 3),
        "found": round(float((gold & seen)[violates].any(1).mean()), 3),
        "flagged_at_half": round(float((scores > 0)[~violates].any(1).mean()), 3),
        "found_at_half": round(float((gold & (scores > 0))[violates].any(1).mean()), 3),
        "stance": _macro(known["stance"][judged], logits[judged][:, STANCE].argmax(1)),
        "sentiment": _macro(known["sentiment"][mine], logits[mine][:, SENTIMENT].argmax(1)),
    }


def f1_each(gold: NDArray[np.bool_], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """F1 a column."""
    hit = (gold & seen).sum(0)
    return 2 * hit / np.maximum(1, gold.sum(0) + seen.sum(0))


def _macro(held: NDArray[np.int64], seen: NDArray[np.int64]) -> float:
    each = [f1_each((held == name)[:, None], (seen == name)[:, None])[0] for name in np.unique(held)]
    return round(float(np.mean(each)), 3)
