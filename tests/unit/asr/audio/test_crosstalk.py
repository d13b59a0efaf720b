"""Two legs, synthesized: voices are noise with formants and syllables, lines filters with a delay."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.audio.crosstalk import CleanAudio, Crosstalk
from asr.audio.pcm import SAMPLE_RATE, Pcm, Resampler, decode, encode

pytestmark = pytest.mark.timeout(240)

Sound = NDArray[np.float64]
RATE = 8_000
AGENT, CUSTOMER = 0, 1


@cache
def voice(seed: int, seconds: int = 8) -> Sound:
    """RMS of 0.1 where it speaks, in syllables; telephone band."""
    rng = np.random.default_rng(seed)
    length = seconds * RATE
    spectrum = np.fft.rfft(rng.normal(0, 1, length))
    hz = np.fft.rfftfreq(length, 1 / RATE)
    formants = sum((at / (at + abs(hz - rng.uniform(0.8, 1.2) * at)) for at in (500, 1_400, 2_500)), np.zeros(hz.size))
    shaped = np.fft.irfft(spectrum * formants**3 * ((hz > 300) & (hz < 3_400)), length)
    at = np.arange(length) / RATE
    syllables = np.clip(np.sin(2 * np.pi * rng.uniform(2.5, 4.5) * at + rng.uniform(0, 6)) + 0.4, 0, 1)
    pauses = np.sin(2 * np.pi * at / rng.uniform(3, 4) + rng.uniform(0, 6)) > -0.6
    said = shaped * syllables * pauses
    scaled = 0.1 * said / np.sqrt(np.square(said[said != 0]).mean())
    scaled.flags.writeable = False  # one array for all tests that ask for this seed
    return scaled


def line(sound: Sound, delay_ms: float, gain_db: float, seed: int = 1) -> Sound:
    """What arrives of a sound by a filtering line."""
    rng = np.random.default_rng(seed)
    response = rng.normal(0, 0.4, 40) * np.exp(-np.arange(40) / 8)
    response[0] += 1
    response *= 10 ** (gain_db / 20) / np.sqrt(np.square(response).sum())
    shift = round(delay_ms * RATE / 1_000)
    return np.concatenate([np.zeros(shift), np.convolve(sound, response)])[: sound.size].astype(np.float64)


def silence(seconds: int = 8) -> Sound:
    return np.zeros(seconds * RATE)


def wire(sound: Sound, noise_db: float = -65.0, seed: int = 0) -> Pcm:
    """Through mu-law, with a noise floor, up to 16 kHz."""
    noise = np.random.default_rng(seed).normal(0, 10 ** (noise_db / 20), sound.size)
    pcm = np.clip(np.rint((sound + noise) * 32_768), -32_768, 32_767).astype(np.int16)
    resampler = Resampler(RATE)
    return np.concatenate([resampler.push(decode(encode(pcm, "mulaw"), "mulaw")), resampler.flush()])


def compare(agent: Pcm, customer: Pcm, sizes: tuple[int, int] = (1_280, 1_280)) -> tuple[list[Pcm], Crosstalk]:
    """Both legs as they are known in the end, audio coming in pieces of these sizes."""
    legs, crosstalk = (agent, customer), Crosstalk()
    known = [np.zeros(agent.size, np.int16) for _ in legs]

    def put(cleaned: list[CleanAudio]) -> None:
        for clean in cleaned:
            known[clean.leg][clean.start : clean.start + clean.pcm.size] = clean.pcm

    at = [0, 0]
    while min(at) < agent.size:
        leg = int(np.argmin(at))
        put(crosstalk.push(leg, legs[leg][at[leg] : at[leg] + sizes[leg]]))
        at[leg] += sizes[leg]
    put(crosstalk.flush())
    return known, crosstalk


def level(pcm: Pcm | Sound) -> float:
    wave = pcm / 32_768 if pcm.dtype == np.int16 else pcm
    return 10 * float(np.log10(np.square(wave).mean() + 1e-10))


def taken(before: Pcm, after: Pcm) -> float:
    return level(before) - level(after)


@settings(max_examples=4, deadline=None)
@given(
    delay=st.floats(3, 500),
    gain=st.floats(-30, -6),
    inverted=st.booleans(),
    seed=st.integers(0, 50),
    leg=st.sampled_from([0, 1]),
)
def test_an_echo_of_any_delay_and_gain_is_taken_down_to_the_noise(
    delay: float, gain: float, inverted: bool, seed: int, leg: int
) -> None:
    said = voice(seed)
    echo = line(said, delay, gain, seed) * (-1 if inverted else 1)
    legs = [wire(echo, seed=1), wire(said, seed=2)] if leg == AGENT else [wire(said, seed=2), wire(echo, seed=1)]
    known, _ = compare(legs[0], legs[1])
    assert level(known[leg]) < -60
    np.testing.assert_array_equal(known[1 - leg], legs[1 - leg])


@settings(max_examples=4, deadline=None)
@given(quieter=st.floats(-20, 6), first=st.integers(0, 50))
def test_two_real_voices_are_not_touched(quieter: float, first: int) -> None:
    agent = wire(voice(first + 100) * 10 ** (quieter / 20), seed=1)
    customer = wire(voice(first), seed=2)
    known, crosstalk = compare(agent, customer)
    np.testing.assert_array_equal(known[AGENT], agent)
    np.testing.assert_array_equal(known[CUSTOMER], customer)
    assert not crosstalk.equal


@pytest.mark.parametrize("quieter", [0, -10, -20])
def test_a_voice_over_an_echo_stays(quieter: float) -> None:
    """The echo lies 12 dB under the customer; the agent begins to talk over it after four seconds."""
    customer, agent = voice(3), voice(4) * 10 ** (quieter / 20)
    agent[: 4 * RATE] = 0
    leg = wire(agent + line(customer, 80, -12), -75)
    known, _ = compare(leg, wire(customer, -75))
    alone = wire(agent, -75)
    half = slice(4 * SAMPLE_RATE, None)
    assert level(known[AGENT][: 4 * SAMPLE_RATE]) < -60
    assert level(known[AGENT][half]) == pytest.approx(level(alone[half]), abs=1.5)


def test_an_echo_is_taken_out_from_its_first_word_on() -> None:
    """An echo that begins half a second ago is taken out of what was given already."""
    said = voice(7).copy()
    said[: 2 * RATE] = 0
    echo = wire(line(said, 200, -12))
    known, _ = compare(echo, wire(said, seed=5))
    assert level(known[AGENT][2 * SAMPLE_RATE : 4 * SAMPLE_RATE]) < -60


def test_both_directions_are_found() -> None:
    agent, customer = voice(11).copy(), voice(12).copy()
    agent[4 * RATE :] = 0
    customer[: 4 * RATE] = 0
    legs = wire(agent + line(customer, 60, -15), seed=1), wire(customer + line(agent, 90, -20, 2), seed=2)
    known, _ = compare(*legs)
    assert level(known[AGENT][5 * SAMPLE_RATE :]) < -60
    assert level(known[CUSTOMER][: 4 * SAMPLE_RATE]) < -60
    assert taken(legs[0][: 4 * SAMPLE_RATE], known[AGENT][: 4 * SAMPLE_RATE]) < 0.5


@settings(max_examples=4, deadline=None)
@given(delay=st.floats(-40, 40), gain=st.floats(-3, 3), inverted=st.booleans(), seed=st.integers(0, 50))
def test_one_voice_on_both_channels_is_told_and_is_not_the_agents(
    delay: float, gain: float, inverted: bool, seed: int
) -> None:
    said = np.concatenate([voice(seed), voice(seed + 1)])
    late = np.concatenate([np.zeros(round(abs(delay) * RATE / 1_000)), said])[: said.size]
    louder = 10 ** (gain / 20) * (-1 if inverted else 1)
    agent, customer = (late * louder, said) if delay > 0 else (said * louder, late)
    known, crosstalk = compare(wire(agent, seed=1), wire(customer, seed=2))
    assert crosstalk.equal
    assert taken(wire(agent, seed=1), known[AGENT]) > 15
    np.testing.assert_array_equal(known[CUSTOMER], wire(customer, seed=2))


def test_channels_are_separate_again_once_the_agent_is_heard() -> None:
    both, agent = np.concatenate([voice(1), voice(2)]), voice(5)
    customer = np.concatenate([both, silence()])
    _, crosstalk = compare(wire(np.concatenate([both, agent]), seed=1), wire(customer, seed=2))
    assert not crosstalk.equal


def test_a_loud_echo_is_not_taken_for_equal_channels() -> None:
    said = np.concatenate([voice(1), voice(2)])
    _, crosstalk = compare(wire(line(said, 30, -8), seed=1), wire(said, seed=2))
    assert not crosstalk.equal


@settings(max_examples=2, deadline=None)
@given(sizes=st.tuples(st.integers(100, 5_000), st.integers(100, 5_000)))
def test_the_way_audio_arrives_changes_nothing(sizes: tuple[int, int]) -> None:
    said = voice(9, 4)
    legs = wire(line(said, 120, -14), seed=1), wire(said, seed=2)
    known, expected = compare(*legs, sizes)[0], compare(*legs)[0]
    for leg in (AGENT, CUSTOMER):
        np.testing.assert_array_equal(known[leg], expected[leg])


def test_legs_that_begin_apart_are_compared_on_one_clock() -> None:
    said = voice(6)
    echo, customer = wire(line(said, 100, -12), seed=1), wire(said, seed=2)
    begin = 3_000
    crosstalk = Crosstalk((begin, 0))
    cleaned = [*crosstalk.push(CUSTOMER, customer), *crosstalk.push(AGENT, echo[begin:]), *crosstalk.flush()]
    agent = [clean for clean in cleaned if clean.leg == AGENT and not clean.revised]
    assert agent[0].start == begin
    assert sum(clean.pcm.size for clean in agent) == echo.size - begin
    assert level(np.concatenate([clean.pcm for clean in agent])[2 * SAMPLE_RATE :]) < -60


def test_after_a_pause_it_goes_on_where_it_was() -> None:
    crosstalk, part = Crosstalk(), wire(voice(2, 2))
    for leg in (AGENT, CUSTOMER):
        crosstalk.push(leg, part[:16_100])
    ends = {clean.leg: clean.start + clean.pcm.size for clean in crosstalk.flush()}
    assert ends == {AGENT: 16_100, CUSTOMER: 16_100}
    crosstalk.push(AGENT, part[:1_300])
    after = crosstalk.push(CUSTOMER, part[:1_300])
    assert {clean.start for clean in after} == {16_100}
