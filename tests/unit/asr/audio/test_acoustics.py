"""How an utterance sounds: levels of what is known, and the pitch of voices that the telephone has cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.audio.acoustics import acoustics_of, pitch_of
from asr.audio.pcm import FLOOR_DBFS, FULL_SCALE
from asr.types import Acoustics
from tests.unit.asr.audio.test_pcm import tone


@pytest.mark.parametrize("peak", [-3.0, -20.0, -40.0])
def test_a_sines_level_lies_three_decibels_under_its_peak(peak: float) -> None:
    heard = acoustics_of(tone(440, 16_000, 1.0, peak=FULL_SCALE * 10 ** (peak / 20)).tobytes())
    assert heard.peak_dbfs == pytest.approx(peak, abs=0.1)
    assert heard.level_dbfs == pytest.approx(peak - 3.0, abs=0.15)


def test_digital_silence_has_the_lowest_level() -> None:
    assert acoustics_of(bytes(200)) == Acoustics(level_dbfs=FLOOR_DBFS, peak_dbfs=FLOOR_DBFS)


def test_the_loudest_sample_there_is() -> None:
    assert acoustics_of(np.full(100, -32_768, np.int16).tobytes()) == Acoustics(level_dbfs=0.0, peak_dbfs=0.0)


@given(st.lists(st.integers(-32_768, 32_767), min_size=1, max_size=400))
def test_no_level_is_above_its_peak(samples: list[int]) -> None:
    heard = acoustics_of(np.array(samples, np.int16).tobytes())
    assert FLOOR_DBFS <= heard.level_dbfs <= heard.peak_dbfs <= 0.0


def voice(hertz: float, lowest: float = 0.0, seconds: float = 2.0, noise: float = 100.0) -> NDArray[np.int16]:
    """A buzz of all harmonics between `lowest` and the telephone's upper edge, in noise."""
    at = np.arange(round(seconds * 16_000)) / 16_000
    harmonics = [number for number in range(1, 60) if lowest <= number * hertz <= 3_400]
    wave = sum((np.sin(2 * np.pi * hertz * number * at) / number for number in harmonics), np.zeros(at.size))
    buzz = wave / np.abs(wave).max() * 8_000
    return (buzz + np.random.default_rng(1).normal(0, noise, at.size)).astype(np.int16)


@pytest.mark.parametrize("hertz", [80, 110, 150, 205, 300, 390])
@pytest.mark.parametrize("lowest", [0.0, 300.0])
def test_a_voice_is_as_high_as_it_is_also_without_its_fundamental(hertz: float, lowest: float) -> None:
    assert pitch_of(voice(hertz, lowest)) == pytest.approx(hertz, rel=0.01)


def test_how_loud_a_voice_is_does_not_change_its_pitch() -> None:
    wave = voice(140, 300)
    assert pitch_of(wave // 16) == pytest.approx(pitch_of(wave), rel=0.01)


def test_pauses_do_not_count() -> None:
    pause = np.random.default_rng(2).normal(0, 100, 32_000).astype(np.int16)
    assert pitch_of(np.concatenate([pause, voice(180, 300), pause])) == pytest.approx(180, rel=0.01)


@pytest.mark.parametrize("samples", [0, 1, 799, 32_000])
def test_silence_and_noise_have_no_pitch(samples: int) -> None:
    assert pitch_of(np.zeros(samples, np.int16)) is None
    assert pitch_of(np.random.default_rng(3).normal(0, 2_000, samples).astype(np.int16)) is None


@given(st.lists(st.integers(-32_768, 32_767), min_size=1, max_size=4_000))
def test_a_pitch_is_one_of_a_voice_whatever_comes(samples: list[int]) -> None:
    pitch = pitch_of(np.array(samples, np.int16))
    assert pitch is None or 60 <= pitch <= 450
