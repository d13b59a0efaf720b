"""The service is killed, or told to stop, under live calls: their gateways come back, and nothing was lost."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets import WebSocketException
from websockets.asyncio.client import ClientConnection, connect

from asr.audio.pcm import encode
from service.audio_files.call import read_call_audio
from service.samples import SampleCall, sample_calls
from tests.e2e.conftest import Running

pytestmark = [pytest.mark.model, pytest.mark.timeout(240)]

CALLS = ("zh-compliant-hardship",)
"""One call is taken on a machine of any speed."""
STOPPED_AT = 14.0
GOES_ON = 12.0
"""Seconds for which a call goes on after its gateway is back, or before the stop."""


class StreamingGateway:
    """Streams a call in real time, also while it has no connection, and connects again whenever it can."""

    def __init__(self, sample: SampleCall) -> None:
        audio = read_call_audio(sample.audio)
        self.sample = sample
        self.answers: list[dict[str, Any]] = []
        self._pcm, self._rate = audio.pcm, audio.rate
        self._begun = time.monotonic()
        self.service: Running | None = None
        self.connected = self.said = 0.0

    @property
    def lasted(self) -> float:
        """Seconds since the call began."""
        return time.monotonic() - self._begun

    async def play(self) -> None:
        while True:
            try:
                assert self.service is not None
                headers = {"Authorization": f"Bearer {self.service.key}"}
                async with connect(self.service.gateway, additional_headers=headers, proxy=None) as socket:
                    await self._stream(socket)
                    return
            except (OSError, WebSocketException):
                await asyncio.sleep(0.5)

    async def _stream(self, socket: ClientConnection) -> None:
        await socket.send(json.dumps(self._start()))
        self.answers.append(json.loads(await socket.recv()))
        self.connected = self.connected or self.lasted
        sent = int(self.lasted * self._rate)  # what was said without a connection is gone
        until = max(STOPPED_AT, self.lasted) + GOES_ON
        while sent < until * self._rate:
            await asyncio.sleep(0.02)
            due = int(self.lasted * self._rate)
            await socket.send(encode(self._pcm[sent:due].reshape(-1), "pcm_s16le"))
            sent = due
        self.said = self.lasted
        await socket.send(json.dumps({"type": "stop"}))
        self.answers += [json.loads(message) async for message in socket]

    def _start(self) -> dict[str, Any]:
        return {
            "type": "start",
            "call_id": self.sample.id,
            "legs": [{"role": "agent"}, {"role": "customer"}],
            "encoding": "pcm_s16le",
            "rate": self._rate,
            "language": self.sample.lang,
            "jurisdiction": self.sample.jurisdiction,
            "started_at": "2026-03-02T10:15:00+08:00" if self.sample.jurisdiction == "CN" else "2026-03-02T10:15-05:00",
        }


def facts(data_dir: Path, call_id: str) -> Iterator[dict[str, Any]]:
    """The call's log, read from the file."""
    with sqlite3.connect(data_dir / "callwarden.db") as database:
        for (payload,) in database.execute("select payload from events where call_id = ? order by seq", (call_id,)):
            yield json.loads(payload)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_after_a_kill_or_a_stop_the_calls_go_on_and_nothing_that_was_said_is_lost(
    start: Callable[..., Running], how: signal.Signals
) -> None:
    service = await asyncio.to_thread(start)
    gateways = [StreamingGateway(sample) for sample in sample_calls() if sample.id in CALLS]
    for gateway in gateways:
        gateway.service = service
    playing = asyncio.gather(*(gateway.play() for gateway in gateways))
    await asyncio.sleep(STOPPED_AT)
    service.process.send_signal(how)
    ended = await asyncio.to_thread(service.process.wait, 10)
    assert ended == (0 if how is signal.SIGTERM else -how), "aborted with a batch in work"
    following = await asyncio.to_thread(start, service.data_dir)
    for gateway in gateways:
        gateway.service = following
    await playing

    for gateway in gateways:
        told = [*facts(service.data_dir, gateway.sample.id)]
        assert [answer["resumed"] for answer in gateway.answers if answer["type"] == "ready"] == [False, True]
        assert {answer["call_id"] for answer in gateway.answers if "call_id" in answer} == {gateway.sample.id}
        assert [fact["cause"] for fact in told if fact["type"] == "call_resumed"] == ["restarted"]
        assert unread(gateway.sample, told) == []
        assert [fact["alert"]["rule"] for fact in told if fact["type"] == "alert" if not in_words(fact["alert"])] == []
        assert told[-1]["ending"] == "completed"
        assert told[-1]["duration"] == pytest.approx(gateway.said - gateway.connected, abs=5)


def unread(sample: SampleCall, told: list[dict[str, Any]]) -> list[str]:
    """Turns that were over before the stop, of which less than half has a text."""
    spoken = [fact["utterance"] for fact in told if fact["type"] == "utterance"]
    missing: list[str] = []
    for turn in sample.turns:
        read = sum(
            max(0.0, min(turn.end, said["end"]) - max(turn.start, said["start"]))
            for said in spoken
            if said["role"] == turn.speaker
        )
        if turn.end < STOPPED_AT - 0.5 and read < (turn.end - turn.start) / 2:
            missing.append(turn.text)
    return missing


def in_words(alert: dict[str, Any]) -> bool:
    """Whether the alert is of something said, not of something that was not said or not said before."""
    return alert["kind"] != "duty_missing" and not alert["rule"].startswith("sequence.")
