"""What the recogniser's prompt gives and what it costs: the shipped prompt against none, in the same run.

    python benchmarks/prompting.py SPEECH_FOLDER [--report FILE]

Domain speech is the synthetic sample calls, each turn cut from its own channel with 0.2 s of line around it. Other
speech is SPEECH_FOLDER's Chinese (`manifest.jsonl`: `file`, `lang`, `text` a line, the text up to " | ") after a
telephone channel: 8 kHz, 300 to 3400 Hz with the slopes of a Butterworth filter of order 4, G.711 mu-law, back to
16 kHz. All of it goes through the service's scheduler, engine and guard with its default beam, two batches at a time.

Error rates are in characters (English: words) after `asr.text.comparable`. Recall counts the prompt's terms that were
said and heard; an insertion is one heard and not said.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from rich.console import Console

from asr.audio import SAMPLE_RATE, decode, encode, to_float32
from asr.engine import Speech
from asr.engines.whisper import WhisperEngine
from asr.scheduler import Job, Scheduler
from asr.types import Language
from detectors.api import Jurisdiction
from detectors.registry import load
from models import ModelStore
from service.bench.terms import Pair, error_rate, score_terms
from service.samples import sample_calls
from service.settings import Settings

LINE = 8_000
MARGIN = 0.2
HOME: dict[Language, Jurisdiction] = {"zh": "CN", "en": "US"}
NAMES = ("海港银行", "北线公司")
"""The tenant of the Chinese sample calls."""
err = Console(stderr=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One utterance: float32 mono at 16 kHz, and what is said in it."""

    pcm: NDArray[np.float32]
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One corpus with one prompt. `error_rate` in percent, `recall` 0 to 1 or None where no term is said."""

    speech: str
    prompt: str
    utterances: int
    seconds: float
    error_rate: float
    recall: float | None
    said: int
    inserted: int
    inserted_an_hour: float
    missed: tuple[tuple[str, int], ...]


def telephone(pcm: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """What is left of speech after a telephone line."""
    narrow = soxr.resample(pcm, rate, LINE)
    hertz = np.maximum(np.fft.rfftfreq(len(narrow), 1 / LINE), 1e-9)
    gain = 1 / np.sqrt((1 + (300 / hertz) ** 8) * (1 + (hertz / 3400) ** 8))
    band = np.fft.irfft(np.fft.rfft(narrow) * gain, len(narrow))
    coded = decode(encode((np.clip(band, -1, 1) * 32767).astype(np.int16), "mulaw"), "mulaw")
    return np.asarray(soxr.resample(to_float32(coded), LINE, SAMPLE_RATE), dtype=np.float32)


def other_speech(folder: Path) -> list[Clip]:
    """The Chinese utterances of the folder's manifest."""
    clips: list[Clip] = []
    for line in map(json.loads, (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()):
        if line["lang"] == "zh":
            pcm, rate = soundfile.read(folder / line["file"], dtype="float32")
            clips.append(Clip(pcm=telephone(pcm, rate), said=line["text"].split(" | ")[0]))
    return clips


def domain_speech(language: Language) -> list[Clip]:
    """Every turn of the sample calls in that language; their audio is telephone speech already."""
    clips: list[Clip] = []
    for call in sample_calls():
        if call.lang != language:
            continue
        pcm, rate = soundfile.read(call.audio, dtype="float32")
        for turn in call.turns:
            begin, end = max(0, int((turn.start - MARGIN) * rate)), int((turn.end + MARGIN) * rate)
            leg = pcm[begin:end, 0 if turn.speaker == "agent" else 1]
            clips.append(Clip(pcm=np.asarray(soxr.resample(leg, rate, SAMPLE_RATE), np.float32), said=turn.text))
    return clips


async def hear(engine: WhisperEngine, clips: Sequence[Clip], language: Language, prompt: str) -> list[Pair]:
    """(said, heard) of every clip, by way of the scheduler."""
    async with Scheduler(engine, second_opinion=lambda _: True) as scheduler:
        speeches = [Speech(pcm=clip.pcm, language=language, prompt=prompt) for clip in clips]
        jobs = [
            Job(call_id=str(at), role="agent", seq=0, speech=speech, final=True, deadline=float(at))
            for at, speech in enumerate(speeches)
        ]
        heard = await asyncio.gather(*map(scheduler.submit, jobs))
    return [(clip.said, each.text if each else "") for clip, each in zip(clips, heard, strict=True)]


def measured(
    engine: WhisperEngine, speech: str, language: Language, clips: Sequence[Clip], own: tuple[str, ...]
) -> list[Measured]:
    """Without a prompt, with the pack's, with the tenant's names as well: all scored on the terms of the last."""
    frame = load().frames[language]
    terms = (*own, *frame.terms[HOME[language]])
    prompts = dict.fromkeys(("", frame.prompt(HOME[language]), frame.prompt(HOME[language], own)))
    return [_line(engine, speech, language, clips, prompt, terms) for prompt in prompts]


def _line(
    engine: WhisperEngine, speech: str, language: Language, clips: Sequence[Clip], prompt: str, terms: Sequence[str]
) -> Measured:
    with err.status(f"{speech}: {prompt or 'no prompt'}"):
        pairs = asyncio.run(hear(engine, clips, language, prompt))
    score, seconds = score_terms(pairs, terms), sum(len(clip.pcm) for clip in clips) / SAMPLE_RATE
    return Measured(
        speech=speech,
        prompt=prompt,
        utterances=len(clips),
        seconds=round(seconds, 1),
        error_rate=round(error_rate(pairs), 2),
        recall=None if score.recall is None else round(score.recall, 3),
        said=score.said,
        inserted=score.inserted,
        inserted_an_hour=round(3600 * score.inserted / seconds, 1),
        missed=score.missed,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--report", type=Path)
    given = parser.parse_args()
    settings = Settings()
    engine = WhisperEngine(ModelStore(settings.models_dir).ensure("base"), threads=2, beam_size=settings.beam_size)
    lines = [
        *measured(engine, "sample calls, Chinese", "zh", domain_speech("zh"), NAMES),
        *measured(engine, "sample calls, English", "en", domain_speech("en"), ()),
        *measured(engine, "other speech, Chinese", "zh", other_speech(given.folder), NAMES),
    ]
    body = {"engine": engine.name, "beam": settings.beam_size, "results": [asdict(line) for line in lines]}
    text = json.dumps(body, ensure_ascii=False, indent=1)
    print(text)
    if given.report:
        given.report.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
