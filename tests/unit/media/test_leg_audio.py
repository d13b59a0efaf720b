"""Levels of legs, and legs at 16 kHz."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.types import Role
from service.media.legs import LegAudio, LegBlocks, LegResampler, LevelMeter

BOTH: tuple[Role, ...] = ("agent", "customer")


def test_levels_are_those_since_the_last_reading() -> None:
    meter = LevelMeter(BOTH)
    square = np.tile(np.array([16_384, -16_384], np.int16), 100)
    meter.feed(LegAudio(role="agent", start=0, rate=8000, pcm=square[:90]))
    meter.feed(LegAudio(role="agent", start=90, rate=8000, pcm=square[90:]))
    assert meter.take() == {"agent": pytest.approx(-6.0, abs=0.05), "customer": -96.0}
    assert meter.take() == {"agent": -96.0, "customer": -96.0}


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(BOTH), st.integers(1, 1500)), max_size=40))
def test_blocks_hold_every_sample_of_their_leg_in_order(runs: list[tuple[Role, int]]) -> None:
    blocks = LegBlocks(0.08)
    written: dict[Role, int] = {"agent": 0, "customer": 0}
    out: list[LegAudio] = []
    for role, size in runs:
        pcm = np.arange(written[role], written[role] + size).astype(np.int16)
        block = blocks.feed(LegAudio(role=role, start=written[role], rate=8000, pcm=pcm))
        written[role] += size
        assert block is None or block.pcm.size >= 640
        out += [block] if block is not None else []
    out += blocks.flush()
    for role in BOTH:
        of_leg = [block for block in out if block.role == role]
        assert [block.start for block in of_leg] == [0, *np.cumsum([block.pcm.size for block in of_leg])][: len(of_leg)]
        heard = np.concatenate([block.pcm for block in of_leg]) if of_leg else np.zeros(0, np.int16)
        assert np.array_equal(heard, np.arange(written[role]).astype(np.int16))


@settings(max_examples=20)
@given(st.lists(st.integers(1, 3000), min_size=1, max_size=20))
def test_16_khz_samples_lie_where_their_sound_is(cuts: list[int]) -> None:
    size = sum(cuts) + 4000
    pcm = np.zeros(size, np.int16)
    pcm[size // 2] = 20_000
    resampler = LegResampler(("agent",), 8000)
    runs: list[LegAudio] = []
    start = 0
    for cut in [*cuts, 4000]:
        runs.append(resampler.feed(LegAudio(role="agent", start=start, rate=8000, pcm=pcm[start : start + cut])))
        start += cut
    runs += resampler.flush()

    position = 0
    for run in runs:
        assert (run.start, run.rate) == (position, 16_000)
        position += run.pcm.size
    out = np.concatenate([run.pcm for run in runs])
    assert out.size == 2 * size
    assert int(np.abs(out.astype(int)).argmax()) == 2 * (size // 2)


def test_audio_at_16_khz_passes_untouched() -> None:
    pcm = np.arange(100, dtype=np.int16)
    resampler = LegResampler(("agent",), 16_000)
    assert resampler.feed(LegAudio(role="agent", start=0, rate=16_000, pcm=pcm)).pcm.tolist() == pcm.tolist()
