"""What integrators of these vendors complain about elsewhere: each is a test, with every vendor's messages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.audio.pcm import Pcm, decode
from asr.types import Role
from service.ingest.dialect import DialectOutput
from service.ingest.dialects.media_streams import MAX_EARLY_BYTES
from service.ingest.events import AudioArrived, CallAnnounced, CallStopped, Irregularity, ProtocolViolation
from service.media.legs import LegAudio
from service.media.timeline import CallTimeline
from service.record.facts import GapMarked
from service.storage.sql import SqlStore
from tests.floor import Floor
from tests.media_streams_vendors import BOTH, EXOTEL, PBX, VENDORS, VendorMessages, on_one_address, told

every_vendor = pytest.mark.parametrize("vendor", VENDORS.values(), ids=VENDORS)
FRAME = 160
"""Samples and bytes: 20 ms of G.711 at 8 kHz."""


def words(track: str, frame: int) -> bytes:
    """A frame that tells its track and its place."""
    return bytes([(7 * frame + each) % 100 + (100 if track == "outbound" else 0) for each in range(FRAME)])


def frames(vendor: VendorMessages, wanted: Sequence[int], tracks: Sequence[str] = BOTH) -> list[str]:
    """These frames of each track, in turns."""
    return [vendor.audio(words(track, frame), frame + 1, 20 * frame, track) for frame in wanted for track in tracks]


def audio(events: Sequence[DialectOutput], role: Role) -> list[AudioArrived]:
    return [event for event in events if isinstance(event, AudioArrived) and event.role == role]


def bytes_of(events: Sequence[DialectOutput], role: Role) -> bytes:
    return b"".join(event.payload for event in audio(events, role))


def placed(events: Sequence[DialectOutput], call: CallAnnounced) -> tuple[dict[Role, Pcm], list[GapMarked]]:
    """What the call's timeline makes of them, as fast as they can come: its legs, and its gaps."""
    timeline = CallTimeline(call.all_roles, call.encoding, call.rate)
    arrived = [event for event in events if isinstance(event, AudioArrived)]
    outputs = [output for event in arrived for output in timeline.feed(event, now=event.at or 0.0)]
    while more := timeline.flush():
        outputs += more
    legs: dict[Role, Pcm] = {
        role: np.concatenate([run.pcm for run in outputs if isinstance(run, LegAudio) and run.role == role])
        for role in call.all_roles
    }
    return legs, [output for output in outputs if isinstance(output, GapMarked)]


@every_vendor
def test_interleaved_tracks_become_two_legs_and_no_garble(vendor: VendorMessages) -> None:
    dialect, call = vendor.open()
    legs, gaps = placed(told(dialect, *frames(vendor, range(50)), vendor.ends), call)
    assert gaps == []
    tracks: dict[str, Role] = {"inbound": "customer", "outbound": "agent"}
    for track, role in tracks.items():
        spoken = b"".join(words(track, frame) for frame in range(50))
        assert np.array_equal(legs[role], decode(spoken, "mulaw"))


@every_vendor
def test_swapped_parties_are_set_right_by_the_key(vendor: VendorMessages) -> None:
    orders: dict[Role, Role] = {"customer": "agent", "agent": "customer"}
    for first, second in orders.items():
        dialect, _ = vendor.open(replace(PBX, first_track=first))
        events = told(dialect, *frames(vendor, [0, 1]), vendor.ends)
        assert bytes_of(events, first) == words("inbound", 0) + words("inbound", 1)
        assert bytes_of(events, second) == words("outbound", 0) + words("outbound", 1)


async def test_a_second_connection_for_one_call_goes_on_with_it(tmp_path: Path) -> None:
    """Each stream has an id of its own, and the same call."""
    store = SqlStore(f"sqlite+aiosqlite:///{tmp_path / 'calls.db'}")
    await store.open()
    floor = Floor(store)
    async with floor.journal, asyncio.timeout(30), floor.calls:
        for name, vendor in VENDORS.items():
            streams = [vendor.open(stream=stream, parameters={"call_id": name})[1] for stream in ("1", "2")]
            first, again = [await floor.attach(stream) for stream in streams]
            assert (again.call_id, again.resumed) == (name, True)
            assert await first.over() == "taken_over"
            assert (await floor.ended(again)).ending == "completed"
    await store.close()


async def test_two_streams_with_a_party_each_are_one_call(tmp_path: Path) -> None:
    """Exotel's stream carries one leg; the agent's comes with a key that names the agent."""
    store = SqlStore(f"sqlite+aiosqlite:///{tmp_path / 'calls.db'}")
    await store.open()
    floor = Floor(store)
    async with floor.journal, asyncio.timeout(30), floor.calls:
        legs = [EXOTEL.open(replace(PBX, first_track=party), tracks=None)[1] for party in ("customer", "agent")]
        first, second = [await floor.attach(leg) for leg in legs]
        first.stop(call_over=False)
        assert (await floor.ended(second)).ending == "completed"
        assert await first.over() == "processed"
    await store.close()


@every_vendor
def test_a_call_keeps_its_id_from_stream_to_stream(vendor: VendorMessages) -> None:
    assert vendor.open(stream="1")[1] == vendor.open(stream="2")[1]


@every_vendor
def test_the_timeline_keeps_lost_audio_and_a_hold_as_long_as_they_were(vendor: VendorMessages) -> None:
    dialect, call = vendor.open()
    lost, hold = [*range(10), *range(60, 110)], [*range(2000, 2050)]
    legs, gaps = placed(told(dialect, *frames(vendor, [*lost, *hold]), vendor.ends), call)
    assert [(gap.start, gap.end) for gap in gaps if gap.role == "customer"] == [(0.2, 1.2), (2.2, 40.0)]
    assert len(legs["customer"]) == len(legs["agent"]) == 2050 * FRAME
    assert np.array_equal(legs["customer"][2000 * FRAME : 2001 * FRAME], decode(words("inbound", 2000), "mulaw"))
    assert not legs["customer"][10 * FRAME : 60 * FRAME].any()


@every_vendor
@pytest.mark.parametrize("one_address", [False, True])
def test_audio_before_the_start_follows_it(vendor: VendorMessages, one_address: bool) -> None:
    dialect = on_one_address() if one_address else vendor.dialect(PBX)
    early, late = frames(vendor, [0, 1]), frames(vendor, [2])
    assert told(dialect, *early) == []
    call, *events = told(dialect, vendor.start(), *late, vendor.ends)
    assert isinstance(call, CallAnnounced)
    assert bytes_of(events, "customer") == b"".join(words("inbound", frame) for frame in range(3))
    assert [event.at for event in audio(events, "agent")] == [0.0, 0.02, 0.04]


@every_vendor
@pytest.mark.parametrize("one_address", [False, True])
def test_a_start_that_never_comes_costs_no_memory_and_is_asked_for(vendor: VendorMessages, one_address: bool) -> None:
    dialect = on_one_address() if one_address else vendor.dialect(PBX)
    message = frames(vendor, [0], ["inbound"])[0]
    assert told(dialect, *[message] * (MAX_EARLY_BYTES // len(message))) == []
    for more in (message, vendor.ends):
        with pytest.raises(ProtocolViolation) as refused:
            dialect.text(more)
        assert refused.value.field == "start"


@every_vendor
def test_a_stream_without_a_stop_ends_by_its_close(vendor: VendorMessages) -> None:
    for dialect in (vendor.open()[0], on_one_address()):
        assert dialect.closed() in ([], [CallStopped(call_over=False)])
        assert dialect.closed() == []
    dialect = on_one_address()
    dialect.text(vendor.start())
    assert dialect.closed() == [CallStopped(call_over=False)]


@every_vendor
def test_silence_ends_no_stream_for_a_call_may_be_on_hold(vendor: VendorMessages) -> None:
    """Neither a stop nor a close: whether the peer is there is TCP's to tell."""
    assert vendor.open()[0].deadline() is None


@every_vendor
@given(st.lists(st.integers(1, 1600), min_size=1, max_size=12))
def test_frames_of_any_size_make_the_same_audio(vendor: VendorMessages, sizes: list[int]) -> None:
    dialect, _ = vendor.open()
    spoken = b"".join(words("inbound", frame) for frame in range(sum(sizes) // FRAME + 1))
    edges = [0, *np.cumsum(sizes).tolist()]
    cut = [vendor.audio(spoken[a:b], n + 1, a // 8) for n, (a, b) in enumerate(pairwise(edges))]
    assert bytes_of(told(dialect, *cut, vendor.ends), "customer") == spoken[: edges[-1]]


@every_vendor
def test_numbers_may_be_numbers_or_text(vendor: VendorMessages) -> None:
    def other(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: other(each) for name, each in cast("dict[str, Any]", value).items()}
        if isinstance(value, str):
            return int(value) if value.isdigit() else value
        return str(value)

    dialect, _ = vendor.open()
    same, _ = vendor.open()
    messages = [*frames(vendor, [0, 1, 2]), vendor.ends]
    events = told(same, *(json.dumps(other(json.loads(message))) for message in messages))
    assert events == told(dialect, *messages)
    assert not [event for event in events if isinstance(event, Irregularity)]
