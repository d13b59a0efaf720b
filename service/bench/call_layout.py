"""Two-party calls made of recorded utterances, or of the sample calls. Pure, the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asr.audio.pcm import Pcm
from asr.types import ROLES, Role, Seconds
from service.audio_files.call import CallAudio
from service.bench.channel import PHONE_RATE

_GAPS = ((0.2, 1.2), (2.0, 3.0), (-0.4, 0.0))
"""Seconds between two turns: a usual pause, a long one, a slight talk-over."""
_GAP_ODDS = (0.8, 0.1, 0.1)
_SAME_SPEAKER_ODDS = 0.25
_LAST_SILENCE: Seconds = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedClip:
    """One utterance's place in a call, and its words."""

    role: Role
    start: Seconds
    end: Seconds
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BenchCall:
    """A call to play; `placed` is empty where nobody knows what is said when."""

    audio: CallAudio
    placed: tuple[PlacedClip, ...] = ()

    @property
    def density(self) -> float:
        """Seconds of speech a second, both legs together."""
        return sum(each.end - each.start for each in self.placed) / self.audio.seconds


def laid_out(clips: Sequence[tuple[Pcm, str]], seconds: Seconds, seed: int) -> BenchCall:
    """A conversation of that length: telephone clips (int16 at 8 kHz, with their words) in a random order, a turn after
    another, as two people take them. Clips lie wholly within it."""
    random = np.random.default_rng(seed)
    pcm = np.zeros((round(seconds * PHONE_RATE), len(ROLES)), np.int16)
    placed: list[PlacedClip] = []
    at, leg = random.uniform(0.2, 3.0), int(random.integers(2))
    free = [0.0, 0.0]
    while True:
        clip, text = clips[int(random.integers(len(clips)))]
        start = max(at, free[leg])
        first, last = round(start * PHONE_RATE), round(start * PHONE_RATE) + clip.size
        if last > len(pcm) - _LAST_SILENCE * PHONE_RATE:
            return BenchCall(audio=CallAudio(pcm=pcm, rate=PHONE_RATE), placed=tuple(placed))
        pcm[first:last, leg] = clip
        end = last / PHONE_RATE
        placed.append(PlacedClip(role=ROLES[leg], start=first / PHONE_RATE, end=end, text=text))
        same = random.random() < _SAME_SPEAKER_ODDS
        gap = random.uniform(*_GAPS[int(random.choice(len(_GAPS), p=_GAP_ODDS))])
        free[leg] = end + 0.2
        at, leg = end + (abs(gap) if same else gap), leg if same else 1 - leg


def looped(audio: CallAudio, seconds: Seconds, offset: Seconds) -> BenchCall:
    """A recorded call, begun at `offset` and repeated until it is that long."""
    turned = np.roll(audio.pcm, -round(offset * audio.rate), axis=0)
    wanted = round(seconds * audio.rate)
    pcm = np.tile(turned, (-(-wanted // len(turned)), 1))[:wanted]
    return BenchCall(audio=CallAudio(pcm=np.ascontiguousarray(pcm), rate=audio.rate))
