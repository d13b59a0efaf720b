"""Scripted heads for tests of what statements lead to: each kind has an axis of its own."""

from __future__ import annotations

from typing import get_args

import numpy as np

from detectors.contract import CONDUCT, SAID, Embedding, Emotion, SentimentLabel
from detectors.facts.statements import Kind, Statements
from detectors.semantic.heads import Heads, Stance

KINDS: tuple[Kind, ...] = (*SAID, *CONDUCT)
SIZE = len(KINDS)


def heads() -> Heads:
    names = {
        "categories": ("threat_violence",),
        "any": ("any",),
        "stance": get_args(Stance),
        "sentiment": get_args(SentimentLabel),
        "emotion": get_args(Emotion),
        "says": KINDS,
    }
    outputs = sum(map(len, names.values()))
    alone = np.zeros((outputs, SIZE), np.float32)
    alone[1, KINDS.index("escalates")] = 12.0 / np.sqrt(SIZE)  # here the axis of what breaks a rule as well
    alone[-SIZE:] = 12.0 * np.eye(SIZE, dtype=np.float32) / np.sqrt(SIZE).astype(np.float32)
    weights = {
        "alone.weight": alone,
        "alone.bias": np.full(outputs, -6.0, np.float32),
        "inner.weight": np.zeros((1, 3 * SIZE + 5), np.float32),
        "inner.bias": np.zeros(1, np.float32),
        "outer.weight": np.zeros((outputs, 1), np.float32),
        "outer.bias": np.zeros(outputs, np.float32),
    }
    return Heads(weights, names)


STATEMENTS = Statements(heads=heads(), thresholds=dict.fromkeys(KINDS, 0.0))


def embedding(*kinds: Kind) -> Embedding:
    """Of an utterance that is of these kinds."""
    return np.array([kind in kinds for kind in KINDS], np.float32)
