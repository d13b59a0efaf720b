"""CTranslate2's Whisper with scripted probabilities, and a tokenizer in which every character is one token: what the
engine decides is tried without what a model thinks, which differs from one processor to the next."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from tokenizers import Regex, Tokenizer
from tokenizers.decoders import Fuse
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split

from asr.engines.whisper.decoding import TokenIds

MARKERS = ("endoftext", "startofprev", "startoftranscript", "zh", "en", "transcribe", "notimestamps")
_WIDTH = 2


def character_model(folder: Path, characters: Iterable[str]) -> Path:
    """Writes a model folder without a model: a tokenizer that knows these characters. Returns the folder."""
    known = {char: at for at, char in enumerate(dict.fromkeys(["?", *characters]))}
    tokenizer = Tokenizer(WordLevel(known, unk_token="?"))
    tokenizer.pre_tokenizer = Split(Regex("."), "isolated")
    tokenizer.decoder = Fuse()
    tokenizer.add_special_tokens([f"<|{name}|>" for name in MARKERS])
    tokenizer.save(str(folder / "tokenizer.json"))
    for name in ("model.bin", "config.json"):
        (folder / name).touch()
    return folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Aligned:
    """What CTranslate2 says of a given text."""

    text_token_probs: list[float]
    alignments: list[tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """What CTranslate2 says of a stretch: its hypotheses, likeliest first."""

    sequences_ids: list[list[int]]
    scores: list[float]
    no_speech_prob: float = 0.1


class FakeWhisperModel:
    """`hears` holds, a stretch each, the hypotheses (text, mean log probability) in the order in which the stretches
    are asked about; `likely` the log probability of a given text, 0 where it holds none; `sounds` how probably each
    stretch that the language detector is asked about is Mandarin, otherwise English."""

    n_mels = 80
    compute_type = "scripted"

    def __init__(
        self,
        vocabulary: TokenIds,
        *,
        hears: Sequence[Sequence[tuple[str, float]]] = (),
        likely: Mapping[str, float] | None = None,
        sounds: Sequence[float] = (),
    ) -> None:
        self._vocabulary = vocabulary
        self._sounds = list(sounds)
        self._hears = list(hears)
        self._likely = dict(likely or {})
        self.given: list[list[str]] = []
        self.beams: list[tuple[int, int]] = []
        self.prefixes: list[list[int]] = []
        self.detected: list[tuple[int, ...]] = []

    def encode(self, mel: ctranslate2.StorageView, *, to_cpu: bool) -> ctranslate2.StorageView:
        """Two frames of the spectrogram make one of the encoder's; none says anything."""
        items, _, frames = mel.shape
        return ctranslate2.StorageView.from_array(np.zeros((items, frames // 2, _WIDTH), np.float32))

    def generate(
        self, encoded: Any, prefixes: list[list[int]], *, beam_size: int, num_hypotheses: int, **_: object
    ) -> list[Generated]:
        self.beams.append((beam_size, num_hypotheses))
        self.prefixes += prefixes
        return [self._next(num_hypotheses) for _ in prefixes]

    def detect_language(self, encoded: ctranslate2.StorageView) -> list[list[tuple[str, float]]]:
        self.detected.append(tuple(encoded.shape))
        mandarin = [self._sounds.pop(0) for _ in range(encoded.shape[0])]
        return [[("<|zh|>", each), ("<|fr|>", 0.0), ("<|en|>", 1 - each)] for each in mandarin]

    def align(self, encoded: Any, start: list[int], texts: list[list[int]], frames: list[int]) -> list[Aligned]:
        said = [self._vocabulary.text(tokens) for tokens in texts]
        self.given.append(said)
        return [Aligned(text_token_probs=[math.exp(self._likely.get(text, 0.0))], alignments=[]) for text in said]

    def _next(self, most: int) -> Generated:
        ways = self._hears.pop(0)[:most]
        tokens = [self._vocabulary.tokens(text) for text, _ in ways]
        return Generated(sequences_ids=tokens, scores=[score for _, score in ways])
