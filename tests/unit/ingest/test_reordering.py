"""Telnyx does not keep the order of its messages: they come out in order, none is lost, and few are ever held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from service.ingest.events import AudioArrived
from service.ingest.reordering import OVERTAKEN
from tests.media_streams_vendors import BOTH, TELNYX, told

FRAME = 160
Numbering = Literal["both", "timestamp", "chunk of each track", "chunk of the stream"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A frame of 20 ms whose payload tells its track and place."""

    track: str
    place: int
    chunk: int

    @property
    def payload(self) -> bytes:
        return f"{self.track} {self.place:04} ".encode().ljust(FRAME)

    def message(self, numbering: Numbering) -> str:
        message = TELNYX.audio(self.payload, self.chunk, 20 * self.place, self.track)
        if numbering == "both":
            return message
        return message.replace('"chunk"' if numbering == "timestamp" else '"timestamp"', '"unknown"')


@st.composite
def streams(draw: st.DrawFn) -> tuple[Numbering, list[Sent], list[Sent]]:
    """A numbering, and a stream as it was sent and as it comes: no frame is overtaken by more than the window holds."""
    numbering: Numbering = draw(st.sampled_from(("both", "timestamp", "chunk of each track", "chunk of the stream")))
    tracks = draw(st.lists(st.sampled_from(BOTH), min_size=1, max_size=60))
    sent: list[Sent] = []
    for number, track in enumerate(tracks, 1):
        place = sum(each.track == track for each in sent)
        chunk = number if numbering == "chunk of the stream" else place + 1
        sent.append(Sent(track=track, place=place, chunk=chunk))
    late = draw(st.lists(st.integers(0, OVERTAKEN // 2), min_size=len(sent), max_size=len(sent)))
    arrival = sorted(range(len(sent)), key=lambda number: number + late[number])
    return numbering, sent, [sent[number] for number in arrival]


def payloads(events: object, role: str) -> list[bytes]:
    assert isinstance(events, list)
    return [event.payload for event in events if isinstance(event, AudioArrived) and event.role == role]


@given(streams())
def test_every_track_comes_out_in_order_and_whole(stream: tuple[Numbering, list[Sent], list[Sent]]) -> None:
    numbering, sent, arrival = stream
    dialect, _ = TELNYX.open()
    events = told(dialect, *(frame.message(numbering) for frame in arrival), TELNYX.ends)
    for track, role in (("inbound", "customer"), ("outbound", "agent")):
        assert payloads(events, role) == [frame.payload for frame in sent if frame.track == track]


@given(st.lists(st.tuples(st.sampled_from(BOTH), st.integers(-5, 60)), max_size=80))
def test_in_any_order_nothing_is_lost_and_no_more_than_the_window_is_held(order: list[tuple[str, int]]) -> None:
    dialect, _ = TELNYX.open()
    frames = [Sent(track=track, place=place, chunk=place + 1) for track, place in order]
    given_out: list[bytes] = []
    for came, frame in enumerate(frames, 1):
        given_out += [
            event.payload for event in told(dialect, frame.message("both")) if isinstance(event, AudioArrived)
        ]
        assert came - len(given_out) <= OVERTAKEN
    given_out += [event.payload for event in dialect.closed() if isinstance(event, AudioArrived)]
    assert sorted(given_out) == sorted(frame.payload for frame in frames)


def test_audio_in_order_is_never_held() -> None:
    for numbering in ("both", "timestamp", "chunk of each track"):
        dialect, _ = TELNYX.open()
        for place in range(20):
            for track in BOTH:
                assert told(dialect, Sent(track=track, place=place, chunk=place + 1).message(numbering))


def test_a_lost_frame_holds_what_follows_it_no_longer_than_the_window() -> None:
    dialect, _ = TELNYX.open()
    told(dialect, Sent(track="inbound", place=0, chunk=1).message("both"))
    after = [Sent(track="inbound", place=place, chunk=place + 1) for place in range(2, 2 + OVERTAKEN + 1)]
    events = [told(dialect, frame.message("both")) for frame in after]
    assert [len(each) for each in events] == [0] * OVERTAKEN + [OVERTAKEN + 1]


def test_a_stream_that_starts_again_counts_anew() -> None:
    dialect, _ = TELNYX.open()
    frames = [Sent(track="inbound", place=place, chunk=place + 1) for place in (0, 1, 3)]
    told(dialect, *(frame.message("both") for frame in frames))
    again = told(dialect, TELNYX.start())
    assert payloads(again, "customer") == [frames[-1].payload]
    swapped = [Sent(track="inbound", place=place, chunk=place + 1) for place in (1, 0)]
    events = told(dialect, *(frame.message("both") for frame in swapped))
    assert payloads(events, "customer") == [swapped[1].payload, swapped[0].payload]
