"""The sockets over the real registry, journal, hub, recorder and store; only the recogniser is missing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from detectors.packs.biasing import PromptFrame
from detectors.runtime.registry import Registry
from service.app import NoEngine, Service
from service.settings import Settings
from tests.integration.web.conftest import House, OpenHouse, cookie_of
from tests.integration.web.test_gateways import SECOND, START, ending, started, stream

STOP = json.dumps({"type": "stop"})


def _silent_registry() -> Registry:
    """No detectors: only the sockets matter here."""
    frame = PromptFrame(opening="", joint="、", closing="", terms={"CN": (), "US": ()})
    return Registry((), (), {"zh": frame, "en": frame})


@pytest.fixture
async def real(tmp_path: Path, open_house: OpenHouse) -> AsyncIterator[House]:
    settings = Settings(data_dir=tmp_path, grace_seconds=30.0)
    service = await asyncio.to_thread(lambda: Service(settings, _silent_registry(), NoEngine("no model")))
    async with AsyncExitStack() as stack:
        await service.store.open()
        stack.push_async_callback(service.store.close)
        for part in (service.recorder, service.recogniser, service.journal, service.calls):
            await stack.enter_async_context(part)
        yield await open_house(parts={"calls": service.calls, "feed": service.hub, "recordings": service.recordings})


async def summary(client: httpx.AsyncClient, call_id: str = "call-1") -> dict[str, Any]:
    return (await client.get(f"/api/v1/calls/{call_id}")).json()["summary"]


async def live_until(live: ClientConnection, kind: str) -> dict[str, Any]:
    async for message in live:
        told = json.loads(message)
        if told["type"] == "event" and told["fact"]["type"] == kind:
            return told
    raise AssertionError(f"no {kind} came")


async def test_a_call_is_taken_watched_stored_and_played_back(real: House) -> None:
    watcher = await real.logged_in("supervisor")
    async with (
        connect(f"{real.ws}/api/v1/live", additional_headers=cookie_of(watcher), proxy=None) as live,
        stream(real, await real.key("stream", "events")) as gateway,
    ):
        assert json.loads(await live.recv())["type"] == "snapshot"
        await started(gateway, events=True)
        await gateway.send(SECOND)
        await gateway.send(STOP)
        told = [json.loads(message) async for message in gateway]
        assert (await live_until(live, "call_opened"))["seq"] == 1
        assert (await live_until(live, "call_closed"))["summary"]["state"] == "ended"
    assert [message["type"] for message in told][-1] == "finished"
    assert told[0]["fact"]["type"] == "call_opened"
    assert (await summary(watcher))["ending"] == "completed"
    sound = await watcher.get("/api/v1/calls/call-1/recording", headers={"Range": "bytes=0-3"})
    assert sound.content == b"RIFF"
    outline = (await watcher.get("/api/v1/calls/call-1/peaks", params={"points": 4})).json()
    assert (outline["duration"], outline["roles"]) == (1.0, ["agent", "customer"])


async def test_a_dropped_call_goes_on_with_its_gap_marked(real: House) -> None:
    watcher, key = await real.logged_in("supervisor"), await real.key()
    async with stream(real, key) as first:
        await started(first)
        await first.send(SECOND)
        first.transport.abort()
    async with stream(real, key) as second:
        assert (await started(second))["resumed"] is True
        await second.send(SECOND)
        await second.send(STOP)
        assert json.loads(await second.recv())["ending"] == "completed"
    stored = await summary(watcher)
    assert stored["duration"] >= 2.0
    assert stored["gaps"] == 1


async def test_two_sources_that_announce_one_id_have_a_call_each(real: House) -> None:
    async with stream(real, await real.key()) as first, stream(real, await real.key(source="other")) as second:
        assert (await started(first))["call_id"] == "call-1"
        assert await started(second) == {"type": "ready", "call_id": "call-1~2", "resumed": False}


async def test_a_breach_keeps_what_came_and_marks_the_call(real: House) -> None:
    watcher = await real.logged_in("supervisor")
    async with (
        connect(f"{real.ws}/api/v1/live", additional_headers=cookie_of(watcher), proxy=None) as live,
        stream(real, await real.key()) as gateway,
    ):
        await started(gateway)
        await gateway.send(SECOND)
        await gateway.send(bytes(1024 * 1024 + 4))
        assert (await ending(gateway))[0]["type"] == "error"
        closed = (await live_until(live, "call_closed"))["summary"]
    assert (closed["ending"], closed["duration"]) == ("rejected", 1.0)
    assert "protocol_error" in closed["troubles"]


@pytest.mark.parametrize("odd", [b"123", "no json", json.dumps(START)])
async def test_what_is_odd_within_a_call_does_not_end_it(real: House, odd: str | bytes) -> None:
    watcher = await real.logged_in("supervisor")
    async with stream(real, await real.key("stream", "events")) as gateway:
        await started(gateway, events=True)
        await gateway.send(SECOND)
        await gateway.send(odd)
        await gateway.send(STOP)
        told = [json.loads(message) async for message in gateway]
    assert told[-1]["ending"] == "completed"
    assert "gateway_irregular" in [message["fact"].get("code") for message in told if message["type"] == "event"]
    assert (await summary(watcher))["duration"] == pytest.approx(1.0, abs=0.1)


async def test_audio_far_too_fast_is_a_breach(real: House) -> None:
    async with stream(real, await real.key()) as gateway:
        await started(gateway)
        with suppress(ConnectionClosed):  # it may be told before all is sent
            for _ in range(200):
                await gateway.send(SECOND)
        error, code = await ending(gateway)
    assert (error["field"], code) == ("audio", 1008)
