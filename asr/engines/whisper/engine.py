"""Whisper on CTranslate2, in batches, with no more context than the speech needs."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import ctranslate2
import numpy as np
from numpy.typing import NDArray

from asr.engines.port import BiasTerm, Effort, ModelMissing, RecognitionError, RecognitionFailed, Speech
from asr.engines.whisper.decoding import (
    FULL_CONTEXT,
    MAX_TOKENS,
    PROMPT_BUDGET,
    QUICK_PROMPT_BUDGET,
    Hypothesis,
    TokenIds,
    compression_ratio,
    context_for,
    looks_wrong,
    preferred,
    token_limit,
    wider_context_for,
)
from asr.engines.whisper.encoder_frames import SILENCE_UNTIL, LogMel, voiced_sound, with_silence
from asr.engines.whisper.forced_decoding import ForcedDecoder
from asr.engines.whisper.language_detection import choose, log_odds
from asr.languages import traits_of
from asr.threads import at_low_priority
from asr.types import Language, Transcript

_WIDE_BEAM = 5
_CONTEXT: Mapping[Effort, Callable[[float], float]] = MappingProxyType(
    {
        "quick": context_for,
        "normal": context_for,
        "careful": wider_context_for,
        "full": lambda _: FULL_CONTEXT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """What the items of one run of the model have in common; CTranslate2 wants the transcript's start at one position
    throughout a batch."""

    prompt_tokens: int
    effort: Effort
    align: bool
    language: Language | None
    open: bool
    """The language is to be detected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """One stretch of the batch with what the decoder is asked for."""

    place: int
    speech: Speech
    context: float
    prompt: tuple[int, ...]
    way: _Way

    @property
    def seconds(self) -> float:
        return self.speech.seconds

    def terms(self, language: Language) -> tuple[BiasTerm, ...]:
        """The terms that are likely in that language."""
        return self.speech.biasing_in(language).terms


class WhisperEngine:
    """Any multilingual CTranslate2 Whisper folder.

    Speech is padded to the shortest of a few contexts that holds it and decoded `beam_size` wide; greedily, with the
    first terms of its prompt, where it must be quick; in a wider context and with a beam of 5 where it must be careful,
    in the full 30 s as the last effort. A result that looks wrong is called doubtful, but after that. Expected terms
    are restored in Mandarin; in English, of the texts a beam ends with, one that holds them is preferred.

    On a CPU `threads` (0 means one a core) are so many batches side by side, one core each: cores that share a batch
    wait for one another at every layer of every token, and give 0.4 to 0.8 of the speed. They give way to the event
    loop. Only the decoder gains from a batch there, so the encoder takes its items one by one. A GPU works on one
    batch, and encodes it at once. `load` makes CTranslate2's model.
    Raises ModelMissing for a folder that holds no such model, RecognitionError for a device that is not there.
    """

    def __init__(
        self,
        model_path: Path,
        *,
        device: str = "cpu",
        compute_type: str = "int8",
        threads: int = 0,
        beam_size: int = 5,
        load: Callable[..., Any] = ctranslate2.models.Whisper,
    ) -> None:
        for name in ("model.bin", "config.json"):
            if not (model_path / name).is_file():
                raise ModelMissing(f"{model_path / name} is missing; get it with: callwarden models pull base")
        self._vocabulary = TokenIds(model_path)
        self._at_once = device != "cpu"
        self._workers = 1 if self._at_once else threads or _cores()
        try:
            self._model: Any = at_low_priority(
                lambda: load(
                    str(model_path),
                    device=device,
                    compute_type=compute_type,
                    inter_threads=self._workers,
                    intra_threads=1,
                )
            )
        except (RuntimeError, ValueError) as fault:
            raise RecognitionError(f"{model_path} cannot be loaded on {device} as {compute_type}: {fault}") from fault
        self._given = ForcedDecoder(self._model, self._vocabulary)
        self._log_mel = LogMel(self._model.n_mels)
        wide = max(_WIDE_BEAM, beam_size)
        self._beam: dict[Effort, int] = {"quick": 1, "normal": beam_size, "careful": wide, "full": wide}
        self._name = f"{model_path.name} ({self._model.compute_type}, {device})"
        behind_a_voice = self._encode_as_is([voiced_sound()], SILENCE_UNTIL)
        self._silence: NDArray[np.floating] = np.array(behind_a_voice)[0]

    @property
    def name(self) -> str:
        """The model folder's name, compute type and device."""
        return self._name

    @property
    def workers(self) -> int:
        """Batches it works on side by side."""
        return self._workers

    def transcribe(self, batch: Sequence[Speech]) -> list[Transcript]:
        """Recognise every item, in order. Raises RecognitionFailed for the whole batch."""
        groups: dict[_Way, list[_Item]] = defaultdict(list)
        for place, speech in enumerate(batch):
            item = self._item(place, speech)
            groups[item.way].append(item)
        results: list[Transcript | None] = [None] * len(batch)
        try:
            for way, items in groups.items():
                encoded = self._encode(items)
                transcripts = self._transcripts(way, items, encoded)
                for item, transcript in zip(items, transcripts, strict=True):
                    results[item.place] = transcript
        except (RuntimeError, ValueError) as fault:
            raise RecognitionFailed(f"{self._name} could not decode a batch of {len(batch)}: {fault}") from fault
        return [result for result in results if result is not None]

    def close(self) -> None:
        """Free the model's memory; no call may follow."""
        self._model.unload_model()

    def _transcripts(self, way: _Way, items: list[_Item], encoded: Any) -> list[Transcript]:
        if way.align:
            return self._given.timed([item.speech for item in items], encoded)
        return self._recognise_open(items, encoded) if way.open else self._recognise(items, encoded)

    def _item(self, place: int, speech: Speech) -> _Item:
        budget = QUICK_PROMPT_BUDGET if speech.effort == "quick" else PROMPT_BUDGET
        expected = speech.biasing_in(speech.language).prompt
        prompt = tuple(self._vocabulary.prompt(expected, budget)) if speech.text is None else ()
        way = _Way(
            prompt_tokens=len(prompt),
            effort=speech.effort,
            align=speech.text is not None,
            language=speech.language if speech.text is not None else None,
            open=speech.language is None and speech.text is None,
        )
        context = _CONTEXT[speech.effort](speech.seconds)
        return _Item(place=place, speech=speech, context=context, prompt=prompt, way=way)

    def _recognise(self, items: list[_Item], encoded: Any) -> list[Transcript]:
        """Each in its own language, which is known."""
        effort = items[0].way.effort
        languages: list[Language] = [item.speech.language or "zh" for item in items]
        decoded = self._decode(items, languages, encoded, self._beam[effort])
        rows = np.array(encoded)
        return [
            _transcript(
                each,
                self._restored(each.text, item, language, row),
                language,
                doubtful=effort != "full" and looks_wrong(each, item.seconds),
            )
            for item, language, each, row in zip(items, languages, decoded, rows, strict=True)
        ]

    def _recognise_open(self, items: list[_Item], encoded: Any) -> list[Transcript]:
        """Each in the language that it turns out to be in."""
        rows = np.array(encoded)
        return choose(
            [item.speech.leaning for item in items],
            [item.seconds for item in items],
            lambda places: self._language_odds([items[at] for at in places], rows[list(places)]),
            lambda wanted: self._recognise_as([(items[at], language, rows[at]) for at, language in wanted]),
        )

    def _language_odds(self, items: Sequence[_Item], rows: NDArray[np.floating]) -> list[float]:
        guesses = self._model.detect_language(ctranslate2.StorageView.from_array(np.ascontiguousarray(rows)))
        return [log_odds(guess, item.seconds) for item, guess in zip(items, guesses, strict=True)]

    def _recognise_as(self, wanted: Sequence[tuple[_Item, Language, NDArray[np.floating]]]) -> list[Transcript]:
        """Recognises encoded stretches, each in its given language. Stretches whose prompts are equally long share a
        run."""
        items = [
            self._item(at, replace(item.speech, language=language)) for at, (item, language, _) in enumerate(wanted)
        ]
        groups: dict[_Way, list[_Item]] = defaultdict(list)
        for item in items:
            groups[item.way].append(item)
        found: dict[int, Transcript] = {}
        for group in groups.values():
            rows = np.stack([wanted[item.place][2] for item in group])
            transcripts = self._recognise(group, ctranslate2.StorageView.from_array(rows))
            found |= {item.place: transcript for item, transcript in zip(group, transcripts, strict=True)}
        return [found[at] for at in range(len(items))]

    def _restored(self, text: str, item: _Item, language: Language, encoded: NDArray[np.floating]) -> str:
        terms = item.terms(language)
        if not traits_of(language).restores_terms or not terms:
            return text
        return self._given.restored(text, terms, encoded, min(item.seconds, item.context))

    def _encode(self, items: list[_Item]) -> Any:
        """The encoder's output in main memory, shape (batch, 50 frames a second, width), silence lent to it.

        One by one they come as fast as in a batch, and past some 10 s twice as fast: attention over a batch of those
        needs more than the 32 MiB that malloc gives from memory it has at hand.
        """
        longest = max(item.context for item in items)
        least = longest if longest > SILENCE_UNTIL else 0.0  # no silence reaches there: all must be as long
        encoded = [
            self._encode_as_is([item.speech.samples for item in part], max(least, *(item.context for item in part)))
            for part in ([items] if self._at_once else [[item] for item in items])
        ]
        longer = [with_silence(np.array(part), self._silence) for part in encoded]
        return ctranslate2.StorageView.from_array(np.ascontiguousarray(np.concatenate(longer)))

    def _encode_as_is(self, batch: list[NDArray[np.float32]], context: float) -> Any:
        mel = self._log_mel(batch, context)
        return self._model.encode(ctranslate2.StorageView.from_array(np.ascontiguousarray(mel)), to_cpu=True)

    def _decode(self, items: list[_Item], languages: list[Language], encoded: Any, beam_size: int) -> list[Hypothesis]:
        prefixes = [
            [*item.prompt, *self._vocabulary.ask(language)] for item, language in zip(items, languages, strict=True)
        ]
        longest = max(token_limit(item.seconds) for item in items)
        terms = [self._to_prefer(item, language) for item, language in zip(items, languages, strict=True)]
        results = self._model.generate(
            encoded,
            prefixes,
            beam_size=beam_size,
            num_hypotheses=beam_size if any(terms) else 1,
            max_length=min(MAX_TOKENS, len(prefixes[0]) + longest),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=[-1],  # the model's own list: symbols, music notes, speaker marks
        )
        return [preferred(self._hypotheses(result), each) for result, each in zip(results, terms, strict=True)]

    def _to_prefer(self, item: _Item, language: Language) -> tuple[BiasTerm, ...]:
        return () if traits_of(language).restores_terms else item.terms(language)

    def _hypotheses(self, result: Any) -> list[Hypothesis]:
        ways = zip(result.sequences_ids, result.scores, strict=True)
        return [self._decoded(ids, score, result.no_speech_prob) for ids, score in ways]

    def _decoded(self, ids: list[int], score: float, no_speech_prob: float) -> Hypothesis:
        tokens = self._vocabulary.text_tokens(ids)
        text = self._vocabulary.text(tokens)
        # CTranslate2's score is the mean over the tokens; Whisper's own mean counts the end of text too.
        return Hypothesis(
            tokens=tuple(tokens),
            text=text,
            avg_logprob=min(0.0, score * len(ids) / (len(ids) + 1)),
            no_speech_prob=no_speech_prob,
            compression_ratio=compression_ratio(text),
        )


def _cores() -> int:
    """The cores this process may use; not every system says."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _transcript(decoded: Hypothesis, text: str, language: Language, *, doubtful: bool) -> Transcript:
    """The figures are those of what was decoded, before terms were restored in it."""
    return Transcript(
        text=text,
        language=language,
        avg_logprob=decoded.avg_logprob,
        no_speech_prob=decoded.no_speech_prob,
        compression_ratio=decoded.compression_ratio,
        tokens=len(decoded.tokens),
        doubtful=doubtful,
    )
