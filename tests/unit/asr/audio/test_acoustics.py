"""How an utterance sounds, against what it was made of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.audio.acoustics import acoustics_of
from asr.audio.pcm import FLOOR_DBFS, FULL_SCALE
from asr.types import Acoustics


def tone(amplitude: float) -> bytes:
    wave = amplitude * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    return np.rint(wave).astype(np.int16).tobytes()


@pytest.mark.parametrize("dbfs", [-3.0, -20.0, -40.0])
def test_a_sines_level_lies_three_decibels_under_its_peak(dbfs: float) -> None:
    heard = acoustics_of(tone(FULL_SCALE * 10 ** (dbfs / 20)))
    assert heard.peak_dbfs == pytest.approx(dbfs, abs=0.1)
    assert heard.level_dbfs == pytest.approx(dbfs - 3.0, abs=0.15)


def test_digital_silence_has_the_lowest_level() -> None:
    assert acoustics_of(bytes(200)) == Acoustics(level_dbfs=FLOOR_DBFS, peak_dbfs=FLOOR_DBFS)


def test_the_loudest_sample_there_is() -> None:
    assert acoustics_of(np.full(100, -32_768, np.int16).tobytes()) == Acoustics(level_dbfs=0.0, peak_dbfs=0.0)


@given(st.lists(st.integers(-32_768, 32_767), min_size=1, max_size=400))
def test_no_level_is_above_its_peak(samples: list[int]) -> None:
    heard = acoustics_of(np.array(samples, np.int16).tobytes())
    assert FLOOR_DBFS <= heard.level_dbfs <= heard.peak_dbfs <= 0.0
