"""Fits the one judgement: how far a rule is trusted, how signals are weighed, and what is enough for a finding.

Rules are counted on the training split, which none of them was written after. Weights and thresholds are fitted on the
development split.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from asr.types import Role
from detectors.contract import SentimentLabel
from detectors.evaluation.batch import Batch
from detectors.evaluation.measure import OWN_LAW, in_any
from detectors.runtime.registry import load
from detectors.semantic.encoder import OnnxTextEncoder
from detectors.semantic.heads import Conversation, Heads, Meaning, load_heads
from detectors.semantic.judgement import (
    CATEGORY_FEATURES,
    LINE_FEATURES,
    EarlierUtterances,
    Line,
    category_features,
    line_features,
)
from training.corpus.check import SAYS
from training.encoder.measure import f1_each
from training.encoder.texts import Example, corpus

FALSE_ALLOWED = 0.02
"""Of harmless lines: the two in a hundred that people still put up with."""
WITH_PATTERN = 0.7
"""Of a line, for a category whose pattern it meets. The corpus holds far more harmless lines that meet one than calls
do, so what it makes of them is too low for calls. Chosen on detect_dev.jsonl and detect_harmless.jsonl."""
LIKELIEST, ANOTHER = 0.3, 0.6
"""Of the likeliest category, and of another one. With less, more lines of dev are told by a wrong category beside the
right one; with more, fewer are told at all."""
LEAST_PRECISION = 0.95
"""Of a category's findings: lines that violate something. People disagree about which of two related ones it is."""
PRIOR = 6.0
"""Findings of all categories together that a category's own few are mixed with."""
RULE_PRIOR = 4.0
"""Hits of all rules together that a rule's own few are mixed with."""

LEAST_OF_A_KIND = 5
"""A statement with fewer lines has even odds for its threshold."""
ODDS_TRIED = np.linspace(-1.0, 2.5, 36, dtype=np.float32)
"""The thresholds that a statement may have. Below them it is none more often than two times in three, whatever few
lines say."""

MOODS = "zh-moods"
"""The corpus' file whose every line was written for its mood. In others a line whose mood nobody marked is neutral."""
NEUTRAL_TRIED = np.linspace(0.0, 1.5, 16, dtype=np.float32)

Met = dict[str, str]
"""The rule that a line meets, by category."""


def fitted(folder: Path) -> dict[str, Any]:
    """Trust, weights and thresholds, as judgement.json holds them."""
    encoder, heads = OnnxTextEncoder(folder), load_heads(folder)
    trust, overall = _trust(_agents("train"))
    examples = _agents("dev")
    lines = lines_of(encoder, heads, examples)
    gold = np.array([[name in (each.labels or ()) for name in heads.categories] for each in examples])
    trusted = np.array(
        [
            [trust.get(line.rules[name], overall) if name in line.rules else 0.0 for name in heads.categories]
            for line in lines
        ]
    )
    of_lines = [line_features(line, each.max()) for line, each in zip(lines, trusted, strict=True)]
    of_categories = [
        category_features(line.meaning, name, each)
        for line, row in zip(lines, trusted, strict=True)
        for name, each in zip(heads.categories, row, strict=True)
    ]
    return {
        **_line_and_category(
            heads.categories, of_lines, of_categories, trusted > 0, gold, [each.lang for each in examples]
        ),
        "says": _says(encoder, heads),
        "trust": trust,
        "trust_in_other_rules": overall,
    }


def _line_and_category(
    categories: Sequence[str],
    of_lines: Sequence[Sequence[float]],
    of_categories: Sequence[Sequence[float]],
    met: NDArray[np.bool_],
    gold: NDArray[np.bool_],
    languages: Sequence[str],
) -> dict[str, Any]:
    """The weights of both questions, and what is enough. `of_categories`: a row a line and category. `met`: whether a
    line meets a rule of a category."""
    lines, each_category = np.array(of_lines, np.float32), np.array(of_categories, np.float32)
    line, category = _weights(lines, in_any(gold, 1)), _weights(each_category, gold.reshape(-1))
    violates, each = _sigmoid(lines @ line), _sigmoid(each_category @ category).reshape(gold.shape)
    named = each >= np.clip(each.max(axis=1, keepdims=True), LIKELIEST, ANOTHER)
    by_pattern = named & met & (violates >= WITH_PATTERN)[:, None]
    violates = np.where(in_any(named, 1), violates, 0.0)
    return {
        "line": _by_name(LINE_FEATURES, line),
        "category": _by_name(CATEGORY_FEATURES, category),
        "thresholds": _thresholds(categories, violates, named, by_pattern, gold, np.array(languages)),
        "with_pattern": WITH_PATTERN,
        "likeliest": LIKELIEST,
        "another": ANOTHER,
    }


def _sigmoid(odds: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def _by_name(names: Sequence[str], weights: NDArray[np.float32]) -> dict[str, float]:
    return dict(zip(names, [round(float(each), 4) for each in weights], strict=True))


def neutral_offset(folder: Path) -> float:
    """What the logit of a neutral sentiment is too high by: with so much less, both languages' sentiments are told best
    on the development split's lines that were written for their mood."""
    lines = [line for line in corpus("dev") if line.scenario.startswith(MOODS)]
    meanings = meanings_of(OnnxTextEncoder(folder), load_heads(folder), lines)
    odds = np.log([[meaning.sentiments[name] for name in get_args(SentimentLabel)] for meaning in meanings])
    held = np.array([[line.sentiment == name for name in get_args(SentimentLabel)] for line in lines])
    english = np.array([line.lang == "en" for line in lines])
    less = np.array([name == "neutral" for name in get_args(SentimentLabel)])
    scores = [_told_best(held, odds - less * offset, english) for offset in NEUTRAL_TRIED]
    return round(float(NEUTRAL_TRIED[int(np.argmax(scores))]), 2)


def _told_best(held: NDArray[np.bool_], odds: NDArray[np.float64], english: NDArray[np.bool_]) -> float:
    seen = odds == odds.max(1, keepdims=True)
    return float(np.mean([f1_each(held[rows], seen[rows]) for rows in (english, ~english)]))


def _agents(split: str) -> list[Example]:
    return [line for line in corpus(split) if line.labels is not None]


def meanings_of(encoder: OnnxTextEncoder, heads: Heads, examples: Sequence[Example]) -> list[Meaning]:
    """The meanings, as the service works them out."""
    return [each.meaning for each in lines_of(encoder, heads, examples, patterns=False)]


def lines_of(
    encoder: OnnxTextEncoder, heads: Heads, examples: Sequence[Example], *, patterns: bool = True
) -> list[Line]:
    """The lines as the service judges them: by the patterns that they meet, and by how the agent spoke before."""
    texts = sorted({text for each in examples for text in (each.text, *(text for _, text in each.before))})
    vectors = dict(zip(texts, encoder.encode(texts), strict=True))
    met = patterns_met(examples) if patterns else [Met()] * len(examples)
    found: list[Line] = []
    for example, rules in zip(examples, met, strict=True):
        conversation, earlier = Conversation(heads), EarlierUtterances()
        for speaker, said in example.before:
            meaning = conversation.heard(_role(speaker), vectors[said])
            if _role(speaker) == "agent":
                earlier.add(meaning)
        meaning = conversation.heard(_role(example.speaker), vectors[example.text])
        found.append(Line(meaning=meaning, text=example.text, rules=rules, earlier=earlier.odds))
    return found


def _role(speaker: str) -> Role:
    return "agent" if speaker == "agent" else "customer"


def patterns_met(lines: Sequence[Example]) -> list[Met]:
    """What the patterns alone find in each line."""
    batch = Batch(load(encoder=None))
    found: list[Met] = []
    for line in lines:
        language = "zh" if line.lang == "zh" else "en"
        findings, _ = batch.last_of([(_role(line.speaker), line.text)], language, OWN_LAW[language])
        found.append({finding.category: finding.rule for finding in findings})
    return found


def _says(encoder: OnnxTextEncoder, heads: Heads) -> dict[str, float]:
    """The threshold of each statement: the log odds with the best F1, or even odds if there are too few lines."""
    chosen: dict[str, float] = {}
    for speaker, names in SAYS.items():
        lines = [line for line in corpus("dev") if line.says is not None and line.speaker == speaker]
        meanings = meanings_of(encoder, heads, lines)
        for name in sorted(names):
            gold = np.array([name in (line.says or ()) for line in lines])
            odds = np.array([meaning.says[name] for meaning in meanings])
            chosen[name] = _best(gold, odds) if gold.sum() >= LEAST_OF_A_KIND else 0.0
    return chosen


def _best(gold: NDArray[np.bool_], odds: NDArray[np.float32]) -> float:
    """The middle of those that are best."""
    scores = np.array([f1_each(gold[:, None], (odds >= least)[:, None])[0] for least in ODDS_TRIED])
    best = np.flatnonzero(scores >= scores.max() - 1e-9)
    return round(float(ODDS_TRIED[best[len(best) // 2]]), 2)


def _trust(lines: Sequence[Example]) -> tuple[dict[str, float], float]:
    """How often each rule is right where it is met, and all together."""
    hits, right = Counter[str](), Counter[str]()
    for line, met in zip(lines, patterns_met(lines), strict=True):
        for category, rule in met.items():
            hits[rule] += 1
            right[rule] += category in (line.labels or ())
    overall = right.total() / max(1, hits.total())
    mixed = {rule: (right[rule] + RULE_PRIOR * overall) / (times + RULE_PRIOR) for rule, times in hits.items()}
    return {rule: round(each, 3) for rule, each in sorted(mixed.items())}, round(overall, 3)


def _weights(rows: NDArray[np.float32], gold: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Logistic regression."""
    x, y = torch.tensor(rows), torch.tensor(gold, dtype=torch.float32)
    weights = torch.zeros(x.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = functional.binary_cross_entropy_with_logits(x @ weights, y) + 1e-5 * weights.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return weights.detach().numpy()


def _thresholds(
    categories: Sequence[str],
    violates: NDArray[np.float32],
    named: NDArray[np.bool_],
    by_pattern: NDArray[np.bool_],
    gold: NDArray[np.bool_],
    languages: NDArray[np.str_],
) -> dict[str, float]:
    """One for all categories, at which neither language has more than FALSE_ALLOWED of its harmless lines flagged, with
    those that are flagged `by_pattern`; a higher one for a category whose findings would not be of violating lines
    often enough, its own findings counted together with a few of all categories, for one has too few to go by."""
    calm = ~in_any(gold, 1)
    flagged = np.where(in_any(by_pattern, 1), 1.0, violates)
    common = max(float(np.quantile(flagged[calm & (languages == each)], 1 - FALSE_ALLOWED)) for each in ("zh", "en"))
    steps = [common, *(float(step) for step in np.arange(common, 0.99, 0.005))]
    chosen: dict[str, float] = {}
    for column, category in enumerate(categories):
        good = [step for step in steps if _precision(violates >= step, named[:, column], ~calm) >= LEAST_PRECISION]
        chosen[category] = round(min(good, default=0.99), 3)
    return chosen


def _precision(flagged: NDArray[np.bool_], named: NDArray[np.bool_], violating: NDArray[np.bool_]) -> float:
    """Of the flagged lines that a category is named in: the share that violates something."""
    overall = (flagged & violating).sum() / max(1, flagged.sum())
    own, right = (flagged & named).sum(), (flagged & named & violating).sum()
    return float((right + PRIOR * overall) / (own + PRIOR))
