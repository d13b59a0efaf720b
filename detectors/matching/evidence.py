"""Where in the audio some words of an utterance lie."""

from __future__ import annotations

from itertools import accumulate

from asr.types import Seconds, Utterance


def span_in_time(utterance: Utterance, begin: int, end: int) -> tuple[Seconds, Seconds]:
    """The time span of `utterance.text[begin:end]`, 0 <= begin < end, never outside the utterance.

    By its words where the engine timed them; the text may differ from the words in script and marks, so letters are
    counted in proportion. Without words, speech is taken to run evenly over the utterance.
    """
    size = max(1, len(utterance.text))
    first, last = begin / size, min(1.0, end / size)
    if utterance.words:
        start, stop = _by_words(utterance, first, last)
    else:
        length = utterance.end - utterance.start
        start, stop = utterance.start + length * first, utterance.start + length * last
    start = min(max(round(start, 3), utterance.start), utterance.end)
    return start, min(max(round(stop, 3), start), utterance.end)


def _by_words(utterance: Utterance, first: float, last: float) -> tuple[Seconds, Seconds]:
    words = utterance.words
    reach = list(accumulate(max(1, len(word.text)) for word in words))
    lower, upper = first * reach[-1], last * reach[-1]
    begins = next((word for word, until in zip(words, reach, strict=True) if until > lower + 1e-9), words[-1])
    ends = next((word for word, until in zip(words, reach, strict=True) if until >= upper - 1e-9), words[-1])
    return begins.start, ends.end
