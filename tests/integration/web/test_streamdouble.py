"""Twilio Media Streams as an independent client speaks it: both tracks, lost packets, jitter."""

from __future__ import annotations

import asyncio
import sys
import wave
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from service.ingest.events import AudioArrived
from tests.fakes.call_registry import FakeCallConnection
from tests.integration.web.conftest import House

SECONDS = 2
MOST = SECONDS * 50
"""Frames of 20 ms on one track."""


def _quiet_wav(path: Path) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * 8000 * SECONDS))
    return path


@pytest.fixture
def tracks(tmp_path: Path) -> list[str]:
    caller, agent = _quiet_wav(tmp_path / "caller.wav"), _quiet_wav(tmp_path / "agent.wav")
    return ["--audio", str(caller), "--agent-audio", str(agent), "--fork", "--track", "both", "--strict-fork"]


async def _call(house: House, options: Sequence[str]) -> FakeCallConnection:
    url = f"{house.ws}/v1/twilio/{await house.key()}"
    command = [sys.executable, "-m", "streamdouble.cli", "call", url, *options]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    connection = house.calls.connections.get_nowait()
    await connection.was_stopped.wait()
    return connection


def _times(connection: FakeCallConnection, role: str) -> list[float]:
    return [event.at or 0.0 for event in connection.fed if isinstance(event, AudioArrived) and event.role == role]


async def test_both_tracks_arrive_whole_and_apart(house: House, tracks: list[str]) -> None:
    connection = await _call(house, [*tracks, "--param", "agent=A7"])
    assert len(_times(connection, "customer")) == len(_times(connection, "agent")) == MOST
    assert house.calls.announced[0].agent == "A7"


async def test_lost_packets_show_as_jumps_in_time_and_nothing_is_sent_back(house: House, tracks: list[str]) -> None:
    options = [*tracks, "--packet-loss", "0.1", "--jitter", "40", "--chaos-seed", "7"]
    connection = await _call(house, options)
    heard = _times(connection, "customer")
    assert 0 < len(heard) < MOST
    steps = {round((later - earlier) / 0.02) for earlier, later in pairwise(heard)}
    assert steps > {1}
