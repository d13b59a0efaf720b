"""`callwarden transcribe`: a recorded call through the same stages, without a server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from asr.audio import encode
from asr.engine import Engine, RecognitionError
from asr.scheduler import Scheduler
from asr.types import ROLES, CallLanguage, Role, Seconds
from asr.vad import SecondOpinion
from detectors.runner import DetectorRunner
from models import ModelError
from service.app import load_engine, wall
from service.calls.session import CallSession, Parts
from service.cli.stream import progress_bar, show
from service.cli.terminal import err, fail
from service.client import AudioUnusable, CallAudio, read_call_audio
from service.facts import Call, Fact, UtteranceHeard
from service.gateway.events import AudioArrived
from service.live.schema import Levels, Partial
from service.metrics import Metrics
from service.settings import Settings
from service.storage.port import LoggedFact

AHEAD: Seconds = 60.0
"""Speech that may wait for its text while the file is read on: enough for full batches."""
PACKET: Seconds = 0.2
UNBOUNDED_PACE = 1e9


def transcribe(
    audio: Annotated[Path, typer.Argument(help="Stereo WAV or FLAC at 8 or 16 kHz: left agent, right customer.")],
    language: Annotated[CallLanguage, typer.Option(help="Spoken language.")] = "zh",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line per utterance.")] = False,
) -> None:
    """Cut a call into utterances and write down what was said, as the service would."""
    settings = Settings()
    try:
        call_audio = read_call_audio(audio)
        with err.status("Loading the model…"):
            engine = load_engine(settings)
    except (AudioUnusable, ModelError, RecognitionError) as problem:
        fail(str(problem))
    asyncio.run(_transcribe(call_audio, language, engine, _Printer(as_json)))


class _Printer:
    """A journal that prints what it is told."""

    failing = False

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json

    async def write(self, call_id: str, facts: Sequence[Fact], at: datetime) -> None:
        for fact in facts:
            if not self._as_json:
                show(fact)
            elif isinstance(fact, UtteranceHeard):
                said = fact.utterance
                line = {"speaker": said.role, "start": said.start, "end": said.end, "text": said.text}
                print(json.dumps(line, ensure_ascii=False), flush=True)

    def show_levels(self, levels: Levels) -> None:
        return

    def show_partial(self, partial: Partial) -> None:
        return

    def follow(self, call_id: str) -> AsyncIterator[LoggedFact]:
        raise NotImplementedError("nobody follows a file")

    def finished(self, call_id: str) -> None:
        return


class _NoRecording:
    """The file is the recording."""

    failing = False

    def write(self, role: Role, start: int, pcm: NDArray[np.int16]) -> None:
        return

    async def close(self) -> None:
        return


async def _transcribe(audio: CallAudio, language: CallLanguage, engine: Engine, printer: _Printer) -> None:
    call = Call(
        id="file",
        source="file",
        roles=ROLES,
        encoding="pcm_s16le",
        rate=audio.rate,
        language=language,
        jurisdiction="CN",
        started_at=wall(),
    )
    async with Scheduler(engine, second_opinion=SecondOpinion().is_speech) as scheduler, asyncio.TaskGroup() as tasks:
        parts = Parts(
            journal=printer,
            recogniser=scheduler,
            judge=DetectorRunner([], timeout_s=1.0),
            recorder=_NoRecording(),
            metrics=Metrics(),
            monotonic=time.monotonic,
            wall=wall,
            max_pace=UNBOUNDED_PACE,
            partials=False,
        )
        session = CallSession(call, parts)
        tasks.create_task(session.run())
        await _play(audio, session)
        session.finish("completed")


async def _play(audio: CallAudio, session: CallSession) -> None:
    packet = round(audio.rate * PACKET)
    with progress_bar() as progress:
        bar = progress.add_task("Transcribing", total=audio.seconds)
        for first in range(0, len(audio.pcm), packet):
            session.feed(AudioArrived(payload=encode(audio.pcm[first : first + packet].reshape(-1), "pcm_s16le")))
            progress.update(bar, completed=session.reached)
            await session.settle(AHEAD)
    await session.settle(0)
