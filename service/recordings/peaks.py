"""A recording's outline for a waveform: the greatest sample of each bin, read in blocks."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import closing
from dataclasses import dataclass
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from asr.audio.pcm import FULL_SCALE
from asr.types import Role, Seconds
from service.recordings.recordings import Recording, Recordings
from service.recordings.wav import HEAD_BYTES, WavForm, read_wav_head

MOST_POINTS: Final = 20_000
_BLOCK_FRAMES: Final = 1 << 18
"""1 MiB of two legs at a time."""
_REMEMBERED: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """`peaks[i]` is channel `roles[i]`: each bin's greatest absolute sample in [0, 1]; bins share `duration`."""

    duration: Seconds
    roles: tuple[Role, ...]
    peaks: tuple[tuple[float, ...], ...]


class Outlines:
    """Peaks of recordings. Remembers the last few for as long as their recordings stay as they are."""

    def __init__(self, recordings: Recordings) -> None:
        self._recordings = recordings
        self._known: OrderedDict[tuple[str, str, int], Peaks] = OrderedDict()
        self._lock = Lock()

    def peaks(self, call_id: str, points: int) -> Peaks:
        """At most `points` bins a channel (1 to MOST_POINTS), fewer where there are fewer samples.

        Blocks. Raises RecordingMissing, RecordingUnreadable, NotARecording, ValueError for other `points`.
        """
        if not 1 <= points <= MOST_POINTS:
            raise ValueError(f"points must be 1 to {MOST_POINTS}, is {points}")
        with closing(self._recordings.open(call_id)) as recording:
            asked = (call_id, recording.version, points)
            with self._lock:
                found = self._known.get(asked)
            if found is None:
                found = _measured(recording, points)
        with self._lock:
            self._known[asked] = found
            self._known.move_to_end(asked)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found


def _measured(recording: Recording, points: int) -> Peaks:
    form = read_wav_head(recording.read(0, HEAD_BYTES))
    frames = form.frames_in(recording.size)
    edges = np.linspace(0, frames, min(points, frames) + 1).astype(np.int64)
    highest = np.zeros((len(edges) - 1, len(form.roles)), np.int32)
    for begin in range(0, frames, _BLOCK_FRAMES):
        _raise_to(highest, edges, begin, _block(recording, form, begin, min(frames, begin + _BLOCK_FRAMES)))
    shares = np.round(highest / FULL_SCALE, 4)
    return Peaks(duration=frames / form.rate, roles=form.roles, peaks=tuple(tuple(leg.tolist()) for leg in shares.T))


def _block(recording: Recording, form: WavForm, begin: int, end: int) -> NDArray[np.int16]:
    return form.frames_of(recording.read(form.place_of(begin), form.place_of(end)))


def _raise_to(highest: NDArray[np.int32], edges: NDArray[np.int64], begin: int, block: NDArray[np.int16]) -> None:
    """Take a block's samples into the bins it touches. Extremes are found in 16 bits, in a third of the time."""
    first = int(np.searchsorted(edges, begin, "right")) - 1
    beyond = int(np.searchsorted(edges, begin + len(block), "left"))
    starts = np.maximum(edges[first:beyond] - begin, 0)
    bins = highest[first:beyond]
    top = np.maximum.reduceat(block, starts, axis=0).astype(np.int32)
    bottom = np.minimum.reduceat(block, starts, axis=0).astype(np.int32)
    np.maximum(bins, np.maximum(top, -bottom), out=bins)
