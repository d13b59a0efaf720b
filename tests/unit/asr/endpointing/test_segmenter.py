from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asr.audio.pcm import samples_in_ms
from asr.endpointing.segmenter import (
    LONGEST_FRAME_MS,
    Segmenter,
    SegmenterRules,
)

FRAME = 320
SPEECH, DOUBT, SILENCE = 1.0, 0.4, 0.0
LOUD, QUIET = -20.0, -60.0

SHORT = SegmenterRules(
    min_speech_ms=40,
    pre_roll_ms=60,
    hangover_ms=120,
    brief_hangover_ms=80,
    lasting_hangover_ms=200,
    patience_ms=300,
    least_hangover_ms=60,
    tail_ms=40,
    longest_ms=800,
    search_ms=300,
)
"""The shape of the default rules at a size that lets generated legs reach every bound."""

Frame = tuple[int, float, float]

expectations = st.lists(st.sampled_from([True, False, None]), max_size=120)
"""What is told of the words before each frame; None too where nothing is."""

frames = st.lists(
    st.tuples(
        st.integers(1, 1_600),
        st.sampled_from([0.0, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0]),
        st.floats(-96, 0),
    ),
    max_size=120,
)


def ms(*frames: tuple[int, float, float]) -> list[Frame]:
    """Frames of 20 ms from (milliseconds, score, level) stretches."""
    return [(FRAME, score, level) for length, score, level in frames for _ in range(length // 20)]


def segment(
    leg: list[Frame], rules: SegmenterRules | None = None, told: list[bool | None] | None = None
) -> list[range]:
    """`told`: what is expected before each frame, as far as it reaches."""
    segmenter = Segmenter(rules)
    ended: list[range] = []
    expected = [*(told or [])[: len(leg)], *[None] * len(leg)]
    for frame, complete in zip(leg, expected, strict=False):
        if complete is not None:
            segmenter.expect(complete)
        ended += segmenter.push(*frame)
    return ended + segmenter.close()


def paused(complete: bool | None, silence: int) -> list[range]:
    """What a second of speech, words that are told after 200 ms, and `silence` ms in all come to."""
    segmenter = Segmenter()
    ended: list[range] = []
    for at, frame in enumerate(ms((1_000, SPEECH, LOUD), (silence, SILENCE, QUIET))):
        ended += segmenter.push(*frame)
        if at == 59:
            segmenter.expect(complete)
    return ended


def ends(leg: list[Frame], rules: SegmenterRules | None = None) -> list[tuple[int, int]]:
    """(start, end) in milliseconds."""
    return [(ended.start // 16, ended.stop // 16) for ended in segment(leg, rules)]


def speech_rows(leg: list[Frame], rules: SegmenterRules) -> list[tuple[int, int]]:
    """What must not be lost, found without a segmenter: rows of frames over the stop score, each from its first
    frame over the start score, that last long enough."""
    rows: list[tuple[int, int]] = []
    onset, now = None, 0
    for samples, score, _ in [*leg, (0, 0.0, 0.0)]:
        if score < rules.stop_score:
            if onset is not None and now - onset >= samples_in_ms(rules.min_speech_ms):
                rows.append((onset, now))
            onset = None
        elif onset is None and score >= rules.start_score:
            onset = now
        now += samples
    return rows


@given(frames, expectations)
def test_every_sample_of_speech_lies_in_exactly_one_segment(leg: list[Frame], told: list[bool | None]) -> None:
    covered = [0] * (sum(samples for samples, _, _ in leg) + 1)
    for ended in segment(leg, SHORT, told):
        covered[ended.start : ended.stop] = [count + 1 for count in covered[ended.start : ended.stop]]
    for begin, end in speech_rows(leg, SHORT):
        assert set(covered[begin:end]) == {1}
    assert max(covered) <= 1


@given(frames, expectations)
def test_segments_are_ordered_disjoint_bounded_and_within_the_leg(leg: list[Frame], told: list[bool | None]) -> None:
    found = segment(leg, SHORT, told)
    assert all(0 < len(ended) <= samples_in_ms(SHORT.longest_ms) for ended in found)
    assert all(before.stop <= after.start for before, after in pairwise(found))
    assert not found or (found[0].start >= 0 and found[-1].stop <= sum(samples for samples, _, _ in leg))


@given(frames)
def test_an_utterance_in_progress_ends_with_the_start_that_was_told(leg: list[Frame]) -> None:
    segmenter = Segmenter(SHORT)
    for frame in leg:
        since = segmenter.speech_since
        for ended in segmenter.push(*frame):
            assert ended.start == since
            assert segmenter.speech_since in (None, ended.stop)
    since = segmenter.speech_since
    assert [ended.start for ended in segmenter.close()] == ([] if since is None else [since])


@given(frames)
@example([(1_300, SPEECH, LOUD)] * 5 + [(1_600, SPEECH, QUIET)] + [(1_165, SPEECH, LOUD)] * 4 + [(40, SPEECH, LOUD)])
def test_an_end_is_told_once_it_is_past_and_not_long_after(leg: list[Frame]) -> None:
    """A cut falls into the middle of a frame, and that may reach out of the stretch that is searched."""
    latest = samples_in_ms(SHORT.search_ms) + samples_in_ms(LONGEST_FRAME_MS) // 2
    segmenter, now = Segmenter(SHORT), 0
    for frame in leg:
        now += frame[0]
        for ended in segmenter.push(*frame):
            assert ended.stop <= now
            assert now - ended.stop < latest


@given(st.lists(st.floats(-96, 0), min_size=80, max_size=200))
def test_unbroken_speech_is_split_without_a_sample_lost_or_doubled(levels: list[float]) -> None:
    found = ends([(FRAME, SPEECH, level) for level in levels], SHORT)
    assert found[0][0] == 0
    assert all(before[1] == after[0] for before, after in pairwise(found))
    assert found[-1][1] == len(levels) * 20


def test_silence_gives_nothing() -> None:
    assert segment(ms((5_000, SILENCE, QUIET))) == []


def test_speech_gets_its_pre_roll_and_its_tail() -> None:
    assert ends(ms((1_000, SILENCE, QUIET), (1_000, SPEECH, LOUD), (1_000, SILENCE, QUIET))) == [(700, 2_200)]


def test_the_beginning_is_told_as_soon_as_it_is_sure() -> None:
    segmenter = Segmenter()
    told: list[int | None] = []
    for frame in ms((500, SILENCE, QUIET), (160, SPEECH, LOUD)):
        assert segmenter.push(*frame) == []
        told.append(segmenter.speech_since)
    assert told[-1] == samples_in_ms(200)
    assert not any(told[:-1])
    assert segmenter.speech_since == samples_in_ms(200)


def test_the_end_is_told_after_the_hangover() -> None:
    segmenter = Segmenter()
    leg = ms((1_000, SPEECH, LOUD), (560, SILENCE, QUIET))
    told = [segmenter.push(*frame) for frame in leg]
    assert told[-1] == [range(0, samples_in_ms(1_200))]
    assert not any(told[8:-1])
    assert segmenter.speech_since is None


def test_a_click_is_not_speech() -> None:
    assert segment(ms((1_000, SILENCE, QUIET), (140, SPEECH, LOUD), (1_000, SILENCE, QUIET))) == []


def test_doubt_holds_speech_but_does_not_start_it() -> None:
    assert segment(ms((2_000, DOUBT, LOUD))) == []
    assert ends(ms((400, SPEECH, LOUD), (2_000, DOUBT, LOUD), (1_000, SILENCE, QUIET))) == [(0, 2_600)]


def test_a_pause_inside_a_clause_does_not_end_it() -> None:
    leg = ms((600, SPEECH, LOUD), (540, SILENCE, QUIET), (600, SPEECH, LOUD), (1_000, SILENCE, QUIET))
    assert ends(leg) == [(0, 1_940)]


@pytest.mark.parametrize(("complete", "hangover"), [(True, 360), (None, 560), (False, 800)])
def test_what_was_said_tells_how_long_to_wait_for_more(complete: bool | None, hangover: int) -> None:
    assert paused(complete, hangover - 20) == []
    assert paused(complete, hangover) == [range(0, samples_in_ms(1_200))]


def test_a_complete_clause_that_is_known_late_ends_at_once() -> None:
    segmenter = Segmenter()
    for frame in ms((1_000, SPEECH, LOUD), (460, SILENCE, QUIET)):
        segmenter.push(*frame)
    segmenter.expect(True)
    assert segmenter.push(FRAME, SILENCE, QUIET) == [range(0, samples_in_ms(1_200))]


def test_what_was_expected_of_a_pause_says_nothing_of_the_next() -> None:
    segmenter = Segmenter()
    for frame in ms((1_000, SPEECH, LOUD), (260, SILENCE, QUIET)):
        segmenter.push(*frame)
    segmenter.expect(True)
    leg = ms((200, SPEECH, LOUD), (540, SILENCE, QUIET))
    assert [event for frame in leg for event in segmenter.push(*frame)] == []


def test_the_pre_roll_does_not_reach_into_the_utterance_before() -> None:
    leg = ms((600, SPEECH, LOUD), (580, SILENCE, QUIET), (600, SPEECH, LOUD))
    rules = SegmenterRules(pre_roll_ms=500)
    assert ends(leg, rules) == [(0, 800), (800, 1_780)]


def test_long_speech_ends_in_a_shorter_breath() -> None:
    breath = (300, SILENCE, QUIET)
    assert len(ends(ms((2_000, SPEECH, LOUD), breath, (2_000, SPEECH, LOUD)))) == 1
    assert ends(ms((13_000, SPEECH, LOUD), breath, (2_000, SPEECH, LOUD)))[0] == (0, 13_200)


def test_overlong_speech_is_split_at_its_quietest_point() -> None:
    leg = ms((11_500, SPEECH, LOUD), (100, SPEECH, QUIET), (8_000, SPEECH, LOUD))
    assert ends(leg) == [(0, 11_550), (11_550, 19_600)]


def test_a_loud_dip_of_one_frame_is_no_place_to_split() -> None:
    leg = ms(
        (10_500, SPEECH, LOUD), (20, SPEECH, -60.0), (500, SPEECH, LOUD), (120, SPEECH, -45.0), (4_000, SPEECH, LOUD)
    )
    assert 11_020 < ends(leg)[0][1] < 11_140


def test_a_split_stays_within_the_longest_even_where_a_long_frame_reaches_over_it() -> None:
    lengths_ms = [100] * 7 + [60, 100]
    leg = [(samples_in_ms(length), SPEECH, LOUD - at) for at, length in enumerate(lengths_ms)]
    assert ends(leg, SHORT)[0] == (0, 730)


def test_silence_after_the_quietest_point_opens_no_empty_utterance() -> None:
    leg = ms((13_800, SPEECH, LOUD), (600, SILENCE, QUIET))
    [(_, end)] = ends(leg)
    assert 13_800 <= end <= 14_000


def test_closing_ends_speech_in_progress_once() -> None:
    segmenter = Segmenter()
    for frame in ms((1_000, SPEECH, LOUD), (100, SILENCE, QUIET)):
        segmenter.push(*frame)
    assert segmenter.close() == [range(0, samples_in_ms(1_100))]
    assert segmenter.close() == []


@pytest.mark.parametrize("samples", [0, -1, 1_601])
def test_a_frame_that_is_no_frame_is_refused(samples: int) -> None:
    with pytest.raises(ValueError, match=f"frame of {samples} samples"):
        Segmenter().push(samples, SPEECH, LOUD)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"stop_score": 0.7}, "stop_score"),
        ({"stop_score": 0.0}, "stop_score"),
        ({"start_score": 1.1}, "start_score"),
        ({"tail_ms": 300}, "tail_ms"),
        ({"least_hangover_ms": 400}, "brief_hangover_ms"),
        ({"brief_hangover_ms": 600}, "brief_hangover_ms"),
        ({"lasting_hangover_ms": 500}, "lasting"),
        ({"tail_ms": 0, "least_hangover_ms": 0}, "hangover"),
        ({"pre_roll_ms": -1}, "pre_roll_ms"),
        ({"patience_ms": 14_000}, "patience_ms"),
        ({"search_ms": 7_001}, "search_ms"),
        ({"search_ms": 199}, "search_ms"),
        ({"pre_roll_ms": 7_000}, "pre_roll_ms"),
    ],
)
def test_rules_that_cannot_hold_are_refused(wrong: dict[str, float], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        SegmenterRules(**wrong)  # type: ignore[arg-type]
