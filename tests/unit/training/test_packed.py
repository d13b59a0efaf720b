"""The reader of the packed model, over a small file of the same form."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from training.encoder.packed import BLOCK, NotPacked, read_packed, unpacked

HIDDEN, INNER = BLOCK, 2 * BLOCK
PIECES = (("<s>", 0.0), ("▁你", -3.5), ("好", -4.25))


def packed(weights: np.ndarray, scale: float) -> bytes:
    """Whole numbers from -8 to 7, a block after another."""
    blocks = (weights.reshape(-1, BLOCK) + 8).astype(np.uint8)
    rows = [struct.pack("<e", scale) + (row[:16] | row[16:] << 4).tobytes() for row in blocks]
    return b"".join(rows)


def model_file(tensors: dict[str, tuple[int, bytes]], magic: bytes = b"E5S1", block: int = BLOCK) -> bytes:
    text = [piece.encode() for piece, _ in PIECES]
    offsets = np.cumsum([0, *map(len, text)], dtype=np.uint32)
    head = magic + struct.pack("<I7ifi", 1, HIDDEN, 1, 2, INNER, len(PIECES), 8, 1, 1e-12, block)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, int(offsets[-1]))
    head += offsets.tobytes() + np.array([score for _, score in PIECES], np.float32).tobytes() + b"".join(text)
    head += struct.pack("<iI", 1, 9) + struct.pack("<IBI", 65, 1, 97)
    entries = {name: (kind, len(content)) for name, (kind, content) in tensors.items()}
    at = len(head) + 4 + sum(2 + len(name) + 1 + 4 + 8 + 8 for name in entries)
    table, body = struct.pack("<i", len(entries)), b""
    for name, (kind, size) in entries.items():
        table += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", kind, 0, at + len(body), size)
        body += tensors[name][1]
    return head + table + body


def test_a_model_comes_out_with_its_shapes_and_values(tmp_path: Path) -> None:
    whole = np.random.default_rng(3).integers(-8, 8, (4, INNER))
    bias = np.array([0.5, -1.0], np.float32)
    path = tmp_path / "model.bin"
    path.write_bytes(model_file({"l0.fo.w": (1, packed(whole, 0.25)), "l0.fo.b": (0, bias.tobytes())}))
    model = read_packed(path)
    assert model.sizes["hidden"] == HIDDEN
    assert model.pieces == [*PIECES]
    assert np.array_equal(model.tensors["l0.fo.w"], whole * 0.25)
    assert np.array_equal(model.tensors["l0.fo.b"], bias)


def test_a_block_keeps_its_order() -> None:
    row = np.arange(BLOCK) % 16 - 8
    assert np.array_equal(unpacked(packed(row, 1.0)), row.astype(np.float32))


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(model_file({}, magic=b"GGUF"))
    with pytest.raises(NotPacked, match="E5S1"):
        read_packed(path)
    path.write_bytes(model_file({}, block=64))
    with pytest.raises(NotPacked, match="blocks of 64"):
        read_packed(path)
