from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from asr.types import Role
from detectors.contract import Emotion, SentimentLabel
from detectors.semantic.heads import BadHeads, Conversation, EmbeddedTurn, Heads, Stance, load_heads

SIZE, WIDTH = 6, 5
NAMES = {
    "categories": ("threat_violence", "abuse_insult"),
    "any": ("any",),
    "stance": get_args(Stance),
    "sentiment": get_args(SentimentLabel),
    "emotion": get_args(Emotion),
    "says": ("promise", "thanks"),
}
OUTPUTS = sum(map(len, NAMES.values()))


def weights() -> dict[str, np.ndarray]:
    dice = np.random.default_rng(7)
    shapes = {"alone": (OUTPUTS, SIZE), "inner": (WIDTH, 3 * SIZE + 5), "outer": (OUTPUTS, WIDTH)}
    made = {f"{name}.weight": dice.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    return made | {f"{name}.bias": dice.normal(size=shape[0]).astype(np.float32) for name, shape in shapes.items()}


def turn(role: Role, seed: int) -> EmbeddedTurn:
    vector = np.random.default_rng(seed).normal(size=SIZE).astype(np.float32)
    return EmbeddedTurn(role=role, embedding=(vector / np.linalg.norm(vector)).astype(np.float32))


HEADS = Heads(weights(), NAMES)


def test_probabilities_of_a_group_sum_to_one() -> None:
    meaning = HEADS.meaning(turn("agent", 1), ())
    for group in (meaning.stances, meaning.sentiments, meaning.emotions):
        assert sum(group.values()) == pytest.approx(1.0, abs=1e-5)
        assert min(group.values()) > 0
    assert set(meaning.categories) == set(NAMES["categories"])


def test_what_was_said_before_and_by_whom_counts() -> None:
    said = turn("agent", 1)
    alone = HEADS.meaning(said, ())
    after_customer, after_agent = (HEADS.meaning(said, (turn(role, 2),)) for role in ("customer", "agent"))
    assert len({each.violates for each in (alone, after_customer, after_agent)}) == 3


def test_only_the_last_two_turns_count() -> None:
    said, older, old, last = (turn("agent", seed) for seed in (1, 2, 3, 4))
    assert HEADS.meaning(said, (older, old, last)) == HEADS.meaning(said, (old, last))
    assert HEADS.meaning(said, (old, last)) != HEADS.meaning(said, (last, old))


def test_a_conversation_remembers_what_was_heard_and_not_what_was_looked_at() -> None:
    conversation, first, second = Conversation(HEADS), turn("customer", 1), turn("agent", 2)
    conversation.heard(first.role, first.embedding)
    conversation.meaning("agent", turn("agent", 9).embedding)
    assert conversation.heard(second.role, second.embedding) == HEADS.meaning(second, (first,))


def test_a_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    stored: dict[str, Any] = {name: value.astype(np.float16) for name, value in weights().items()}
    stored |= {f"names.{group}": np.array(each) for group, each in NAMES.items()}
    np.savez(tmp_path / "heads.npz", **stored)
    loaded = load_heads(tmp_path)
    assert loaded.categories == NAMES["categories"]
    said = turn("agent", 1)
    assert loaded.meaning(said, ()).violates == pytest.approx(HEADS.meaning(said, ()).violates, abs=0.05)


def test_a_missing_layer_a_missing_name_and_a_wrong_width_are_named() -> None:
    whole = weights()
    with pytest.raises(BadHeads, match=r"inner\.bias"):
        Heads({name: value for name, value in whole.items() if name != "inner.bias"}, NAMES)
    with pytest.raises(BadHeads, match="stance"):
        Heads(whole, {group: each for group, each in NAMES.items() if group != "stance"})
    with pytest.raises(BadHeads, match="outputs"):
        Heads(whole, {**NAMES, "categories": (*NAMES["categories"], "profanity_obscene")})


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadHeads, match=r"heads\.npz"):
        load_heads(tmp_path)
    (tmp_path / "heads.npz").write_bytes(b"no archive")
    with pytest.raises(BadHeads, match=r"heads\.npz"):
        load_heads(tmp_path)
