"""Turns Whisper's alignment of tokens with audio frames into words with times. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from asr.types import Word

_TIME_STEP = 0.02
"""Seconds a step of the alignment: the encoder halves its 100 frames a second."""


def word_times(
    words: Sequence[tuple[str, int]],
    path: Sequence[tuple[int, int]],
    probabilities: Sequence[float],
    seconds: float,
) -> tuple[Word, ...]:
    """Words with their spans in seconds, within [0, seconds] and in order.

    `words` is (word, number of its tokens), `path` the monotone alignment as (token, time step) and
    `probabilities` one a token. A word begins where the path first reaches its first token and ends where
    the next word begins.
    """
    first_step: dict[int, int] = {}
    for token, step in path:
        first_step.setdefault(token, step)
    firsts = list(accumulate((count for _, count in words), initial=0))
    # A token the path never reached begins where the one before it did.
    steps = accumulate((first_step.get(token, 0) for token in firsts[:-1]), max)
    starts = [min(step * _TIME_STEP, seconds) for step in steps]
    last = first_step.get(firsts[-1])
    ends = [*starts[1:], seconds if last is None else min(last * _TIME_STEP, seconds)]
    return tuple(
        Word(text=text, start=start, end=max(start, end), probability=_mean(probabilities[token : token + count]))
        for (text, count), token, start, end in zip(words, firsts, starts, ends, strict=False)
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(1, len(values))
