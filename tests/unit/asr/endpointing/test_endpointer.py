from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.audio.pcm import SAMPLE_RATE, Pcm, Resampler, samples_in_ms
from asr.endpointing.endpointer import LegEndpointer, SpeechSegment
from asr.endpointing.segmenter import SegmenterRules
from asr.endpointing.vad import FRAME_SAMPLES

CALL = Path(__file__).parents[4] / "samples" / "calls" / "zh-exposure-threat.flac"
HURRIED = SegmenterRules(longest_ms=2_000, patience_ms=800, search_ms=800)
"""Forces cuts, and wraps the ring several times, in a quarter of a minute."""


@cache
def leg() -> Pcm:
    """15 s of the agent."""
    stereo, rate = sf.read(CALL, dtype="int16", frames=15 * 8_000)
    resampler = Resampler(rate)
    return np.concatenate([resampler.push(np.ascontiguousarray(stereo[:, 0], np.int16)), resampler.flush()])


def segments_of(pcm: Pcm, cuts: list[int], rules: SegmenterRules | None = None) -> list[SpeechSegment]:
    endpointer = LegEndpointer("agent", rules)
    ended = [segment for part in np.split(pcm, sorted(cuts)) for segment in endpointer.push(part)]
    return ended + endpointer.close()


@cache
def segments_of_whole(length: int) -> list[SpeechSegment]:
    return segments_of(leg()[:length], [], HURRIED)


@settings(max_examples=15)
@given(cuts=st.lists(st.integers(0, 15 * SAMPLE_RATE), max_size=40), short=st.sampled_from([0, 1, 159, 320]))
def test_the_way_audio_is_cut_changes_nothing(cuts: list[int], short: int) -> None:
    length = leg().size - short
    assert segments_of(leg()[:length], [min(cut, length) for cut in cuts], HURRIED) == segments_of_whole(length)


@pytest.mark.parametrize("packet", [1, 160, 333])
def test_packets_of_one_size_change_nothing(packet: int) -> None:
    part = leg()[: 5 * SAMPLE_RATE]
    assert segments_of(part, list(range(packet, part.size, packet))) == segments_of(part, [])


@pytest.mark.parametrize("rules", [SegmenterRules(), HURRIED])
def test_a_cut_carries_the_very_samples_of_its_span(rules: SegmenterRules) -> None:
    found = segments_of(leg(), list(range(0, leg().size, 777)), rules)
    assert len(found) >= 2
    for cut in found:
        assert cut.pcm == leg()[cut.first : cut.last].tobytes()
        assert cut.last - cut.first <= samples_in_ms(rules.longest_ms)


def test_forced_cuts_join_without_a_gap() -> None:
    found = segments_of(leg(), [], HURRIED)
    forced = [cut for cut, after in pairwise(found) if cut.last == after.first]
    assert forced
    assert all(cut.seconds * 1000 > HURRIED.longest_ms - HURRIED.search_ms for cut in forced)


def test_an_utterance_in_progress_can_be_read() -> None:
    endpointer, at = LegEndpointer("agent"), 0
    while not endpointer.speaking:
        endpointer.push(leg()[at : at + 500])
        at += 500
    endpointer.push(leg()[at : at + 5_000])
    at += 5_000
    since = endpointer.speech_since
    assert since is not None
    assert endpointer.taken_in == at - at % FRAME_SAMPLES
    assert endpointer.speech_until(endpointer.taken_in) == leg()[since : endpointer.taken_in].tobytes()


def test_a_pause_tells_where_the_utterance_ends_if_its_speaker_says_no_more() -> None:
    endpointer, told = LegEndpointer("agent"), list[int | None]()
    audio = np.concatenate([leg(), np.zeros(2 * SAMPLE_RATE, np.int16)])
    for begin in range(0, audio.size, FRAME_SAMPLES):
        for ended in endpointer.push(audio[begin : begin + FRAME_SAMPLES]):
            assert ended.last == told[-1]
            assert told.index(ended.last) < len(told) - 10, "known well before it is cut"
            told.clear()
        told.append(endpointer.pause_since)
    assert told[-1] is None


def test_nobody_speaks_after_the_end() -> None:
    endpointer = LegEndpointer("agent")
    endpointer.push(leg())
    endpointer.push(np.zeros(2 * SAMPLE_RATE, np.int16))
    assert (endpointer.speaking, endpointer.speech_since, endpointer.pause_since) == (False, None, None)
    assert endpointer.close() == []


def test_closing_hears_the_last_part_of_a_frame() -> None:
    cut = segments_of(leg(), [])[0]
    middle = (cut.first + cut.last) // 2 // FRAME_SAMPLES * FRAME_SAMPLES + 100
    last = segments_of(leg()[:middle], [])[-1]
    assert last.last > middle - 100
