"""The timeline: every sample in its true place, whatever the line does to the packets."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.audio.pcm import PacketEncoding, Pcm, SampleEncoding, encode
from asr.types import Role
from service.ingest.events import AudioArrived, FormatChanged
from service.media.legs import LegAudio
from service.media.timeline import LONGEST_ABSENCE, RUNS_AT_ONCE, SKEW, CallTimeline, TimelineOutput
from service.media.track import JUMP_SLACK, LONGEST_HOLD, TOLERANCE, WINDOW
from service.record.facts import GapMarked
from tests.packets import RATES, packets_of

RATE = 8000
PITCHES: dict[Role, int] = {"agent": 400, "customer": 900}
FRAME = 160
BOTH: tuple[Role, ...] = ("agent", "customer")


def samples(index: int, count: int = FRAME) -> Pcm:
    """Samples that tell their own place (modulo 30000) and are never zero."""
    return (np.arange(index * FRAME, index * FRAME + count) % 30_000 + 1).astype(np.int16)


def packet(index: int, role: Role | None = "agent", at: float | None = None) -> AudioArrived:
    """The packet of 20 ms number `index`; its timestamp is true unless given."""
    return AudioArrived(
        payload=encode(samples(index), "pcm_s16le"), role=role, at=index * FRAME / RATE if at is None else at
    )


def unclocked(pcm: Pcm, role: Role | None = None) -> AudioArrived:
    return AudioArrived(payload=encode(pcm, "pcm_s16le"), role=role)


def joined(told: list[TimelineOutput], role: Role = "agent") -> Pcm:
    """The leg's whole audio; fails if its runs leave a hole or overlap."""
    runs = [output for output in told if isinstance(output, LegAudio) and output.role == role]
    position = 0
    for run in runs:
        assert run.start == position
        position += run.pcm.size
    return np.concatenate([run.pcm for run in runs]) if runs else np.zeros(0, np.int16)


def gaps(told: list[TimelineOutput]) -> list[GapMarked]:
    return [output for output in told if isinstance(output, GapMarked)]


def one_leg() -> CallTimeline:
    return CallTimeline(("agent",), "pcm_s16le", RATE)


def play(timeline: CallTimeline, events: list[AudioArrived], begin: float = 0.0) -> list[TimelineOutput]:
    """Feed at 20 ms an event and flush."""
    told = [output for n, event in enumerate(events) for output in timeline.feed(event, begin + n * 0.02)]
    return [*told, *timeline.flush()]


def test_interleaved_samples_go_to_their_legs() -> None:
    timeline = CallTimeline(BOTH, "pcm_s16le", RATE)
    told = play(
        timeline, [unclocked(np.array([1, -1, 2, -2, 3, -3], np.int16)), unclocked(np.array([4, -4], np.int16))]
    )
    assert joined(told, "agent").tolist() == [1, 2, 3, 4]
    assert joined(told, "customer").tolist() == [-1, -2, -3, -4]
    assert timeline.position == 4 / RATE


def test_packets_in_order_pass_at_once_and_unchanged() -> None:
    timeline = one_leg()
    for index in range(10):
        [run] = timeline.feed(packet(index), index * 0.02)
        assert isinstance(run, LegAudio)
        assert run.start == index * FRAME
        assert run.rate == RATE
        assert run.at == index * 0.02
        assert run.pcm.tolist() == samples(index).tolist()


def test_packets_out_of_order_are_put_right() -> None:
    told = play(one_leg(), [packet(n) for n in (0, 3, 1, 2, 4, 6, 5, 7)])
    assert joined(told).tolist() == samples(0, 8 * FRAME).tolist()
    assert gaps(told) == []


def test_copies_are_dropped_and_counted() -> None:
    timeline = one_leg()
    told = play(timeline, [packet(n) for n in (0, 0, 1, 3, 3, 2, 2, 4)])
    assert joined(told).tolist() == samples(0, 5 * FRAME).tolist()
    assert timeline.counts.duplicates == 2
    assert timeline.counts.late == 1  # the copy of 2 came when 3 had been given out


def test_lost_audio_is_silence_of_the_same_length_and_a_gap() -> None:
    timeline = one_leg()
    told = play(timeline, [packet(n) for n in [*range(5), *range(15, 80)]])
    audio = joined(told)
    assert audio[: 5 * FRAME].tolist() == samples(0, 5 * FRAME).tolist()
    assert not audio[5 * FRAME : 15 * FRAME].any()
    assert audio[15 * FRAME :].tolist() == samples(15, 65 * FRAME).tolist()
    assert gaps(told) == [GapMarked(role="agent", start=0.1, end=0.3, reason="lost")]
    assert timeline.counts.lost == pytest.approx(0.2)


def test_a_gap_is_told_a_second_after_it_and_near_losses_are_one() -> None:
    timeline = one_leg()
    told: list[TimelineOutput] = []
    for n in [*range(5), *range(15, 20), *range(30, 200)]:
        before = len(gaps(told))
        told += timeline.feed(packet(n), n * 0.02)
        if len(gaps(told)) > before:
            assert n * 0.02 == pytest.approx(0.6 + 1.0, abs=0.021)
    assert gaps(told) == [GapMarked(role="agent", start=0.1, end=0.6, reason="lost")]


def test_a_late_packet_is_dropped_and_counted() -> None:
    timeline = one_leg()
    told = play(timeline, [packet(n) for n in (0, 1, 5, 6, 7, 8, 9, 10, 2, 11)])
    assert timeline.counts.late == 1
    assert not joined(told)[2 * FRAME : 5 * FRAME].any()


def test_what_is_held_comes_when_time_passes_without_more_audio_on_the_leg() -> None:
    timeline = CallTimeline(BOTH, "pcm_s16le", RATE)
    timeline.feed(packet(0), 0.0)
    assert timeline.feed(packet(4), 0.01) == []
    told = timeline.feed(packet(0, "customer"), 0.02 + LONGEST_HOLD)
    assert {output.role for output in told} == {"agent", "customer"}


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=100))
def test_20_ms_of_jitter_in_the_timestamps_makes_no_gap(jitter: list[int]) -> None:
    # A source reads its clock when it sends: jittered, but never backwards.
    stamps = np.maximum.accumulate([max(0.0, n * 0.02 + j / 1000) for n, j in enumerate(jitter)])
    told = play(one_leg(), [packet(n, at=float(at)) for n, at in enumerate(stamps)])
    assert joined(told).tolist() == samples(0, len(jitter) * FRAME).tolist()
    assert gaps(told) == []


@pytest.mark.parametrize("impossible", [9 * 3600.0, 600.0, -5.0, -1e15, 1e300, math.inf, math.nan])
def test_an_impossible_timestamp_is_ignored_and_costs_no_silence(impossible: float) -> None:
    told = play(one_leg(), [packet(0), packet(1, at=impossible), packet(2)])
    assert joined(told).tolist() == samples(0, 3 * FRAME).tolist()
    assert gaps(told) == []


def test_impossible_timestamps_are_counted() -> None:
    timeline = one_leg()
    play(timeline, [packet(0), packet(1, at=600.0), packet(2), packet(3, at=-5.0), packet(4)])
    assert timeline.counts.strays == 2


def test_of_packets_that_overlap_only_what_is_new_is_taken() -> None:
    timeline = one_leg()
    whole = unclocked(samples(0, 10 * FRAME), "agent").payload
    inside = unclocked(samples(3, 2 * FRAME), "agent").payload
    beyond = unclocked(samples(5, 10 * FRAME), "agent").payload
    told = play(
        timeline,
        [
            AudioArrived(payload=whole, role="agent", at=0.0),
            AudioArrived(payload=inside, role="agent", at=0.06),
            AudioArrived(payload=beyond, role="agent", at=0.1),
        ],
    )
    assert joined(told).tolist() == samples(0, 15 * FRAME).tolist()
    assert timeline.counts.late == 1


def test_a_pause_that_really_lasted_is_believed() -> None:
    timeline = one_leg()
    timeline.feed(packet(0), 0.0)
    [gap] = gaps([*timeline.feed(packet(2000), 40.0), *timeline.flush()])
    assert (gap.start, gap.end) == (0.02, 40.0)
    assert timeline.position == 40.02


def test_a_source_that_sets_its_clock_anew_is_followed() -> None:
    timeline = one_leg()
    reset = [packet(n, at=7200 + (n - 10) * 0.02) for n in range(10, 30) if n < 18 or n >= 24]
    told = play(timeline, [*(packet(n) for n in range(10)), *reset])
    assert timeline.counts.strays == 5
    assert timeline.position == pytest.approx(30 * 0.02)  # the loss after the new clock was found is in it
    assert gaps(told)[0].end - gaps(told)[0].start == pytest.approx(0.12)


def test_a_leg_that_sends_nothing_in_silence_is_kept_up_with_the_other() -> None:
    timeline = CallTimeline(BOTH, "pcm_s16le", RATE)
    told: list[TimelineOutput] = []
    for n in range(200):
        told += timeline.feed(packet(n), n * 0.02)
        if n < 20 or n >= 150:
            told += timeline.feed(packet(n, "customer"), n * 0.02)
        assert abs(joined(told, "agent").size - joined(told, "customer").size) <= (SKEW + WINDOW) * RATE + FRAME
    told += timeline.flush()

    customer = joined(told, "customer")
    assert customer[150 * FRAME :].tolist() == samples(150, 50 * FRAME).tolist()
    assert not customer[20 * FRAME : 150 * FRAME].any()
    assert gaps(told) == [GapMarked(role="customer", start=0.4, end=3.0, reason="silence")]


def test_short_pauses_of_such_a_leg_are_not_marked() -> None:
    timeline = CallTimeline(BOTH, "pcm_s16le", RATE)
    told: list[TimelineOutput] = []
    for n in range(200):
        told += timeline.feed(packet(n), n * 0.02)
        if not 50 <= n < 90:
            told += timeline.feed(packet(n, "customer"), n * 0.02)
    assert gaps([*told, *timeline.flush()]) == []


def test_a_reconnection_is_silence_on_all_legs_and_a_new_clock() -> None:
    timeline = CallTimeline(BOTH, "pcm_s16le", RATE)
    told: list[TimelineOutput] = []
    for n in range(10):
        told += timeline.feed(packet(n), n * 0.02)
        told += timeline.feed(packet(n, "customer"), n * 0.02)
    told += timeline.feed(packet(10), 0.2)
    told += timeline.disconnected(3.0)
    for n in range(5):
        told += timeline.feed(packet(n + 100, at=n * 0.02), 4 + n * 0.02)
        told += timeline.feed(packet(n + 100, "customer", at=n * 0.02), 4 + n * 0.02)
    told += timeline.flush()

    back = 11 * FRAME + 3 * RATE
    for role in BOTH:
        assert joined(told, role)[back:].tolist() == samples(100, 5 * FRAME).tolist()
    assert gaps(told) == [GapMarked(role=None, start=0.22, end=3.22, reason="disconnected")]


def test_an_absence_is_held_to_an_hour_and_never_negative() -> None:
    timeline = one_leg()
    assert timeline.disconnected(-5.0) == []
    timeline.disconnected(1e9)
    assert timeline.position == 3600.0


def test_half_a_sample_and_an_unknown_leg_are_left_out() -> None:
    timeline = one_leg()
    told = timeline.feed(AudioArrived(payload=encode(samples(0), "pcm_s16le") + b"x"), 0.0)
    told += timeline.feed(packet(0, "customer"), 0.0)
    assert joined([*told, *timeline.flush()]).tolist() == samples(0).tolist()


@pytest.mark.parametrize("hold", [66.0, 3000.0, 3700.0, 5 * 3600.0])
def test_a_hold_of_any_length_is_a_gap_and_what_follows_keeps_its_place(hold: float) -> None:
    timeline = CallTimeline(BOTH, "pcm_s16le", RATE)
    told: list[TimelineOutput] = []
    for n in range(50):
        told += timeline.feed(packet(n), n * 0.02)
        told += timeline.feed(packet(n, "customer"), n * 0.02)
    back = round(hold * 50)
    for n in range(50, 500):
        told += timeline.feed(packet(n, at=(n + back) * 0.02), hold + n * 0.02)
        told += timeline.feed(packet(n, "customer", at=(n + back) * 0.02), hold + n * 0.02)
    told += timeline.flush()

    assert timeline.counts.strays == 0
    shown = min(hold, LONGEST_ABSENCE)
    for role in BOTH:
        assert joined(told, role)[-450 * FRAME :].tolist() == samples(50, 450 * FRAME).tolist()
        assert sum(gap.end - gap.start for gap in gaps(told) if gap.role == role) == pytest.approx(shown, abs=0.05)
    assert timeline.position == pytest.approx(10 + shown, abs=0.05)


def test_an_hour_of_silence_is_given_out_over_many_packets() -> None:
    timeline = CallTimeline(BOTH, "pcm_s16le", RATE)
    timeline.feed(packet(0), 0.0)
    assert len(timeline.disconnected(3600.0)) == RUNS_AT_ONCE
    told = timeline.feed(packet(0, at=0.0), 3600.0)
    assert len(told) == RUNS_AT_ONCE
    assert timeline.position == 3600.04


def test_a_source_that_counts_in_another_unit_does_not_fill_the_call_with_silence() -> None:
    timeline = one_leg()
    told = play(timeline, [packet(n, at=n * 0.2) for n in range(500)])  # ten times as fast as they come
    audio = joined(told)
    assert np.count_nonzero(audio) == 500 * FRAME
    assert timeline.position <= 3 * 10 + JUMP_SLACK  # the audio, as much slack, and the time that passed


def test_losses_within_a_backlog_are_believed() -> None:
    timeline = one_leg()
    lost = set(range(100, 150)) | set(range(400, 600)) | set(range(900, 1000))
    told = [out for n in range(1500) if n not in lost for out in timeline.feed(packet(n), 30.0)]
    told += timeline.flush()
    assert timeline.counts.strays == 0
    assert timeline.position == pytest.approx(30.0)
    assert sum(gap.end - gap.start for gap in gaps(told)) == pytest.approx(7.0)


FORMS: list[tuple[SampleEncoding, int, tuple[Role, ...]]] = [
    ("mulaw", 8000, BOTH),
    ("alaw", 8000, ("customer", "agent")),
    ("pcm_s16le", 16_000, BOTH),
    ("mulaw", 16_000, ("customer", "agent")),
    ("pcm_s16le", 8000, ("agent",)),
    ("mulaw", 16_000, ("customer",)),
    ("pcm_s16be", 11_025, BOTH),
    ("pcm_s16le", 44_100, BOTH),
    ("pcm_s16be", 48_000, ("customer",)),
]


def tone(role: Role, rate: int, duration: float) -> Pcm:
    """A tone of the party's own pitch."""
    pitch = {"agent": 400, "customer": 900}[role]
    return (8000 * np.sin(2 * np.pi * pitch * np.arange(round(duration * rate)) / rate)).astype(np.int16)


def pitch_of(pcm: Pcm, rate: int) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(pcm.astype(float)))) * rate / pcm.size)


@given(st.sampled_from([8000, 16_000, 44_100]), st.lists(st.sampled_from(FORMS), min_size=1, max_size=4))
def test_each_connections_audio_is_read_in_its_own_form_and_kept_at_the_calls_rate(
    call_rate: int, forms: list[tuple[SampleEncoding, int, tuple[Role, ...]]]
) -> None:
    timeline = CallTimeline(BOTH, "pcm_s16le", call_rate)
    told: list[TimelineOutput] = []
    for encoding, rate, roles in forms:
        timeline.reformat(FormatChanged(encoding=encoding, rate=rate, roles=tuple(roles)))
        interleaved = np.stack([tone(role, rate, 1.0) for role in roles], axis=1).reshape(-1)
        message = rate // 50 * len(roles)
        for at in range(0, interleaved.size, message):
            payload = encode(interleaved[at : at + message], encoding)
            told += timeline.feed(AudioArrived(payload=payload), 0.0)
        told += timeline.disconnected(0.0)
    told += timeline.flush()

    for role, pitch in PITCHES.items():
        audio = joined(told, role)
        assert audio.size == len(forms) * call_rate
        for index, (_, _, roles) in enumerate(forms):
            middle = audio[index * call_rate + call_rate // 4 : index * call_rate + 3 * call_rate // 4]
            heard = pitch_of(middle, call_rate) if middle.any() else None
            assert heard == (pitch if role in roles else None)


@pytest.mark.parametrize("encoding", ["g722", "opus"])
def test_a_leg_of_packets_lies_beside_a_leg_of_samples(encoding: PacketEncoding) -> None:
    timeline = CallTimeline(BOTH, "mulaw", RATE)
    timeline.reformat(FormatChanged(encoding=encoding, rate=16_000, roles=("customer",)))
    packets = packets_of(tone("customer", RATES[encoding], 1.0), encoding)
    told: list[TimelineOutput] = []
    for n, payload in enumerate(packets):
        told += timeline.feed(AudioArrived(payload=encode(tone("agent", RATE, 0.02), "mulaw"), role="agent"), n / 50)
        told += timeline.feed(AudioArrived(payload=payload, role="customer"), n / 50)
    told += timeline.flush()
    for role, pitch in PITCHES.items():
        middle = joined(told, role)[RATE // 4 : 3 * RATE // 4]
        assert (role, pitch_of(middle, RATE)) == (role, pitch)


def test_lost_packets_of_a_codec_are_gaps_where_timestamps_tell() -> None:
    timeline = CallTimeline(("agent",), "opus", 16_000)
    packets = packets_of(tone("agent", RATES["opus"], 1.0), "opus")
    told: list[TimelineOutput] = []
    for n in [*range(20), *range(40, len(packets))]:
        told += timeline.feed(AudioArrived(payload=packets[n], role="agent", at=n / 50), n / 50)
    told += timeline.flush()
    [gap] = gaps(told)
    assert (gap.start, gap.end) == (pytest.approx(0.4), pytest.approx(0.8))
    assert np.flatnonzero(joined(told)[: round(0.8 * 16_000)])[-1] == pytest.approx(0.4 * 16_000, abs=20)
    assert timeline.position == pytest.approx(len(packets) / 50, abs=0.04)


def test_a_damaged_packet_is_silence_of_its_length_and_counted() -> None:
    timeline = CallTimeline(("agent",), "opus", 16_000)
    packets = packets_of(tone("agent", RATES["opus"], 0.4), "opus")
    for n, packet in enumerate(packets):
        payload = bytes([packet[0] | 3]) if n in (5, 9) else packet
        timeline.feed(AudioArrived(payload=payload), n / 50)
    timeline.flush()
    assert timeline.counts.damaged == 2


def test_a_leg_that_the_call_never_had_is_left_out() -> None:
    timeline = one_leg()
    timeline.reformat(FormatChanged(encoding="pcm_s16le", rate=RATE, roles=("customer", "agent")))
    told = play(timeline, [unclocked(np.array([-1, 1, -2, 2], np.int16))])
    assert joined(told).tolist() == [1, 2]


def test_timestamps_of_another_form_begin_anew_and_keep_their_losses() -> None:
    timeline = CallTimeline(BOTH, "pcm_s16le", 16_000)
    timeline.feed(AudioArrived(payload=bytes(4 * 16_000)), 0.0)
    timeline.reformat(FormatChanged(encoding="mulaw", rate=RATE, roles=tuple(BOTH)))
    told: list[TimelineOutput] = []
    for n in [*range(100, 150), *range(250, 350)]:
        for role in BOTH:
            payload = encode(tone(role, RATE, 0.02), "mulaw")
            told += timeline.feed(AudioArrived(payload=payload, role=role, at=n * 0.02), n * 0.02)
    told += timeline.flush()
    assert timeline.position == pytest.approx(1 + 5.0, abs=0.05)
    assert sum(gap.end - gap.start for gap in gaps(told)) == pytest.approx(4.0, abs=0.1)


@dataclass(frozen=True)
class Line:
    """What a bad line delivers: packet numbers, in the order of their arrival."""

    sent: int
    delivered: list[int]


@st.composite
def lines(draw: st.DrawFn) -> Line:
    """Packets lost, doubled, and displaced by fewer packets than the window holds."""
    sent = draw(st.integers(1, 60))
    kept = [n for n in range(sent) if draw(st.integers(0, 9)) > 0]
    doubled = [m for n in kept for m in [n] * draw(st.sampled_from([1, 1, 1, 2]))]
    displaced = sorted(doubled, key=lambda n: n + draw(st.floats(0, 2.9)))
    return Line(sent, displaced)


@given(lines(), st.booleans())
def test_under_loss_copies_and_disorder_each_delivered_sample_comes_once_in_order_and_in_time(
    line: Line, compressed: bool
) -> None:
    timeline = one_leg()
    step = 0.0 if compressed else 0.02
    told = [output for i, n in enumerate(line.delivered) for output in timeline.feed(packet(n), i * step)]
    audio = joined([*told, *timeline.flush()])

    places = np.flatnonzero(audio)
    heard = audio[places].astype(int) - 1
    expected = [sample for n in sorted(set(line.delivered)) for sample in range(n * FRAME, (n + 1) * FRAME)]
    assert heard.tolist() == expected
    assert np.abs(places - heard).max(initial=0) <= TOLERANCE * RATE


@given(lines(), lines())
def test_the_legs_clocks_stay_true_to_each_other(agent: Line, customer: Line) -> None:
    timeline = CallTimeline(BOTH, "pcm_s16le", RATE)
    arrivals = sorted(
        [(i, packet(n)) for i, n in enumerate(agent.delivered)]
        + [(i, packet(n, "customer")) for i, n in enumerate(customer.delivered)],
        key=lambda arrival: arrival[0],
    )
    told = [output for i, event in arrivals for output in timeline.feed(event, i * 0.02)]
    told += timeline.flush()

    assert joined(told, "agent").size == joined(told, "customer").size
    for role in BOTH:
        audio = joined(told, role)
        places = np.flatnonzero(audio)
        assert np.abs(places - (audio[places].astype(int) - 1)).max(initial=0) <= TOLERANCE * RATE


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, "agent", "customer"]),
            st.none() | st.floats() | st.floats(-1, 10),
            st.binary(max_size=400).map(lambda raw: raw[: len(raw) // 2 * 2]),
            st.floats(0, 0.5),
        ),
        max_size=30,
    )
)
def test_no_timestamps_make_holes_overlaps_or_unbounded_audio(
    arrivals: list[tuple[Role | None, float | None, bytes, float]],
) -> None:
    timeline = CallTimeline(BOTH, "mulaw", RATE)
    now = 0.0
    told: list[TimelineOutput] = []
    for role, at, payload, wait in arrivals:
        now += wait
        told += timeline.feed(AudioArrived(payload=payload, role=role, at=at), now)
    told += timeline.flush()
    assert joined(told, "agent").size == joined(told, "customer").size
    assert timeline.position <= sum(0.05 + 5 + 10 * now for _ in arrivals)


ARRIVING = FormatChanged(encoding="pcm_s16le", rate=RATE, roles=("agent",), clock="arrival")


def arriving(*legs: Role) -> CallTimeline:
    timeline = CallTimeline(BOTH, "pcm_s16le", RATE)
    for leg in legs:
        timeline.reformat(replace(ARRIVING, roles=(leg,)))
    return timeline


def heard(role: Role, seconds: float = 0.02, at: float | None = None) -> AudioArrived:
    return AudioArrived(payload=b"\1\0" * round(seconds * RATE), role=role, at=at)


def test_on_the_clock_of_arrival_a_pause_is_silence_of_its_length() -> None:
    timeline = arriving("agent")
    told = timeline.feed(heard("agent", 1.0), 1.0)
    told += timeline.feed(heard("agent", 1.0), 5.0)
    told += timeline.flush()
    assert timeline.position == pytest.approx(5.0)
    gaps = [gap for gap in told if isinstance(gap, GapMarked) and gap.role == "agent"]
    assert [(gap.start, gap.end, gap.reason) for gap in gaps] == [(1.0, pytest.approx(4.0), "silence")]


@settings(max_examples=60, deadline=None)
@given(bursts=st.lists(st.floats(0.02, 0.25), min_size=5, max_size=30))
def test_on_the_clock_of_arrival_bursts_make_no_gap(bursts: list[float]) -> None:
    timeline, ends = arriving("agent"), np.cumsum(bursts)
    packets = int(ends[-1] / 0.02)
    told: list[TimelineOutput] = []
    for over in 0.02 * np.arange(1, packets + 1):
        told += timeline.feed(heard("agent"), float(ends[np.searchsorted(ends, over - 1e-9)]))
    told += timeline.flush()
    assert not [gap for gap in told if isinstance(gap, GapMarked) and gap.role == "agent"]
    assert timeline.position == pytest.approx(packets * 0.02)


@pytest.mark.parametrize("stall", [0.5, 20.0])
def test_on_the_clock_of_arrival_what_a_stalled_network_kept_back_follows_on(stall: float) -> None:
    timeline = arriving("agent", "customer")
    told = timeline.feed(heard("agent", 1.0), 1.0)
    for number in range(round((stall + 1.0) * 50)):
        told += timeline.feed(heard("agent"), 2.0 + stall + 0.0001 * number)
    told += timeline.flush()
    assert not [gap for gap in told if isinstance(gap, GapMarked) and gap.role == "agent"]
    assert timeline.position == pytest.approx(2.0 + stall)


def test_what_is_held_when_a_leg_gets_another_connection_is_not_lost() -> None:
    timeline = arriving("agent")
    timeline.feed(heard("agent", 1.0), 1.0)
    timeline.feed(heard("agent", 1.0), 5.0)
    timeline.reformat(ARRIVING)
    told = timeline.flush()
    assert timeline.position == pytest.approx(5.0)
    assert sum(run.pcm.any() for run in told if isinstance(run, LegAudio)) >= 1


def test_legs_that_come_apart_are_placed_by_one_clock() -> None:
    """The second begins two seconds after the first, and nothing of it is moved to the first's beginning."""
    timeline = arriving("agent", "customer")
    told: list[TimelineOutput] = []
    for number in range(250):
        told += timeline.feed(heard("agent"), number * 0.02)
        if number >= 100:
            told += timeline.feed(heard("customer"), number * 0.02)
    told += timeline.flush()
    first = next(run for run in told if isinstance(run, LegAudio) and run.role == "customer" and run.pcm.any())
    assert first.start / RATE == pytest.approx(2.0, abs=0.05)


def test_a_source_whose_timestamps_are_not_to_be_believed_is_placed_by_its_samples() -> None:
    timeline = CallTimeline(BOTH, "pcm_s16le", RATE)
    timeline.reformat(replace(ARRIVING, clock="samples"))
    timeline.feed(heard("agent", 1.0, at=0.0), 1.0)
    timeline.feed(heard("agent", 1.0, at=3.0), 4.0)
    assert timeline.position == pytest.approx(2.0)
