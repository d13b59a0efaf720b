import io

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st

from asr.audio.pcm import (
    FLOOR_DBFS,
    MalformedAudio,
    Resampler,
    SampleEncoding,
    dbfs,
    decode,
    deinterleave,
    encode,
    energy,
    samples_in,
    samples_in_ms,
    seconds,
    to_float32,
)

EVERY_CODE = bytes(range(256))
EVERY_SAMPLE = np.arange(-32_768, 32_768, dtype=np.int32).astype(np.int16)
RATES = [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000]


def tone(hertz: float, rate: int, duration: float, peak: float = 8_000) -> np.ndarray:
    return np.rint(peak * np.sin(2 * np.pi * hertz * np.arange(round(rate * duration)) / rate)).astype(np.int16)


def level(pcm: np.ndarray) -> float:
    return dbfs(energy(pcm) / pcm.size)


def resampled(pcm: np.ndarray, source: int, target: int, cuts: list[int]) -> np.ndarray:
    resampler = Resampler(source, target)
    parts = [resampler.push(part) for part in np.split(pcm, sorted(cut % (pcm.size + 1) for cut in cuts))]
    return np.concatenate([*parts, resampler.flush()])


@pytest.mark.parametrize(("encoding", "subtype"), [("mulaw", "ULAW"), ("alaw", "ALAW")])
def test_g711_decodes_every_code_as_libsndfile_does(encoding: SampleEncoding, subtype: str) -> None:
    reference, _ = sf.read(
        io.BytesIO(EVERY_CODE), dtype="int16", format="RAW", subtype=subtype, samplerate=8_000, channels=1
    )
    assert decode(EVERY_CODE, encoding).tolist() == reference.tolist()


@pytest.mark.parametrize(
    ("encoding", "code", "sample"),
    [
        ("mulaw", 0xFF, 0),
        ("mulaw", 0x00, -32_124),
        ("mulaw", 0x80, 32_124),
        ("mulaw", 0xFE, 8),
        ("alaw", 0xD5, 8),
        ("alaw", 0x55, -8),
        ("alaw", 0xAA, 32_256),
        ("alaw", 0x2A, -32_256),
    ],
)
def test_g711_decodes_the_ends_and_the_middle_of_its_tables(encoding: SampleEncoding, code: int, sample: int) -> None:
    assert decode(bytes([code]), encoding).tolist() == [sample]


def test_alaw_survives_decoding_and_encoding() -> None:
    assert encode(decode(EVERY_CODE, "alaw"), "alaw") == EVERY_CODE


def test_mulaw_survives_decoding_and_encoding_but_for_its_second_zero() -> None:
    assert encode(decode(EVERY_CODE, "mulaw"), "mulaw") == EVERY_CODE.replace(b"\x7f", b"\xff")


@pytest.mark.parametrize(("encoding", "top", "least_step"), [("mulaw", 32_635, 8), ("alaw", 32_767, 16)])
def test_g711_error_stays_within_half_a_step(encoding: SampleEncoding, top: int, least_step: int) -> None:
    sample = EVERY_SAMPLE.astype(np.int32)
    error = np.abs(decode(encode(EVERY_SAMPLE, encoding), encoding) - sample)
    within = np.abs(sample) <= top
    # 16 steps to a segment, segments double: a step is at most 1/16 of the (biased) magnitude.
    half_step = np.maximum(least_step, (np.abs(sample) + 132) / 16) / 2
    assert (error[within] <= half_step[within]).all()


@pytest.mark.parametrize("encoding", ["mulaw", "alaw"])
def test_g711_grows_with_the_sample(encoding: SampleEncoding) -> None:
    assert (np.diff(decode(encode(EVERY_SAMPLE, encoding), encoding).astype(np.int32)) >= 0).all()


def test_l16_is_little_endian() -> None:
    assert decode(b"\x01\x00\xff\xff\x00\x80", "pcm_s16le").tolist() == [1, -1, -32_768]
    assert encode(np.array([1, -1, -32_768], np.int16), "pcm_s16le") == b"\x01\x00\xff\xff\x00\x80"


def test_l16_of_rtp_is_big_endian() -> None:
    assert decode(b"\x00\x01\xff\xff\x80\x00", "pcm_s16be").tolist() == [1, -1, -32_768]
    assert encode(np.array([1, -1, -32_768], np.int16), "pcm_s16be") == b"\x00\x01\xff\xff\x80\x00"


@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_s16be"])
def test_half_a_sample_is_refused(encoding: SampleEncoding) -> None:
    with pytest.raises(MalformedAudio, match="3 bytes"):
        decode(b"abc", encoding)


def test_deinterleaving_gives_each_channel_its_samples() -> None:
    left, right = deinterleave(np.array([1, -1, 2, -2, 3, -3], np.int16), 2)
    assert (left.tolist(), right.tolist()) == ([1, 2, 3], [-1, -2, -3])


def test_a_broken_sample_frame_is_refused() -> None:
    with pytest.raises(MalformedAudio, match="3 samples"):
        deinterleave(np.zeros(3, np.int16), 2)


@given(
    source=st.sampled_from(RATES),
    target=st.sampled_from([8_000, 16_000]),
    length=st.integers(0, 4_000),
    cuts=st.lists(st.integers(0, 4_000), max_size=6),
)
def test_resampling_gives_the_exact_count_and_does_not_depend_on_the_cuts(
    source: int, target: int, length: int, cuts: list[int]
) -> None:
    pcm = np.random.default_rng(length).integers(-20_000, 20_000, length).astype(np.int16)
    whole = resampled(pcm, source, target, [])
    assert whole.size == (2 * length * target + source) // (2 * source)
    assert np.array_equal(resampled(pcm, source, target, cuts), whole)


@pytest.mark.parametrize("source", RATES)
def test_resampling_does_not_shift_the_timeline(source: int) -> None:
    given_wave, wanted = tone(440, source, 0.5), tone(440, 16_000, 0.5)
    out = resampled(given_wave, source, 16_000, [1_000, 1_160, 3_001])
    assert np.abs(out[500:6_400].astype(np.int32) - wanted[500:6_400]).max() <= 2


@pytest.mark.parametrize("hertz", [300, 1_000, 2_000, 3_400])
def test_resampling_keeps_the_telephone_band(hertz: float) -> None:
    out = resampled(tone(hertz, 8_000, 0.5), 8_000, 16_000, [])
    assert level(out[1_000:-1_000]) == pytest.approx(level(tone(hertz, 16_000, 0.5)), abs=0.1)


def test_resampling_keeps_digital_silence() -> None:
    assert not resampled(np.zeros(8_000, np.int16), 8_000, 16_000, [160, 320]).any()


def test_resampling_clips_instead_of_wrapping_around() -> None:
    square = np.repeat(np.array([32_767, -32_768] * 50, np.int16), 40)
    out = resampled(square, 8_000, 16_000, [])
    assert (np.sign(out[40:60]) == 1).all()
    assert out.max() == 32_767


def test_a_flushed_resampler_starts_anew() -> None:
    resampler, pcm = Resampler(8_000), tone(440, 8_000, 0.2)
    first = np.concatenate([resampler.push(pcm), resampler.flush()])
    assert np.array_equal(np.concatenate([resampler.push(pcm), resampler.flush()]), first)


def test_levels_are_relative_to_full_scale() -> None:
    assert level(np.full(100, -32_768, np.int16)) == 0
    assert level(tone(1_000, 16_000, 0.1, peak=32_767)) == pytest.approx(-3.01, abs=0.01)
    assert level(np.zeros(100, np.int16)) == FLOOR_DBFS
    assert level(np.ones(100, np.int16)) == pytest.approx(-90.3, abs=0.1)


def test_float32_spans_minus_one_to_one() -> None:
    wave = to_float32(np.array([-32_768, 0, 16_384, 32_767], np.int16))
    assert wave.dtype == np.float32
    assert wave.tolist() == [-1, 0, 0.5, 32_767 / 32_768]


def test_samples_and_seconds_are_one_arithmetic() -> None:
    assert seconds(24_000) == 1.5
    assert seconds(4_000, 8_000) == 0.5
    assert samples_in(0.25) == 4_000
    assert samples_in_ms(20) == 320
