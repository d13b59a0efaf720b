"""What `forms.py` wrote, as batches of tensors on the device that learns. Needs numpy and torch alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Rows = NDArray[np.int64]

PAD = 1
TRAIN, DEV, PUBLIC = range(3)
"""The splits, by number."""
FOLDS = 3
"""Parts of the training split's scenarios, each of which is judged by readers that did not learn from it."""
CUSTOMERS_SHOWN = 0.35
"""The share of customers' lines that teach only feelings and are shown in each pass."""
WITHOUT_BEFORE, STRANGER_BEFORE = 0.2, 0.4
"""The share of lines shown without what came before, and, of lines that have nothing before them, the share shown after
an unrelated turn."""


class Ragged:
    """Texts of different lengths in one row of tokens."""

    def __init__(self, tokens: NDArray[np.uint16], lengths: NDArray[np.uint8], device: torch.device) -> None:
        self.lengths = lengths.astype(np.int64)
        self._tokens = torch.tensor(tokens.astype(np.int32), device=device)
        self._begins = np.concatenate([[0], self.lengths.cumsum()[:-1]])
        self._device = device

    def written(self, place: int) -> bytes:
        """One text's tokens, to compare."""
        begin = int(self._begins[place])
        return self._tokens[begin : begin + int(self.lengths[place])].cpu().numpy().tobytes()

    def padded(self, places: Rows) -> tuple[Tensor, Tensor]:
        """The ids and their mask, (texts, tokens). A place of -1 is a text of no tokens."""
        lengths = np.where(places >= 0, self.lengths[places], 0)
        steps = torch.arange(max(1, int(lengths.max())), device=self._device)
        mask = steps[None] < torch.tensor(lengths, device=self._device)[:, None]
        at = torch.tensor(self._begins[places], device=self._device)[:, None] + steps
        return torch.where(mask, self._tokens[at.clamp(max=len(self._tokens) - 1)].long(), PAD), mask


@dataclass(frozen=True, slots=True)
class ShownLines:
    """Some lines as they are shown once. `texts`: places of their tokens; `before`: of what was said before, (lines,
    2), the latest first; `flags`: who speaks, as `HeadsNetwork` takes it."""

    rows: Rows
    texts: Rows
    before: Rows
    flags: NDArray[np.float32]


class Lines:
    """All lines of a run, and the tokens of their texts."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        with np.load(folder / "forms.npz", allow_pickle=False) as stored:
            arrays: dict[str, NDArray[Any]] = {name: stored[name] for name in stored.files}
        self.forms, self._texts = arrays["lengths"].shape
        self.tokens = Ragged(arrays.pop("tokens"), arrays.pop("lengths").ravel(), device)
        self.public = Ragged(arrays.pop("public_tokens"), arrays.pop("public_lengths"), device)
        self.column = arrays

    def of(self, *splits: int) -> Rows:
        """Their rows."""
        return np.flatnonzero(np.isin(self.column["split"], splits))

    def shared_with(self, other: Lines, rows: Rows) -> NDArray[np.bool_]:
        """Which of `rows` hold the text of a line of the other run."""
        theirs = {other.tokens.written(place) for place in other.column["text"][other.of(TRAIN, PUBLIC)]}
        return np.array([self.tokens.written(place) in theirs for place in self.column["text"][rows]])

    def as_written(self, rows: Rows) -> ShownLines:
        """The lines as they are written, to measure with."""
        column = self.column
        return _shown(rows, column["text"][rows], column["before"][rows], column["before_agent"][rows], column)

    def drawn(self, rows: Rows, dice: np.random.Generator) -> ShownLines:
        """The lines to learn from: each text in one of its forms, some without what came before or after a stranger's
        turn."""
        column, count = self.column, len(rows)
        before, agent = column["before"][rows], column["before_agent"][rows]
        before[dice.random(count) < WITHOUT_BEFORE] = -1
        alone = (before[:, 0] < 0) & (dice.random(count) < STRANGER_BEFORE)
        strangers = np.where(column["english"][rows], *(self._strangers(count, each, dice) for each in (True, False)))
        before[alone, 0], agent[alone, 0] = column["text"][strangers][alone], column["agent"][strangers][alone]
        shown = _shown(rows, column["text"][rows], before, agent, column)
        texts = shown.texts + self._texts * dice.integers(0, self.forms, count)
        others = np.where(before >= 0, before + self._texts * dice.integers(0, self.forms, (count, 1)), -1)
        return ShownLines(rows, texts, others, shown.flags)

    def _strangers(self, count: int, english: bool, dice: np.random.Generator) -> Rows:
        column = self.column
        ordinary = (column["split"] == TRAIN) & column["ordinary"] & (column["english"] == english)
        return dice.choice(np.flatnonzero(ordinary), count)

    def one_pass(self, rows: Rows, lines: int, dice: np.random.Generator) -> Iterator[ShownLines]:
        """The lines in batches of `lines` of similar length, in random order."""
        column = self.column
        teaches = column["judged"] | column["may_say"].any(1) | (column["split"] == PUBLIC)
        chosen = rows[teaches[rows] | (dice.random(len(rows)) < CUSTOMERS_SHOWN)]
        lengths = self.tokens.lengths[column["text"][chosen]]
        ordered = chosen[np.argsort(lengths + 6 * dice.random(len(chosen)))]
        batches = [ordered[begin : begin + lines] for begin in range(0, len(ordered), lines)]
        for place in dice.permutation(len(batches)):
            yield self.drawn(batches[place], dice)


def _shown(
    rows: Rows, texts: Rows, before: Rows, agent: NDArray[np.bool_], column: dict[str, NDArray[Any]]
) -> ShownLines:
    there = before >= 0
    first, second = (np.stack([there[:, turn], there[:, turn] & agent[:, turn]], 1) for turn in (0, 1))
    flags = np.concatenate([column["agent"][rows][:, None], first, second], 1).astype(np.float32)
    return ShownLines(rows, texts.astype(np.int64), before.astype(np.int64), flags)
