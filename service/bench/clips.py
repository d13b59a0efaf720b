"""Recorded utterances with what is said in them, to measure with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from asr.types import Language, Seconds
from service.audio_files.reader import AudioFile, AudioUnusable

MANIFEST = "manifest.jsonl"


class ClipsUnusable(Exception):
    """The folder holds nothing to measure with: the message says what it should hold."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clip:
    """One utterance: mono in [-1, 1] at `rate` Hz, and its words."""

    pcm: NDArray[np.float32]
    rate: int
    text: str

    @property
    def seconds(self) -> Seconds:
        """Its length."""
        return len(self.pcm) / self.rate


class _ManifestLine(BaseModel):
    file: str
    lang: str
    text: str


def read_clips(folder: Path, language: Language, most: int | None = None) -> list[Clip]:
    """The folder's first `most` utterances of that language. `manifest.jsonl` has `file` (within the folder), `lang`
    and `text` a line; in the text, what follows " | " is a remark. Raises ClipsUnusable."""
    lines = [line for line in _manifest(folder / MANIFEST) if line.lang == language][:most]
    if not lines:
        raise ClipsUnusable(f"{folder / MANIFEST} names no utterance whose lang is {language}")
    return [_clip(folder, line) for line in lines]


def _manifest(path: Path) -> list[_ManifestLine]:
    try:
        texts = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as cause:
        wanted = 'a line an utterance: {"file": …, "lang": "zh" or "en", "text": …}'
        raise ClipsUnusable(f"{path} cannot be read; it should hold {wanted}") from cause
    lines: list[_ManifestLine] = []
    for number, text in enumerate(texts, 1):
        try:
            lines.append(_ManifestLine.model_validate_json(text))
        except ValidationError as cause:
            fault = cause.errors()[0]
            where = ".".join(map(str, fault["loc"]))
            raise ClipsUnusable(f"{path}, line {number}: {where} {fault['msg']}".replace("  ", " ")) from cause
    return lines


def _clip(folder: Path, line: _ManifestLine) -> Clip:
    try:
        with AudioFile(folder / line.file) as audio:
            mono = np.concatenate([block.mean(axis=1, dtype=np.float32) for block in audio.blocks()])
            if audio.shortfall:
                raise ClipsUnusable(f"{folder / line.file}: {audio.shortfall}")
            return Clip(pcm=mono, rate=audio.rate, text=line.text.partition(" | ")[0])
    except AudioUnusable as cause:
        raise ClipsUnusable(str(cause)) from cause
