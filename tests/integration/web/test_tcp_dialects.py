"""A dialect over TCP is its file and its entry: port, listener, reservations and the log follow from the entry."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from asr.engines.absent import AbsentEngine
from service.app import Service, bound_for_tcp
from service.ingest.dialect import Handshake, ListeningDialect
from service.ingest.dialects import specs
from service.ingest.events import AudioArrived, CallStopped, GatewayEvent, ProtocolViolation, ReservedCallAnnounced
from service.ingest.source import Source
from service.settings import Settings
from tests.integration.web.conftest import House, OpenHouse
from tests.integration.web.test_whole_path import ended, silent_registry

RATE = 16_000


class TallyDialect(ListeningDialect):
    """A made-up vendor's: the token on a line of its own, then nothing but samples."""

    def __init__(self) -> None:
        self._announced = False

    def text(self, message: str) -> list[GatewayEvent]:
        raise ProtocolViolation("message", "is text")

    def binary(self, message: bytes) -> list[GatewayEvent]:
        if self._announced:
            return [AudioArrived(payload=message)]
        self._announced = True
        token, _, sound = message.partition(b"\n")
        announced = ReservedCallAnnounced(token=token.decode(), encoding="pcm_s16le", rate=RATE, clock="samples")
        return [announced, AudioArrived(payload=sound)]

    def closed(self) -> list[GatewayEvent]:
        return [CallStopped()]


@pytest.fixture(autouse=True)
def spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its entry."""

    def make(_source: Source, _handshake: Handshake) -> TallyDialect:
        return TallyDialect()

    monkeypatch.setitem(specs._SPECS, "tally", specs.DialectSpec(make=make, path=None))


@asynccontextmanager
async def connecting(
    tmp_path: Path, open_house: OpenHouse, dialect: str
) -> AsyncGenerator[tuple[House, tuple[str, int]]]:
    """A service of which nothing is set but a port for each of both dialects; the address of one of them."""
    settings = Settings(data_dir=tmp_path, grace_seconds=0.0, tcp_ports="tally=0, audiosocket=0")
    service = await asyncio.to_thread(lambda: Service(settings, silent_registry(), AbsentEngine("no model")))
    with bound_for_tcp(settings) as tcp:
        async with service.store, service.recorder, service.recogniser, service.journal, service.calls:
            house = await open_house(
                parts={
                    "gateways": service.gateways,
                    "reservations": service.kept_reservations,
                    "feed": service.hub,
                    "recordings": service.recordings,
                }
            )
            async with service.taking(tcp, house.guard):
                yield house, tcp[dialect][0].getsockname()


async def reserved(house: House, **known: str) -> bytes:
    """The token of a call's only leg."""
    headers = {"Authorization": f"Bearer {await house.key(**known)}"}
    body = {"call_id": "t-1", "legs": ["agent"]}
    told = await (await house.stranger()).post("/v1/reservations", json=body, headers=headers)
    return told.json()["tokens"]["agent"].encode()


async def test_a_new_dialect_over_tcp_is_a_file_and_an_entry(tmp_path: Path, open_house: OpenHouse) -> None:
    async with connecting(tmp_path, open_house, "tally") as (house, address):
        token = await reserved(house, dialect="tally")
        _reader, writer = await asyncio.open_connection(*address)
        writer.write(token + b"\n" + b"\0\x40" * RATE)
        writer.close()
        stored = await ended(await house.logged_in("supervisor"), "t-1")
    assert (stored["ending"], stored["duration"]) == ("completed", 1.0)


async def test_a_source_of_one_dialect_does_not_come_in_another(tmp_path: Path, open_house: OpenHouse) -> None:
    async with connecting(tmp_path, open_house, "tally") as (house, address):
        token = await reserved(house, dialect="audiosocket")
        reader, writer = await asyncio.open_connection(*address)
        writer.write(token + b"\n" + b"\0\x40" * RATE)
        assert await reader.read() == b""
        writer.close()
        calls = (await (await house.logged_in("supervisor")).get("/api/v1/calls")).json()["calls"]
    assert calls == []


async def test_a_source_of_a_websocket_reserves_nothing(house: House) -> None:
    headers = {"Authorization": f"Bearer {await house.key(dialect='twilio')}"}
    told = await (await house.stranger()).post("/v1/reservations", json={"call_id": "t-1"}, headers=headers)
    assert (told.status_code, told.json()["error"]["code"]) == (403, "key")
    assert "audiosocket or tally" in told.json()["error"]["message"]
