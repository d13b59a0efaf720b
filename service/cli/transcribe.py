"""`callwarden transcribe`: a recorded call through the same stages, without a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from asr.engines.port import Engine, RecognitionError
from asr.recognition.recogniser import BatchRecogniser
from asr.types import ROLES, CallLanguage, Role
from detectors.runtime.runner import ThreadedDetectorRunner
from models import ModelError
from service.app import load_engine, wall
from service.audio_files.call import CallFile
from service.audio_files.reader import AudioUnusable
from service.calls.session import CallSession
from service.calls.session_parts import SessionParts
from service.cli import arguments
from service.cli.stream import progress_bar, show
from service.cli.terminal import err, fail, warn
from service.importing.playing import NOBODY_WAITS, UNBOUNDED_PACE, FileClock, Unwatched, played
from service.metrics import Metrics
from service.record.facts import Call, Fact, GapMarked, UtteranceHeard
from service.recordings.recordings import Unrecorded


def transcribe(
    audio: Annotated[Path, typer.Argument(help="WAV or FLAC: left agent, right customer; or one channel.")],
    language: Annotated[CallLanguage, typer.Option(help="Spoken language.")] = "zh",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line per utterance.")] = False,
) -> None:
    """Cut a call into utterances and write down what was said, as the service would."""
    settings = arguments.settings()
    try:
        with CallFile(audio, mono=True) as call:
            with err.status("Loading the model…"):
                engine = load_engine(settings)
            printer = Printer(as_json, told_apart=call.channels > 1)
            asyncio.run(_transcribe(call, language, engine, printer))
            _remark(audio, call, printer)
    except (AudioUnusable, ModelError, RecognitionError) as problem:
        fail(str(problem))


def _remark(path: Path, call: CallFile, printer: Printer) -> None:
    """Remarks for the reader of the text, if there are any."""
    if call.channels == 1:
        warn(f"{path}: has one channel, in which nobody can tell who speaks; the text names no speaker")
    if call.shortfall:
        warn(call.shortfall)
    if printer.unrecognised:
        fail(f"{path}: {printer.unrecognised} stretches of speech could not be recognised; their text is missing")
    if not printer.printed:
        warn(f"{path}: nobody was heard to speak in it")


class Printer:
    """A journal that prints what it is told; `told_apart` tells whether each party has its own channel."""

    failing = False

    def __init__(self, as_json: bool, *, told_apart: bool) -> None:
        self._as_json = as_json
        self._told_apart = told_apart
        self.printed = self.unrecognised = 0

    async def write(self, call_id: str, facts: Sequence[Fact], at: datetime) -> None:
        """Prints utterances, as text or as JSON, and counts them."""
        for fact in facts:
            self.printed += isinstance(fact, UtteranceHeard)
            self.unrecognised += isinstance(fact, GapMarked) and fact.reason == "unrecognised"
            if not self._as_json:
                show(fact, told_apart=self._told_apart)
            elif isinstance(fact, UtteranceHeard):
                said = fact.utterance
                speaker = said.role if self._told_apart else None
                line = {"speaker": speaker, "start": said.start, "end": said.end, "text": said.text}
                print(json.dumps(line, ensure_ascii=False), flush=True)

    def finished(self, call_id: str) -> None:
        return


class NoRecording:
    """The file is the recording."""

    failing = False
    paused = False

    def take_unrecorded(self) -> Sequence[Unrecorded]:
        return ()

    def write(self, role: Role, start: int, pcm: NDArray[np.int16]) -> None:
        return

    async def close(self) -> None:
        return


async def _transcribe(audio: CallFile, language: CallLanguage, engine: Engine, printer: Printer) -> None:
    call = Call(
        id="file",
        source="file",
        roles=ROLES[: audio.channels],
        encoding="pcm_s16le",
        rate=audio.rate,
        language=language,
        jurisdiction="CN",
        started_at=wall(),
    )
    recogniser = BatchRecogniser(engine, limits=NOBODY_WAITS)
    async with recogniser, asyncio.TaskGroup() as tasks:
        parts = SessionParts(
            journal=printer,
            display=Unwatched(),
            recogniser=recogniser,
            detectors=ThreadedDetectorRunner([], timeout_s=1.0),
            recorder=NoRecording(),
            metrics=Metrics(),
            monotonic=(clock := FileClock()).monotonic,
            wall=wall,
            max_pace=UNBOUNDED_PACE,
            partials=False,
        )
        session = CallSession(call, parts)
        tasks.create_task(session.run())
        await _play(audio, session, clock)
        session.finish("completed")


async def _play(audio: CallFile, session: CallSession, clock: FileClock) -> None:
    with progress_bar() as progress:
        bar = progress.add_task("Transcribing", total=audio.seconds)
        async for at in played(audio, session, clock):
            progress.update(bar, completed=at)
