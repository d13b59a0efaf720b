"""How often the language of a stretch of speech is mistaken where it is to be detected, and what detecting it costs.

    python benchmarks/languages.py MANDARIN_FOLDER ENGLISH_CALL [--half 0|1] [--most N] [--report FILE]

MANDARIN_FOLDER holds recorded utterances with manifest.jsonl, which go through a telephone line; ENGLISH_CALL is a
recorded call of two channels. Each is halved: thresholds were chosen on half 0, so half 1 tells. Stretches of 0.6 to
14 s are cut out of the running speech wherever they fall, in words too. For each length and language:

- `detector`: the model's own language detector, corrected for short stretches, alone;
- `unknown`: what is taken where nothing is known of the party;
- `expected`: where the party has spoken that language; `switched`: where it has spoken the other one.

A stretch is mistaken where its text is shown in the other language. The cost is that of a one-language call: its speech
in stretches of 1 to 8 s, one after another, with the language given and with it to be detected, in turns of the same
run.
"""

# The engine is asked for its steps, so that each is done once a stretch:
# pyright: reportPrivateUsage=false

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from asr.audio.pcm import Resampler, samples_of, to_int16
from asr.endpointing.endpointer import LegEndpointer
from asr.endpointing.vad import SecondOpinion
from asr.engines.port import Speech
from asr.engines.whisper.engine import WhisperEngine
from asr.engines.whisper.language_detection import choose, towards
from asr.types import Language, Seconds
from models import ModelStore
from service.audio_files.call import read_call_audio
from service.bench.channel import at_the_recogniser, telephone
from service.bench.clips import read_clips
from service.bench.report import write_report
from service.calls.party_languages import PartyLanguages
from service.settings import Settings

LENGTHS: tuple[Seconds, ...] = (0.6, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 14.0)
TURNS: tuple[Seconds, ...] = (2.0, 5.0, 1.0, 3.0, 8.0, 1.5)
"""Lengths of a call's utterances, in their order."""
KNOWN = 2.5
RATE = 16_000
err = Console(stderr=True)

Pcm = NDArray[np.float32]


@dataclass(slots=True)
class Counted:
    """The model, and how many stretches it was asked to detect and to decode."""

    model: Any
    asked: Counter[str]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def detect_language(self, encoded: Any) -> Any:
        self.asked["detected"] += encoded.shape[0]
        return self.model.detect_language(encoded)

    def generate(self, encoded: Any, prefixes: Any, **how: Any) -> Any:
        self.asked["decoded"] += len(prefixes)
        return self.model.generate(encoded, prefixes, **how)


def mandarin(folder: Path, half: int) -> Pcm:
    """Every other utterance of the folder, put through a telephone line."""
    clips = read_clips(folder, "zh")[half::2]
    return np.concatenate([at_the_recogniser(telephone(clip.pcm, clip.rate)) for clip in clips])


def english(path: Path, half: int) -> Pcm:
    """What both parties say in one half of a call."""
    audio = read_call_audio(path)
    middle = len(audio.pcm) // 2
    part = audio.pcm[half * middle :][:middle]
    opinion = SecondOpinion()
    said: list[Pcm] = []
    for leg in part.T:
        listener, resampler = LegEndpointer("customer"), Resampler(audio.rate)
        pcm = resampler.push(np.ascontiguousarray(leg))
        cuts = [cut for at in range(0, len(pcm), RATE) for cut in listener.push(pcm[at : at + RATE])]
        spoken = [samples_of(cut.pcm) for cut in [*cuts, *listener.close()]]
        said += [each for each in spoken if opinion.is_speech(each)]
    return np.concatenate(said)


def stretches(pcm: Pcm, length: Seconds, most: int) -> list[Pcm]:
    """At most so many of that length in which somebody speaks, in a random order that is always the same."""
    size = round(length * RATE)
    starts = np.random.default_rng(0).permutation(np.arange(0, len(pcm) - size, size))
    opinion = SecondOpinion()
    spoken = (pcm[start : start + size] for start in starts)
    return [each for each, _ in zip((one for one in spoken if opinion.is_speech(one)), range(most), strict=False)]


class Encoded:
    """One stretch, encoded, listened to and decoded in both languages once, however often it is judged."""

    def __init__(self, engine: WhisperEngine, pcm: Pcm) -> None:
        item = engine._item(0, Speech(pcm=to_int16(pcm).tobytes(), effort="quick"))
        row = np.array(engine._encode([item]))
        self._seconds = item.seconds
        [self._odds] = engine._language_odds([item], row)
        both: tuple[Language, ...] = ("zh", "en")
        self._texts = {language: engine._recognise_as([(item, language, row[0])])[0] for language in both}

    @property
    def detected(self) -> Language:
        return "zh" if self._odds >= 0 else "en"

    def judged(self, leaning: float) -> Language:
        [found] = choose(
            [leaning],
            [self._seconds],
            lambda _: [self._odds],
            lambda wanted: [self._texts[language] for _, language in wanted],
        )
        return found.language


def mistaken(engine: WhisperEngine, language: Language, pieces: Sequence[Pcm]) -> dict[str, int]:
    """How many of the stretches are taken for the other language, in each of the ways."""
    encoded = [Encoded(engine, piece) for piece in pieces]
    wrong = {"detector": sum(each.detected != language for each in encoded)}
    for way, leaning in (("unknown", 0.0), ("expected", KNOWN), ("switched", -KNOWN)):
        wrong[way] = sum(each.judged(towards(language, leaning)) != language for each in encoded)
    return wrong


def turns(pcm: Pcm, most: Seconds) -> Iterator[Pcm]:
    """The speech as utterances, one after another."""
    at = turn = 0
    while at < min(len(pcm), most * RATE):
        size = round(TURNS[turn % len(TURNS)] * RATE)
        yield pcm[at : at + size]
        at, turn = at + size, turn + 1


def cost(engine: WhisperEngine, asked: Counter[str], language: Language, pcm: Pcm, most: Seconds) -> dict[str, Any]:
    """CPU seconds for one party's speech with its language given, and with it to be detected."""
    languages, taken, told = PartyLanguages(("agent",)), {"given": 0.0, "detected": 0.0}, Counter[str]()
    pieces = [piece for piece in turns(pcm, most) if len(piece) >= RATE // 2]
    engine.transcribe([Speech(pcm=to_int16(pieces[0]).tobytes(), language=language, effort="quick")])
    for number, piece in enumerate(pieces):
        ways = ("given", "detected") if number % 2 else ("detected", "given")
        for way in ways:
            speech = Speech(pcm=to_int16(piece).tobytes(), language=language, effort="quick")
            if way == "detected":
                speech = replace(speech, language=None, leaning=languages.leaning("agent"))
                asked.clear()
            begun = time.process_time()
            [found] = engine.transcribe([speech])
            taken[way] += time.process_time() - begun
            if way == "detected":
                told.update(asked)
                told["mistaken"] += found.language != language
                languages.recognised("agent", found.language, found.language_odds, len(piece) / RATE)
    return {
        "utterances": len(pieces),
        "cpu_ratio": round(taken["detected"] / taken["given"], 3),
        "detected": told["detected"],
        "decoded_twice": told["decoded"] - len(pieces),
        "mistaken": told["mistaken"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mandarin", type=Path)
    parser.add_argument("english", type=Path)
    parser.add_argument("--half", type=int, choices=(0, 1), default=1)
    parser.add_argument("--most", type=int, default=40, help="stretches of each length and language")
    parser.add_argument("--seconds", type=float, default=120.0, help="of each language, for the cost")
    parser.add_argument("--report", type=Path)
    given = parser.parse_args()
    asked: Counter[str] = Counter()

    def load(path: str, **how: Any) -> Counted:
        return Counted(ctranslate2.models.Whisper(path, **how), asked)

    path = ModelStore(Settings().models_dir).find(Settings().model)
    engine = WhisperEngine(path, threads=1, beam_size=1, load=load)
    speech: dict[Language, Pcm] = {
        "zh": mandarin(given.mandarin, given.half),
        "en": english(given.english, given.half),
    }
    told: dict[str, Any] = {"mistaken": {}, "cost_of_one_language": {}}
    for language, pcm in speech.items():
        told["cost_of_one_language"][language] = cost(engine, asked, language, pcm, given.seconds)
        err.print(language, told["cost_of_one_language"][language])
        for length in LENGTHS:
            pieces = stretches(pcm, length, given.most)
            wrong = {"stretches": len(pieces)} | mistaken(engine, language, pieces)
            told["mistaken"].setdefault(language, {})[f"{length} s"] = wrong
            err.print(language, length, wrong)
    if given.report is not None:
        asked_for = {"model": path.name, "half": given.half, "most": given.most, "seconds": given.seconds}
        write_report(given.report, "benchmarks/languages.py", asked_for, told)


if __name__ == "__main__":
    main()
