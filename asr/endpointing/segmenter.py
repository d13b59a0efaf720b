"""Where an utterance begins and ends: a leg's frame scores in, bounds out. Pure: no clock, no IO, no audio.

Bounds are sample positions at 16 kHz on the leg's timeline, 0 being the leg's first sample: an utterance is a `range`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from asr.audio.pcm import samples_in_ms

LONGEST_FRAME_MS: Final = 100
"""Bounds fall on frame edges, so a longer frame would make them meaningless."""

QUIET_SPAN: Final = 5
"""Frames averaged around a possible cut: a pause, not the closure of a plosive, which lasts a frame or two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmenterRules:
    """When speech counts as begun and ended. Scores lie in [0, 1], durations are milliseconds.

    - `start_score` above `stop_score` is the hysteresis: a dip inside a word does not end it.
    - `min_speech_ms`: shorter bursts are clicks; the shortest answers ("嗯", "no") last about 200 ms.
    - `pre_roll_ms` gives back the onset that smoothing and weak first consonants hide.
    - `hangover_ms` of silence ends an utterance: pauses inside a clause seldom last longer, and every
      millisecond of it is latency. `brief_hangover_ms` is enough after a complete clause, `lasting_hangover_ms` are
      given to one that broke off. From `patience_ms` on each shrinks towards `least_hangover_ms`, so that long speech
      is cut in a breath rather than by force.
    - `tail_ms` of that silence stays in the utterance, for word ends that fade out.
    - `longest_ms`: Whisper hears 30 s at most, its time to answer and the wait for the first words grow with
      the length. The forced cut falls on the quietest point of the last `search_ms`.
    """

    start_score: float = 0.6
    stop_score: float = 0.3
    min_speech_ms: int = 160
    pre_roll_ms: int = 300
    hangover_ms: int = 560
    brief_hangover_ms: int = 360
    lasting_hangover_ms: int = 800
    patience_ms: int = 6_000
    least_hangover_ms: int = 240
    tail_ms: int = 200
    longest_ms: int = 14_000
    search_ms: int = 4_000

    def __post_init__(self) -> None:
        if not 0 < self.stop_score <= self.start_score <= 1:
            raise ValueError("scores must satisfy 0 < stop_score <= start_score <= 1")
        if not (0 <= self.tail_ms <= self.least_hangover_ms and self.least_hangover_ms > 0):
            raise ValueError("silence must satisfy 0 <= tail_ms <= least_hangover_ms, 0 < least_hangover_ms")
        if not self.least_hangover_ms <= self.brief_hangover_ms <= self.hangover_ms <= self.lasting_hangover_ms:
            raise ValueError("hangovers must not shrink from least over brief_hangover_ms and hangover_ms to lasting")
        if min(self.min_speech_ms, self.pre_roll_ms) < 0 or not 0 <= self.patience_ms < self.longest_ms:
            raise ValueError("min_speech_ms and pre_roll_ms must not be negative, patience_ms must be under longest_ms")
        if not 2 * LONGEST_FRAME_MS <= self.search_ms <= self.longest_ms // 2:
            raise ValueError(f"search_ms must be {2 * LONGEST_FRAME_MS} to half of longest_ms")
        if self.pre_roll_ms + self.min_speech_ms > self.longest_ms // 2:
            raise ValueError("pre_roll_ms and min_speech_ms together must be at most half of longest_ms")


@dataclass(frozen=True, slots=True)
class _Frame:
    begin: int
    end: int
    level_dbfs: float


class Segmenter:
    """One leg's endpointing. Segments come in order, disjoint, none longer than the rules allow.

    A sample is speech when its frame scores at least `start_score`, or at least `stop_score` in a row of
    frames that began so, and that row lasts `min_speech_ms`. Each such sample lies in exactly one segment.
    `begin` is the position of the first frame.
    """

    def __init__(self, rules: SegmenterRules | None = None, *, begin: int = 0) -> None:
        self._rules = rules or SegmenterRules()
        self._longest = samples_in_ms(self._rules.longest_ms)
        self._now = begin
        self._free_from = begin  # no later segment may begin before
        self._onset: int | None = None  # begin of the first voiced frame of what is, or may become, speech
        self._voiced_until = 0
        self._start: int | None = None
        self._complete: bool | None = None  # whether what was said before the pause that goes on is a whole clause
        self._recent: deque[_Frame] = deque()

    @property
    def speech_since(self) -> int | None:
        """Start of the utterance in progress."""
        return self._start

    @property
    def pause_since(self) -> int | None:
        """Where the utterance in progress ends if its speaker says no more. It is known once the tail of silence has
        come."""
        if self._start is None or self._now - self._voiced_until < samples_in_ms(self._rules.tail_ms):
            return None
        return self._end_in_silence(self._start)

    def push(self, samples: int, score: float, level_dbfs: float) -> list[range]:
        """The next frame: its length, how likely it is speech, how loud it is. 1 to 100 ms, else ValueError. Returns
        the utterance that it ends, if it ends one; where that was cut for its length, the next one begins at its end.
        """
        if not 0 < samples <= samples_in_ms(LONGEST_FRAME_MS):
            raise ValueError(f"a frame of {samples} samples; push 1 to {samples_in_ms(LONGEST_FRAME_MS)}")
        begin, self._now = self._now, self._now + samples
        if score >= (self._rules.start_score if self._onset is None else self._rules.stop_score):
            self._onset = begin if self._onset is None else self._onset
            self._voiced_until = self._now
            self._complete = None
        self._remember(_Frame(begin, self._now, level_dbfs))
        if self._start is not None:
            return self._in_speech(self._start)
        self._start = self._speech_begun()
        return []

    def expect(self, complete: bool | None) -> None:
        """Tells about the pause that goes on: a complete clause came before it (True), one that broke off did (False),
        or nobody can tell (None). It holds until somebody speaks again."""
        self._complete = complete

    def close(self) -> list[range]:
        """The leg is over: ends the utterance in progress."""
        return [] if self._start is None else [self._end(self._start, self._end_in_silence(self._start))]

    def _remember(self, frame: _Frame) -> None:
        self._recent.append(frame)
        horizon = self._now - samples_in_ms(self._rules.search_ms)
        while self._recent[0].end <= horizon:
            self._recent.popleft()

    def _speech_begun(self) -> int | None:
        """The start of the speech (pre-roll included) that has lasted long enough to count."""
        if self._onset is None:
            return None
        if self._voiced_until < self._now:
            self._onset = None
            return None
        if self._now - self._onset < samples_in_ms(self._rules.min_speech_ms):
            return None
        return max(self._free_from, self._onset - samples_in_ms(self._rules.pre_roll_ms))

    def _in_speech(self, start: int) -> list[range]:
        if self._now - self._voiced_until >= self._hangover(start):
            return [self._end(start, self._end_in_silence(start))]
        return [self._split(start)] if self._now - start >= self._longest else []

    def _hangover(self, start: int) -> int:
        """Samples of silence that end the utterance: shrinks linearly once it has outlasted our patience."""
        rules = self._rules
        patience = samples_in_ms(rules.patience_ms)
        late = max(0.0, (self._voiced_until - start - patience) / (self._longest - patience))
        usual = {True: rules.brief_hangover_ms, None: rules.hangover_ms, False: rules.lasting_hangover_ms}
        hangover = usual[self._complete]
        return samples_in_ms(round(hangover - min(1.0, late) * (hangover - rules.least_hangover_ms)))

    def _end_in_silence(self, start: int) -> int:
        return min(self._voiced_until + samples_in_ms(self._rules.tail_ms), self._now, start + self._longest)

    def _end(self, start: int, end: int) -> range:
        self._start = self._onset = self._complete = None
        self._free_from = end
        return range(start, end)

    def _split(self, start: int) -> range:
        cut, onset = self._quietest_point(start), self._onset
        ended = self._end(start, cut)
        if self._voiced_until > cut:  # else only silence follows the cut: nothing goes on
            self._start, self._onset = cut, onset
        return ended

    def _quietest_point(self, start: int) -> int:
        """Middle of the quietest frame, its neighbours weighed in; the latest of equals."""
        frames = [frame for frame in self._recent if frame.begin > start and frame.end <= start + self._longest]
        levels = [frame.level_dbfs for frame in frames]
        reach = QUIET_SPAN // 2
        around = [levels[max(0, at - reach) : at + reach + 1] for at in range(len(levels))]
        means = [sum(span) / len(span) for span in around]
        quietest = min(range(len(means)), key=lambda at: (means[at], -at))
        return (frames[quietest].begin + frames[quietest].end) // 2
