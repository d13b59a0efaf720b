"""The sockets over the real registry, journal, hub, recorder and store; only the recogniser is missing."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from asr.engines.absent import AbsentEngine
from detectors.packs.biasing import PromptFrame
from detectors.packs.source import pack_version
from detectors.runtime.registry import Registry
from service.app import Service
from service.gateway.tcp import TcpGateway
from service.ingest.dialects.audiosocket import AudioSocketDialect
from service.settings import Settings
from tests.integration.web.conftest import House, OpenHouse, cookie_of
from tests.integration.web.test_gateways import SECOND, START, ending, started, stream

STOP = json.dumps({"type": "stop"})


def _silent_registry() -> Registry:
    """No detectors: only the sockets matter here."""
    frame = PromptFrame(opening="", joint="、", closing="", terms={"CN": (), "US": ()})
    return Registry((), (), {"zh": frame, "en": frame}, pack_version())


@pytest.fixture
async def real(tmp_path: Path, open_house: OpenHouse) -> AsyncIterator[House]:
    async with _real(Settings(data_dir=tmp_path, grace_seconds=30.0), open_house) as house:
        yield house


@pytest.fixture
async def quick(tmp_path: Path, open_house: OpenHouse) -> AsyncIterator[House]:
    """A call whose last stream has stopped ends at once."""
    async with _real(Settings(data_dir=tmp_path, grace_seconds=0.0), open_house) as house:
        yield house


@asynccontextmanager
async def _real(settings: Settings, open_house: OpenHouse) -> AsyncGenerator[House]:
    service = await asyncio.to_thread(lambda: Service(settings, _silent_registry(), AbsentEngine("no model")))
    async with AsyncExitStack() as stack:
        await service.store.open()
        stack.push_async_callback(service.store.close)
        for part in (service.recorder, service.recogniser, service.journal, service.calls):
            await stack.enter_async_context(part)
        yield await open_house(
            parts={"gateways": service.gateways, "feed": service.hub, "recordings": service.recordings}
        )


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


def peaks_of(outline: dict[str, Any]) -> list[float]:
    return [max(leg) for leg in outline["peaks"]]


async def ended(client: httpx.AsyncClient, call_id: str) -> dict[str, Any]:
    """The call's summary once its end is written; a leg's end is waited out for seconds before."""
    live_feed = str(client.base_url).replace("http", "ws", 1) + "/api/v1/live"
    async with asyncio.timeout(30), connect(live_feed, additional_headers=cookie_of(client), proxy=None) as live:
        assert json.loads(await live.recv())["type"] == "snapshot"
        answer = await client.get(f"/api/v1/calls/{call_id}")
        if answer.status_code != 200 or answer.json()["summary"]["state"] != "ended":
            await live_until(live, "call_closed")
    return await summary(client, call_id)


TWILIO_FORMAT = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}


def twilio_media(track: str, number: int) -> str:
    payload = base64.b64encode(bytes([0x10]) * 160).decode()
    media = {"track": track, "chunk": str(number + 1), "timestamp": str(number * 20), "payload": payload}
    return json.dumps({"event": "media", "sequenceNumber": str(number + 2), "streamSid": "MZ1", "media": media})


async def closing_code(client: ClientConnection) -> int | None:
    await client.wait_closed()
    return client.close_code


async def test_one_call_of_twilio_on_a_socket_for_each_track(quick: House) -> None:
    watcher, key = await quick.logged_in("supervisor"), await quick.key()
    async with (
        stream(quick, "", f"/v1/twilio/{key}") as inbound,
        stream(quick, "", f"/v1/twilio/{key}") as outbound,
    ):
        sockets = {"inbound": inbound, "outbound": outbound}
        for track, client in sockets.items():
            start = {"callSid": "CA-1", "streamSid": "MZ1", "tracks": [track], "mediaFormat": TWILIO_FORMAT}
            await client.send(json.dumps({"event": "start", "sequenceNumber": "1", "streamSid": "MZ1", "start": start}))
        for number in range(100):
            for track, client in sockets.items():
                await client.send(twilio_media(track, number))
        for client in sockets.values():
            await client.send(json.dumps({"event": "stop", "streamSid": "MZ1", "stop": {"callSid": "CA-1"}}))
        stored = await ended(watcher, "CA-1")
        assert [await closing_code(client) for client in sockets.values()] == [1000, 1000]
    outline = (await watcher.get("/api/v1/calls/CA-1/peaks", params={"points": 4})).json()
    assert stored["ending"] == "completed"
    assert 2.0 <= stored["duration"] <= 4.1  # the second may be read after the first: it begins where the call then is
    assert outline["roles"] == ["agent", "customer"]
    assert min(peaks_of(outline)) > 0.1, "both parties are heard"


@pytest.mark.parametrize(
    ("known", "language", "least", "most"),
    [({}, "zh", 4.0, 5.0), ({"language": "en", "clock": "arrival"}, "en", 0.3, 1.5)],
)
async def test_what_is_known_of_a_source_holds_for_its_calls(
    quick: House, known: dict[str, str], language: str, least: float, most: float
) -> None:
    """Its timestamps skip four seconds that never passed."""
    watcher, key = await quick.logged_in("supervisor"), await quick.key(**known)
    start = {"callSid": "CA-1", "streamSid": "MZ1", "tracks": ["inbound"], "mediaFormat": TWILIO_FORMAT}
    async with stream(quick, "", f"/v1/twilio/{key}") as client:
        await client.send(json.dumps({"event": "start", "sequenceNumber": "1", "streamSid": "MZ1", "start": start}))
        for number in [*range(10), *range(210, 220)]:
            await client.send(twilio_media("inbound", number))
        await client.send(json.dumps({"event": "stop", "streamSid": "MZ1", "stop": {"callSid": "CA-1"}}))
        stored = await ended(watcher, "CA-1")
    assert stored["call"]["language"] == language
    assert least <= stored["duration"] <= most


async def test_one_call_of_vonage_on_a_socket_for_each_leg(quick: House) -> None:
    watcher, key = await quick.logged_in("supervisor"), await quick.key()
    async with (
        stream(quick, "", f"/v1/vonage/{key}") as agent,
        stream(quick, "", f"/v1/vonage/{key}") as customer,
    ):
        for role, client in (("agent", agent), ("customer", customer)):
            connected = {"event": "websocket:connected", "content-type": "audio/l16;rate=16000", "call_id": "v-1"}
            await client.send(json.dumps({**connected, "role": role}))
        for _ in range(50):
            for client in (agent, customer):
                await client.send(b"\0\x40" * 320)
        await agent.close()
        await customer.close()
        stored = await ended(watcher, "v-1")
    outline = (await watcher.get("/api/v1/calls/v-1/peaks", params={"points": 4})).json()
    assert (stored["ending"], stored["duration"]) == ("completed", pytest.approx(1.0, abs=0.6))
    assert min(peaks_of(outline)) > 0.1, "both parties are heard"


def frame(kind: int, payload: bytes) -> bytes:
    return bytes([kind]) + len(payload).to_bytes(2, "big") + payload


async def test_one_call_of_audiosocket_on_a_connection_for_each_leg(quick: House) -> None:
    watcher, key = await quick.logged_in("supervisor"), await quick.key()
    headers = {"Authorization": f"Bearer {key}"}
    told = await (await quick.stranger()).post("/v1/reservations", json={"call_id": "a-1"}, headers=headers)
    tokens = {role: uuid.UUID(token) for role, token in told.json()["tokens"].items()}
    gateway, bound = TcpGateway(quick.parts.gateways, AudioSocketDialect), socket.create_server(("127.0.0.1", 0))
    async with gateway.listening(bound):
        legs: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        for token in tokens.values():
            reader, writer = await asyncio.open_connection(*bound.getsockname())
            writer.write(frame(0x01, token.bytes))
            legs.append((reader, writer))
        for _ in range(50):
            for _reader, writer in legs:
                writer.write(frame(0x10, b"\0\x40" * 160))
                await writer.drain()
        for _reader, writer in legs:
            writer.write_eof()
        stored = await ended(watcher, "a-1")
        assert [await reader.read() for reader, _ in legs] == [b"", b""], "nothing is sent back"
        for _reader, writer in legs:
            writer.close()
    outline = (await watcher.get("/api/v1/calls/a-1/peaks", params={"points": 4})).json()
    assert told.status_code == 201
    assert stored["ending"] == "completed"
    # The legs are placed by when they come: where the machine is slow, one after the other.
    assert 0.9 < stored["duration"] < 2.2
    assert min(peaks_of(outline)) > 0.1, "both parties are heard"


async def test_a_uuid_that_nobody_was_given_opens_no_call(quick: House) -> None:
    watcher = await quick.logged_in("supervisor")
    gateway, bound = TcpGateway(quick.parts.gateways, AudioSocketDialect), socket.create_server(("127.0.0.1", 0))
    async with gateway.listening(bound):
        reader, writer = await asyncio.open_connection(*bound.getsockname())
        writer.write(frame(0x01, uuid.uuid4().bytes) + frame(0x10, bytes(320)))
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()
    assert (await watcher.get("/api/v1/calls")).json()["calls"] == []
