"""The trained layers over the encoder, in numpy: from the vectors of a line and of the two turns before it to what the
line means."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from asr.types import Role
from detectors.contract import DetectorError, Embedding, Emotion, SentimentLabel
from detectors.semantic.encoder import FOLDER

Stance = Literal["asserts", "denies", "quotes", "asks", "warns_against", "offers_help", "none"]
"""How a speaker stands to a violation that the words name or touch on."""

TURNS_BEFORE: Final = 2
_GROUPS: Final = ("categories", "any", "stance", "sentiment", "emotion", "says")
_LOG_ODDS: Final = frozenset({"categories", "any", "says"})
"""Groups whose outputs may each hold by themselves. Of any other group exactly one does."""


class BadHeads(DetectorError):
    """The file of the heads lacks something; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedTurn:
    """One turn: its speaker and its vector."""

    role: Role
    embedding: Embedding


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """The meaning of one line. `categories`: for each violation, the log odds that an agent who says the line commits
    it. `violates`: the log odds that it is any of them. `stances`, `sentiments`, `emotions`: probabilities that sum to
    1. `says`: for each statement of a call's record (`Said`, `Conduct`), its log odds, whoever speaks."""

    categories: Mapping[str, float]
    violates: float
    stances: Mapping[Stance, float]
    sentiments: Mapping[SentimentLabel, float]
    emotions: Mapping[Emotion, float]
    says: Mapping[str, float]


class Heads:
    """The trained layers. `names` has each group's outputs, in order."""

    def __init__(self, weights: Mapping[str, NDArray[np.float32]], names: Mapping[str, Sequence[str]]) -> None:
        self._weights = weights
        self._names = names
        self._check()

    @property
    def categories(self) -> tuple[str, ...]:
        """The violations, in the order of the outputs."""
        return tuple(self._names["categories"])

    def meaning(self, said: EmbeddedTurn, before: Sequence[EmbeddedTurn]) -> Meaning:
        """The meaning of the turn `said` after the turns `before` it, oldest first. Only the last two of those
        count."""
        logits = self._logits(said, before)
        groups: dict[str, dict[str, float]] = {}
        begin = 0
        for group in _GROUPS:
            values = logits[begin : begin + len(self._names[group])]
            begin += len(values)
            probabilities = values if group in _LOG_ODDS else _softmax(values)
            groups[group] = dict(zip(self._names[group], probabilities.tolist(), strict=True))
        [violates] = groups["any"].values()
        return Meaning(
            categories=groups["categories"],
            violates=violates,
            stances={each: groups["stance"][each] for each in get_args(Stance)},
            sentiments={each: groups["sentiment"][each] for each in get_args(SentimentLabel)},
            emotions={each: groups["emotion"][each] for each in get_args(Emotion)},
            says=groups["says"],
        )

    def _logits(self, said: EmbeddedTurn, before: Sequence[EmbeddedTurn]) -> NDArray[np.float32]:
        size = said.embedding.shape[0]
        place, flags = np.zeros((1 + TURNS_BEFORE, size), np.float32), np.zeros(1 + 2 * TURNS_BEFORE, np.float32)
        place[0], flags[0] = said.embedding, said.role == "agent"
        for number, turn in enumerate(reversed(before[-TURNS_BEFORE:])):
            place[1 + number] = turn.embedding
            flags[1 + 2 * number : 3 + 2 * number] = 1.0, turn.role == "agent"
        scaled = place * np.float32(size**0.5)
        weights = self._weights
        known = np.concatenate([scaled.ravel(), flags])
        inner = _gelu(_product(weights["inner.weight"], known) + weights["inner.bias"])
        alone = _product(weights["alone.weight"], scaled[0]) + weights["alone.bias"]
        return alone + _product(weights["outer.weight"], inner) + weights["outer.bias"]

    def _check(self) -> None:
        needed = {f"{layer}.{part}" for layer in ("alone", "inner", "outer") for part in ("weight", "bias")}
        if missing := needed - set(self._weights):
            raise BadHeads(f"the heads have no {min(missing)}")
        if missing := set(_GROUPS) - set(self._names):
            raise BadHeads(f"the heads name no {min(missing)}")
        outputs = sum(len(self._names[group]) for group in _GROUPS)
        if self._weights["outer.weight"].shape[0] != outputs:
            raise BadHeads(f"the heads name {outputs} outputs and have {self._weights['outer.weight'].shape[0]}")


def load_heads(folder: Path = FOLDER) -> Heads:
    """The heads that ship with the encoder. Raises BadHeads."""
    path = folder / "heads.npz"
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError) as failure:
        raise BadHeads(f"{path.name} in {folder} cannot be read: {failure}") from failure
    names = {name.removeprefix("names."): each.tolist() for name, each in arrays.items() if name.startswith("names.")}
    weights = {name: each.astype(np.float32) for name, each in arrays.items() if not name.startswith("names.")}
    return Heads(weights, names)


def sigmoid(log_odds: float) -> float:
    """The probability, in (0, 1], of these log odds. Beyond 40 they count as 40, so that nothing overflows."""
    return 1.0 / (1.0 + math.exp(-max(-40.0, min(40.0, log_odds))))


def _product(matrix: NDArray[np.float32], vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """The product, row by row on one core. `@` would start BLAS threads, which wait for each other where recognition
    has the cores."""
    return np.asarray(np.vecdot(matrix, vector), np.float32)


def _softmax(values: NDArray[np.float32]) -> NDArray[np.float32]:
    raised: NDArray[np.float32] = np.exp(values - values.max())
    return np.asarray(raised / raised.sum(), np.float32)


def _gelu(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """GELU by its tanh approximation, within 0.0005 of the exact value. numpy has no error function."""
    return np.asarray(0.5 * x * (1.0 + np.tanh(0.7978845608 * (x + 0.044715 * x**3))), np.float32)


class Conversation:
    """The last turns of one call, as far as the next one depends on them."""

    def __init__(self, heads: Heads) -> None:
        self._heads = heads
        self._turns: deque[EmbeddedTurn] = deque(maxlen=TURNS_BEFORE)

    def meaning(self, role: Role, embedding: Embedding) -> Meaning:
        """The meaning of a turn after the turns before it. It is not remembered."""
        return self._heads.meaning(EmbeddedTurn(role=role, embedding=embedding), tuple(self._turns))

    def heard(self, role: Role, embedding: Embedding) -> Meaning:
        """The meaning of a turn, which is remembered for the next ones."""
        meaning = self.meaning(role, embedding)
        self._turns.append(EmbeddedTurn(role=role, embedding=embedding))
        return meaning
