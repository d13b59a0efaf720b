"""What the recogniser's vocabulary gives and costs: the shipped prompt, and the terms that are restored (English:
preferred), against none, in the same run.

    python benchmarks/prompting.py SPEECH_FOLDER [--unseen FOLDER] [--report FILE]

Domain speech is the synthetic sample calls, each turn cut from its own channel with 0.2 s of line around it. Unseen is
a folder of other sentences of the trade than those on which the terms and known mishearings were chosen, in Chinese and
in English, as it comes over the telephone (`samples/say.py` makes one). Other speech is SPEECH_FOLDER's Chinese after a
telephone channel: 8 kHz, 300 to 3400 Hz with the slopes of a Butterworth filter of order 4, G.711 mu-law, back to
16 kHz. Varied is the same at six other speeds, alone and with white noise 20, 15 and 10 dB below it: more ways to be
misrecognised, not more speakers. Folders hold a `manifest.jsonl`: `file`, `lang`, `text` a line, the text up to " | ".

All of it goes through the service's recogniser and engine with its default beam, two batches at a time: `calm` as
on a floor with time for everything, `busy` as on one where every text is hurried (greedy, a short prompt).

Error rates are in characters (English: words) after `asr.normalisation.comparable`. Recall counts the terms said and
recognised, of the prompt's and of all that are restored; an insertion is one recognised and not said. Decoys are
ordinary words that nobody said, put in the place of the terms, some hundreds at a time: what is restored of them is
false.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray
from pypinyin.phrases_dict import phrases_dict
from rich.console import Console

from asr.audio.pcm import SAMPLE_RATE, to_float32, to_int16
from asr.engines.port import NO_BIASING, Biasing, BiasTerm, Speech
from asr.engines.whisper.engine import WhisperEngine
from asr.recognition.queue import without_deadlines
from asr.recognition.recogniser import BatchRecogniser, RecogniserLimits, RecognitionRequest
from asr.types import Language
from detectors.runtime.registry import load
from models import ModelStore
from service.audio_files.call import read_call_audio
from service.bench.channel import at_the_recogniser, telephone
from service.bench.clips import read_clips
from service.bench.error_rates import edits_over
from service.bench.recognition import HOME
from service.bench.terms import Pair, score_terms
from service.samples import sample_calls
from service.settings import Settings

MARGIN = 0.2
NAMES = ("海港银行", "北线公司")
"""The tenant of the Chinese sample calls."""
FLOORS = {"calm": without_deadlines("full", "full"), "busy": without_deadlines("greedy", "greedy")}
PACES = (0.85, 0.9, 0.95, 1.05, 1.1, 1.15)
NOISES = (None, 20.0, 15.0, 10.0)
DRAWS, DECOYS = 6, 300
err = Console(stderr=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class TelephoneClip:
    """One utterance: float32 mono at 16 kHz, and what is said in it."""

    pcm: NDArray[np.float32]
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One corpus on one kind of floor, with one vocabulary. `error_rate` in percent, recalls 0 to 1 or None where no
    term is said."""

    speech: str
    floor: str
    vocabulary: str
    utterances: int
    seconds: float
    took: float
    error_rate: float
    prompt_recall: float | None
    recall: float | None
    said: int
    inserted: int
    inserted_an_hour: float
    missed: tuple[tuple[str, int], ...]


def other_speech(folder: Path) -> list[TelephoneClip]:
    """The folder's Chinese utterances, put through a telephone line."""
    return [
        TelephoneClip(pcm=at_the_recogniser(telephone(clip.pcm, clip.rate)), said=clip.text)
        for clip in read_clips(folder, "zh")
    ]


def unseen_speech(folder: Path, language: Language) -> list[TelephoneClip]:
    """The folder's utterances in that language as they are."""
    return [
        TelephoneClip(pcm=np.asarray(soxr.resample(clip.pcm, clip.rate, SAMPLE_RATE), np.float32), said=clip.text)
        for clip in read_clips(folder, language)
    ]


def varied(clips: Sequence[TelephoneClip], noise: float | None) -> list[TelephoneClip]:
    """Each clip at every one of PACES, with white noise so many dB below it."""
    random = np.random.default_rng(0)
    ways: list[TelephoneClip] = []
    for clip in clips:
        for pace in PACES:
            pcm = soxr.resample(clip.pcm, SAMPLE_RATE * pace, SAMPLE_RATE)
            if noise is not None:
                pcm = pcm + random.standard_normal(len(pcm)) * np.sqrt(np.mean(pcm**2)) * 10 ** (-noise / 20)
            ways.append(TelephoneClip(pcm=pcm.astype(np.float32), said=clip.said))
    return ways


def _varied(engine: WhisperEngine, clips: Sequence[TelephoneClip]) -> list[Measured]:
    lines: list[Measured] = []
    for noise in NOISES:
        name = "other speech, varied" + ("" if noise is None else f", noise at -{noise:.0f} dB")
        lines += measured(engine, name, "zh", varied(clips, noise), NAMES, ["prompt and terms"])
    return lines


def domain_speech(language: Language) -> list[TelephoneClip]:
    """Every turn of the sample calls in that language; their audio is telephone speech already."""
    clips: list[TelephoneClip] = []
    for call in sample_calls():
        if call.lang != language:
            continue
        audio = read_call_audio(call.audio)
        pcm, rate = to_float32(audio.pcm), audio.rate
        for turn in call.turns:
            begin, end = max(0, int((turn.start - MARGIN) * rate)), int((turn.end + MARGIN) * rate)
            leg = pcm[begin:end, 0 if turn.speaker == "agent" else 1]
            clips.append(
                TelephoneClip(pcm=np.asarray(soxr.resample(leg, rate, SAMPLE_RATE), np.float32), said=turn.text)
            )
    return clips


async def recognise(
    engine: WhisperEngine,
    clips: Sequence[TelephoneClip],
    language: Language,
    biasing: Biasing,
    limits: RecogniserLimits,
) -> list[Pair]:
    """(said, recognised) of every clip, by way of the recogniser."""
    async with BatchRecogniser(engine, second_opinion=lambda _: True, limits=limits) as recogniser:
        speeches = [
            Speech(pcm=to_int16(clip.pcm).tobytes(), language=language, biasing={language: biasing}) for clip in clips
        ]
        requests = [
            RecognitionRequest(call_id=str(at), role="agent", utterance=0, kind="final", speech=speech)
            for at, speech in enumerate(speeches)
        ]
        recognised = await asyncio.gather(*map(recogniser.submit, requests))
    return [(clip.said, each.text if each else "") for clip, each in zip(clips, recognised, strict=True)]


def measured(
    engine: WhisperEngine,
    speech: str,
    language: Language,
    clips: Sequence[TelephoneClip],
    own: tuple[str, ...],
    kinds: Sequence[str] = ("none", "prompt", "prompt and terms"),
) -> list[Measured]:
    """The figures with nothing expected, with the prompt alone and with restored terms, each on both floors."""
    frame = load().frames[language]
    whole = frame.biasing(HOME[language], own)
    vocabularies = {"none": NO_BIASING, "prompt": replace(whole, terms=()), "prompt and terms": whole}
    prompted = (*own, *frame.terms[HOME[language]])
    lines: list[Measured] = []
    for floor, limits in FLOORS.items():
        for vocabulary in kinds:
            with err.status(f"{speech}, {floor}: {vocabulary}"):
                begun = time.perf_counter()
                pairs = asyncio.run(recognise(engine, clips, language, vocabularies[vocabulary], limits))
                took = time.perf_counter() - begun
            all_terms = score_terms(pairs, [term.text for term in whole.terms])
            seconds = _seconds(clips)
            lines.append(
                Measured(
                    speech=speech,
                    floor=floor,
                    vocabulary=vocabulary,
                    utterances=len(clips),
                    seconds=round(seconds, 1),
                    took=round(took, 1),
                    error_rate=round(100 * (edits_over(pairs, language).rate or 0.0), 2),
                    prompt_recall=_rounded(score_terms(pairs, prompted).recall),
                    recall=_rounded(all_terms.recall),
                    said=all_terms.said,
                    inserted=all_terms.inserted,
                    inserted_an_hour=round(3600 * all_terms.inserted / seconds, 1),
                    missed=all_terms.missed,
                )
            )
    return lines


def _unseen(engine: WhisperEngine, folder: Path) -> list[Measured]:
    return [
        *measured(engine, "unseen sentences, Chinese", "zh", unseen_speech(folder, "zh"), ()),
        *measured(engine, "unseen sentences, English", "en", unseen_speech(folder, "en"), ()),
    ]


def decoys(engine: WhisperEngine, clips: Sequence[TelephoneClip]) -> dict[str, float]:
    """How often a word that nobody said is put in, of two characters: the shortest terms are the likeliest to be."""
    said = "".join(clip.said for clip in clips)
    words = [word for word in phrases_dict if len(word) == 2 and word not in said]
    drawn = np.random.default_rng(0).choice(words, (DRAWS, DECOYS), replace=False)
    bare = asyncio.run(recognise(engine, clips, "zh", NO_BIASING, FLOORS["calm"]))
    restored = 0
    for number, draw in enumerate(drawn, 1):
        with err.status(f"decoys, draw {number} of {DRAWS}"):
            biasing = Biasing(terms=tuple(BiasTerm(text=str(word)) for word in draw))
            pairs = asyncio.run(recognise(engine, clips, "zh", biasing, FLOORS["calm"]))
            restored += sum(recognised != plain for (_, recognised), (_, plain) in zip(pairs, bare, strict=True))
    hours = DRAWS * _seconds(clips) / 3600
    return {
        "words": DRAWS * DECOYS,
        "hours": round(hours, 2),
        "utterances_changed": restored,
        "an_hour_for_50_terms": round(restored / hours / DECOYS * 50, 2),
    }


def _seconds(clips: Sequence[TelephoneClip]) -> float:
    return sum(len(clip.pcm) for clip in clips) / SAMPLE_RATE


def _rounded(recall: float | None) -> float | None:
    return None if recall is None else round(recall, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--unseen", type=Path)
    parser.add_argument("--report", type=Path)
    given = parser.parse_args()
    settings = Settings()
    engine = WhisperEngine(ModelStore(settings.models_dir).ensure("base"), threads=2, beam_size=settings.beam_size)
    other = other_speech(given.folder)
    lines = [
        *measured(engine, "sample calls, Chinese", "zh", domain_speech("zh"), NAMES),
        *measured(engine, "sample calls, English", "en", domain_speech("en"), ()),
        *(_unseen(engine, given.unseen) if given.unseen else []),
        *measured(engine, "other speech, Chinese", "zh", other, NAMES),
        *_varied(engine, other),
    ]
    results = [asdict(line) for line in lines]
    body = {"engine": engine.name, "beam": settings.beam_size, "results": results, "decoys": decoys(engine, other)}
    text = json.dumps(body, ensure_ascii=False, indent=1)
    print(text)
    if given.report:
        given.report.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
