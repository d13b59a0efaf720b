"""What a leg costs from the socket to the segmenter: python benchmarks/legs.py [--calls 16] [--seconds 30] [-o REPORT]

Calls of two legs are played in real time into a service of its own whose engine answers at once that nothing was said.
So all that is left is what every leg costs: the socket, the parser, the timeline, the recording, what echo is taken
out, voice activity, segmenter and store. Told is how many legs one core would carry, by the process's own time, so that
other programs do not matter; what the service needs without a call is taken off. In a call one party idles while the
other talks; `silent` is a line on which nobody does, with a telephone's noise.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

import service.app
from asr.engines.port import Speech
from asr.types import Transcript
from service.audio_files.call import CallAudio, read_call_audio
from service.bench.report import write_report
from service.bench.service_process import RunningService, service_under_test
from service.calls.admission import Admission
from service.cli import app
from service.ingest.dialects.specs import DIALECTS
from service.samples import sample_calls
from service.settings import Settings
from service.simulation.connection import Listener
from service.simulation.gateway_client import SimulatedCall
from service.simulation.player import Quirks, play
from service.simulation.vendors import VENDORS

PLAYED: Final = (("twilio", "talking"), ("twilio", "silent"), ("audiohook", "talking"), ("mod_audio_fork", "talking"))
"""JSON of 20 ms of one leg, JSON and 200 ms of both, plain PCM and 20 ms of both."""
SETTLED: Final = 6.0
"""Seconds after which a stream that has stopped is a call that is over."""
DEAF: Final = Listener(received=lambda _: None, sent=lambda _: None, closed=lambda _: None)


def sound(kind: str, seconds: float) -> list[CallAudio]:
    """The Mandarin sample calls, or the noise of a line."""
    calls = [read_call_audio(call.audio) for call in sample_calls() if call.lang == "zh"]
    cut = [CallAudio(pcm=call.pcm[: round(seconds * call.rate)], rate=call.rate) for call in calls]
    if kind == "talking":
        return cut
    noise = np.random.default_rng(1).normal(0.0, 12.0, cut[0].pcm.shape).astype(np.int16)
    return [CallAudio(pcm=noise, rate=cut[0].rate)]


async def spent(service: RunningService) -> float:
    """Seconds of its processor time so far."""
    return (await service.sample()).values["process_cpu_seconds_total"]


async def one(service: RunningService, dialect: str, audio: CallAudio, number: int) -> None:
    await asyncio.sleep(number * 0.037)  # their packets must not come in step
    vendor, path = VENDORS[dialect], DIALECTS[dialect].path
    call = SimulatedCall(
        url=f"ws://127.0.0.1:{service.port}{path}",
        key=service.key,
        rate=audio.rate,
        unique=secrets.token_hex(16),
        begun=time.time(),
    )
    await play(audio, vendor, call, Quirks(), 1.0, DEAF)


async def without_calls(service: RunningService) -> float:
    """How much of a core the service takes then."""
    begun, before = time.monotonic(), await spent(service)
    await asyncio.sleep(SETTLED)
    return (await spent(service) - before) / (time.monotonic() - begun)


async def figures(
    service: RunningService, dialect: str, kind: str, calls: int, seconds: float, idle: float
) -> dict[str, float]:
    """`idle`: what the service takes without a call."""
    audio = sound(kind, seconds)
    begun, before = time.monotonic(), await spent(service)
    await asyncio.gather(*(one(service, dialect, audio[n % len(audio)], n) for n in range(calls)))
    await asyncio.sleep(SETTLED)  # until the calls are over, too
    used = await spent(service) - before - idle * (time.monotonic() - begun)
    lasted = 2 * calls * seconds
    return {"core_ms_a_second_of_leg": round(1000 * used / lasted, 2), "legs_a_core": round(lasted / used)}


async def measured(calls: int, seconds: float) -> dict[str, Any]:
    settings = {"CALLWARDEN_MAX_CALLS": "1000", "CALLWARDEN_LOG_LEVEL": "error"}
    async with service_under_test(settings, program=(__file__,)) as service:
        await asyncio.sleep(SETTLED)
        idle = await without_calls(service)
        return {
            f"{dialect}, {kind}": await figures(service, dialect, kind, calls, seconds, idle)
            for dialect, kind in PLAYED
        }


class RecognisesNothing:
    """An engine that costs nothing."""

    name = "none"
    workers = 1

    def transcribe(self, batch: Sequence[Speech]) -> list[Transcript]:
        return [
            Transcript(text="", language="zh", avg_logprob=0.0, no_speech_prob=1.0, compression_ratio=1.0, tokens=0)
            for _ in batch
        ]

    def close(self) -> None:
        return


def without_engine(_: Settings) -> RecognisesNothing:
    return RecognisesNothing()


def main(arguments: Sequence[str]) -> None:
    """Measure, and print or write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("-o", "--output", type=Path, help="write the report there as JSON")
    options = parser.parse_args(arguments)
    found = asyncio.run(measured(options.calls, options.seconds))
    if options.output:
        asked = {"calls": options.calls, "seconds": options.seconds}
        write_report(options.output, "benchmarks/legs.py", asked, found)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        service.app.load_engine = without_engine
        Admission.ask = lambda *_: None  # type: ignore[method-assign]
        app()
    else:
        main(sys.argv[1:])
