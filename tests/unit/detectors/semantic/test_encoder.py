from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from detectors.semantic.encoder import FOLDER, MOST_PIECES, MOST_TOKENS, EncoderMissing, OnnxTextEncoder

ENCODER = OnnxTextEncoder()
ODD = ("", " ", "，", "😀😀😀", "\x00\u200b", "𠮷" * 50, "a" * 5000, "١٢٣", "\ud7ff", "１２３ＡＢＣ")


def test_every_text_has_a_vector_of_length_1() -> None:
    vectors = ENCODER.encode(["您好，我是来核对还款日期的。", "Hello, this is about your account.", *ODD])
    assert vectors.shape[0] == 2 + len(ODD)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-4)


def test_a_text_is_judged_by_itself_whatever_else_is_asked_at_once() -> None:
    texts = ["您先别急", "我等您电话，这边给您记下来了，周五之前都可以", "Thank you for holding."]
    together = ENCODER.encode(texts)
    with ThreadPoolExecutor(4) as pool:
        apart = [*pool.map(lambda text: ENCODER.encode([text])[0], texts * 4)]
    for number, vector in enumerate(apart):
        assert np.array_equal(vector, together[number % len(texts)])


def test_case_and_width_of_letters_do_not_matter() -> None:
    one, other = ENCODER.encode(["PLEASE CALL １２３", "please call 123"])
    assert np.array_equal(one, other)


def test_a_long_text_is_looked_at_in_bounded_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[int] = []
    run = OnnxTextEncoder._vector
    monkeypatch.setattr(OnnxTextEncoder, "_vector", lambda self, ids: lengths.append(len(ids)) or run(self, ids))
    [vector] = ENCODER.encode(["我们再核对一遍" * 20_000])
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-4)
    assert len(lengths) == MOST_PIECES
    assert max(lengths) == MOST_TOKENS


@pytest.mark.parametrize("name", ["encoder.onnx", "tokenizer.json"])
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    for path in FOLDER.iterdir():
        if path.name != name:
            shutil.copy(path, tmp_path)
    with pytest.raises(EncoderMissing, match=name.replace(".", r"\.")):
        OnnxTextEncoder(tmp_path)


def test_a_broken_file_is_an_error_of_ours(tmp_path: Path) -> None:
    for path in FOLDER.iterdir():
        shutil.copy(path, tmp_path)
    (tmp_path / "encoder.onnx").write_bytes(b"broken")
    with pytest.raises(EncoderMissing, match="cannot be loaded"):
        OnnxTextEncoder(tmp_path)
