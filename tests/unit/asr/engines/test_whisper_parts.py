"""The parts of the Whisper engine that need no model."""

from __future__ import annotations

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor
from hypothesis import given
from hypothesis import strategies as st

from asr.engines.port import BiasTerm
from asr.engines.whisper.decoding import (
    CONTEXTS,
    FULL_CONTEXT,
    TAIL,
    Hypothesis,
    compression_ratio,
    context_for,
    looks_wrong,
    preferred,
    says_twice,
    token_limit,
    wider_context_for,
)
from asr.engines.whisper.encoder_frames import LogMel, voiced_sound, with_silence
from asr.engines.whisper.word_alignment import word_times
from asr.recognition.queue import RecogniserLimits


def decoded(text: str = "您的欠款已经逾期", *, tokens: int = 8, logprob: float = -0.3) -> Hypothesis:
    return Hypothesis(
        tokens=tuple(range(tokens)),
        text=text,
        avg_logprob=logprob,
        no_speech_prob=0.1,
        compression_ratio=compression_ratio(text),
    )


@pytest.mark.parametrize("seconds", [0.1, 3.3, 9.99, 10.0])
def test_the_spectrogram_is_the_one_whisper_was_trained_on(seconds: float):
    pcm = (0.1 * np.random.default_rng(1).standard_normal(round(seconds * 16_000))).astype(np.float32)
    expected = FeatureExtractor(feature_size=80)(np.pad(pcm, (0, 160_000 - len(pcm))), padding=0)
    ours = LogMel(80)([pcm], 10.0)
    assert ours.shape == (1, 80, 1000)
    assert ours.dtype == np.float32
    # The last frame looks past the end, where they mirror and we have silence.
    np.testing.assert_allclose(ours[0, :, :-2], expected[:, :-2], atol=1e-4)


def test_what_is_longer_than_the_context_is_cut():
    pcm = np.zeros(31 * 16_000, dtype=np.float32)
    assert LogMel(128)([pcm], 30.0).shape == (1, 128, 3000)


@given(st.floats(0.1, 30.0))
def test_the_context_holds_the_speech(seconds: float):
    assert context_for(seconds) >= seconds
    assert context_for(seconds) in CONTEXTS


def test_the_longest_context_is_the_one_whisper_was_trained_on():
    assert context_for(0.1) == CONTEXTS[0]
    assert context_for(29.6) == FULL_CONTEXT


@given(st.floats(0.1, 30.0))
def test_a_second_look_is_at_a_wider_context(seconds: float):
    assert wider_context_for(seconds) in CONTEXTS
    assert wider_context_for(seconds) > context_for(seconds) or context_for(seconds) == FULL_CONTEXT


def test_the_scheduler_calls_similar_what_shares_a_context():
    assert RecogniserLimits().bands == tuple(context - TAIL for context in CONTEXTS[:-1])


def test_borrowed_silence_goes_behind_each_item_from_the_position_it_was_made_for():
    encoded = np.zeros((2, 3, 4), np.float32)
    silence = np.arange(5 * 4, dtype=np.float32).reshape(5, 4)
    longer = with_silence(encoded, silence)
    assert longer.shape == (2, 5, 4)
    for item in longer:
        np.testing.assert_array_equal(item[:3], 0)
        np.testing.assert_array_equal(item[3:], silence[3:])


def test_what_reaches_past_the_silence_gets_none():
    encoded = np.ones((1, 6, 4), np.float32)
    assert with_silence(encoded, np.zeros((5, 4), np.float32)) is encoded


def test_the_sound_that_silence_is_borrowed_from_has_no_offset():
    assert abs(float(voiced_sound().mean())) < 1e-3


@given(st.floats(0.1, 30.0))
def test_the_token_limit_leaves_room_for_the_fastest_speech_and_for_a_prompt(seconds: float):
    assert token_limit(seconds) >= min(224, 10 * seconds)
    assert token_limit(seconds) <= 224


def test_a_plausible_result_is_not_decoded_again():
    assert not looks_wrong(decoded(), 2.0)
    assert not looks_wrong(decoded(text="", tokens=0, logprob=-5.0), 2.0)


@pytest.mark.parametrize(
    ("wrong", "seconds"),
    [
        (decoded(logprob=-1.1), 2.0),
        (decoded(tokens=60), 2.0),
        (decoded("自动驾驶7车的实现自动驾驶7车的实现"), 3.4),
        (decoded("好的" * 60, tokens=50), 20.0),
    ],
)
def test_a_result_that_looks_wrong_is_decoded_again(wrong: Hypothesis, seconds: float):
    assert looks_wrong(wrong, seconds)


def test_numbers_must_be_surer():
    unsure = decoded("1973、1969、1955", logprob=-0.6)
    assert looks_wrong(unsure, 3.6)
    assert not looks_wrong(decoded("一九六九年", logprob=-0.7), 3.6)
    assert not looks_wrong(decoded("这是1969年", logprob=-0.3), 3.6)


@pytest.mark.parametrize(
    ("text", "twice"),
    [
        ("好的好的好的好的好的好的", True),
        ("好的好的好的", False),
        ("是的是的", False),
        ("我今天去你家找你，我今天去你家找你。", True),
        ("you have to pay today you have to pay today", True),
        ("you have to pay, you must pay", False),
        ("13800138000", False),
        ("", False),
    ],
)
def test_a_stretch_that_comes_back_is_noticed(text: str, twice: bool):
    assert says_twice(text) is twice


WARRANT = (BiasTerm(text="warrant"),)


def test_a_text_with_an_expected_term_is_preferred_where_it_is_nearly_as_likely():
    first, near = decoded("In the last one?", logprob=-0.2), decoded("A warrant?", logprob=-0.3)
    assert preferred([first, near], WARRANT) is near
    assert preferred([first, decoded("A warrant?", logprob=-0.4)], WARRANT) is first


def test_the_likeliest_text_stands_where_no_other_holds_more_terms():
    first, other = decoded("A warrant.", logprob=-0.31), decoded("A warrant?", logprob=-0.3)
    assert preferred([first, other], WARRANT) is first
    assert preferred([first, other], ()) is first
    assert preferred([first], WARRANT) is first


@given(st.lists(st.tuples(st.sampled_from(["pay", "a warrant"]), st.floats(-1.0, 0.0)), min_size=1, max_size=5))
def test_no_term_makes_up_for_more_than_its_worth(ways: list[tuple[str, float]]):
    hypotheses = [decoded(text, logprob=logprob) for text, logprob in sorted(ways, key=lambda way: -way[1])]
    assert preferred(hypotheses, WARRANT).avg_logprob >= hypotheses[0].avg_logprob - 1 / 9


def test_a_word_lasts_from_its_first_token_to_the_next_words():
    path = [(0, 5), (0, 6), (1, 10), (2, 20), (2, 21), (3, 40)]
    words = word_times([("你", 1), ("好吗", 2)], path, [0.9, 0.5, 0.7, 0.1], 2.0)
    assert [(word.text, word.start, word.end) for word in words] == [("你", 0.1, 0.2), ("好吗", 0.2, 0.8)]
    assert [word.probability for word in words] == pytest.approx([0.9, 0.6])


@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=2), st.integers(1, 3)), max_size=8),
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), max_size=30),
    st.floats(0.1, 3.0),
)
def test_words_are_in_order_and_within_the_stretch_for_any_monotone_path(
    words: list[tuple[str, int]], steps: list[tuple[int, int]], seconds: float
):
    path, token, time = [], 0, 0
    for dt, ds in steps:
        token, time = token + dt, time + ds
        path.append((token, time))
    tokens = sum(count for _, count in words)
    spans = word_times(words, path, [0.5] * (tokens + 1), seconds)
    edges = [edge for word in spans for edge in (word.start, word.end)]
    assert edges == sorted(edges)
    assert all(0 <= edge <= seconds for edge in edges)
