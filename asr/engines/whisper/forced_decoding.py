"""Decoding with a given text: when its words were said, how likely it is, and which term was meant."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice
from typing import Any

import ctranslate2
import numpy as np
from numpy.typing import NDArray

from asr.engines.port import BiasTerm, Speech
from asr.engines.whisper.decoding import FULL_CONTEXT, MAX_TOKENS, TokenIds, compression_ratio
from asr.engines.whisper.word_alignment import word_times
from asr.normalisation import simplify
from asr.phonetics import SoundAlike, sound_alikes
from asr.types import Language, Transcript, Word

_FRAMES_A_SECOND = 100
_MOST_ALIKE = 6
"""So many sound-alikes of one text are checked at most. Each check takes as long as two to four tokens of greedy
decoding."""


class ForcedDecoder:
    """CTranslate2's forced decoding. Encoded audio is the encoder's output in main memory, silence lent to it."""

    def __init__(self, model: Any, vocabulary: TokenIds) -> None:
        self._model = model
        self._vocabulary = vocabulary

    def timed(self, speeches: Sequence[Speech], encoded: Any) -> list[Transcript]:
        """The words of the speeches' texts, all in one language, with their times."""
        language = speeches[0].language or "zh"
        ask = self._vocabulary.ask(language)
        texts = [speech.text or "" for speech in speeches]
        tokens = [self._tokens(text, len(ask)) for text in texts]
        lengths = [min(speech.seconds, FULL_CONTEXT) for speech in speeches]
        aligned = self._model.align(encoded, ask, tokens, [round(each * _FRAMES_A_SECOND) for each in lengths])
        return [
            _transcript(
                text,
                language,
                word_times(self._vocabulary.words(said, language), found.alignments, found.text_token_probs, seconds),
            )
            for text, said, found, seconds in zip(texts, tokens, aligned, lengths, strict=True)
        ]

    def restored(self, text: str, terms: Sequence[BiasTerm], encoded: NDArray[np.floating], seconds: float) -> str:
        """A Mandarin text with the terms in it that the audio, encoded as (frames, width), bears out better than what
        sounds like them: a second pass over the first one's likeliest mistakes, in the way of contextual biasing (Zhao
        et al. 2019, "Shallow-fusion end-to-end contextual biasing") without its cost at every token.

        The model may answer in traditional script; what is a word is known in simplified script only.
        """
        text = simplify(text)
        alikes = islice(sound_alikes(text, terms), _MOST_ALIKE)
        gains = [(self.gain(text, alike, encoded, seconds) - alike.least, alike) for alike in alikes]
        found = [(gain, alike) for gain, alike in gains if gain >= 0]
        taken: list[SoundAlike] = []
        for _, alike in sorted(found, key=lambda each: -each[0]):
            if all(alike.end <= other.begin or other.end <= alike.begin for other in taken):
                taken.append(alike)
                text = alike.put_into(text)  # terms are as long as what they replace: places stay
        return text

    def gain(self, text: str, alike: SoundAlike, encoded: NDArray[np.floating], seconds: float) -> float:
        """How much likelier, in nats, the text is with the term in it, to a decoder that has the term for a prompt."""
        start = [*self._vocabulary.prompt(alike.term + "。"), *self._vocabulary.ask("zh")]
        tokens = [self._tokens(each, len(start)) for each in (text, alike.put_into(text))]
        both = ctranslate2.StorageView.from_array(np.ascontiguousarray(np.stack([encoded, encoded])))
        frames = round(seconds * _FRAMES_A_SECOND)
        as_it_stands, with_term = self._model.align(both, start, tokens, [frames, frames])
        return _log_probability(with_term.text_token_probs) - _log_probability(as_it_stands.text_token_probs)

    def _tokens(self, text: str, beside: int) -> list[int]:
        return self._vocabulary.tokens(text)[: MAX_TOKENS - beside - 1]


def _log_probability(probabilities: Sequence[float]) -> float:
    return sum(math.log(max(each, 1e-12)) for each in probabilities)


def _transcript(text: str, language: Language, words: tuple[Word, ...]) -> Transcript:
    """A given text has no figures of its own but its words' probabilities."""
    likely = [word.probability for word in words]
    return Transcript(
        text=text,
        language=language,
        avg_logprob=min(0.0, _log_probability(likely) / max(1, len(likely))),
        no_speech_prob=0.0,
        compression_ratio=compression_ratio(text),
        tokens=len(words),
        words=words,
    )
