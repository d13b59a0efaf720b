"""Endpointing of one leg: audio in, utterances with their audio out. No clock and no IO."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from asr.audio.highpass import HighPass
from asr.audio.pcm import SAMPLE_BYTES, SAMPLE_RATE, Pcm, dbfs, samples_in_ms
from asr.endpointing.segmenter import Segmenter, SegmenterRules
from asr.endpointing.vad import FRAME_SAMPLES, FrameScorer
from asr.types import Role, Seconds

_DECIDING_HZ: Final = 210.0
"""Whether somebody speaks is told from what lies above: telephone speech begins at 300 Hz, and the strong harmonics of
mains hum (100 to 180 Hz) end there. Recognition hears all of it."""

_MARGIN_MS: Final = 1_000
_AT_ONCE: Final = samples_in_ms(400)
"""Less than the margin, so that an utterance that ends in one piece of audio is still whole when it is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechSegment:
    """What one party says between two pauses: the audio of an utterance, int16 at 16 kHz as bytes, and where it begins,
    in samples at 16 kHz on the leg's timeline."""

    role: Role
    first: int
    pcm: bytes

    @property
    def last(self) -> int:
        """The sample after its last."""
        return self.first + len(self.pcm) // SAMPLE_BYTES

    @property
    def start(self) -> Seconds:
        """On the call's audio clock."""
        return self.first / SAMPLE_RATE

    @property
    def end(self) -> Seconds:
        """On the leg's clock."""
        return self.last / SAMPLE_RATE

    @property
    def seconds(self) -> Seconds:
        """The length of its audio."""
        return self.end - self.start


class _AudioRing:
    """The latest `capacity` samples, read by their position on the timeline."""

    def __init__(self, capacity: int, begin: int) -> None:
        self._samples = np.zeros(capacity, np.int16)
        self.written = begin

    def write(self, pcm: Pcm) -> None:
        """Append at most `capacity` samples."""
        begin = self.written % self._samples.size
        first = min(pcm.size, self._samples.size - begin)
        self._samples[begin : begin + first] = pcm[:first]
        self._samples[: pcm.size - first] = pcm[first:]
        self.written += pcm.size

    def overwrite(self, start: int, pcm: Pcm) -> None:
        """Put other samples where some were written, as far as they are kept."""
        first = max(start, self.written - self._samples.size)
        places = np.arange(first, min(start + pcm.size, self.written))
        self._samples[places % self._samples.size] = pcm[first - start : first - start + places.size]

    def read(self, start: int, end: int) -> bytes:
        """The samples from `start` up to `end`, which must still be held."""
        assert self.written - self._samples.size <= start <= end <= self.written, "outside the ring"
        begin, length = start % self._samples.size, end - start
        first = self._samples[begin : begin + length]
        return first.tobytes() + self._samples[: length - first.size].tobytes()


def _nothing() -> Pcm:
    """No samples of what came, and none of what is decided from."""
    return np.zeros((2, 0), np.int16)


class LegEndpointer:
    """Listens to one leg. How the audio is cut into pushes changes nothing but when events come.

    Push every sample of the leg in order, gaps filled with zeros: its count is the leg's clock. Memory is
    bounded by the longest utterance (about 0.5 MB with the default rules), whatever is pushed. `begin` is the
    position of the first sample, for a leg whose earlier speech is dealt with.
    """

    def __init__(self, role: Role, rules: SegmenterRules | None = None, *, begin: int = 0) -> None:
        self._role: Role = role
        rules = rules or SegmenterRules()
        self._segmenter = Segmenter(rules, begin=begin)
        self._scorer = FrameScorer()
        self._ring = _AudioRing(samples_in_ms(rules.longest_ms + rules.pre_roll_ms + _MARGIN_MS), begin)
        self._pending = _nothing()
        self._deciding = HighPass(SAMPLE_RATE, _DECIDING_HZ)

    @property
    def speaking(self) -> bool:
        """Whether an utterance is in progress (its hangover included)."""
        return self._segmenter.speech_since is not None

    @property
    def speech_since(self) -> int | None:
        """Start of the utterance in progress, in samples."""
        return self._segmenter.speech_since

    @property
    def taken_in(self) -> int:
        """Samples taken in so far: those of whole frames."""
        return self._ring.written

    @property
    def pause_since(self) -> int | None:
        """End of the utterance in progress, in samples, should its speaker say no more; None while they speak."""
        return self._segmenter.pause_since

    def expect(self, complete: bool | None) -> None:
        """Whether what was said before the pause that goes on is a complete clause, where that is known."""
        self._segmenter.expect(complete)

    def speech_until(self, end: int) -> bytes:
        """The audio of the utterance in progress up to `end`, at most `taken_in`; int16 at 16 kHz."""
        since = self._segmenter.speech_since
        assert since is not None, "nobody speaks"
        return self._ring.read(since, end)

    def push(self, pcm: Pcm) -> list[SpeechSegment]:
        """The leg's next samples: int16 mono at 16 kHz, any number of them. Returns the utterances that end in them."""
        audio = np.concatenate([self._pending, np.stack([pcm, self._deciding.push(pcm)])], axis=1)
        whole = audio.shape[1] - audio.shape[1] % FRAME_SAMPLES
        self._pending = audio[:, whole:].copy()
        ended: list[SpeechSegment] = []
        for begin in range(0, whole, _AT_ONCE):
            samples, decisive = audio[:, begin : min(whole, begin + _AT_ONCE)]
            ended += self._take_in(samples, decisive.reshape(-1, FRAME_SAMPLES), FRAME_SAMPLES)
        return ended

    def revise(self, start: int, pcm: Pcm) -> None:
        """Samples from `start` on that were taken in are known better now. An utterance in progress gets them; where it
        begins and ends, and what was cut, stays."""
        self._ring.overwrite(start, pcm)
        self._pending[0, : max(0, start + pcm.size - self.taken_in)] = pcm[max(0, self.taken_in - start) :]

    def close(self) -> list[SpeechSegment]:
        """Nothing follows for now: takes in the last part of a frame, ends the utterance in progress."""
        (samples, decisive), self._pending = self._pending, _nothing()
        padded = np.pad(decisive, (0, FRAME_SAMPLES - decisive.size))[None, :]
        ended = self._take_in(samples, padded, samples.size) if samples.size else []
        return [*ended, *map(self._with_audio, self._segmenter.close())]

    def _take_in(self, samples: Pcm, decisive: Pcm, length: int) -> list[SpeechSegment]:
        """Frames of `length` samples: `decisive`, shape (frames, 320), is what is decided from."""
        self._ring.write(samples)
        ended: list[range] = []
        powers = np.square(decisive, dtype=np.float64).sum(axis=1) / length
        for frame, power in zip(decisive, powers, strict=True):
            level = dbfs(power)
            ended += self._segmenter.push(length, self._scorer.score(frame, level), level)
        return list(map(self._with_audio, ended))

    def _with_audio(self, ended: range) -> SpeechSegment:
        return SpeechSegment(role=self._role, first=ended.start, pcm=self._ring.read(ended.start, ended.stop))
