"""Token ids in batches of like length, so that little is computed for padding."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

PAD = 1
LONGEST = 96


def padded(ids: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """The ids and their mask, (texts, tokens)."""
    length = max(len(each) for each in ids)
    filled = [[*each, *[PAD] * (length - len(each))] for each in ids]
    lengths = torch.tensor([len(each) for each in ids])
    return torch.tensor(filled), (torch.arange(length)[None, :] < lengths[:, None]).long()


def by_length(lengths: Sequence[int], *, tokens: int, dice: random.Random) -> Iterator[list[int]]:
    """Places in batches of at most `tokens` with padding, in random order."""
    order = sorted(range(len(lengths)), key=lambda place: lengths[place] + dice.random() * 4)
    batches: list[list[int]] = [[]]
    for place in order:
        if batches[-1] and (len(batches[-1]) + 1) * (lengths[place] + 4) > tokens:
            batches.append([])
        batches[-1].append(place)
    dice.shuffle(batches)
    yield from batches
