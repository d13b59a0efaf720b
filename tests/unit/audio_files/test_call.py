"""Recorded calls: channels, rates, packets."""

from __future__ import annotations

import asyncio
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from service.audio_files.call import CallFile, packets, read_call_audio
from service.audio_files.reader import AudioUnusable
from tests.saved_audio import RATE, saved, tone


def played(path: Path, *, swap: bool = False, mono: bool = False, narrow: bool = False) -> tuple[np.ndarray, int]:
    with CallFile(path, swap=swap, mono=mono, narrow=narrow) as call:
        return np.concatenate(list(call.pieces())), call.rate


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "DOUBLE"])
def test_the_same_sound_is_the_same_samples_in_every_form(tmp_path: Path, subtype: str) -> None:
    pcm, rate = played(saved(tmp_path, "WAV", subtype))
    np.testing.assert_array_equal(pcm, tone() * 32768)
    assert rate == RATE


@pytest.mark.parametrize(
    ("rate", "of_call"),
    [(8000, 8000), (16000, 16000), (11025, 16000), (22050, 16000), (44100, 16000), (48000, 16000), (6000, 8000)],
)
def test_other_rates_are_converted_to_a_calls(tmp_path: Path, rate: int, of_call: int) -> None:
    pcm, got = played(saved(tmp_path, "WAV", "PCM_16", tone(rate=rate), rate))
    assert got == of_call
    assert len(pcm) == 2 * of_call
    middle = slice(of_call // 2, -of_call // 2)
    np.testing.assert_allclose(pcm[middle] / 32768, tone(rate=of_call)[middle], atol=0.02)


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
def test_a_narrow_call_has_a_telephones_rate(tmp_path: Path, rate: int) -> None:
    pcm, got = played(saved(tmp_path, "WAV", "PCM_16", tone(rate=rate), rate), narrow=True)
    assert (got, len(pcm)) == (8000, 16_000)


def test_the_parties_can_be_swapped(tmp_path: Path) -> None:
    path = saved(tmp_path, "WAV", "PCM_16")
    np.testing.assert_array_equal(played(path, swap=True)[0], played(path)[0][:, ::-1])


def test_one_channel_is_refused_where_the_parties_must_be_told_apart(tmp_path: Path) -> None:
    path = saved(tmp_path, "WAV", "PCM_16", tone(channels=1))
    with pytest.raises(AudioUnusable, match="has one channel, in which nobody can tell who speaks"):
        played(path)
    assert played(path, mono=True)[0].shape == (2 * RATE, 1)


@pytest.mark.parametrize("mono", [False, True])
def test_more_channels_than_parties_are_refused(tmp_path: Path, mono: bool) -> None:
    with pytest.raises(AudioUnusable, match="has 3 channels; a call needs two"):
        played(saved(tmp_path, "WAV", "PCM_16", tone(channels=3)), mono=mono)


@pytest.mark.parametrize("frames", [1, 160, 3_777, 10**6])
async def test_packets_are_all_of_it_however_they_are_cut(tmp_path: Path, frames: int) -> None:
    path = await asyncio.to_thread(saved, tmp_path, "WAV", "PCM_16", tone(6.01 if frames > 1 else 0.01))
    whole = await asyncio.to_thread(read_call_audio, path)
    with await asyncio.to_thread(CallFile, path) as call:
        for sound in (whole, call):
            cut = [each async for each in packets(sound, frames)]
            assert {len(each) for each in cut[:-1]} <= {frames}
            np.testing.assert_array_equal(np.concatenate(cut), whole.pcm)


def test_a_call_that_breaks_off_is_not_taken_whole(tmp_path: Path) -> None:
    path = saved(tmp_path, "WAV", "PCM_16")
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(AudioUnusable, match=r"it ends after 0\.6 s, and its header tells of 2\.0 s"):
        read_call_audio(path)


def test_hours_need_no_more_memory_than_minutes(tmp_path: Path) -> None:
    def peak(seconds: int) -> int:
        path = tmp_path / f"{seconds}.wav"
        with soundfile.SoundFile(path, "w", RATE, 2, subtype="PCM_16") as writer:
            for _ in range(seconds // 10):
                writer.write(tone(10.0))
        tracemalloc.start()
        try:
            with CallFile(path) as call:
                assert sum(map(len, call.pieces())) == seconds * RATE
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    minute, quarter = peak(60), peak(900)
    assert quarter < 1.2 * minute
