from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.audio.highpass import HighPass
from asr.audio.pcm import Pcm

RATES = [8_000, 16_000]


def tone(hz: float, rate: int, seconds: float = 2.0, amplitude: float = 16_000) -> Pcm:
    at = np.arange(round(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * hz * at)).astype(np.int16)


def taken(before: Pcm, after: Pcm) -> float:
    """Decibels taken, once the filter has settled."""
    settled = before.size // 2
    return 20 * np.log10(before[settled:].astype(float).std() / max(1e-9, after[settled:].astype(float).std()))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("hz", [49.8, 50.2, 59.8, 60.2])
def test_mains_hum_is_taken(rate: int, hz: float) -> None:
    assert taken(tone(hz, rate), HighPass(rate).push(tone(hz, rate))) > 35


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("hz", [85, 120, 300, 1_000, 3_300])
def test_voices_are_left(rate: int, hz: float) -> None:
    assert abs(taken(tone(hz, rate), HighPass(rate).push(tone(hz, rate)))) < 0.4


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("offset", [-32_768, -300, 3_277, 32_767])
def test_of_an_offset_silence_is_left(rate: int, offset: int) -> None:
    filtered = HighPass(rate).push(np.full(rate, offset, np.int16))
    assert not filtered[rate // 2 :].any()


@pytest.mark.parametrize("rate", RATES)
def test_silence_stays_digital_silence(rate: int) -> None:
    assert not HighPass(rate).push(np.zeros(rate, np.int16)).any()


@pytest.mark.parametrize("rate", RATES)
def test_digital_silence_between_sounds_is_silence_again_within_5_ms(rate: int) -> None:
    gap = slice(rate // 2, rate)
    keyed = tone(697, rate)
    keyed[gap] = 0
    filtered = HighPass(rate).push(keyed)
    assert not filtered[gap][round(0.005 * rate) :].any()
    assert filtered[rate:].any()


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 8_000), max_size=12), rate=st.sampled_from(RATES), seed=st.integers(0, 99))
def test_the_way_audio_is_cut_changes_nothing(cuts: list[int], rate: int, seed: int) -> None:
    pcm = np.random.default_rng(seed).integers(-32_768, 32_767, 8_000, dtype=np.int16)
    for begin, length in [(0, 200), (1_000, 81), (2_000, 40), (3_000, 39), (5_000, 3_000)]:
        pcm[begin : begin + length] = 0
    whole, parts = HighPass(rate), HighPass(rate)
    pieces = [parts.push(piece) for piece in np.split(pcm, sorted(cuts))]
    np.testing.assert_array_equal(np.concatenate(pieces), whole.push(pcm))


def test_what_overshoots_is_held_to_sixteen_bits() -> None:
    swing = np.repeat(np.array([-32_768, 32_767] * 20, np.int16), 40)
    filtered = HighPass(8_000).push(swing)
    assert filtered.max() == 32_767
    assert filtered.min() == -32_768
