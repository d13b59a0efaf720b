"""How well and how fast speech is recognised, beside faster-whisper's own `transcribe` on the same utterances.

    python benchmarks/recognition.py SPEECH_FOLDER [--most N] [--report FILE]

SPEECH_FOLDER holds `manifest.jsonl` with `file`, `lang` and `text` a line. Every utterance goes through a telephone
channel first (8 kHz, 300 to 3400 Hz, G.711 mu-law, back to 16 kHz). The error rate is in characters, after
`asr.text.comparable` on both sides: simplified script, no marks or spaces, digits read as Chinese numerals. Times are
wall seconds of one run on this machine: compare the ratios, not the numbers.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from faster_whisper import WhisperModel
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from asr.audio import SAMPLE_RATE, decode, encode, to_float32
from asr.engine import Speech
from asr.engines.whisper import WhisperEngine
from asr.guard import judge
from asr.text import comparable
from detectors.registry import load
from models import ModelStore
from service.settings import Settings

BATCH = 8
err = Console(stderr=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One utterance as the recogniser gets it, and what was said."""

    pcm: NDArray[np.float32]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One way to recognise: its error rate and speed."""

    name: str
    cer: float
    times_real_time: float
    redecoded: int = 0


def telephone(pcm: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """What is left of speech after a telephone line."""
    narrow = soxr.resample(pcm, rate, 8000)
    spectrum = np.fft.rfft(narrow)
    hertz = np.fft.rfftfreq(len(narrow), 1 / 8000)
    spectrum[(hertz < 300) | (hertz > 3400)] = 0
    band = np.fft.irfft(spectrum, len(narrow))
    coded = decode(encode((np.clip(band, -1, 1) * 32767).astype(np.int16), "mulaw"), "mulaw")
    return np.asarray(soxr.resample(to_float32(coded), 8000, SAMPLE_RATE), dtype=np.float32)


def read_clips(folder: Path, most: int) -> list[Clip]:
    """The first Chinese utterances of the folder's manifest."""
    lines = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    clips: list[Clip] = []
    for line in [each for each in lines if each["lang"] == "zh"][:most]:
        pcm, rate = soundfile.read(folder / line["file"], dtype="float32")
        clips.append(Clip(pcm=telephone(pcm, rate), text=line["text"]))
    return clips


def edits(said: str, heard: str) -> int:
    """Levenshtein distance in characters."""
    row = list(range(len(heard) + 1))
    for i, a in enumerate(said, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(heard, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1]


def measured(name: str, clips: Sequence[Clip], recognise: Callable[[], tuple[list[str], int]]) -> Line:
    """Run one way over all clips."""
    with err.status(name):
        begun = time.perf_counter()
        heard, redecoded = recognise()
        took = time.perf_counter() - begun
    pairs = [(comparable(clip.text), comparable(text)) for clip, text in zip(clips, heard, strict=True)]
    wrong = sum(edits(said, text) for said, text in pairs) / sum(len(said) for said, _ in pairs)
    audio = sum(len(clip.pcm) for clip in clips) / SAMPLE_RATE
    return Line(name=name, cer=round(100 * wrong, 2), times_real_time=round(audio / took, 2), redecoded=redecoded)


def ours(path: Path, clips: Sequence[Clip], beam: int, prompt: str) -> Callable[[], tuple[list[str], int]]:
    """Our engine with the guard, in batches of similar length as the scheduler makes them."""
    engine = WhisperEngine(path, beam_size=beam)

    def recognise() -> tuple[list[str], int]:
        heard = [""] * len(clips)
        redecoded = 0
        order = sorted(range(len(clips)), key=lambda index: len(clips[index].pcm))
        for first in range(0, len(order), BATCH):
            batch = order[first : first + BATCH]
            speeches = [Speech(pcm=clips[index].pcm, language="zh", prompt=prompt) for index in batch]
            for index, transcript in zip(batch, engine.transcribe(speeches), strict=True):
                heard[index] = judge(transcript, len(clips[index].pcm) / SAMPLE_RATE, prompt).text or ""
                redecoded += transcript.redecoded
        return heard, redecoded

    return recognise


def theirs(path: Path, clips: Sequence[Clip], beam: int) -> Callable[[], tuple[list[str], int]]:
    """faster-whisper's transcribe, an utterance at a time, as its users call it."""
    model = WhisperModel(str(path), device="cpu", compute_type="int8")

    def recognise() -> tuple[list[str], int]:
        heard: list[str] = []
        for clip in clips:
            segments, _info = model.transcribe(clip.pcm, language="zh", beam_size=beam)
            heard.append("".join(segment.text for segment in segments))
        return heard, 0

    return recognise


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most", type=int, default=1000)
    parser.add_argument("--report", type=Path)
    given = parser.parse_args()
    clips = read_clips(given.folder, given.most)
    path = ModelStore(Settings().models_dir).ensure("base")
    lines = [
        measured("Callwarden, beam 5", clips, ours(path, clips, 5, "")),
        measured("Callwarden, beam 5, prompted", clips, ours(path, clips, 5, load().prompt("zh", "CN"))),
        measured("Callwarden, beam 1", clips, ours(path, clips, 1, "")),
        measured("faster-whisper transcribe, beam 5", clips, theirs(path, clips, 5)),
        measured("faster-whisper transcribe, beam 1", clips, theirs(path, clips, 1)),
    ]
    show(lines)
    if given.report:
        seconds = sum(len(clip.pcm) for clip in clips) / SAMPLE_RATE
        body: dict[str, Any] = {"utterances": len(clips), "seconds": round(seconds, 1), "model": "base int8"}
        body["results"] = [asdict(line) for line in lines]
        given.report.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n")


def show(lines: Sequence[Line]) -> None:
    table = Table("recogniser", "CER %", "times real time", "decoded twice", box=None)
    for line in lines:
        table.add_row(line.name, f"{line.cer:.1f}", f"{line.times_real_time:.1f}", str(line.redecoded))
    Console(file=sys.stdout).print(table)


if __name__ == "__main__":
    main()
