"""Sample frames out of messages that end anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.ingest.frames import STRAYS_UNTIL_DROPPED, FrameAligner


def joined(aligner: FrameAligner, messages: list[bytes]) -> bytes:
    return b"".join(aligner.take(message)[0] for message in messages)


@given(st.sampled_from([1, 2, 4]), st.lists(st.integers(0, 50), max_size=20))
def test_whole_frames_pass_unchanged(frame: int, sizes: list[int]) -> None:
    aligner = FrameAligner(frame)
    for size in sizes:
        assert aligner.take(b"x" * size * frame) == (b"x" * size * frame, "whole")


@given(st.sampled_from([2, 4]), st.integers(1, 999), st.integers(1, 40))
def test_a_stream_cut_into_equal_buffers_comes_out_whole(frame: int, buffer: int, count: int) -> None:
    sent = bytes(n % 251 for n in range(buffer * count))
    got = joined(FrameAligner(frame), [sent[at : at + buffer] for at in range(0, len(sent), buffer)])
    assert got == sent[: len(sent) // frame * frame]


@given(st.sampled_from([2, 4]), st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3)), max_size=10))
def test_bytes_that_belong_to_nothing_shift_nothing(frame: int, strays: list[tuple[int, int]]) -> None:
    """Each stray end is followed by a message that is whole by itself."""
    aligner = FrameAligner(frame)
    whole = bytes(range(frame)) * 3
    for between, stray in strays:
        payload, _ = aligner.take(whole + b"\xff" * min(stray, frame - 1))
        assert payload == whole
        for _ in range(between + 1):
            assert aligner.take(whole)[0] == whole


@given(st.sampled_from([2, 4]), st.lists(st.binary(max_size=40), max_size=40))
def test_whatever_comes_only_whole_frames_go_out(frame: int, messages: list[bytes]) -> None:
    aligner = FrameAligner(frame)
    for message in messages:
        payload, _ = aligner.take(message)
        assert len(payload) % frame == 0


def test_a_stream_cut_anywhere_is_put_together_once_that_is_known() -> None:
    aligner = FrameAligner(2)
    assert aligner.take(b"abc") == (b"ab", "split")
    assert aligner.take(b"def") == (b"cdef", "whole")  # odd twice: this source splits frames
    assert aligner.take(b"ghi") == (b"gh", "split")
    assert aligner.take(b"jk") == (b"ij", "split")


def test_half_a_frame_that_stays_for_long_is_dropped_also_where_frames_are_split() -> None:
    aligner = FrameAligner(2)
    joined(aligner, [b"a", b"b", b"c"])
    taken = [aligner.take(b"xy") for _ in range(STRAYS_UNTIL_DROPPED + 2)]
    assert taken[0] == (b"cx", "split")
    assert taken[-1] == (b"xy", "whole")
    assert [outcome for _, outcome in taken].count("stray") == 1


@pytest.mark.parametrize("frame", [2, 4])
def test_an_empty_message_changes_nothing(frame: int) -> None:
    aligner = FrameAligner(frame)
    assert aligner.take(b"") == (b"", "whole")
    aligner.take(b"a")
    assert aligner.take(b"") == (b"", "whole")
