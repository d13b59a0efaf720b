from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.audio.pcm import Pcm, Resampler, SampleEncoding, encode, samples_in, samples_of
from asr.endpointing.endpointer import SpeechSegment
from asr.types import ROLES, Role
from service.audio_files.call import CallAudio, read_call_audio
from service.calls.audio_path import AudioPath, AudioPathOutput, ChannelsCompared, Found, ResumePoint, TimePassed
from service.calls.earlier_call import hides_speech
from service.ingest.events import AudioArrived, FormatChanged
from service.media.track import JUMP_SLACK
from service.record.facts import GapMarked, Notice
from service.samples import sample_calls

RATE = 8000


def _audio_path() -> AudioPath:
    return AudioPath(("agent", "customer"), "pcm_s16le", RATE, max_pace=1e9, now=0.0)


def _play(audio_path: AudioPath, audio: CallAudio, packet: int) -> list[AudioPathOutput]:
    pieces = [audio.pcm[at : at + packet] for at in range(0, len(audio.pcm), packet)]
    taken = [
        audio_path.take(AudioArrived(payload=encode(p.reshape(-1), "pcm_s16le")), at / 50)
        for at, p in enumerate(pieces)
    ]
    return [*taken, audio_path.pause(len(pieces) / 50)]


def _found(taken: list[AudioPathOutput]) -> list[Found]:
    return [found for each in taken for found in each.found]


def _resampled(pcm: Pcm, rate: int) -> Pcm:
    resampler = Resampler(RATE, rate)
    return np.concatenate([resampler.push(np.ascontiguousarray(pcm)), resampler.flush()])


def _cuts(taken: list[AudioPathOutput]) -> list[tuple[str, float, float]]:
    return [(cut.role, cut.start, cut.end) for cut in _found(taken) if isinstance(cut, SpeechSegment)]


def test_every_turn_of_a_sample_call_is_cut_on_its_own_leg() -> None:
    sample = sample_calls()[0]
    cuts = _cuts(_play(_audio_path(), read_call_audio(sample.audio), packet=160))
    assert sample.turns
    for turn in sample.turns:
        middle = (turn.start + turn.end) / 2
        heard = [c for c in cuts if c[0] == turn.speaker and c[1] - 0.5 <= middle <= c[2] + 0.5]
        assert heard, f"nobody heard {turn}"


def test_a_leg_is_read_as_loud_as_it_is_and_lost_packets_are_its_own() -> None:
    path = AudioPath(("agent", "customer"), "pcm_s16le", RATE, max_pace=1e9, now=0.0)
    tone = encode((16_384 * np.sin(np.arange(160) * 2 * np.pi / 16)).astype(np.int16), "pcm_s16le")
    for packet in range(100):
        path.take(AudioArrived(payload=bytes(320), role="agent", at=packet / 50), packet / 50)
        if packet not in range(50, 53):
            path.take(AudioArrived(payload=tone, role="customer", at=packet / 50), packet / 50)
    agent, customer = path.reading("agent"), path.reading("customer")
    assert (agent.dbfs, agent.peak, agent.speech, agent.lost) == (-96.0, -96.0, None, 0.0)
    assert customer.dbfs == pytest.approx(-9.0, abs=0.3)
    assert customer.peak == pytest.approx(-6.0, abs=1.0)  # the filter rings where the tone begins
    assert customer.lost == 0.06


def test_speech_is_as_loud_as_the_half_seconds_in_which_the_party_speaks() -> None:
    path = _audio_path()
    _play(path, read_call_audio(sample_calls()[0].audio), packet=160)
    for role in ROLES:
        reading = path.reading(role)
        assert reading.speech is not None
        assert -50 < reading.speech < reading.peak <= 0


def test_the_packet_size_changes_nothing_that_is_heard() -> None:
    audio = read_call_audio(sample_calls()[0].audio)
    small, large = _play(_audio_path(), audio, packet=160), _play(_audio_path(), audio, packet=1600)
    assert sorted(_cuts(small)) == sorted(_cuts(large))


def test_no_utterance_ends_before_a_time_said_to_have_passed() -> None:
    passed = 0.0
    played = _found(_play(_audio_path(), read_call_audio(sample_calls()[0].audio), packet=160))
    assert {TimePassed, SpeechSegment} <= {type(found) for found in played}
    for found in played:
        if isinstance(found, TimePassed):
            passed = found.at
        elif isinstance(found, SpeechSegment):
            assert found.end >= passed


def test_all_audio_goes_to_the_recording() -> None:
    audio = read_call_audio(sample_calls()[0].audio)
    taken = _play(_audio_path(), audio, packet=160)
    agent = [piece.pcm for each in taken for piece in each.recorded if piece.role == "agent"]
    np.testing.assert_array_equal(np.concatenate(agent), audio.pcm[:, 0])


def _offset(length: int, kind: str) -> NDArray[np.float64]:
    """What lies under the agent's voice, in int16 steps."""
    at = np.arange(length) / RATE
    return {
        "constant": np.full(length, 3_277.0),
        "steps": np.where(at % 10 < 5, 6_000.0, -4_000.0),
        "drifts": 8_000 * np.sin(2 * np.pi * at / 20),
        "hum of 50 Hz": 3_277 * np.sin(2 * np.pi * 50.05 * at),
        "hum of 60 Hz and harmonics": sum(
            (2_000 / k * np.sin(2 * np.pi * 59.97 * k * at + k) for k in (1, 2, 3)), np.zeros(length)
        ),
    }[kind]


def _covered(cuts: list[tuple[str, float, float]]) -> NDArray[np.bool_]:
    """Which hundredths of a second of the agent's leg lie in an utterance."""
    covered = np.zeros(10_000, np.bool_)
    for role, start, end in cuts:
        if role == "agent":
            covered[round(start * 100) : round(end * 100)] = True
    return covered


@pytest.mark.parametrize("kind", ["constant", "steps", "drifts", "hum of 50 Hz", "hum of 60 Hz and harmonics"])
def test_no_speech_is_lost_to_an_offset_or_hum(kind: str) -> None:
    clean = read_call_audio(sample_calls()[0].audio)
    pcm = clean.pcm.astype(np.float64)
    pcm[:, 0] += _offset(len(pcm), kind)
    bent = replace(clean, pcm=np.clip(pcm, -32_768, 32_767).astype(np.int16))
    heard, with_offset = (_covered(_cuts(_play(_audio_path(), audio, packet=160))) for audio in (clean, bent))
    assert heard.sum() > 1_000
    assert (heard & ~with_offset).sum() <= 0.03 * heard.sum()


def test_levels_are_of_the_sound_without_its_offset() -> None:
    offset = np.full((4 * RATE, 2), 8_000, np.int16)
    taken = _play(_audio_path(), CallAudio(pcm=offset, rate=RATE), packet=160)
    late = [levels for each in taken for levels in each.levels if levels.at > 1]
    assert late
    assert all(levels.dbfs["agent"] == -96.0 and levels.speaking == () for levels in late)
    assert not _cuts(taken)


def test_the_recording_keeps_an_offset() -> None:
    offset = np.full((RATE, 2), 8_000, np.int16)
    taken = _play(_audio_path(), CallAudio(pcm=offset, rate=RATE), packet=160)
    recorded = np.concatenate([piece.pcm for each in taken for piece in each.recorded if piece.role == "agent"])
    np.testing.assert_array_equal(recorded, offset[:, 0])


def test_levels_come_twice_a_second() -> None:
    taken = _play(_audio_path(), read_call_audio(sample_calls()[0].audio), packet=160)
    times = [levels.at for each in taken for levels in each.levels]
    assert all(0.4 <= later - earlier <= 0.6 for earlier, later in pairwise(times))


@settings(max_examples=25, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["audio", "lost", "away"]), st.sampled_from([0.5, 2.0, 30.0, 60.0])), max_size=4
    )
)
def test_time_that_has_passed_lies_behind_no_gap_that_is_yet_to_be_told(steps: list[tuple[str, float]]) -> None:
    """A duty that falls due in a gap would be held missed if detectors heard of the gap later than of the time."""
    audio_path = AudioPath(("agent",), "pcm_s16le", RATE, max_pace=1e9, now=0.0)
    source, now, taken = 0.0, 0.0, list[AudioPathOutput]()
    for kind, seconds in [("audio", 2.0), *steps, ("audio", 2.0)]:
        now += seconds
        if kind == "away":
            taken += [audio_path.pause(now - seconds), audio_path.away(seconds)]
        elif kind == "audio":
            for at in np.arange(0, min(2.0, seconds), 0.25):
                taken.append(audio_path.take(AudioArrived(payload=bytes(4000), at=source + at), now))
        source += seconds
    passed = 0.0
    for found in _found([*taken, audio_path.pause(now)]):
        if isinstance(found, TimePassed):
            passed = found.at
        elif isinstance(found, GapMarked) and hides_speech(found):
            assert passed <= found.start
    assert passed > 1.0


def test_time_without_a_connection_is_a_gap_and_moves_the_clock() -> None:
    audio_path = _audio_path()
    audio_path.take(AudioArrived(payload=bytes(4 * RATE)), 0.0)
    taken = audio_path.away(3.0)
    assert [(g.start, g.end, g.reason) for g in taken.found if isinstance(g, GapMarked)] == [(1.0, 4.0, "disconnected")]
    assert audio_path.reached == 4.0


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_listening_again_from_where_speech_was_settled_finds_the_rest_of_it(kept: int) -> None:
    """A process that died after `kept` utterances had their text: the next one finds all others in the recording."""
    audio = read_call_audio(sample_calls()[0].audio)
    half = len(audio.pcm) // 2
    whole = _cuts(_play(_audio_path(), audio, packet=160))
    settled: dict[Role, float] = {"agent": 0.0, "customer": 0.0}
    for role, _start, end in sorted(whole, key=lambda cut: cut[2])[:kept]:
        settled[cast("Role", role)] = end
    point = ResumePoint(reached=half / RATE, settled=settled)
    again = AudioPath(("agent", "customer"), "pcm_s16le", RATE, max_pace=1e9, now=0.0, resume=point)
    taken = [
        again.relisten(role, audio.pcm[samples_in(settled[role], RATE) : half, channel])
        for channel, role in enumerate(("agent", "customer"))
    ]
    rest = CallAudio(pcm=audio.pcm[half:], rate=RATE)
    cuts = _cuts([*taken, *_play(again, rest, packet=160)])
    for role, start, end in sorted(whole, key=lambda cut: cut[2])[kept:]:
        assert any(c[0] == role and c[1] < (start + end) / 2 < c[2] for c in cuts), (role, start, end)
    for role, start, _end in cuts:
        assert start >= settled[cast("Role", role)]
    assert again.reached == pytest.approx(len(audio.pcm) / RATE)


def test_a_pause_ends_the_utterance_in_progress_and_what_comes_after_it_keeps_its_place() -> None:
    audio = read_call_audio(sample_calls()[0].audio)
    whole = _cuts(_play(_audio_path(), audio, packet=160))
    role, start, end = whole[0]
    middle = int((start + end) / 2 * RATE)
    audio_path = _audio_path()
    cuts = _cuts(_play(audio_path, CallAudio(pcm=audio.pcm[:middle], rate=RATE), packet=160))
    assert (cuts[-1][0], cuts[-1][1]) == (role, start)
    assert cuts[-1][2] <= middle / RATE + 0.01
    after = _cuts(_play(audio_path, CallAudio(pcm=audio.pcm[middle:], rate=RATE), packet=160))
    assert after[-1][0] == whole[-1][0]
    assert after[-1][1:] == pytest.approx(whole[-1][1:], abs=0.05)


def _second(audio_path: AudioPath, now: float, seconds: float = 1.0) -> AudioPathOutput:
    """Silence of both legs; takes as long as it lasts."""
    return audio_path.take(AudioArrived(payload=bytes(4 * int(seconds * RATE))), now + seconds)


def test_a_hold_without_timestamps_is_told_and_moves_the_clock_not_at_all() -> None:
    audio_path = _audio_path()
    _second(audio_path, 0.0)
    taken = [_second(audio_path, 66.0 + n) for n in range(10)]
    [notice] = [found for found in _found(taken) if isinstance(found, Notice)]
    assert (notice.code, notice.at, notice.missing) == ("audio_missing", 1.0, pytest.approx(65.0))
    assert "no audio came for 65 s" in notice.message
    assert audio_path.reached == 11.0


def test_a_stall_whose_backlog_follows_is_not_told() -> None:
    audio_path = AudioPath(("agent", "customer"), "pcm_s16le", RATE, max_pace=1.0, now=0.0)
    _second(audio_path, 0.0)
    taken = [_second(audio_path, 20.0, 19.0), *(_second(audio_path, 21.0 + n) for n in range(10))]
    assert [found for found in _found(taken) if isinstance(found, Notice)] == []


def test_a_hold_that_the_connection_ends_in_is_told_once() -> None:
    audio_path = _audio_path()
    _second(audio_path, 0.0)
    found = [*audio_path.pause(67.0).found, *audio_path.away(15.0).found, *audio_path.pause(90.0).found]
    assert [notice.code for notice in found if isinstance(notice, Notice)] == ["audio_missing"]


def test_a_gap_is_not_told_as_missing_again() -> None:
    audio_path = _audio_path()
    _second(audio_path, 0.0)
    taken = [audio_path.away(66.0), *(_second(audio_path, 67.0 + n) for n in range(20))]
    assert [type(found) for found in _found(taken) if not isinstance(found, TimePassed)] == [GapMarked]


def test_audio_in_another_form_goes_on_at_the_calls_rate_and_is_told() -> None:
    audio_path = _audio_path()
    _second(audio_path, 0.0)
    odd = audio_path.reformat(FormatChanged(encoding="mulaw", rate=16_000, roles=("customer", "agent"))).odd
    assert [(one.kind, one.field) for one in odd] == [("format", "encoding"), ("leg", "legs")]
    audio_path.take(AudioArrived(payload=b"\xff" * 32_000), 2.0)
    taken = audio_path.pause(3.0)
    assert audio_path.reached == 2.0
    assert {piece.rate for piece in taken.recorded} == {RATE}


def test_a_packet_that_is_none_is_told_and_the_call_goes_on() -> None:
    audio_path = AudioPath(("agent",), "opus", 16_000, max_pace=10, now=0.0)
    taken = [audio_path.take(AudioArrived(payload=payload), 0.0) for payload in (b"\x0a", b"\x08", b"\xff")]
    assert [[odd.kind for odd in each.odd] for each in taken] == [["payload"], [], ["payload"]]
    audio_path.pause(1.0)
    assert audio_path.reached == pytest.approx(0.06)


@pytest.mark.parametrize(("encoding", "rate"), [("pcm_s16be", 11_025), ("pcm_s16le", 44_100), ("pcm_s16be", 48_000)])
def test_at_any_rate_the_same_words_are_cut(encoding: SampleEncoding, rate: int) -> None:
    sample = sample_calls()[0]
    legs = read_call_audio(sample.audio).pcm[: 20 * RATE].T
    audio = np.stack([_resampled(leg, rate) for leg in legs], axis=1)
    audio_path = AudioPath(("agent", "customer"), encoding, rate, max_pace=1e9, now=0.0)
    taken = [audio_path.take(AudioArrived(payload=encode(audio.reshape(-1), encoding)), 0.0), audio_path.pause(1.0)]
    there = _play(_audio_path(), CallAudio(pcm=legs.T, rate=RATE), packet=160)
    assert [role for role, _, _ in _cuts(taken)] == [role for role, _, _ in _cuts(there)]
    for (_, start, end), (_, begun, over) in zip(_cuts(taken), _cuts(there), strict=True):
        assert (start, end) == (pytest.approx(begun, abs=0.1), pytest.approx(over, abs=0.1))


def test_the_same_form_again_is_not_told() -> None:
    assert _audio_path().reformat(FormatChanged(encoding="pcm_s16le", rate=RATE, roles=("agent", "customer"))).odd == []


def test_a_leg_too_many_or_too_few_is_told_by_its_party() -> None:
    audio_path = AudioPath(("agent",), "mulaw", RATE, max_pace=10, now=0.0)
    [odd] = audio_path.reformat(FormatChanged(encoding="mulaw", rate=RATE, roles=("customer",))).odd
    assert "never had a leg of the customer" in odd.message
    assert "silence stands for the agent" in odd.message
    audio_path.take(AudioArrived(payload=b"\xff" * 8000), 1.0)
    assert audio_path.reached == 0.0


def test_impossible_timestamps_are_told_and_cost_no_call_its_pace() -> None:
    audio_path = AudioPath(("agent",), "mulaw", RATE, max_pace=1.0, now=0.0)
    told: list[str] = []
    for n in range(2000):
        at = (n * 7919 % 100_000) / 10
        told += [
            odd.field for odd in audio_path.take(AudioArrived(payload=b"\xff" * 160, role="agent", at=at), n * 0.02).odd
        ]
    assert set(told) == {"timestamp"}
    assert audio_path.reached <= 3 * 40 + JUMP_SLACK


def _with_echo(audio: CallAudio, gain: float, delay: float) -> CallAudio:
    """The customer's sound in the agent's leg, too."""
    pcm = audio.pcm.astype(np.float64)
    shift = round(delay * RATE)
    pcm[shift:, 0] += gain * pcm[:-shift, 1]
    return replace(audio, pcm=np.clip(pcm, -32_768, 32_767).astype(np.int16))


def test_the_customers_echo_is_no_speech_of_the_agent() -> None:
    clean = read_call_audio(sample_calls()[0].audio)
    alone = _covered(_cuts(_play(_audio_path(), clean, packet=160)))
    echoed = _covered(_cuts(_play(_audio_path(), _with_echo(clean, 0.25, 0.06), packet=160)))
    assert (alone & ~echoed).sum() <= 0.03 * alone.sum()
    assert (echoed & ~alone).sum() <= 0.05 * alone.sum()


def test_channels_that_carry_one_signal_are_told() -> None:
    clean = read_call_audio(sample_calls()[0].audio)
    one = clean.pcm.max(axis=1)
    found = _found(_play(_audio_path(), replace(clean, pcm=np.stack([one, one], axis=1)), packet=160))
    assert [each.equal for each in found if isinstance(each, ChannelsCompared)] == [True]
    agent = [each.pcm for each in found if isinstance(each, SpeechSegment) and each.role == "agent"]
    assert all(np.abs(samples_of(pcm)).max() < 0.01 for pcm in agent)
