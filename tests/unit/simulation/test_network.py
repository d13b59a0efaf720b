"""What the simulated network does to packets."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from asr.types import Seconds
from service.simulation.gateway_client import Packet
from service.simulation.network import Network, NetworkQuirks

LOUD = np.full(160, 5000, np.int16)
FAINT = np.full(160, 20, np.int16)


def through(network: Network, packets: list[Packet]) -> list[tuple[Seconds, Packet]]:
    return [arrived for packet in packets for arrived in network.push(packet)] + network.flush()


def spoken(count: int) -> list[Packet]:
    return [Packet(at=n * 0.02, seconds=0.02, legs={"agent": LOUD, "customer": FAINT}) for n in range(count)]


@given(st.floats(0, 0.2), st.booleans(), st.integers(0, 100))
def test_each_packet_arrives_once_and_no_later_than_the_jitter_allows(jitter: float, ordered: bool, seed: int) -> None:
    packets = spoken(30)
    arrived = through(Network(NetworkQuirks(jitter=jitter, loss=0.3, seed=seed), ordered=ordered), packets)
    assert sorted(packet.at for _, packet in arrived) == [packet.at for packet in packets]
    assert all(packet.end <= due <= packet.end + jitter + 1e-9 for due, packet in arrived)
    assert [due for due, _ in arrived] == sorted(due for due, _ in arrived)
    if ordered:
        assert [packet.at for _, packet in arrived] == [packet.at for packet in packets]


def test_without_order_packets_overtake_each_other() -> None:
    arrived = through(Network(NetworkQuirks(jitter=0.1), ordered=False), spoken(30))
    assert [packet.at for _, packet in arrived] != [packet.at for packet in spoken(30)]


def test_a_share_of_each_leg_is_lost_on_its_own_and_the_same_seed_loses_the_same() -> None:
    runs = [through(Network(NetworkQuirks(loss=0.1, seed=seed)), spoken(1000)) for seed in (3, 3, 4)]
    lost = [[tuple(pcm is None for pcm in packet.legs.values()) for _, packet in run] for run in runs]
    assert lost[0] == lost[1] != lost[2]
    assert 70 < sum(agent for agent, _ in lost[0]) < 130
    assert any(agent != customer for agent, customer in lost[0])


def test_silence_is_not_sent_where_the_gateway_sends_none() -> None:
    for silent in (True, False):
        arrived = through(Network(NetworkQuirks(silent=silent)), spoken(3))
        assert {packet.legs["agent"] is None for _, packet in arrived} == {False}
        assert {packet.legs["customer"] is None for _, packet in arrived} == {silent}
