"""How soon AudioHook's `opened` and `pong` come while recognition has more to do than it can.

python benchmarks/audiohook_pings.py [--sessions 100] [--talking 100] [--seconds 60] [-o REPORT]

Sessions begin within a second, each with both parties in frames of 200 ms. So many of them play a sample call, the
others are silent. Each pings once a second, five times as often as Genesys does. Admission is off, for it would not let
as many talk. What is told counts from the moment when the message is handed to the socket.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import time
import uuid
from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from asr.audio.pcm import encode
from service.audio_files.call import read_call_audio
from service.bench.report import write_report
from service.bench.service_process import RunningService, Sample, service_under_test
from service.bench.statistics import spread
from service.calls.admission import Admission
from service.cli import app
from service.samples import sample_calls

RATE = 8000
FRAME = 0.2
PING_EVERY = 1.0
SAMPLED_EVERY = 2.0
OPENING = 5.0
"""Seconds in which all sessions are opened; pings of that time are told apart."""
MEDIA = {"type": "audio", "format": "PCMU", "channels": ["external", "internal"], "rate": RATE}


@dataclass(slots=True, kw_only=True)
class Told:
    """How late what was awaited came, in seconds; what was sent and never answered; what else came to an end."""

    begun: float = field(default_factory=time.monotonic)
    opened: list[float] = field(default_factory=list)
    pongs: list[float] = field(default_factory=list)
    early: list[float] = field(default_factory=list)
    unanswered: int = 0
    disconnected: int = 0

    def came(self, kind: str, sent_at: float) -> None:
        """What was awaited since then."""
        pongs = self.early if sent_at - self.begun < OPENING else self.pongs
        (self.opened if kind == "opened" else pongs).append(time.monotonic() - sent_at)


class Session:
    """One session of the client's side."""

    def __init__(self, socket: ClientConnection, name: str, told: Told) -> None:
        self.socket, self._id, self._told = socket, name, told
        self._seq = self._server_seq = 0
        self._waiting: dict[str, list[float]] = {"opened": [], "pong": []}
        self.opened = asyncio.Event()

    async def say(self, kind: str, answer: str = "", **parameters: object) -> None:
        self._seq += 1
        head = {"version": "2", "id": self._id, "type": kind, "seq": self._seq, "serverseq": self._server_seq}
        if answer:
            self._waiting[answer].append(time.monotonic())
        await self.socket.send(json.dumps({**head, "position": "PT0S", "parameters": parameters}))

    async def receive(self) -> None:
        """Until the connection is over."""
        with contextlib.suppress(OSError):
            async for text in self.socket:
                message = json.loads(text)
                self._server_seq = message["seq"]
                self._received(message["type"])
        self._told.unanswered += sum(map(len, self._waiting.values()))

    def _received(self, kind: str) -> None:
        if kind == "disconnect":
            self._told.disconnected += 1
        if waited := self._waiting.get(kind):
            sent_at = waited.pop(0)
            self._told.came(kind, sent_at)
        if kind == "opened":
            self.opened.set()


@contextlib.asynccontextmanager
async def session(service: RunningService, number: int, told: Told) -> AsyncGenerator[Session]:
    organization, name = str(uuid.uuid4()), str(uuid.uuid4())
    headers = {"X-API-KEY": service.key, "Audiohook-Organization-Id": organization, "Audiohook-Session-Id": name}
    url = f"ws://127.0.0.1:{service.port}/v1/audiohook"
    async with connect(url, additional_headers=headers, proxy=None, open_timeout=60) as socket:
        client = Session(socket, name, told)
        receiving = asyncio.create_task(client.receive())
        person = {"id": str(number), "ani": "", "aniName": "", "dnis": ""}
        spoken = {"organizationId": organization, "conversationId": str(uuid.uuid4()), "participant": person}
        await client.say("open", "opened", **spoken, media=[MEDIA])
        await client.opened.wait()
        yield client
    await receiving


async def play(service: RunningService, number: int, frames: Sequence[bytes], seconds: float, told: Told) -> None:
    await asyncio.sleep(number % 100 / 100)
    async with session(service, number, told) as client:
        begun = time.monotonic()
        ping_at = begun + number % 10 / 10
        for index in range(round(seconds / FRAME)):
            await asyncio.sleep(max(0.0, begun + index * FRAME - time.monotonic()))
            await client.socket.send(frames[(index + 37 * number) % len(frames)])
            if time.monotonic() >= ping_at:
                ping_at += PING_EVERY
                await client.say("ping", "pong")
        await asyncio.sleep(1.0)  # for the last pong


def spoken_frames() -> list[bytes]:
    """Of the first sample call in Mandarin."""
    audio = read_call_audio(next(call for call in sample_calls() if call.lang == "zh").audio)
    pcm = audio.pcm[:, ::-1]  # external, the customer, first
    size = round(FRAME * RATE)
    return [
        encode(np.ascontiguousarray(pcm[at : at + size]).reshape(-1), "mulaw") for at in range(0, len(pcm) - size, size)
    ]


async def measured(sessions: int, talking: int, seconds: float) -> dict[str, Any]:
    spoken, silent = spoken_frames(), [b"\xff" * round(2 * FRAME * RATE)]
    settings = {"CALLWARDEN_MAX_CALLS": "1000", "CALLWARDEN_LOG_LEVEL": "error"}
    async with service_under_test(settings, program=(__file__,)) as service:
        told, samples = Told(), list[Sample]()
        watching = asyncio.create_task(watch(service, samples))
        plays = [play(service, n, spoken if n < talking else silent, seconds, told) for n in range(sessions)]
        await asyncio.gather(*plays)
        watching.cancel()
    return figures(told, samples)


async def watch(service: RunningService, samples: list[Sample]) -> None:
    while True:
        samples.append(await service.sample())
        await asyncio.sleep(SAMPLED_EVERY)


def figures(told: Told, samples: Sequence[Sample]) -> dict[str, Any]:
    backlog = [sample.values["callwarden_backlog_seconds"] for sample in samples]
    cpu = [sample.values["process_cpu_seconds_total"] for sample in samples]
    return {
        "opened_s": asdict(spread(told.opened)),
        "pong_s": asdict(spread(told.pongs)),
        "pong_while_sessions_open_s": asdict(spread(told.early)),
        "unanswered": told.unanswered,
        "disconnected": told.disconnected,
        "live_most": max(sample.values["callwarden_calls_live"] for sample in samples),
        "backlog_most_s": round(max(backlog), 1),
        "service_cores": round((cpu[-1] - cpu[0]) / (SAMPLED_EVERY * (len(cpu) - 1)), 2),
    }


def main(arguments: Sequence[str]) -> None:
    """Measure, and print or write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--talking", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("-o", "--output", type=Path, help="write the report there as JSON")
    options = parser.parse_args(arguments)
    found = asyncio.run(measured(options.sessions, options.talking, options.seconds))
    if options.output:
        asked = {"sessions": options.sessions, "talking": options.talking, "seconds": options.seconds}
        write_report(options.output, "benchmarks/audiohook_pings.py", asked, found)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


def take_every_call() -> None:
    """The service of this process has no admission."""
    Admission.ask = lambda *_: None  # type: ignore[method-assign]


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        take_every_call()
        app()
    else:
        main(sys.argv[1:])
