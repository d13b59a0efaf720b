"""Calls to measure with, and the books kept of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from asr.types import ROLES
from service.audio_files.call import CallAudio
from service.bench.call_layout import BenchCall, PlacedClip, laid_out, looped
from service.bench.latencies import CallLatencies, Late, within
from service.client import FactSeen
from service.record.facts import AlertRaised, GapMarked, UtteranceHeard
from tests import scenes

CLIPS = [(np.full(16_000, 1000 + n, np.int16), f"话{n}") for n in range(5)]


def near(value: float, within: float = 1e-6) -> Any:
    """Equal to any number so near."""
    return pytest.approx(value, abs=within)


def test_a_call_holds_its_clips_where_it_says_and_silence_elsewhere() -> None:
    call = laid_out(CLIPS, 60, seed=3)
    assert call.audio.seconds == 60
    played = np.zeros_like(call.audio.pcm)
    for placed in call.placed:
        leg = ROLES.index(placed.role)
        first, last = round(placed.start * 8000), round(placed.end * 8000)
        clip = next(pcm for pcm, text in CLIPS if text == placed.text)
        assert np.array_equal(call.audio.pcm[first:last, leg], clip)
        played[first:last, leg] = call.audio.pcm[first:last, leg]
    assert np.array_equal(played, call.audio.pcm)
    assert call.density == pytest.approx(sum(p.end - p.start for p in call.placed) / 60)


def test_the_same_seed_makes_the_same_call_and_another_another() -> None:
    assert laid_out(CLIPS, 60, 1).placed == laid_out(CLIPS, 60, 1).placed
    assert laid_out(CLIPS, 60, 1).placed != laid_out(CLIPS, 60, 2).placed


def test_a_recorded_call_goes_round() -> None:
    audio = CallAudio(pcm=np.arange(16_000, dtype=np.int16).reshape(8000, 2), rate=8000)
    call = looped(audio, 2.5, 0.5)
    assert call.audio.pcm.shape == (20_000, 2)
    assert np.array_equal(call.audio.pcm[:4000], audio.pcm[4000:])
    assert np.array_equal(call.audio.pcm[8000:12_000], audio.pcm[4000:])


@pytest.fixture
def latencies() -> CallLatencies:
    placed = (
        PlacedClip(role="agent", start=0.0, end=2.0, text="您好"),
        PlacedClip(role="agent", start=3.0, end=5.0, text="请问"),
    )
    audio = CallAudio(pcm=np.zeros((80_000, 2), np.int16), rate=8000)
    latencies = CallLatencies(call=BenchCall(audio=audio, placed=placed))
    for packet in range(500):
        latencies.packet_sent(100 + 0.02 * (packet + 1))
    return latencies


def test_lateness_counts_from_the_sending_of_the_end(latencies: CallLatencies) -> None:
    latencies.seen(FactSeen(fact=scenes.heard(), at=103.25))
    assert latencies.finals == [Late(end=2.0, seconds=near(1.25))]
    assert within(latencies.finals, 0, 1) == []


def test_what_came_twice_out_of_order_or_not_at_all_is_counted(latencies: CallLatencies) -> None:
    latencies.seen(FactSeen(fact=scenes.heard(index=1), at=107))
    latencies.seen(FactSeen(fact=scenes.heard(index=0), at=108))
    latencies.seen(FactSeen(fact=scenes.heard(index=0), at=109))
    assert latencies.doubled == 1
    assert latencies.out_of_order == 3
    assert latencies.lost() == []


def test_a_marked_gap_is_an_answer_and_silence_is_none(latencies: CallLatencies) -> None:
    latencies.seen(FactSeen(fact=scenes.heard(), at=103))
    assert [placed.text for placed in latencies.lost()] == ["请问"]
    latencies.seen(FactSeen(fact=GapMarked(role="agent", start=3.0, end=5.0, reason="unrecognised"), at=106))
    assert latencies.lost() == []


def test_errors_are_counted_leg_by_leg(latencies: CallLatencies) -> None:
    latencies.seen(FactSeen(fact=scenes.heard(text="您好"), at=103))
    assert latencies.edits("zh").rate == pytest.approx(0.5)


def test_an_alert_is_late_by_the_end_of_its_utterance_and_by_its_evidence(latencies: CallLatencies) -> None:
    """Which may come after it: an utterance's end is known with its text."""
    alert = scenes.alert("alert-1")
    latencies.seen(FactSeen(fact=AlertRaised(alert=alert), at=104.5))
    assert latencies.alerts == []
    latencies.seen(FactSeen(fact=scenes.heard(index=1), at=106))
    assert latencies.alerts == [Late(end=5.0, seconds=near(-0.5))]
    assert latencies.alerts_after_evidence == [Late(end=alert.end, seconds=near(4.5 - alert.end))]


def test_only_alerts_about_words_have_a_lateness(latencies: CallLatencies) -> None:
    assert isinstance(scenes.heard(), UtteranceHeard)
    latencies.seen(FactSeen(fact=scenes.heard(index=1), at=105))
    latencies.seen(FactSeen(fact=scenes.raised(), at=106))
    latencies.seen(FactSeen(fact=AlertRaised(alert=scenes.alert("alert-2", utterance_id=None)), at=106))
    assert len(latencies.alerts) == len(latencies.alerts_after_evidence) == 1
