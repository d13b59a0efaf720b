"""AudioHook sessions with a real WebSocket: who is let in is told on the socket, and the client closes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from service.gateway.call_ports import CallRefused
from service.gateway.shell import GatewayLimits
from service.ingest.events import CLOSE_UNAUTHORIZED, AudioArrived, CallAnnounced, Irregularity
from service.record.facts import UtteranceHeard
from service.storage.port import GatewayKey
from tests import scenes
from tests.fakes.call_registry import FakeCallConnection
from tests.integration.web.conftest import House, OpenHouse

ORGANIZATION = "5b0f3f0e-2f4c-4a53-9f0a-0b64bd2f8a01"
SESSION = "c1c5dd3f-7c54-4b0e-8a53-61d1a3c0ffee"
NOBODY = "00000000-0000-0000-0000-000000000000"
OPEN: dict[str, Any] = {
    "organizationId": ORGANIZATION,
    "conversationId": "0e7d4a52-9c2b-4f0b-b7a4-2f6f1c5d9e10",
    "participant": {"id": "9a1c", "ani": "", "aniName": "", "dnis": ""},
    "media": [{"type": "audio", "format": "PCMU", "channels": ["external", "internal"], "rate": 8000}],
}
FRAME = b"\xff\x7f" * 1600


class AudioHookSession:
    """The client's side: numbers what it says, and gives the next message from the service."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.seq = 0
        self.serverseq = 0

    async def say(self, kind: str, **parameters: object) -> None:
        self.seq += 1
        head = {"version": "2", "id": SESSION, "type": kind, "seq": self.seq, "serverseq": self.serverseq}
        await self.socket.send(json.dumps({**head, "position": "PT0S", "parameters": parameters}))

    async def receive(self, kind: str) -> dict[str, Any]:
        """The parameters of the next message."""
        message = json.loads(await self.socket.recv())
        self.serverseq += 1
        assert (message["type"], message["seq"], message["id"]) == (kind, self.serverseq, SESSION)
        return message["parameters"]

    async def close(self, reason: str = "end") -> None:
        """The close transaction, after which the client closes the socket."""
        await self.say("close", reason=reason)
        assert await self.receive("closed") == {}
        await self.socket.close()


@asynccontextmanager
async def session(house: House, key: str) -> AsyncGenerator[AudioHookSession]:
    headers = {"X-API-KEY": key, "Audiohook-Organization-Id": ORGANIZATION, "Audiohook-AudioHookSession-Id": SESSION}
    async with (
        asyncio.timeout(30),
        connect(house.ws + "/v1/audiohook", additional_headers=headers, proxy=None) as socket,
    ):
        yield AudioHookSession(socket)


async def test_a_session_from_open_to_closed(house: House) -> None:
    async with session(house, await house.key()) as client:
        await client.say("open", **OPEN)
        assert (await client.receive("opened"))["media"] == OPEN["media"]
        connection = await house.calls.connections.get()
        await client.socket.send(FRAME)
        await client.say("ping")
        await client.receive("pong")
        await client.say("paused")
        await client.say("resumed", start="PT0.2S", discarded="PT9.8S")
        await client.socket.send(FRAME)
        await client.close()
    assert connection.fed == [AudioArrived(payload=FRAME, at=0.0), AudioArrived(payload=FRAME, at=10.0)]
    assert connection.was_stopped.is_set()
    assert not connection.was_lost.is_set()


async def test_opened_and_pong_do_not_wait_for_the_call(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    taken, attach = asyncio.Event(), house.calls.attach

    async def slow(announced: CallAnnounced, key: GatewayKey, now: float) -> FakeCallConnection:
        await taken.wait()
        return await attach(announced, key, now)

    monkeypatch.setattr(house.calls, "attach", slow)
    async with session(house, await house.key()) as client:
        await client.say("open", **OPEN)
        await client.receive("opened")
        await client.socket.send(FRAME)
        await client.say("ping")
        await client.receive("pong")
        taken.set()
        await client.close()
    assert house.calls.connections.get_nowait().fed == [AudioArrived(payload=FRAME, at=0.0)]


async def test_a_call_that_is_not_taken_is_disconnected_with_the_reason(house: House) -> None:
    house.calls.refuses = CallRefused("overload", "more speech than can be recognised", 10.0)
    async with session(house, await house.key()) as client:
        await client.say("open", **OPEN)
        await client.receive("opened")
        told = await client.receive("disconnect")
        await client.close("disconnect")
    assert told["reason"] == "error"
    assert told["info"].startswith("503 start: more speech than can be recognised")


@pytest.mark.parametrize("key", ["", "cw_0123456789ab_" + "x" * 43])
async def test_a_key_that_is_not_good_is_told_on_the_accepted_socket(house: House, key: str) -> None:
    async with session(house, key) as client:
        await client.say("open", **OPEN)
        assert (await client.receive("disconnect"))["reason"] == "unauthorized"
        await client.close("disconnect")
    assert house.calls.announced == []


async def test_another_organization_than_the_requests_is_unauthorized(house: House) -> None:
    async with session(house, await house.key()) as client:
        await client.say("open", **{**OPEN, "organizationId": NOBODY})
        assert (await client.receive("disconnect"))["reason"] == "unauthorized"
        await client.close("disconnect")
    assert house.calls.announced == []


async def test_a_client_that_does_not_close_is_closed(open_house: OpenHouse) -> None:
    house = await open_house(limits=GatewayLimits(farewell=0.05))
    async with session(house, "") as client:
        await client.say("open", **OPEN)
        await client.receive("disconnect")
        await client.socket.wait_closed()
    assert client.socket.close_code == CLOSE_UNAUTHORIZED


async def test_a_probe_makes_no_call(house: House) -> None:
    async with session(house, await house.key()) as client:
        await client.say("open", **{**OPEN, "conversationId": NOBODY})
        await client.receive("opened")
        await client.socket.send(b"")
        await client.close()
    assert house.calls.announced == []


async def test_numbers_that_do_not_follow_end_the_session_and_its_call_waits_for_another(house: House) -> None:
    async with session(house, await house.key()) as client:
        await client.say("open", **OPEN)
        await client.receive("opened")
        connection = await house.calls.connections.get()
        client.seq += 1
        await client.say("ping")
        assert (await client.receive("disconnect"))["info"] == "400 seq: must be 2, is 3"
        await connection.was_lost.wait()
        await client.close("disconnect")
    assert connection.violation is None
    [odd] = [event for event in connection.fed if isinstance(event, Irregularity)]
    assert (odd.kind, odd.field, odd.message) == ("order", "seq", "must be 2, is 3; that ends the connection")


async def test_a_service_that_restarts_asks_its_clients_to_reconnect(house: House) -> None:
    async with session(house, await house.key()) as client:
        await client.say("open", **OPEN)
        await client.receive("opened")
        (await house.calls.connections.get()).finish("suspended")
        await client.receive("reconnect")
        await client.close("reconnect")


async def test_transcripts_go_to_a_key_that_may_have_them(house: House) -> None:
    asking = {**OPEN, "customConfig": {"events": True}}
    async with session(house, await house.key("stream", "events")) as client:
        await client.say("open", **asking)
        await client.receive("opened")
        connection = await house.calls.connections.get()
        connection.say("customer", "明天")
        [interim] = (await client.receive("event"))["entities"]
        connection.tell(UtteranceHeard(utterance=scenes.utterance(role="customer", text="明天还款")))
        [entity] = (await client.receive("event"))["entities"]
        await client.close()
    assert (interim["data"]["isFinal"], entity["data"]["isFinal"]) == (False, True)
    assert entity["data"]["alternatives"][0]["interpretations"][0]["transcript"] == "明天还款"
    async with session(house, await house.key("stream", source="other")) as client:
        await client.say("open", **asking)
        await client.receive("opened")
        assert "'events'" in (await client.receive("disconnect"))["info"]
        await client.close("disconnect")
