"""How well and how fast speech is recognised, beside faster-whisper's `transcribe` on the same utterances."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.audio.pcm import SAMPLE_RATE, to_int16
from asr.engines.faster_whisper import FasterWhisper
from asr.engines.port import Biasing, Engine, Speech
from asr.engines.whisper.engine import WhisperEngine
from asr.recognition.queue import without_deadlines
from asr.recognition.recogniser import BatchRecogniser, RecogniserCounts, RecognitionRequest
from asr.types import Language
from detectors.contract import Jurisdiction
from service.bench.error_rates import Edits, edits_over

HOME: Mapping[Language, Jurisdiction] = MappingProxyType({"zh": "CN", "en": "US"})
"""The jurisdiction by which a language is measured, which decides the prompt."""

_CALM = without_deadlines("full", "full")
_BUSY = without_deadlines("greedy", "greedy")
"""All utterances are there at once, so the recogniser is told how busy the floor is. On a busy one it decodes greedily,
on a calm one with a beam, and a doubtful text gets a cheaper or a dearer second look."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stretch:
    """One utterance as the recogniser gets it (16 kHz, in [-1, 1]), and what is said in it."""

    pcm: NDArray[np.float32]
    text: str

    @property
    def seconds(self) -> float:
        """The length of its audio."""
        return len(self.pcm) / SAMPLE_RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRun:
    """The texts of all utterances from one engine, how long they took, and the recogniser's counts if there is one."""

    name: str
    beam: int
    callwarden: bool
    recognised: tuple[str, ...]
    took: float
    cpu: float
    counts: RecogniserCounts | None = None


def recognise_with_callwarden(
    path: Path, stretches: Sequence[Stretch], language: Language, beam: int, biasing: Biasing, step: Step
) -> EngineRun:
    """Recognises with recogniser, second opinion, engine and hallucination filter, as the service joins them.
    Blocks."""
    engine = WhisperEngine(path, beam_size=beam)
    try:
        return asyncio.run(_ours(engine, stretches, language, beam, biasing, step))
    finally:
        engine.close()


async def _ours(
    engine: Engine, stretches: Sequence[Stretch], language: Language, beam: int, biasing: Biasing, step: Step
) -> EngineRun:
    async with BatchRecogniser(engine, limits=_BUSY if beam == 1 else _CALM) as recogniser:

        async def text_of(index: int) -> str:
            recognised = await recogniser.submit(_job(index, stretches[index], language, biasing))
            step()
            return recognised.text if recognised else ""

        await recogniser.submit(_job(len(stretches), stretches[0], language, biasing))
        warm = recogniser.counts
        begun, cpu = time.perf_counter(), _cpu()
        texts = await asyncio.gather(*map(text_of, range(len(stretches))))
        took, cpu = time.perf_counter() - begun, _cpu() - cpu
        grown = {name: value - getattr(warm, name) for name, value in asdict(recogniser.counts).items()}
    name = "Callwarden, prompted" if biasing.prompt else "Callwarden"
    counts = RecogniserCounts(**grown)
    return EngineRun(name=name, beam=beam, callwarden=True, recognised=tuple(texts), took=took, cpu=cpu, counts=counts)


def _job(index: int, stretch: Stretch, language: Language, biasing: Biasing) -> RecognitionRequest:
    speech = Speech(pcm=to_int16(stretch.pcm).tobytes(), language=language, biasing={language: biasing})
    return RecognitionRequest(call_id=str(index), role="agent", utterance=0, kind="final", speech=speech)


Step = Callable[[], None]
"""Called after each utterance."""


def recognise_with_faster_whisper(
    path: Path, stretches: Sequence[Stretch], language: Language, beam: int, step: Step
) -> EngineRun:
    """Recognises one utterance after the other, on all cores. Blocks."""
    model = FasterWhisper(path, compute_type="int8", cores=os.cpu_count() or 1)
    model.transcribe(stretches[0].pcm, language, beam)
    texts: list[str] = []
    begun, cpu = time.perf_counter(), _cpu()
    for stretch in stretches:
        texts.append(model.transcribe(stretch.pcm, language, beam))
        step()
    took = time.perf_counter() - begun
    name = "faster-whisper transcribe"
    return EngineRun(name=name, beam=beam, callwarden=False, recognised=tuple(texts), took=took, cpu=_cpu() - cpu)


def _cpu() -> float:
    used = os.times()
    return used.user + used.system


def figures(rows: Sequence[EngineRun], stretches: Sequence[Stretch], language: Language) -> list[dict[str, Any]]:
    """The figures of each run, beside the run of faster-whisper with the same beam."""
    yardsticks = {row.beam: row for row in rows if not row.callwarden}
    return [_row(row, yardsticks.get(row.beam), stretches, language) for row in rows]


def _row(row: EngineRun, beside: EngineRun | None, stretches: Sequence[Stretch], language: Language) -> dict[str, Any]:
    audio = sum(stretch.seconds for stretch in stretches)
    edits = _edits(row, stretches, language)
    told: dict[str, Any] = {
        "name": row.name,
        "beam": row.beam,
        "error_rate_percent": _percent(edits),
        "edits": asdict(edits),
        "times_real_time": round(audio / row.took, 2),
        "cpu_seconds": round(row.cpu, 2),
    }
    if row.counts is not None:
        finals = max(1, row.counts.finals)
        told["redecoded"] = row.counts.redecoded
        told["redecoded_percent"] = round(100 * row.counts.redecoded / finals, 2)
        told |= {"refused": row.counts.refused, "filtered": row.counts.filtered}
        if beside is not None:
            told["speed_ratio"] = round(beside.took / row.took, 2)
            told["error_points"] = round(_percent(edits) - _percent(_edits(beside, stretches, language)), 2)
    return told


def _edits(row: EngineRun, stretches: Sequence[Stretch], language: Language) -> Edits:
    return edits_over(
        ((stretch.text, recognised) for stretch, recognised in zip(stretches, row.recognised, strict=True)), language
    )


def _percent(edits: Edits) -> float:
    return round(100 * (edits.rate or 0.0), 2)
