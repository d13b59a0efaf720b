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
from service.gateway.shell import GatewayParts, GatewayShell, Gone
from service.ingest.dialects.native import NativeDialect
from service.storage.sql import SqlStore
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


class Peer:
    """Sends these messages, then waits for the end."""

    def __init__(self, *messages: str | bytes) -> None:
        self._messages = [*messages]
        self._ended = asyncio.Event()
        self.told: list[dict[str, Any]] = []
        self.closed: int | None = None

    async def receive(self) -> str | bytes | Gone:
        if self._messages:
            return self._messages.pop(0)
        await self._ended.wait()
        return Gone(code=self.closed or 1006)

    async def send(self, text: str) -> None:
        self.told.append(json.loads(text))

    async def close(self, code: int, reason: str) -> None:
        self.closed = code
        self._ended.set()


async def served(floor: Floor, *messages: str | bytes) -> Peer:
    peer = Peer(*messages)
    parts = GatewayParts(calls=floor.calls, metrics=floor.metrics, reservations=Reservations())
    await GatewayShell(peer, parts, NativeDialect(), a_trace(), KEY).serve()
    return peer


@pytest.mark.parametrize("where", BREAKS)
async def test_a_defect_is_told_and_the_call_goes_on_when_it_is_announced_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocked_event_loop_fails: BlockBuster, where: str
) -> None:
    blocked_event_loop_fails.deactivate()  # a traceback in the log reads source files
    store = SqlStore(f"sqlite+aiosqlite:///{tmp_path / 'c.db'}")
    await store.open()
    floor = Floor(store)
    async with floor.journal, asyncio.timeout(20), floor.calls:
        if where == "a call is restored":
            await served(floor, START, AUDIO, STOP)
        with monkeypatch.context() as patch:
            BREAKS[where](floor, patch)
            peer = await served(floor, START, AUDIO, STOP)
        assert (peer.told[-1]["type"], peer.told[-1]["code"], peer.closed) == ("error", 1011, 1011)
        again = await served(floor, START, AUDIO, STOP)
        assert (again.told[-1]["type"], again.closed) == ("finished", 1000)
        assert floor.calls.live == 0
        assert await floor.store.live_calls() == []
    await store.close()
