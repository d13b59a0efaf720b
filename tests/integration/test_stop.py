"""A served process that is stood still, hung up on and told to stop while a stranger keeps it waiting."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, cast

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from service import app
from service.access.keys import new_key
from service.calls.registry import CallRegistry
from service.ingest.rate_limits import AUDIO_AT_ONCE
from service.ingest.source import Source
from service.storage.sql import SqlStore

START = {"type": "start", "call_id": "c-1", "legs": [{"role": "agent"}, {"role": "customer"}], "encoding": "mulaw"}
SECOND = b"\xff" * 16_000
HALF_A_POST = b"POST /api/v1/session HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{"


async def a_key(data_dir: Path) -> str:
    store = await asyncio.to_thread(SqlStore, f"sqlite:///{data_dir}/callwarden.db")
    await store.open()
    key, plaintext = new_key(Source(name="pbx"), ("stream",))
    await store.add_key(key)
    await store.close()
    return plaintext


@asynccontextmanager
async def served(data_dir: Path) -> AsyncGenerator[tuple[asyncio.subprocess.Process, int]]:
    """A service without a model, in a process of its own, and its port."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("CALLWARDEN_")}
    folders = {"CALLWARDEN_DATA_DIR": str(data_dir), "CALLWARDEN_MODELS_DIR": str(data_dir)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service.cli", "serve", "--port", "0"),
        env={**known, **folders, "CALLWARDEN_MAX_PACE": "1"},
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        while not (found := re.search(rb"listens on http://\S+:(\d+)", line := await process.stderr.readline())):
            assert line, "the service ended before it listened"
        yield process, int(found[1])
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_a_process_that_stood_still_goes_on_and_a_hang_up_ends_it_in_time(tmp_path: Path) -> None:
    key = await a_key(tmp_path)
    async with asyncio.timeout(60), served(tmp_path) as (process, port):
        _answers, stranger = await asyncio.open_connection("127.0.0.1", port)
        stranger.write(HALF_A_POST)
        address, headers = f"ws://127.0.0.1:{port}/v1/stream", {"Authorization": f"Bearer {key}"}
        async with connect(address, additional_headers=headers, proxy=None) as gateway:
            await gateway.send(json.dumps({**START, "rate": 8000}))
            assert json.loads(await gateway.recv())["type"] == "ready"
            for _ in range(round(AUDIO_AT_ONCE)):
                await gateway.send(SECOND)
            await (await gateway.ping())
            process.send_signal(signal.SIGSTOP)
            await gateway.send(SECOND)
            await asyncio.sleep(1.5)  # for so long it stands still; the audio of that time waits
            process.send_signal(signal.SIGCONT)
            await (await gateway.ping())
            process.send_signal(signal.SIGHUP)
            error = json.loads(await gateway.recv())
            with pytest.raises(ConnectionClosed):
                await gateway.recv()
        async with asyncio.timeout(app.STOP_WITHIN):
            assert await process.wait() == 0
        stranger.close()
    assert (error["type"], error["code"], gateway.close_code) == ("error", 1012, 1012)
    facts = [*await asyncio.to_thread(written, tmp_path)]
    assert [fact["type"] for fact in facts if fact["type"].startswith("call_")] == ["call_opened"], "it stays live"
    assert [fact for fact in facts if fact.get("code") == "protocol_error"] == []


def written(data_dir: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(data_dir / "callwarden.db")) as database:
        return [json.loads(payload) for (payload,) in database.execute("select payload from events order by seq")]


async def test_a_stop_that_hangs_is_ended_by_force(monkeypatch: pytest.MonkeyPatch) -> None:
    ended, codes, told = threading.Event(), list[int](), asyncio.Event()

    def exits(code: int) -> None:
        codes.append(code)
        ended.set()

    class Hanging:
        live = 1

        async def suspend(self) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr(os, "_exit", exits)
    monkeypatch.setattr(app, "STOP_WITHIN", 0.01)
    stopping = asyncio.create_task(app._stop_when_told(told, cast(CallRegistry, Hanging()), cast(Any, None)))
    told.set()
    assert await asyncio.to_thread(ended.wait, 10)
    assert codes == [1]
    assert not stopping.done()
    stopping.cancel()
