"""`callwarden import`: recordings of calls that are over, into the store of the live ones."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from datetime import tzinfo
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from asr.endpointing.vad import SecondOpinion
from asr.engines.port import Engine, RecognitionError
from asr.recognition.recogniser import BatchRecogniser
from asr.types import Role, Seconds
from detectors.contract import DetectorError
from detectors.evaluation.batch import BadInput
from detectors.runtime.registry import Registry
from detectors.timezones.zones import NoZone, load_zones, read_zone
from models import ModelError
from service.app import load_engine, load_registry, wall
from service.cli import arguments
from service.cli.arguments import DataDir
from service.cli.terminal import err, fail, fail_all, leave, out, warn
from service.cli.text_input import text_of
from service.importing.files import FoundFile, found_files
from service.importing.importer import FileOutcome, Importer
from service.importing.listing import Defaults, Listing, NamePattern, RecordedCall, listed, named
from service.importing.playing import NOBODY_WAITS
from service.logs import configure_logging
from service.private_files import installation_id, prepare_folder
from service.recordings.folder import RecordingFolder
from service.recordings.recorder import RecordingThread
from service.settings import Settings
from service.sole_user import sole_user
from service.storage.port import StorageError
from service.storage.sql import SqlStore
from service.unusable import Unusable

_ON_A_GPU = 4
_WORKERS_A_FILE = 8
"""The speech that one file has waiting keeps so many workers busy."""
_INTERRUPTED = 130


def import_files(
    paths: Annotated[list[Path], typer.Argument(help="Recordings, and folders of them: WAV, FLAC, MP3, Ogg.")],
    calls: Annotated[Path | None, typer.Option(help="CSV that tells of each file; its columns: see the docs.")] = None,
    pattern: Annotated[str | None, typer.Option(help="What names tell: '{agent}_{customer}_{started_at}'.")] = None,
    times_in: Annotated[str, typer.Option(help="Time zone of starts that have no offset, such as +08:00.")] = "",
    left: Annotated[Role, typer.Option(help="Who is on the left of two channels.")] = "agent",
    party: Annotated[Role | None, typer.Option(help="Whose words files of one channel hold.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Take recorded calls through recognition and rules into the store, as fast as the machine can. What the store has
    is skipped, so a run that was stopped is gone on with by the same command."""
    settings = arguments.settings(data_dir=data_dir)
    configure_logging(settings)
    files, others = found_files(paths)
    if not files:
        fail(f"there are no recordings in {', '.join(map(str, paths))}")
    listing = _listing(files, calls, pattern, Defaults(left=left, party=party, clock=_clock(times_in)))
    if others:
        warn(f"{others} other files lie in the folders; by their endings they are no recordings")
    with _progress() as progress:
        board = _Board(progress, len(files))
        for file, reason in listing.refused:
            board.refused(file, reason)
        stopped = _run(settings, listing, board)
    _sum_up(board, stopped)


def _listing(files: list[FoundFile], calls: Path | None, pattern: str | None, defaults: Defaults) -> Listing:
    if calls is None:
        try:
            return named(files, None if pattern is None else NamePattern(pattern), defaults)
        except ValueError as problem:
            fail_all([f"--pattern {problem}"])
    if pattern is not None:
        fail_all(["--pattern and --calls both tell of the files: give one of them"])
    try:
        with calls.open("rb") as file:
            listing = listed(text_of(file), files, defaults)
    except (OSError, BadInput) as problem:
        fail_all([f"--calls {calls}: {problem}"])
    if listing.problems:
        fail_all([f"{calls}: {problem}" for problem in listing.problems])
    return listing


def _clock(text: str) -> tzinfo | None:
    zone = read_zone(text) if text.strip() else None
    if zone is None and text.strip():
        fail_all([f"--times-in {NoZone(text)}"])
    return None if zone is None else zone.clock


class _Board:
    """The progress bars, and how many files were taken, skipped or refused."""

    def __init__(self, progress: Progress, files: int) -> None:
        self._progress = progress
        self._files = files
        self._whole = progress.add_task("", total=files)
        self._bars: dict[str, TaskID] = {}
        self.counts = Counter[str]()
        self.undated = 0
        self._show()

    def begun(self, call: RecordedCall, seconds: Seconds | None) -> None:
        self._bars[call.announced.call_id] = self._progress.add_task(escape(call.file.name), total=seconds)

    def progressed(self, call: RecordedCall, at: Seconds) -> None:
        self._progress.update(self._bars[call.announced.call_id], completed=at)

    def ended(self, call: RecordedCall, outcome: FileOutcome) -> None:
        if (bar := self._bars.pop(call.announced.call_id, None)) is not None:
            self._progress.remove_task(bar)
        if outcome.kind == "refused":
            self.refused(call.file, outcome.reason)
            return
        self.undated += outcome.kind == "taken" and call.announced.started_at is None
        self._count(outcome.kind)

    def refused(self, file: FoundFile, reason: str) -> None:
        err.print(f"[red]refused:[/red] {escape(f'{file.path}: {reason}')}")
        self._count("refused")

    def _count(self, kind: str) -> None:
        self.counts[kind] += 1
        self._show()

    def _show(self) -> None:
        done = self.counts.total()
        self._progress.update(self._whole, completed=done, description=f"{done} of {self._files} files")


def _progress() -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=err, transient=True)


def _run(settings: Settings, listing: Listing, board: _Board) -> bool:
    """Whether it was stopped before its end."""
    try:
        for sentence in prepare_folder(settings.data_dir, with_store=not settings.database_url):
            warn(sentence)
        with sole_user(settings.data_dir, within=0.0):
            registry, engine = load_registry(settings), load_engine(settings)
            load_zones()
            if registry.encoder is None:
                warn(f"patterns and duties judge alone: {registry.encoder_problem}")
            asyncio.run(_import(settings, listing, board, registry, engine))
    except KeyboardInterrupt:
        return True
    except (DetectorError, ModelError, RecognitionError, StorageError, Unusable, OSError) as problem:
        fail(str(problem))
    return False


async def _import(settings: Settings, listing: Listing, board: _Board, registry: Registry, engine: Engine) -> None:
    store = SqlStore(settings.store_url, await asyncio.to_thread(installation_id, settings.data_dir))
    recordings, aside = RecordingFolder(settings.recordings_dir), RecordingFolder(settings.recordings_dir / "importing")
    async with AsyncExitStack() as stack:
        await store.open()
        stack.push_async_callback(store.close)
        for folder in (recordings, aside):
            await asyncio.to_thread(folder.begin)
        await asyncio.to_thread(aside.clear)  # what a run that was killed had begun
        recogniser = BatchRecogniser(
            engine,
            second_opinion=SecondOpinion().is_speech,
            limits=NOBODY_WAITS,
            new_engine=lambda: load_engine(settings),
        )
        importer = Importer(
            settings=settings,
            store=store,
            registry=registry,
            recogniser=await stack.enter_async_context(recogniser),
            recordings=recordings,
            aside=aside,
            recorder=await stack.enter_async_context(RecordingThread(aside)),
            wall=wall,
        )
        at_once = _ON_A_GPU if settings.device == "cuda" else 1 + engine.workers // _WORKERS_A_FILE
        await importer.take_all(listing.calls, at_once, board)


def _sum_up(board: _Board, stopped: bool) -> None:
    counts = board.counts
    if board.undated:
        warn(
            f"nothing told when {board.undated} of the calls began: they are dated by their files, and permitted hours"
            " are judged by that"
        )
    out.print(f"{counts['taken']} taken, {counts['skipped']} stored before, {counts['refused']} refused")
    if stopped:
        err.print("Stopped. The same command goes on from here.")
        leave(_INTERRUPTED)
    if counts["refused"]:
        raise typer.Exit(1)
