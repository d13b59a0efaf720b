"""AudioSocket's frames, wherever TCP cuts them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.ingest.dialects.audiosocket import AudioSocketDialect
from service.ingest.events import (
    AudioArrived,
    CallStopped,
    DigitPressed,
    FormatChanged,
    GatewayEvent,
    Irregularity,
    ProtocolViolation,
    ReservedCallAnnounced,
)
from service.ingest.reserved_call import reserved_call

TOKEN = uuid.UUID("12345678-1234-4234-8234-123456789abc")


def frame(kind: int, payload: bytes = b"") -> bytes:
    return bytes([kind]) + len(payload).to_bytes(2, "big") + payload


HELLO = frame(0x01, TOKEN.bytes)


def told(stream: bytes, cuts: Sequence[int] = ()) -> list[GatewayEvent]:
    dialect = AudioSocketDialect()
    edges = [0, *sorted(cuts), len(stream)]
    return [event for begin, end in pairwise(edges) for event in dialect.binary(stream[begin:end])]


def test_a_call_from_its_token_to_its_hang_up() -> None:
    stream = HELLO + frame(0x10, b"\1\2" * 160) + frame(0x03, b"5") + frame(0x00)
    assert told(stream) == [
        ReservedCallAnnounced(token=str(TOKEN), encoding="pcm_s16le", rate=8000, clock="arrival"),
        AudioArrived(payload=b"\1\2" * 160),
        DigitPressed(digit="5"),
        CallStopped(call_over=False),
    ]


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(0, 700), max_size=12))
def test_where_the_stream_is_cut_changes_nothing(cuts: list[int]) -> None:
    stream = HELLO + frame(0x10, bytes(range(256))) + frame(0x12, bytes(320)) + frame(0x03, b"#") + frame(0x00)
    assert told(stream, [min(cut, len(stream)) for cut in cuts]) == told(stream)


def test_another_rate_is_told_before_its_first_audio_once() -> None:
    events = told(HELLO + frame(0x12, bytes(640)) + frame(0x12, bytes(640)))
    assert events[1] == FormatChanged(encoding="pcm_s16le", rate=16_000, roles=(), clock="arrival")
    assert [type(event) for event in events[2:]] == [AudioArrived, AudioArrived]


@pytest.mark.parametrize(("kind", "rate"), [(0x11, 12_000), (0x14, 32_000), (0x15, 44_100), (0x16, 48_000)])
def test_every_rate_of_the_protocol_is_taken(kind: int, rate: int) -> None:
    [_, changed, audio] = told(HELLO + frame(kind, bytes(960)))
    assert changed == FormatChanged(encoding="pcm_s16le", rate=rate, roles=(), clock="arrival")
    assert audio == AudioArrived(payload=bytes(960))


class Counted(bytes):
    """Counts what is copied out of it, and out of that."""

    copied: ClassVar = 0

    def __radd__(self, before: bytes) -> Counted:
        return Counted(before + bytes(self))

    def __getitem__(self, at: Any) -> Any:
        part = super().__getitem__(at)
        if not isinstance(at, slice):
            return part
        Counted.copied += len(part)
        return Counted(part)


def test_each_byte_of_many_small_frames_is_copied_once() -> None:
    stream, Counted.copied = Counted(HELLO + frame(0x77) * 10_000 + b"\x77"), 0
    assert AudioSocketDialect().binary(stream) == told(HELLO)
    assert 0 < Counted.copied <= len(stream), "many times as much where what is left is copied frame by frame"


def test_what_is_not_understood_ends_nothing() -> None:
    events = told(HELLO + frame(0xFF, b"\1") + frame(0x77, b"new") + frame(0x10))
    assert [type(event) for event in events[1:]] == [Irregularity]


@pytest.mark.parametrize("first", [frame(0x10, bytes(320)), frame(0x01, b"short"), b"GET / HTTP/1.1\r\n\r\n" * 4000])
def test_a_stream_that_does_not_begin_with_a_uuid_is_refused(first: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        told(first)


def test_the_end_of_the_stream_ends_the_leg_once() -> None:
    dialect = AudioSocketDialect()
    assert dialect.closed() == []
    dialect.binary(HELLO)
    assert dialect.closed() == [CallStopped(call_over=False)]
    assert dialect.closed() == []


def test_a_call_is_told_of_with_both_legs_or_one() -> None:
    assert reserved_call({"call_id": "c-1"})[0].roles == ("agent", "customer")
    told = {"call_id": "c-1", "legs": ["customer"], "agent": "A17", "metadata": {"campaign": "M1"}}
    call, notes = reserved_call(told)
    assert not notes
    assert (call.roles, call.agent, call.metadata) == (("customer",), "A17", {"campaign": "M1"})


@pytest.mark.parametrize("legs", [[], "agent", ["boss"]])
def test_legs_that_are_none_are_refused(legs: object) -> None:
    with pytest.raises(ProtocolViolation) as refused:
        reserved_call({"call_id": "c-1", "legs": legs})
    assert refused.value.field == "legs"
