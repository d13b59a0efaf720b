"""`callwarden simulate` against real sockets: what is streamed, what is told back, and how it ends."""

from __future__ import annotations

import asyncio
import json
import socket
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from service.audio_files.call import CallAudio
from service.client import StreamFailed
from service.gateway.tcp import TcpGateway
from service.ingest.events import AudioArrived
from service.simulation.connection import Ending, Listener
from service.simulation.gateway_client import Message, SimulatedCall
from service.simulation.player import Quirks, play
from service.simulation.reservation import reserve
from service.simulation.vendors import VENDORS
from tests.fakes.call_registry import FakeCallConnection
from tests.integration.web.conftest import House

SECONDS = 0.6


@dataclass
class ListenerLog:
    received: list[Message] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    @property
    def listener(self) -> Listener:
        return Listener(received=self.received.append, sent=lambda _: None, closed=self.closed.append)


def noise(seconds: float = SECONDS) -> CallAudio:
    return CallAudio(
        pcm=np.random.default_rng(3).integers(-9000, 9000, (round(8000 * seconds), 2), np.int16), rate=8000
    )


def call_to(url: str, key: str) -> SimulatedCall:
    return SimulatedCall(url=url, key=key, rate=8000, unique="5f6e2a1c7d1b4e0e9f530c1a2b3c4d5e", begun=1_795_404_198.0)


async def simulated(
    dialect: str, call: SimulatedCall, told: ListenerLog, quirks: Quirks | None = None, seconds: float = SECONDS
) -> str:
    """Ten times as fast as a call."""
    async with asyncio.timeout(30):
        return await play(noise(seconds), VENDORS[dialect], call, quirks or Quirks(), 10.0, told.listener)


def fed(connection: FakeCallConnection) -> int:
    """Bytes of audio that reached the call."""
    return sum(len(each.payload) for each in connection.fed if isinstance(each, AudioArrived))


async def test_a_call_of_twilio_is_streamed_closed_and_known_by_its_sid(house: House) -> None:
    told = ListenerLog()
    call_id = await simulated("twilio", call_to(f"{house.ws}/v1/twilio", await house.key()), told)
    connection = await house.calls.connections.get()
    await connection.was_stopped.wait()
    assert [call.call_id for call in house.calls.announced] == [call_id]
    assert fed(connection) == 2 * 8000 * SECONDS
    assert told.closed == ["closed with 1000"]


async def test_a_gateway_whose_connection_breaks_comes_back_for_the_rest(house: House) -> None:
    told, call = ListenerLog(), call_to(f"{house.ws}/v1/mod_audio_fork", await house.key())
    await simulated("mod_audio_fork", call, told, Quirks(reconnect_after=0.5), seconds=2.0)
    connections = [await house.calls.connections.get() for _ in range(2)]
    await connections[1].was_stopped.wait()
    assert len({call.call_id for call in house.calls.announced}) == 1
    before, after = map(fed, connections)
    assert before <= 4 * 4000, "what was on the way when the connection broke is lost"
    assert after == 4 * 4160, "packets of 20 ms that arrive from 1.5 s on"
    assert told.closed == ["broken off", "closed with 1000"]


async def test_a_call_that_ends_before_its_connection_is_to_break_has_but_one(house: House) -> None:
    told, call = ListenerLog(), call_to(f"{house.ws}/v1/jambonz", await house.key())
    await simulated("jambonz", call, told, Quirks(reconnect_after=60.0))
    assert told.closed == ["closed with 1000"]
    assert len(house.calls.announced) == 1


async def test_a_call_may_end_without_a_word_or_with_a_close_alone(house: House) -> None:
    endings: dict[Ending, str] = {"broken": "broken off", "closed": "closed with 1000"}
    for ending, how in endings.items():
        told, call = ListenerLog(), call_to(f"{house.ws}/v1/twilio", await house.key())
        await simulated("twilio", call, told, Quirks(ending=ending))
        connection = await house.calls.connections.get()
        await (connection.was_lost if ending == "broken" else connection.was_stopped).wait()
        assert told.closed == [how]


async def test_a_key_that_is_not_good_is_told_in_a_sentence(house: House) -> None:
    with pytest.raises(StreamFailed, match="401: the key is missing or unknown"):
        await simulated("jambonz", call_to(f"{house.ws}/v1/jambonz", "cw_none"), ListenerLog())
    with pytest.raises(StreamFailed, match="must be ws"):
        await simulated("jambonz", call_to("house.example", "cw_none"), ListenerLog())


async def test_a_start_that_is_refused_is_told_with_its_code_and_reason(house: House) -> None:
    call = replace(call_to(f"{house.ws}/v1/twilio", await house.key()), told={"language": "xx"})
    with pytest.raises(StreamFailed, match=r"the service ended the connection: closed with 1008: .*language"):
        await simulated("twilio", call, ListenerLog())


async def test_a_call_with_an_unknown_key_is_disconnected_by_audiohook(house: House) -> None:
    told = ListenerLog()
    with pytest.raises(StreamFailed, match="the service ended the session: disconnect: unauthorized"):
        await simulated("audiohook", call_to(f"{house.ws}/v1/audiohook", "cw_none"), told)
    assert json.loads(told.received[0])["parameters"]["reason"] == "unauthorized"


async def test_a_legs_tokens_are_reserved_and_each_connects_over_tcp(house: House) -> None:
    bound = socket.create_server(("127.0.0.1", 0))
    gateway = TcpGateway("audiosocket", house.parts.gateways, house.guard, house.parts.audit)
    call = call_to(f"tcp://127.0.0.1:{bound.getsockname()[1]}", await house.key())
    async with gateway.listening(bound):
        tokens = await reserve(call, f"{house.url}/v1/reservations")
        await simulated("audiosocket", replace(call, tokens=tokens), ListenerLog())
        connections = [await house.calls.connections.get() for _ in range(2)]
        for connection in connections:
            await connection.was_stopped.wait()
    assert [fed(each) for each in connections] == [2 * 8000 * SECONDS] * 2
    assert sorted(role for call in house.calls.announced for role in call.roles) == ["agent", "customer"]


async def test_a_call_that_cannot_be_reserved_is_told_in_a_sentence(house: House) -> None:
    call = call_to("tcp://127.0.0.1:1", "cw_none")
    with pytest.raises(StreamFailed, match="401: the key is missing or unknown"):
        await reserve(call, f"{house.url}/v1/reservations")
    with pytest.raises(StreamFailed, match="cannot be reserved: must be http"):
        await reserve(call, "file:///etc/hosts")


async def test_a_session_of_audiohook_is_opened_and_closed_by_both_sides(house: House) -> None:
    told = ListenerLog()

    async def processed() -> FakeCallConnection:
        connection = await house.calls.connections.get()
        await connection.was_stopped.wait()
        connection.finish()
        return connection

    processing = asyncio.create_task(processed())
    await simulated("audiohook", call_to(f"{house.ws}/v1/audiohook", await house.key()), told)
    assert [json.loads(message)["type"] for message in told.received] == ["opened", "closed"]
    assert fed(await processing) == 2 * 8000 * SECONDS
    assert told.closed == ["closed with 1000"]
