"""`callwarden bench asr` and `bench silence`: what is recognised in recorded speech, and where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import soxr
import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from asr.audio.pcm import SAMPLE_RATE
from asr.engines.port import NO_BIASING, Biasing, RecognitionError
from asr.languages import traits_of
from asr.recognition.queue import without_deadlines
from asr.recognition.recogniser import BatchRecogniser
from asr.types import Language
from detectors.runtime.registry import load
from models import ModelError, ModelStore
from service.app import load_engine
from service.bench.channel import at_the_recogniser, telephone
from service.bench.clips import Clip, ClipsUnusable, read_clips
from service.bench.error_rates import NORMALISER
from service.bench.recognition import (
    HOME,
    EngineRun,
    Stretch,
    figures,
    recognise_with_callwarden,
    recognise_with_faster_whisper,
)
from service.bench.report import write_report
from service.bench.silence import SilenceFigures, listen
from service.bench.telephone_sounds import SOUNDS
from service.cli import arguments
from service.cli.terminal import err, fail, out

Report = Annotated[Path | None, typer.Option(help="Write a JSON report there.")]
BEAMS = (1, 5)


def asr(
    audio: Annotated[Path, typer.Option(help="Folder of recorded utterances with manifest.jsonl.")],
    channel: Annotated[Literal["phone", "none"], typer.Option(help="What the speech goes through first.")] = "phone",
    language: Annotated[Language, typer.Option(help="Whose utterances are measured: CER for zh, WER for en.")] = "zh",
    most: Annotated[int | None, typer.Option(min=1, help="Only so many utterances.")] = None,
    prompt: Annotated[bool, typer.Option("--prompt", help="Also with the rule pack's vocabulary as prompt.")] = False,
    report: Report = None,
) -> None:
    """Error rate and speed on your own recordings, beside faster-whisper's `transcribe`, beam 1 and 5."""
    try:
        stretches = [_stretch(clip, channel) for clip in read_clips(audio, language, most)]
        settings = arguments.settings()
        path = ModelStore(settings.models_dir).find(settings.model)
        with _progress("utterances") as progress:
            rows = _rows(path, stretches, language, prompt, progress)
        told = figures(rows, stretches, language)
        if report is not None:
            asked = {"channel": channel, "language": language, "model": path.name, "utterances": len(stretches)}
            seconds = round(sum(stretch.seconds for stretch in stretches), 1)
            write_report(report, "bench asr", asked, {"seconds": seconds, "normaliser": NORMALISER, "rows": told})
    except (ClipsUnusable, ModelError, RecognitionError, OSError) as problem:
        fail(str(problem))
    out.print(_asr_table(told, language))
    out.print(f"Compared after: {NORMALISER}.")


def silence(
    minutes: Annotated[float, typer.Option(min=0.05, max=60, help="Of each sound.")] = 10.0,
    language: Annotated[Language, typer.Option(help="What the recogniser expects.")] = "zh",
    report: Report = None,
) -> None:
    """What is recognised in digital silence, line noise, ring-back, DTMF and hold music: nothing, it should be."""
    try:
        found = asyncio.run(_silence(minutes, language))
        if report is not None:
            write_report(report, "bench silence", {"minutes": minutes, "language": language}, _silence_figures(found))
    except (ModelError, RecognitionError, OSError) as problem:
        fail(str(problem))
    out.print(_silence_table(found))
    for name, each in found.items():
        for text in each.texts:
            out.print(f"{name}: {escape(text)}")


def _stretch(clip: Clip, channel: str) -> Stretch:
    if channel == "phone":
        return Stretch(pcm=at_the_recogniser(telephone(clip.pcm, clip.rate)), text=clip.text)
    return Stretch(pcm=np.asarray(soxr.resample(clip.pcm, clip.rate, SAMPLE_RATE), dtype=np.float32), text=clip.text)


def _rows(
    path: Path, stretches: Sequence[Stretch], language: Language, prompt: bool, progress: Progress
) -> list[EngineRun]:
    def row(told: str, beam: int, biasing: Biasing) -> EngineRun:
        return recognise_with_callwarden(path, stretches, language, beam, biasing, _bar(progress, told, stretches))

    rows: list[EngineRun] = []
    for beam in BEAMS:
        rows.append(row(f"Callwarden, beam {beam}", beam, NO_BIASING))
        told = f"faster-whisper, beam {beam}"
        rows.append(recognise_with_faster_whisper(path, stretches, language, beam, _bar(progress, told, stretches)))
    if prompt:
        words = load().biasing(HOME[language])[language]
        rows.append(row("Callwarden, prompted", 5, words))
    return rows


def _bar(progress: Progress, told: str, stretches: Sequence[Stretch]) -> Callable[[], None]:
    bar = progress.add_task(told, total=len(stretches))
    return lambda: progress.advance(bar)


async def _silence(minutes: float, language: Language) -> dict[str, SilenceFigures]:
    engine = await asyncio.to_thread(load_engine, arguments.settings())
    found: dict[str, SilenceFigures] = {}
    with _progress("s") as progress:
        limits = without_deadlines("full", "greedy")
        async with BatchRecogniser(engine, limits=limits) as recogniser:
            for name, make in SOUNDS.items():
                bar = progress.add_task(name, total=60 * minutes)
                sound = await asyncio.to_thread(make, 60 * minutes)
                found[name] = await listen(
                    sound, recogniser, language, name, lambda at, bar=bar: progress.update(bar, completed=at)
                )
                progress.update(bar, completed=60 * minutes)
    return found


def _progress(unit: str) -> Progress:
    counted = TextColumn("{task.completed:.0f} of {task.total:.0f} " + unit)
    return Progress(TextColumn("{task.description}"), BarColumn(), counted, console=err, transient=True)


def _asr_table(rows: Sequence[dict[str, Any]], language: Language) -> Table:
    rate = "WER %" if traits_of(language).spaced else "CER %"
    table = Table("", "beam", rate, "sub/del/ins", "× real time", "ratio", "points", "CPU s", "again", "refused")
    for row in rows:
        edits = row["edits"]
        told = [row["name"], row["beam"], row["error_rate_percent"]]
        told.append(f"{edits['substituted']}/{edits['deleted']}/{edits['inserted']}")
        told += [row["times_real_time"], row.get("speed_ratio", ""), row.get("error_points", ""), row["cpu_seconds"]]
        told += [f"{row['redecoded']} ({row['redecoded_percent']} %)" if "redecoded" in row else ""]
        table.add_row(*map(str, [*told, row.get("refused", "")]))
    return table


def _silence_table(found: dict[str, SilenceFigures]) -> Table:
    table = Table("", "minutes", "cut", "refused", "filtered", "characters", "CPU s a minute")
    for name, each in found.items():
        told = (each.minutes, each.cut, each.refused, each.filtered, each.characters, each.cpu_seconds_per_minute)
        table.add_row(name, *map(str, told))
    return table


def _silence_figures(found: dict[str, SilenceFigures]) -> dict[str, Any]:
    return {
        name: {
            "minutes": each.minutes,
            "cut": each.cut,
            "refused": each.refused,
            "filtered": each.filtered,
            "characters": each.characters,
            "cpu_seconds_per_minute": each.cpu_seconds_per_minute,
        }
        for name, each in found.items()
    }
