"""From Whisper's alignment of tokens with audio frames to words with times. Pure."""

from __future__ import annotations

from collections.abc import Sequence

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
    spans: list[Word] = []
    token = 0
    for text, count in words:
        start = min(first_step.get(token, 0) * _TIME_STEP, seconds)
        end = min(first_step.get(token + count, round(seconds / _TIME_STEP)) * _TIME_STEP, seconds)
        probability = sum(probabilities[token : token + count]) / max(1, count)
        spans.append(Word(text=text, start=start, end=max(start, end), probability=probability))
        token += count
    return tuple(spans)
