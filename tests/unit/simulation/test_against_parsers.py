"""What each simulated gateway sends is what the service's dialect of that vendor makes of it: two hands, one wire."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.audio.pcm import Pcm, SampleEncoding, decode, deinterleave, encode
from asr.types import ROLES, Role, Seconds
from service.ingest.dialect import Dialect, Handshake, SendText
from service.ingest.dialects.specs import DIALECTS
from service.ingest.events import AudioArrived, CallAnnounced, CallStopped, Irregularity, ReservedCallAnnounced
from service.ingest.source import Source
from service.simulation.gateway_client import GatewayClient, Message, Packet, SessionFailed, SimulatedCall
from service.simulation.network import Network, NetworkQuirks
from service.simulation.vendors import VENDORS

TOKENS: dict[Role, str] = {
    "agent": "0a7de1ff-8b42-4c0f-9d55-0f1c7a5b1a01",
    "customer": "0a7de1ff-8b42-4c0f-9d55-0f1c7a5b1a02",
}
TOLD = {"agent": "A17", "customer": "C88", "campaign": "M1"}
STAMPED = ("twilio", "signalwire", "telnyx", "plivo", "exotel", "audiohook")
"""Whose messages tell the time."""
ONE_PARTY = "exotel"
WITHOUT_TOLD = ("yeastar", "audiosocket")
"""Whose connection does not carry what the integrator tells."""

quirks = st.builds(
    NetworkQuirks,
    loss=st.sampled_from([0.0, 0.05, 0.5]),
    jitter=st.sampled_from([0.0, 0.015, 0.045]),
    silent=st.booleans(),
    seed=st.integers(0, 1000),
)


def call_of(name: str, attempt: int = 0) -> SimulatedCall:
    rate = 8000 if VENDORS[name].narrow else 16_000
    url = "tcp://callwarden.example:8090" if name == "audiosocket" else f"wss://callwarden.example/v1/{name}"
    return SimulatedCall(
        url=url, key="cw_k", rate=rate, unique="5f6e2a1c7d1b4e0e9f530c1a2b3c4d5e", begun=1_795_404_198.25,
        told=TOLD, tokens=TOKENS, attempt=attempt,
    )  # fmt: skip


def packets_of(name: str, count: int) -> list[Packet]:
    """Two noises, each silent for a third of the time; the last packet is shorter."""
    rate, noise = call_of(name).rate, np.random.default_rng(7)
    size = VENDORS[name].packet(rate)
    packets: list[Packet] = []
    for each in range(count):
        long = size if each < count - 1 else size // 2
        legs: dict[Role, Pcm | None] = {role: noise.integers(-9000, 9000, long).astype(np.int16) for role in ROLES}
        if each % 3 == 2:
            legs[ROLES[each % 2]] = np.zeros(long, np.int16)
        packets.append(Packet(at=each * size / rate, seconds=long / rate, legs=legs))
    return packets


@dataclass
class Received:
    """What the dialects of one call's connections made of it."""

    calls: list[CallAnnounced] = field(default_factory=list)
    odd: list[Irregularity] = field(default_factory=list)
    stops: int = 0
    legs: dict[Role, list[tuple[Seconds | None, Pcm]]] = field(default_factory=lambda: {role: [] for role in ROLES})

    def add(self, events: Sequence[Any], role: Role | None) -> None:
        for event in events:
            if isinstance(event, CallAnnounced):
                self.calls.append(event)
            elif isinstance(event, AudioArrived):
                self._audio(event, role)
            elif isinstance(event, Irregularity):
                self.odd.append(event)
            self.stops += isinstance(event, CallStopped)

    def _audio(self, event: AudioArrived, role: Role | None) -> None:
        if role is not None:
            self.legs[role].append((event.at, decode(event.payload, "pcm_s16le")))
            return
        call = self.calls[-1]
        roles = call.roles if event.role is None else (event.role,)
        for each, pcm in zip(
            roles, deinterleave(decode(event.payload, cast(SampleEncoding, call.encoding)), len(roles)), strict=True
        ):
            self.legs[each].append((event.at, pcm))

    def leg(self, role: Role) -> list[int]:
        """In the order of time, where that is told."""
        pieces = sorted(self.legs[role], key=lambda each: each[0] or 0.0)
        return [sample for _, pcm in pieces for sample in pcm.tolist()]


class Wire:
    """A client and the dialect that it connects to."""

    def __init__(self, name: str, client: GatewayClient, received: Received) -> None:
        opening = client.opening()
        query = dict(parse_qsl(urlsplit(opening.url).query))
        handshake = Handshake(query=query, headers={field.lower(): text for field, text in opening.headers.items()})
        self.client = client
        self._dialect: Dialect = DIALECTS[name].make(Source(name="pbx"), handshake)
        self._received = received
        self._role: Role | None = None
        self.send(client.begin())
        assert client.ready

    def send(self, messages: Sequence[Message]) -> None:
        for message in messages:
            text = isinstance(message, str)
            events = self._dialect.text(message) if text else self._dialect.binary(message)
            for event in events:
                if isinstance(event, ReservedCallAnnounced):
                    self._role = next(role for role, token in TOKENS.items() if token == event.token)
                if isinstance(event, SendText):
                    self.send(self.client.received(event.text))
            self._received.add(events, self._role)

    def close(self) -> None:
        self._received.add(self._dialect.closed(), self._role)


def played(name: str, packets: Sequence[Packet], attempt: int = 0, *, ends: bool = True) -> Received:
    received = Received()
    wires = [Wire(name, client, received) for client in VENDORS[name].connect(call_of(name, attempt))]
    for packet in packets:
        for wire in wires:
            wire.send(wire.client.audio(packet))
    for wire in wires:
        wire.send(wire.client.end() if ends else [])
        wire.close()
    return received


def arrived(name: str, packets: Sequence[Packet], quirks: NetworkQuirks) -> list[Packet]:
    vendor = VENDORS[name]
    network = Network(replace(quirks, silent=quirks.silent or vendor.silent), ordered=vendor.ordered)
    return [packet for each in packets for _, packet in network.push(each)] + [p for _, p in network.flush()]


def expected(name: str, packets: Sequence[Packet], role: Role) -> list[int]:
    """What the vendor's wire can carry of the leg, after its codec."""
    mulaw = name in ("twilio", "signalwire", "telnyx", "plivo", "audiohook")
    pieces = [pcm for packet in sorted(packets, key=lambda each: each.at) for pcm in carried(name, packet, role)]
    return [sample for pcm in pieces for sample in (decode(encode(pcm, "mulaw"), "mulaw") if mulaw else pcm).tolist()]


def carried(name: str, packet: Packet, role: Role) -> Iterator[Pcm]:
    if name == ONE_PARTY and role == "agent":
        return
    pcm, other = packet.legs[role], packet.legs["agent" if role == "customer" else "customer"]
    if name == "mod_audio_stream" and other is None:
        return
    if pcm is not None:
        yield pcm
    elif other is not None and name in ("mod_audio_fork", "jambonz", "audiohook"):
        yield np.zeros_like(other)


def any_sound(packet: Packet) -> bool:
    return any(pcm is not None for pcm in packet.legs.values())


each_vendor = pytest.mark.parametrize("name", VENDORS)


@each_vendor
def test_every_sample_of_each_party_comes_out_as_it_went_in(name: str) -> None:
    packets = arrived(name, packets_of(name, 12), NetworkQuirks())
    received = played(name, packets)
    for role in ROLES:
        assert received.leg(role) == expected(name, packets, role)
    assert received.leg("customer")
    assert received.odd == []


@pytest.mark.parametrize("name", [name for name in VENDORS if name != "audiosocket"])
def test_the_call_is_announced_by_the_id_that_the_client_tells(name: str) -> None:
    received = played(name, packets_of(name, 3))
    client = VENDORS[name].connect(call_of(name))[0]
    assert {call.call_id for call in received.calls} == {client.call_id}
    assert {role for call in received.calls for role in call.roles} == (
        {"customer"} if name == ONE_PARTY else set(ROLES)
    )
    if name not in WITHOUT_TOLD:
        told = {(call.agent, call.customer, call.metadata.get("campaign")) for call in received.calls}
        assert told == {("A17", "C88", "M1")}


@pytest.mark.parametrize("name", VENDORS)
def test_a_call_that_is_told_to_be_over_stops_once_a_connection(name: str) -> None:
    connections = len(VENDORS[name].connect(call_of(name)))
    assert played(name, packets_of(name, 3)).stops == connections


@pytest.mark.parametrize("name", [name for name in VENDORS if name != "audiohook"])
@pytest.mark.parametrize("message", ["{}", b"\0\0"])
def test_what_would_be_heard_in_the_call_is_a_fault_of_the_service(name: str, message: Message) -> None:
    client = VENDORS[name].connect(call_of(name))[0]
    if name in ("mod_audio_stream", "mod_audio_fork") and isinstance(message, str):
        assert client.received(message) == []
        return
    with pytest.raises(SessionFailed, match="takes none"):
        client.received(message)


@pytest.mark.parametrize("name", STAMPED)
@given(quirks=quirks, breaks_at=st.integers(1, 9))
@settings(max_examples=15, deadline=None)
def test_times_tell_where_what_is_lost_is_missing(name: str, quirks: NetworkQuirks, breaks_at: int) -> None:
    packets = arrived(name, packets_of(name, 10), quirks)
    for attempt, part in enumerate((packets[:breaks_at], packets[breaks_at:])):
        received = played(name, part, attempt)
        begun = next((each.at for each in part if name != "plivo" or any_sound(each)), 0.0)
        places = {packet.at - begun: expected(name, [packet], "customer") for packet in part}
        told = {at: pcm.tolist() for at, pcm in received.legs["customer"]}
        assert {round(at, 3): pcm for at, pcm in told.items() if at is not None} == {
            round(at, 3): pcm for at, pcm in places.items() if pcm
        }


@each_vendor
@given(quirks=quirks, breaks_at=st.integers(1, 9))
@settings(max_examples=15, deadline=None)
def test_what_arrives_is_heard_over_a_network_with_faults_and_a_second_connection(
    name: str, quirks: NetworkQuirks, breaks_at: int
) -> None:
    packets = arrived(name, packets_of(name, 10), quirks)
    ids: set[str] = set()
    for attempt, part in enumerate((packets[:breaks_at], packets[breaks_at:])):
        received = played(name, part, attempt, ends=attempt == 1)
        ids |= {call.call_id for call in received.calls}
        if name == "yeastar" and sum(pcm is not None for each in part for pcm in each.legs.values()) < 2:
            continue  # its dialect waits for a second message, by which both parties are known
        for role in ROLES:
            assert received.leg(role) == expected(name, part, role)
    assert len(ids) <= 1
