"""`callwarden bench live`: many calls at once through the real gateway."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from asr.types import Language, Seconds
from service.audio_files.call import read_call_audio
from service.audio_files.reader import AudioUnusable
from service.bench.call_layout import BenchCall, laid_out, looped
from service.bench.channel import telephone
from service.bench.clips import ClipsUnusable, read_clips
from service.bench.live import LivePlan, LiveRun, play
from service.bench.report import write_report
from service.bench.service_process import ServiceUnusable, service_under_test
from service.bench.statistics import spread
from service.bench.steal import Steal
from service.cli.terminal import err, fail, out
from service.samples import sample_calls

_NO_LIMIT = "1000"
"""Calls the service under test takes by number: what it can carry is what is measured."""


def live(
    calls: Annotated[int, typer.Option(min=1, max=500, help="Two-party calls at once.")] = 4,
    seconds: Annotated[float, typer.Option(min=5, max=36_000, help="Length of each call's audio.")] = 60.0,
    audio: Annotated[
        Path | None,
        typer.Option(help="Folder of recorded utterances with manifest.jsonl; the sample calls if not given."),
    ] = None,
    language: Annotated[Language, typer.Option(help="Spoken language.")] = "zh",
    pace: Annotated[float, typer.Option(min=1, max=10, help="Times real time, to soak.")] = 1.0,
    steal: Annotated[int, typer.Option(min=0, max=256, help="Cores that other programs take in mid-run.")] = 0,
    steal_from: Annotated[float, typer.Option(min=0, help="Seconds into the run until they begin.")] = 40.0,
    steal_for: Annotated[float, typer.Option(min=1, help="Seconds they last.")] = 30.0,
    report: Annotated[Path | None, typer.Option(help="Write a JSON report there.")] = None,
) -> None:
    """Play many calls at once into a service of its own, and tell how late text and alerts come and what is lost.

    Times count from the moment the packet with an utterance's last sample was sent to the arrival of its text, or of an
    alert about it (below 0: before its speaker had ended); an utterance ends at most 0.2 s after its last voiced sound.
    With --steal other programs take cores for a while, and each step is told: before, during, after.
    """
    try:
        taken = Steal(cores=steal, begin=steal_from, seconds=steal_for) if steal else None
        plan = LivePlan(calls=_calls(calls, seconds, audio, language), language=language, pace=pace, steal=taken)
        first, last = plan.together
        if first >= last:
            fail(f"{calls} calls are all up after {first:.0f} s of audio only; give --seconds {first + 60:.0f} or more")
        figures = asyncio.run(_live(plan))
        if report is not None:
            asked: dict[str, Any] = {"calls": calls, "seconds": seconds, "language": language, "pace": pace}
            if taken is not None:
                asked |= {"steal": steal, "steal_from": steal_from, "steal_for": steal_for}
            write_report(report, "bench live", asked | {"audio": "given" if audio else "sample calls"}, figures)
    except (AudioUnusable, ClipsUnusable, ServiceUnusable, OSError) as problem:
        fail(str(problem))
    except KeyboardInterrupt:
        fail("stopped; the service under test has been ended", code=130)
    out.print(_table(figures))


def _calls(count: int, seconds: Seconds, folder: Path | None, language: Language) -> list[BenchCall]:
    if folder is None:
        samples = [read_call_audio(sample.audio) for sample in sample_calls() if sample.lang == language]
        return [looped(samples[n % len(samples)], seconds, offset=7.3 * n) for n in range(count)]
    clips = [(telephone(clip.pcm, clip.rate), clip.text) for clip in read_clips(folder, language)]
    return [laid_out(clips, seconds, seed) for seed in range(count)]


async def _live(plan: LivePlan) -> dict[str, Any]:
    settings = {"CALLWARDEN_MAX_CALLS": _NO_LIMIT, "CALLWARDEN_MAX_PACE": str(2 * plan.pace)}
    run = LiveRun()
    total = plan.ramp + plan.seconds / plan.pace
    with _progress() as progress:
        bar = progress.add_task("starting the service", total=total)
        async with service_under_test(settings) as service:
            begun = time.monotonic()

            def shown() -> None:
                progress.update(bar, completed=min(total, time.monotonic() - begun), description=_so_far(run))

            return await play(plan, service, run, shown)


def _so_far(run: LiveRun) -> str:
    late = spread(run.finals)
    p95 = "–" if late.p95 is None else f"{late.p95:.2f} s"
    backlog = run.samples[-1][1].values["callwarden_backlog_seconds"]
    return f"{run.up} calls up, {len(run.refusals)} refused, {late.count} texts, p95 {p95}, {backlog:.1f} s wait"


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.completed:.0f} of {task.total:.0f} s"),
        console=err,
        transient=True,
    )


def _table(figures: dict[str, Any]) -> Table:
    table = Table(show_header=False)
    for name, told in figures.items():
        table.add_row(name.replace("_", " "), _told(told))
    return table


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_told(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "–" if value is None else str(value)
