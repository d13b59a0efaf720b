"""One leg's ear: audio in, utterances with their audio out. No clock and no IO."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from asr.audio import FLOOR_DBFS, Pcm, dbfs, energy, samples_in_ms, to_float32
from asr.segmenter import EndReason, Segmenter, SegmenterRules, SegmentEvent, SpeechBegan
from asr.vad import FRAME_SAMPLES, FrameScorer

LEVEL_FRAMES: Final = 25
"""Half a second, as a meter that a person reads needs it."""

_MARGIN_MS: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpeechCut:
    """A finished utterance: [start, end) in samples at 16 kHz on the leg's timeline, and its audio in [-1, 1)."""

    start: int
    end: int
    pcm: NDArray[np.float32]
    reason: EndReason


LegEvent: TypeAlias = SpeechBegan | SpeechCut


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

    def read(self, start: int, end: int) -> NDArray[np.float32]:
        assert self.written - self._samples.size <= start <= end <= self.written, "outside the ring"
        begin, length = start % self._samples.size, end - start
        first = self._samples[begin : begin + length]
        return to_float32(np.concatenate([first, self._samples[: length - first.size]]))


class LegListener:
    """Listens to one leg. How the audio is cut into pushes changes nothing but when events come.

    Push every sample of the leg in order, gaps filled with zeros: its count is the leg's clock. Memory is
    bounded by the longest utterance (about 0.5 MB with the default rules), whatever is pushed. `begin` is the
    position of the first sample, for a leg whose earlier speech is dealt with.
    """

    def __init__(self, rules: SegmenterRules | None = None, *, begin: int = 0) -> None:
        rules = rules or SegmenterRules()
        self._segmenter = Segmenter(rules, begin=begin)
        self._scorer = FrameScorer()
        self._ring = _AudioRing(samples_in_ms(rules.longest_ms + rules.pre_roll_ms + _MARGIN_MS), begin)
        self._pending: Pcm = np.zeros(0, np.int16)
        self._energies: deque[int] = deque(maxlen=LEVEL_FRAMES)

    @property
    def speaking(self) -> bool:
        """Whether an utterance is in progress (its hangover included)."""
        return self._segmenter.speech_since is not None

    @property
    def speech_since(self) -> int | None:
        """Start of the utterance in progress, in samples."""
        return self._segmenter.speech_since

    @property
    def level_dbfs(self) -> float:
        """RMS level of the last half second."""
        if not self._energies:
            return FLOOR_DBFS
        return dbfs(sum(self._energies) / (len(self._energies) * FRAME_SAMPLES))

    @property
    def heard(self) -> int:
        """Samples heard: those of whole frames."""
        return self._ring.written

    @property
    def pause_since(self) -> int | None:
        """End of the utterance in progress, in samples, should its speaker say no more; None while they speak."""
        return self._segmenter.pause_since

    def expect(self, complete: bool | None) -> None:
        """Whether what was said before the pause that goes on is a complete clause, where that is known."""
        self._segmenter.expect(complete)

    def speech_until(self, end: int) -> NDArray[np.float32]:
        """A copy of the audio of the utterance in progress up to `end`, at most `heard`."""
        since = self._segmenter.speech_since
        assert since is not None, "nobody speaks"
        return self._ring.read(since, end)

    def push(self, pcm: Pcm) -> list[LegEvent]:
        """The leg's next samples: int16 mono at 16 kHz, any number of them."""
        audio = np.concatenate([self._pending, pcm])
        whole = audio.size - audio.size % FRAME_SAMPLES
        self._pending = audio[whole:].copy()
        events: list[LegEvent] = []
        for begin in range(0, whole, FRAME_SAMPLES):
            events += self._hear(audio[begin : begin + FRAME_SAMPLES])
        return events

    def close(self) -> list[LegEvent]:
        """Nothing follows for now: hears the last part of a frame, ends the utterance in progress."""
        last, self._pending = self._pending, np.zeros(0, np.int16)
        events = self._hear(last) if last.size else []
        return events + [self._with_audio(event) for event in self._segmenter.close()]

    def _hear(self, frame: Pcm) -> list[LegEvent]:
        self._ring.write(frame)
        power = energy(frame)
        self._energies.append(power)
        level = dbfs(power / frame.size)
        padded = frame if frame.size == FRAME_SAMPLES else np.pad(frame, (0, FRAME_SAMPLES - frame.size))
        score = self._scorer.score(padded, level)
        return [self._with_audio(event) for event in self._segmenter.push(frame.size, score, level)]

    def _with_audio(self, event: SegmentEvent) -> LegEvent:
        if isinstance(event, SpeechBegan):
            return event
        pcm = self._ring.read(event.start, event.end)
        return SpeechCut(start=event.start, end=event.end, pcm=pcm, reason=event.reason)
