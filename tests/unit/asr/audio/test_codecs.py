"""G.722 and Opus by the packet: what comes out, and what becomes of what is lost or damaged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.audio.codecs import RATES, PacketDecoder, decoder, leg_rate
from asr.audio.pcm import Encoding, PacketEncoding, Pcm
from tests.packets import RATES as ENCODED_AT
from tests.packets import packets_of

PACKETS: list[PacketEncoding] = ["g722", "opus"]
DELAY = {"g722": 22, "opus": 312}
"""Samples by which an encoder and a decoder together shift the sound: G.722's filter banks, Opus's look-ahead."""
LONGEST_OPUS = 5760


def two_tones(encoding: PacketEncoding, duration: float = 1.0) -> Pcm:
    """One in the telephone band, one above it."""
    t = np.arange(round(duration * ENCODED_AT[encoding])) / ENCODED_AT[encoding]
    return (8000 * np.sin(2 * np.pi * 440 * t) + 2000 * np.sin(2 * np.pi * 5200 * t)).astype(np.int16)


def decoded(packets: list[bytes], encoding: PacketEncoding) -> Pcm:
    leg = PacketDecoder(encoding)
    return np.concatenate([leg.decode(packet, 1).legs[0] for packet in packets])


def noise_db(sound: Pcm, truth: Pcm) -> float:
    """Power of the difference under that of the sound."""
    difference = sound.astype(float) - truth.astype(float)
    return float(10 * np.log10(np.mean(difference**2) / np.mean(truth.astype(float) ** 2)))


@pytest.mark.parametrize(("encoding", "worst"), [("g722", -25.0), ("opus", -20.0)])
def test_a_round_trip_keeps_the_sound_in_its_place(encoding: PacketEncoding, worst: float) -> None:
    pcm = two_tones(encoding)
    sound, delay = decoded(packets_of(pcm, encoding), encoding), DELAY[encoding]
    settled = ENCODED_AT[encoding] // 10
    assert PacketDecoder(encoding).rate == ENCODED_AT[encoding]
    assert sound.size == pytest.approx(pcm.size, abs=ENCODED_AT[encoding] // 50)
    assert noise_db(sound[settled + delay :], pcm[settled : sound.size - delay]) < worst


@pytest.mark.parametrize("encoding", PACKETS)
def test_a_lost_packet_costs_its_own_time_and_a_tenth_of_a_second_after_it(encoding: PacketEncoding) -> None:
    packets = packets_of(two_tones(encoding), encoding)
    whole, holed = decoded(packets, encoding), decoded([*packets[:20], *packets[21:]], encoding)
    packet, settled = ENCODED_AT[encoding] // 50, ENCODED_AT[encoding] // 10
    assert holed.size == whole.size - packet
    assert noise_db(holed[20 * packet + settled :], whole[21 * packet + settled :]) < -20.0


@pytest.mark.parametrize("encoding", PACKETS)
def test_after_a_reset_a_new_stream_sounds_as_from_a_new_decoder(encoding: PacketEncoding) -> None:
    packets = packets_of(two_tones(encoding, 0.2), encoding)
    leg = PacketDecoder(encoding)
    first = [leg.decode(packet, 1).legs[0] for packet in packets]
    leg.reset()
    again = [leg.decode(packet, 1).legs[0] for packet in packets]
    assert np.array_equal(np.concatenate(first), np.concatenate(again))


@pytest.mark.parametrize("configuration", range(32))
def test_a_damaged_opus_packet_is_silence_of_the_length_it_tells(configuration: int) -> None:
    leg = PacketDecoder("opus")
    [frame] = leg.decode(bytes([configuration << 3]), 1).legs
    broken = leg.decode(bytes([configuration << 3 | 2]), 1)
    assert broken.damaged
    assert broken.legs[0].size == 2 * frame.size
    assert not broken.legs[0].any()


def test_what_is_no_packet_at_all_is_nothing_and_what_follows_is_heard() -> None:
    packets = packets_of(two_tones("opus"), "opus")
    leg = PacketDecoder("opus")
    before = [leg.decode(packet, 1).legs[0] for packet in packets[:10]]
    for junk in (b"\xff", b"\xff\xff\xff", bytes(100_000)):
        assert leg.decode(junk, 1).damaged
    assert leg.decode(b"", 1).legs[0].size == 0
    after = [leg.decode(packet, 1).legs[0] for packet in packets[10:]]
    assert np.array_equal(np.concatenate([*before, *after]), decoded(packets, "opus"))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=400), max_size=8))
def test_no_bytes_raise_or_become_more_sound_than_a_packet_holds(payloads: list[bytes]) -> None:
    opus, g722 = PacketDecoder("opus"), PacketDecoder("g722")
    for payload in payloads:
        assert opus.decode(payload, 1).legs[0].size <= LONGEST_OPUS
        assert g722.decode(payload, 1).legs[0].size == 2 * len(payload)


@pytest.mark.parametrize(("encoding", "frame"), [("pcm_s16le", 4), ("pcm_s16be", 4), ("mulaw", 2), ("alaw", 2)])
def test_bytes_past_the_last_whole_sample_frame_are_left_out(encoding: Encoding, frame: int) -> None:
    both = decoder(encoding, 8000)
    whole = both.decode(bytes(range(8)), 2).legs
    assert [leg.size for leg in whole] == [8 // frame] * 2
    assert [leg.tolist() for leg in both.decode(bytes(range(9)), 2).legs] == [leg.tolist() for leg in whole]


def test_every_encoding_has_rates_and_packets_are_kept_at_16_khz() -> None:
    kept = {encoding: {leg_rate(encoding, rate) for rate in rates} for encoding, rates in RATES.items()}
    assert kept["g722"] == kept["opus"] == {16_000}
    assert kept["pcm_s16be"] == {8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000}
    assert kept["mulaw"] == kept["alaw"] == {8000, 16_000}
