"""The sockets over the real registry, journal, hub, recorder and store; only the recogniser is missing."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from asr.audio.pcm import PacketEncoding, Pcm
from asr.engines.absent import AbsentEngine
from asr.types import Role
from detectors.packs.biasing import PromptFrame
from detectors.packs.source import pack_version
from detectors.runtime.registry import Registry
from service.access.clock import steady_now
from service.access.keys import new_key
from service.app import Service
from service.calls.registry import CallRegistry
from service.ingest.dialects import freeswitch
from service.ingest.reserved_call import reserved_call
from service.ingest.source import Source
from service.record.webhook import Webhook
from service.settings import Settings
from service.storage.port import GatewayKey
from tests.integration.web.conftest import House, OpenHouse, cookie_of
from tests.integration.web.test_gateways import SECOND, START, ending, started, stream
from tests.packets import RATES, packets_of
from tests.scenes import NOON
from tests.webhook_receivers import Receiver, receiving

STOP = json.dumps({"type": "stop"})
HALF_A_MESSAGE = b"\x82\xfe\x3e\x80mask" + bytes(100)
"""A masked frame of 16,000 bytes begins."""


def silent_registry() -> Registry:
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
    service = await asyncio.to_thread(lambda: Service(settings, silent_registry(), AbsentEngine("no model")))
    async with AsyncExitStack() as stack:
        await service.store.open()
        stack.push_async_callback(service.store.close)
        parts = (service.recorder, service.recogniser, service.journal, service.calls)
        for part in (*parts, service.webhook_client, service.webhooks):
            await stack.enter_async_context(part)
        yield await open_house(
            parts={
                "settings": settings,
                "gateways": service.gateways,
                "reservations": service.kept_reservations,
                "feed": service.hub,
                "recordings": service.recordings,
            }
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


async def test_what_happens_in_a_call_is_told_to_a_webhook(tmp_path: Path, open_house: OpenHouse) -> None:
    settings = Settings(data_dir=tmp_path, webhook_networks="127.0.0.0/8", public_url="https://calls.example.org")
    async with receiving(Receiver()) as receiver, _real(settings, open_house) as house:
        client = await house.logged_in("admin")
        told = {"name": "team", "url": receiver.url(), "call_started": True, "call_ended": True}
        answer = await client.post("/api/v1/webhooks", json=told)
        assert answer.status_code == 201, answer.text
        async with stream(house, await house.key()) as gateway:
            await started(gateway)
            await gateway.send(SECOND)
            await gateway.send(STOP)
            assert json.loads(await gateway.recv())["ending"] == "completed"
        events = {event.json["type"]: event.json["data"] for event in await receiver.wait(2)}
    begun, ended = events["callwarden.call.started"], events["callwarden.call.ended"]
    assert (begun["call_id"], begun["link"]) == ("call-1", "https://calls.example.org/calls/call-1")
    assert (ended["duration"], ended["ending"]) == (1.0, "completed")


async def test_a_stopped_webhook_is_a_trouble_that_everybody_sees(tmp_path: Path) -> None:
    service = await asyncio.to_thread(
        lambda: Service(Settings(data_dir=tmp_path), silent_registry(), AbsentEngine("no model"))
    )
    async with service.store:
        await service.store.add_webhook(
            Webhook(name="team", created_at=NOON, origin="https://x.org", sealed_url="1.a.b", call_ended=True)
        )
        assert "webhook_stopped" not in service.health().troubles
        await service.store.stop_webhook("team", "nothing has arrived", NOON)
        async with asyncio.TaskGroup() as tries:
            await service.webhooks.look(tries)
        assert "webhook_stopped" in service.health().troubles


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


@pytest.mark.skipif(sys.platform != "linux", reason="handles are told by /proc")
async def test_connections_dropped_anywhere_leave_no_task_handle_or_call(quick: House) -> None:
    """`benchmarks/dropped_connections.py` drops a thousand."""
    key, calls = await quick.key(), cast(CallRegistry, quick.parts.gateways.calls)

    def left() -> tuple[int, ...]:
        return calls.live, len(asyncio.all_tasks()), handles()

    async with asyncio.timeout(20):
        before = left()
        messages = [in_a_call(quick, key, f"message-{n}", HALF_A_MESSAGE) for n in range(8)]
        in_calls = [in_a_call(quick, key, f"call-{n}") for n in range(8)]
        await asyncio.gather(*(in_a_handshake(quick) for _ in range(8)), *messages, *in_calls)
        while any(now > then for now, then in zip(left(), before, strict=True)):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)


def handles() -> int:
    """How many are open, but for the store's: it keeps as many connections as it once needed."""
    opened: list[str] = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # that of the folder itself
            opened.append(str(entry.readlink()))
    return sum("callwarden.db" not in target for target in opened)


async def in_a_handshake(house: House) -> None:
    """A connection that breaks there."""
    _, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(b"GET /v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nAuthorization: Bearer ")
    await writer.drain()
    writer.transport.abort()


async def in_a_call(house: House, key: str, call_id: str, sent: bytes = b"") -> None:
    """A connection that breaks there, after these bytes."""
    async with stream(house, key) as gateway:
        await started(gateway, call_id=call_id)
        await gateway.send(SECOND)
        gateway.transport.write(sent)
        gateway.transport.abort()


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
    async with watched(client) as live:
        answer = await client.get(f"/api/v1/calls/{call_id}")
        if answer.status_code != 200 or answer.json()["summary"]["state"] != "ended":
            await live_until(live, "call_closed")
    return await summary(client, call_id)


async def begun(client: httpx.AsyncClient, call_id: str) -> None:
    """The call has begun."""
    async with watched(client) as live:
        if (await client.get(f"/api/v1/calls/{call_id}")).status_code != 200:
            await live_until(live, "call_opened")


@asynccontextmanager
async def watched(client: httpx.AsyncClient) -> AsyncIterator[ClientConnection]:
    """The live feed, past its first snapshot."""
    live_feed = str(client.base_url).replace("http", "ws", 1) + "/api/v1/live"
    async with asyncio.timeout(30), connect(live_feed, additional_headers=cookie_of(client), proxy=None) as live:
        assert json.loads(await live.recv())["type"] == "snapshot"
        yield live


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
    [({}, "zh", 4.0, 5.0), ({"language": "en", "clock": "arrival"}, "en", 0.3, 3.9)],
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


async def test_one_call_of_mod_audio_stream_whose_module_connects_afresh(
    quick: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The URL alone names the call, and left and right are its two parties."""
    monkeypatch.setattr(freeswitch, "METADATA_SECONDS", 0.05)
    watcher, key = await quick.logged_in("supervisor"), await quick.key()
    path = f"/v1/mod_audio_stream/{key}?call_id=fs-1&rate=8k&mix=stereo&role=agent"
    loud_and_low = b"\0\x40\0\x08" * 160
    async with stream(quick, "", path) as first:
        await begun(watcher, "fs-1")  # before any sound comes
        for _ in range(25):
            await first.send(loud_and_low)
        async with stream(quick, "", path) as second:
            for _ in range(25):
                await second.send(loud_and_low)
            assert await closing_code(first) == 1008
            await second.close()
            stored = await ended(watcher, "fs-1")
    outline = (await watcher.get("/api/v1/calls/fs-1/peaks", params={"points": 4})).json()
    assert (stored["ending"], stored["call"]["roles"]) == ("completed", ["agent", "customer"])
    assert outline["roles"] == ["agent", "customer"]
    assert peaks_of(outline) == [pytest.approx(0.5, abs=0.05), pytest.approx(0.0625, abs=0.02)], "neither is swapped"


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
    assert stored["ending"] == "completed"
    assert stored["duration"] >= 0.9, "placed by arrival, so a busy machine makes it longer"
    assert min(peaks_of(outline)) > 0.1, "both parties are heard"


def media_start(role: str, channel_id: str, *, as_json: bool) -> str:
    """Asterisk's, in JSON with the channel's variables, or in plain text without."""
    if not as_json:
        return f"MEDIA_START connection_id:cw channel:WebSocket/cw/0x1 channel_id:{channel_id} format:ulaw ptime:20"
    variables = {"CALLWARDEN_CALL_ID": "as-1", "CALLWARDEN_ROLE": role}
    start = {"event": "MEDIA_START", "connection_id": "cw", "channel_id": channel_id, "format": "ulaw"}
    return json.dumps({**start, "channel_variables": variables})


@pytest.mark.parametrize("as_json", [True, False])
async def test_one_call_of_asterisk_on_a_socket_for_each_direction(quick: House, *, as_json: bool) -> None:
    """What snoops in and out send; the first audio overtakes the start."""
    watcher, key = await quick.logged_in("supervisor"), await quick.key()
    path, media = "/v1/asterisk?call_id=as-1&at=1795404198&role=", [Subprotocol("media")]
    async with (
        stream(quick, key, f"{path}customer", subprotocols=media) as customer,
        stream(quick, key, f"{path}agent", subprotocols=media) as agent,
    ):
        for number, (role, client) in enumerate((("customer", customer), ("agent", agent))):
            assert (client.subprotocol, client.protocol.extensions) == ("media", [])
            await client.send(bytes([0x10]) * 160)
            await client.send(media_start(role, f"1795404198.{number}", as_json=as_json))
        for _ in range(49):
            for client in (customer, agent):
                await client.send(bytes([0x10]) * 160)
        await customer.close()
        await agent.close()
        stored = await ended(watcher, "as-1")
    outline = (await watcher.get("/api/v1/calls/as-1/peaks", params={"points": 4})).json()
    assert stored["ending"] == "completed"
    assert stored["duration"] >= 0.9, "placed by arrival, so a busy machine makes it longer"
    assert min(peaks_of(outline)) > 0.1, "both parties are heard"


async def test_a_leg_of_asterisk_that_breaks_without_a_close_does_not_keep_its_call(quick: House) -> None:
    watcher, key = await quick.logged_in("supervisor"), await quick.key()
    async with (
        connect(f"{quick.ws}/api/v1/live", additional_headers=cookie_of(watcher), proxy=None) as live,
        stream(quick, key, "/v1/asterisk") as client,
    ):
        await client.send(media_start("customer", "1795404198.1", as_json=True))
        await live_until(live, "call_opened")
        client.transport.abort()
        assert (await ended(watcher, "as-1"))["ending"] == "dropped"


YEASTAR = {"PJSIP/1009-6": "1009", "PJSIP/trunk-5": "13800138000"}


async def send_fragments(client: ClientConnection, call_id: str, status: str, times: int) -> None:
    """So often 40 ms of each of Yeastar's channels, or that they have ended."""
    audio = base64.b64encode(b"\0\x40" * 640).decode() if status == "process" else ""
    for channel, number in [*YEASTAR.items()] * times:
        told = {"callid": call_id, "callflow": "", "number": number, "status": status, "channelid": channel}
        await client.send(json.dumps({**told, "audio": audio}))


async def test_one_call_of_yeastar_with_its_channels_in_turn(quick: House) -> None:
    watcher, key = await quick.logged_in("supervisor"), await quick.key()
    async with stream(quick, key, "/v1/yeastar?rate=16000") as client:
        await send_fragments(client, "y-1", "process", 25)
        await send_fragments(client, "y-1", "end", 1)
        stored = await ended(watcher, "y-1")
        assert await closing_code(client) == 1000
    outline = (await watcher.get("/api/v1/calls/y-1/peaks", params={"points": 4})).json()
    assert (stored["call"]["agent"], stored["call"]["customer"]) == ("1009", "13800138000")
    assert stored["ending"] == "completed"
    assert stored["duration"] >= 0.9, "placed by arrival, so a busy machine makes it longer"
    assert min(peaks_of(outline)) > 0.1, "both parties are heard"


async def test_a_second_call_of_yeastar_on_one_connection_is_told_to_connect_again(real: House) -> None:
    watcher, key = await real.logged_in("supervisor"), await real.key()
    async with stream(real, key, "/v1/yeastar?rate=16000") as client:
        await send_fragments(client, "y-1", "process", 25)
        await send_fragments(client, "y-1", "end", 1)
        await send_fragments(client, "y-2", "process", 1)
        assert await closing_code(client) == 1008
        assert (client.close_reason or "").startswith("callid: came after the end")
    assert (await summary(watcher, "y-1"))["state"] == "live", "it was not ended by that"
    assert (await watcher.get("/api/v1/calls/y-2")).status_code == 404


async def test_one_call_of_opus_and_g722_on_a_connection_for_each_leg(quick: House) -> None:
    """Their library is loaded with the first packet, and the event loop does not wait for it."""
    watcher, key = await quick.logged_in("supervisor"), await quick.key("stream", "events")
    legs: list[tuple[Role, PacketEncoding, int]] = [("agent", "opus", 48_000), ("customer", "g722", 8000)]
    sent = [await asyncio.to_thread(packets_of, loud(encoding), encoding) for _, encoding, _ in legs]
    async with stream(quick, key) as agent, stream(quick, key) as customer:
        for client, (role, encoding, rate) in zip((agent, customer), legs, strict=True):
            both = {"legs": [role], "call_legs": ["agent", "customer"], "events": role == "agent"}
            assert (await started(client, **both, encoding=encoding, rate=rate))["type"] == "ready"
        for pair in zip(*sent, strict=False):
            for client, packet in zip((agent, customer), pair, strict=True):
                await client.send(packet)
        await customer.send(json.dumps({"type": "dtmf", "digit": "5"}))
        assert (await live_until(agent, "dtmf"))["fact"]["digit"] == "5", "all before it was read"
        await agent.send(STOP)
        stored = await ended(watcher, "call-1")
    outline = (await watcher.get("/api/v1/calls/call-1/peaks", params={"points": 4})).json()
    assert stored["call"]["rate"] == 16_000
    assert 1.0 <= stored["duration"] <= 2.1  # one leg may be read after the other
    assert min(peaks_of(outline)) > 0.1, "both parties are heard"


def loud(encoding: PacketEncoding) -> Pcm:
    """A second of a tone."""
    return (8000 * np.sin(2 * np.pi * 440 * np.arange(RATES[encoding]) / RATES[encoding])).astype(np.int16)


def frame(kind: int, payload: bytes) -> bytes:
    return bytes([kind]) + len(payload).to_bytes(2, "big") + payload


async def test_one_call_of_audiosocket_on_a_connection_for_each_leg(quick: House) -> None:
    watcher, key = await quick.logged_in("supervisor"), await quick.key()
    headers = {"Authorization": f"Bearer {key}"}
    told = await (await quick.stranger()).post("/v1/reservations", json={"call_id": "a-1"}, headers=headers)
    tokens = {role: uuid.UUID(token) for role, token in told.json()["tokens"].items()}
    async with quick.tcp() as address:
        legs: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        for token in tokens.values():
            reader, writer = await asyncio.open_connection(*address)
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
    assert stored["duration"] >= 0.9, "placed by arrival, so a busy machine makes it longer"
    assert min(peaks_of(outline)) > 0.1, "both parties are heard"


async def test_a_token_holds_for_the_next_process_too(tmp_path: Path) -> None:
    def service() -> Service:
        return Service(Settings(data_dir=tmp_path), silent_registry(), AbsentEngine("no model"), "no model")

    key, _plaintext = new_key(Source(name="pbx"), ("stream",))
    announced, _notes = reserved_call({"call_id": "a-1"})
    first = await asyncio.to_thread(service)
    async with first.running():
        await first.store.add_key(key)
        token = (await first.kept_reservations.reserve(key, announced))["customer"]
    following = await asyncio.to_thread(service)
    async with following.running():
        found = following.gateways.reservations.connected(token, steady_now())
    assert found is not None
    assert isinstance(found.key, GatewayKey)
    assert (found.key.id, found.announced.roles) == (key.id, ("customer",))


async def test_a_uuid_that_nobody_was_given_opens_no_call(quick: House) -> None:
    watcher = await quick.logged_in("supervisor")
    async with quick.tcp() as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(frame(0x01, uuid.uuid4().bytes) + frame(0x10, bytes(320)))
        assert await reader.read() == b""
        writer.close()
    assert (await watcher.get("/api/v1/calls")).json()["calls"] == []
