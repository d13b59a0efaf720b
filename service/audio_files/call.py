"""A recorded call: its parties' legs, at a rate that calls have, from a file or from memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from asr.audio.pcm import FULL_SCALE, SAMPLE_RATE, Resampler
from asr.types import Seconds
from service.audio_files.reader import AudioFile, AudioUnusable

_NARROW = 8_000


class CallSound(Protocol):
    """A call's sound, to be played: int16 at `rate` Hz, 8000 or 16000."""

    @property
    def rate(self) -> int: ...

    def pieces(self) -> Iterator[NDArray[np.int16]]:
        """All of it in order, each of shape (samples, channels). Blocking."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAudio:
    """A two-party call in memory: int16 of shape (samples, 2), agent left, customer right, at 8 or 16 kHz."""

    pcm: NDArray[np.int16]
    rate: int

    @property
    def seconds(self) -> Seconds:
        return len(self.pcm) / self.rate

    def pieces(self) -> Iterator[NDArray[np.int16]]:
        """All of it at once."""
        yield self.pcm


class CallFile:
    """A recorded call that is read as it is played, so that hours need no more memory than seconds.

    Agent left, customer right; `swap` turns them round. One channel is taken where `mono` allows it. Other rates than
    8 and 16 kHz are converted, and with `narrow` all but 8 kHz. Use as a context manager. Raises AudioUnusable.
    """

    def __init__(self, path: Path, *, swap: bool = False, mono: bool = False, narrow: bool = False) -> None:
        self._path = path
        self._order = slice(None, None, -1 if swap else 1)
        self._audio = AudioFile(path)
        try:
            _check_channels(path, self._audio.channels, mono)
            self._blocks = self._audio.blocks()
            self._first = next(self._blocks)
        except BaseException:
            self._audio.__exit__()
            raise
        self.channels = self._audio.channels
        self.rate = _NARROW if narrow else _rate_of_call(self._audio.rate)

    def __enter__(self) -> CallFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._audio.__exit__()

    @property
    def seconds(self) -> Seconds | None:
        """How long it is; None where its header does not tell."""
        return self._audio.seconds

    @property
    def shortfall(self) -> str:
        """What of the file could not be read, known once it has been played; empty where all could."""
        return f"{self._path}: {self._audio.shortfall}" if self._audio.shortfall else ""

    def pieces(self) -> Iterator[NDArray[np.int16]]:
        """All of it in order, some seconds at a time. Blocking; it can be had once."""
        legs = [Resampler(self._audio.rate, self.rate) for _ in range(self.channels)]
        for block in chain([self._first], self._blocks):
            pcm = np.rint(np.clip(block * FULL_SCALE, -FULL_SCALE, FULL_SCALE - 1)).astype(np.int16)
            parts = [leg.push(np.ascontiguousarray(each)) for leg, each in zip(legs, pcm.T, strict=True)]
            yield np.stack(parts, axis=1)[:, self._order]
        yield np.stack([leg.flush() for leg in legs], axis=1)[:, self._order]


async def packets(sound: CallSound, frames: int) -> AsyncIterator[NDArray[np.int16]]:
    """All of it in order, each of shape (frames, channels); the last may be shorter. The file is read off the event
    loop."""
    pieces = sound.pieces()
    held: NDArray[np.int16] | None = None
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        held = piece if held is None else np.concatenate([held, piece])
        whole = len(held) // frames * frames
        for first in range(0, whole, frames):
            yield held[first : first + frames]
        held = held[whole:]
    if held is not None and len(held):
        yield held


def read_call_audio(path: Path, *, swap: bool = False) -> CallAudio:
    """The whole of a two-party file, in memory. Raises AudioUnusable, also where a part of it cannot be read."""
    with CallFile(path, swap=swap) as call:
        audio = CallAudio(pcm=np.concatenate(list(call.pieces())), rate=call.rate)
        if call.shortfall:
            raise AudioUnusable(call.shortfall)
        return audio


def _check_channels(path: Path, channels: int, mono: bool) -> None:
    if channels == 2 or (mono and channels == 1):
        return
    if channels == 1:
        raise AudioUnusable(
            f"{path}: has one channel, in which nobody can tell who speaks; a call needs two, agent left and customer"
            " right"
        )
    raise AudioUnusable(f"{path}: has {channels} channels; a call needs two, agent left and customer right")


def _rate_of_call(rate: int) -> int:
    return _NARROW if rate <= _NARROW else SAMPLE_RATE
