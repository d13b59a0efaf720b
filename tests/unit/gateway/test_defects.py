"""A defect of this side, wherever it lies, is told to the gateway, which may go on with its call at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import pytest
from blockbuster import BlockBuster

from service.calls.audio_path import AudioPath
from service.calls.call_recognition import CallRecognition
from service.gateway import shell
from service.gateway.reservations import Reservations
from service.gateway.shell import GatewayParts, GatewayShell
from service.ingest.dialects.native import NativeDialect
from service.storage.sql import SqlStore
from tests.fakes.transport import FakeTransport
from tests.floor import KEY, Floor, a_trace

START = json.dumps(
    {"type": "start", "call_id": "c-1", "legs": ["agent", "customer"], "encoding": "mulaw", "rate": 8000}
)
STOP = json.dumps({"type": "stop"})
AUDIO = bytes(16_000)

Breaks: TypeAlias = Callable[[Floor, pytest.MonkeyPatch], None]


def defect(*_: object) -> NoReturn:
    raise LookupError("a defect")


async def defect_awaited(*_: object) -> NoReturn:
    raise LookupError("a defect")


BREAKS: dict[str, Breaks] = {
    "audio comes": lambda _, patch: patch.setattr(AudioPath, "take", defect),
    "the call ends": lambda _, patch: patch.setattr(AudioPath, "pause", defect),
    "a message is read": lambda _, patch: patch.setattr(NativeDialect, "binary", defect),
    "a message is written": lambda _, patch: patch.setattr(shell, "seen_by", defect),
    "the session is made": lambda floor, patch: patch.setattr(floor.calls, "_open_session", defect),
    "an id is looked for": lambda floor, patch: patch.setattr(floor.store, "next_call_id", defect_awaited),
    "a call is restored": lambda _, patch: patch.setattr(CallRecognition, "restore", defect),
}


async def served(floor: Floor, *messages: str | bytes) -> tuple[list[dict[str, Any]], list[int]]:
    """What the peer was told, and the code that it was closed with."""
    peer = FakeTransport()
    for message in messages:
        peer.come.put_nowait(message)
    parts = GatewayParts(calls=floor.calls, metrics=floor.metrics, reservations=Reservations())
    await GatewayShell(peer, parts, NativeDialect(), a_trace(), KEY).serve()
    return [json.loads(text) for text in peer.sent], peer.closes


@pytest.mark.parametrize("where", BREAKS)
async def test_a_defect_is_told_and_the_call_goes_on_when_it_is_announced_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocked_event_loop_fails: BlockBuster, where: str
) -> None:
    blocked_event_loop_fails.deactivate()  # a traceback in the log reads source files
    store = SqlStore(f"sqlite+aiosqlite:///{tmp_path / 'c.db'}")
    await store.open()
    floor = Floor(store)
    async with floor.journal, asyncio.timeout(30), floor.calls:
        if where == "a call is restored":
            await served(floor, START, AUDIO, STOP)
        with monkeypatch.context() as patch:
            BREAKS[where](floor, patch)
            told, closes = await served(floor, START, AUDIO, STOP)
        assert (told[-1]["type"], told[-1]["code"], closes) == ("error", 1011, [1011])
        told, closes = await served(floor, START, AUDIO, STOP)
        assert (told[-1]["type"], closes) == ("finished", [1000])
        assert floor.calls.live == 0
        assert await floor.store.live_calls() == []
    await store.close()
