"""The trained text encoder, run by ONNX Runtime."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from asr.onnx_session import OnnxSession, open_onnx_session
from detectors.contract import DetectorError, Embedding

FOLDER: Final = Path(__file__).parent / "data"
"""The folder in which the encoder and its heads ship: `encoder.onnx`, `tokenizer.json`, `heads.npz`."""

MOST_TOKENS: Final = 96
"""The longest text that training saw: about 150 Chinese characters. A longer text is judged in pieces of that
length."""
MOST_PIECES: Final = 16
"""So many pieces of one text are read: what 90 s of speech hold at most. The rest is left out."""


class EncoderMissing(DetectorError):
    """A file of the encoder is not there or is none; the message names it."""


class OnnxTextEncoder:
    """Blocking, on one core: some milliseconds a sentence. Safe to call from several threads at once; they take turns,
    for the texts of a batch come together, and many threads at once would hold up recognition on few cores.

    Each piece of text is run by itself: in a batch the 8-bit scales would depend on what else is in it, so the same
    words would be judged by who speaks at the same time. Raises EncoderMissing where the files cannot be loaded.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self._tokenizer, self._session = _loaded(folder)
        self._turn = threading.Lock()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One vector of length 1 for each text, shape (texts, size). A text of several pieces gets the mean of
        theirs."""
        split = [_pieces(encoding.ids) for encoding in self._tokenizer.encode_batch([*texts])]
        vectors = [np.mean([self._vector(ids) for ids in pieces], axis=0) for pieces in split]
        stacked = np.stack(vectors).astype(np.float32)
        return stacked / np.linalg.norm(stacked, axis=1, keepdims=True)

    def _vector(self, ids: list[int]) -> Embedding:
        with self._turn:
            [[vector]] = self._session.run(None, {"ids": np.array([ids], np.int64)})
        return cast("Embedding", vector)


def _pieces(ids: list[int]) -> list[list[int]]:
    """The ids in pieces that the encoder takes, each with the first and last token around it."""
    first, *content, last = ids
    room = MOST_TOKENS - 2
    cuts = range(0, max(1, len(content)), room)
    return [[first, *content[begin : begin + room], last] for begin in cuts][:MOST_PIECES]


def _loaded(folder: Path) -> tuple[Tokenizer, OnnxSession]:
    model, words = folder / "encoder.onnx", folder / "tokenizer.json"
    for path in (model, words):
        if not path.is_file():
            raise EncoderMissing(f"{path.name} is missing in {folder}")
    try:
        return Tokenizer.from_file(str(words)), open_onnx_session(model)
    except Exception as failure:  # both libraries raise bare exceptions of their own
        raise EncoderMissing(f"the encoder in {folder} cannot be loaded: {failure}") from failure
