from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from numpy.typing import NDArray

from asr.audio.pcm import SAMPLE_RATE, Pcm, Resampler, dbfs, decode, encode, energy, to_float32
from asr.endpointing import vad
from asr.endpointing.vad import FRAME_SAMPLES, FrameScorer, SecondOpinion, VoiceModelMissing

CALLS = Path(__file__).parents[4] / "samples" / "calls"
TELEPHONE_RATE = 8_000

Wave = NDArray[np.float64]


def time(duration: float) -> Wave:
    return np.arange(round(duration * TELEPHONE_RATE)) / TELEPHONE_RATE


def tones(*hertz: float, duration: float) -> Wave:
    return np.asarray(sum(0.1 * np.sin(2 * np.pi * pitch * time(duration)) for pitch in hertz))


def repeated(on: Wave, silence: float, times: int) -> Wave:
    return np.tile(np.concatenate([on, np.zeros(round(silence * TELEPHONE_RATE))]), times)


def at_level(wave: Wave, dbfs: float) -> Wave:
    return wave / np.sqrt(np.mean(wave**2)) * 10 ** (dbfs / 20)


def noise(duration: float, slope: float) -> Wave:
    """Noise whose power falls with frequency to the `slope`: 0 is white, 1 is pink."""
    spectrum = np.fft.rfft(np.random.default_rng(5).standard_normal(time(duration).size))
    frequency = np.maximum(np.arange(spectrum.size), 1)
    return np.fft.irfft(spectrum / frequency ** (slope / 2))


def hum(mains: float) -> Wave:
    return np.asarray(sum(np.sin(2 * np.pi * mains * k * time(6) + k) / k for k in range(1, 30)))


def note(hertz: float, duration: float, harmonics: int, decay: float) -> Wave:
    clock = time(duration)
    partials = [np.sin(2 * np.pi * hertz * k * clock) / k for k in range(1, harmonics + 1) if hertz * k < 3_800]
    return np.sum(partials, axis=0) * np.exp(-decay * clock) * np.minimum(1, clock / 0.01)


def melody(duration: float, harmonics: int, decay: float) -> Wave:
    pitches = np.random.default_rng(9).choice([262, 294, 330, 392, 440, 523, 587], round(8 / duration))
    return np.concatenate([note(float(pitch), duration, harmonics, decay) for pitch in pitches])


def chords() -> Wave:
    roots = [131, 175, 196, 165, 131, 220]
    return np.concatenate(
        [np.sum([note(root * ratio, 1.5, 8, 1.0) for ratio in (1, 1.26, 1.5, 2)], axis=0) for root in roots]
    )


def dtmf() -> Wave:
    pairs = [(697, 1_209), (770, 1_336), (852, 1_477), (941, 1_633), (770, 1_209), (852, 1_336)]
    return np.tile(np.concatenate([repeated(tones(*pair, duration=0.12), 0.1, 1) for pair in pairs]), 5)


NOT_SPEECH = {
    "digital silence": np.zeros(5 * TELEPHONE_RATE),
    "ring-back, China": repeated(tones(450, duration=1), 4, 3),
    "ring-back, US": repeated(tones(440, 480, duration=2), 4, 2),
    "busy, China": repeated(tones(450, duration=0.35), 0.35, 12),
    "busy, US": repeated(tones(480, 620, duration=0.5), 0.5, 8),
    "dial tone": tones(350, 440, duration=6),
    "DTMF": dtmf(),
    "white noise": at_level(noise(6, 0), -30),
    "pink noise": at_level(noise(6, 1), -30),
    "loud white noise": at_level(noise(6, 0), -20),
    "50 Hz hum": at_level(hum(50), -30),
    "60 Hz hum": at_level(hum(60), -30),
    "loud 60 Hz hum": at_level(hum(60), -15),
    "hold music, piano": at_level(melody(0.4, 8, 3), -20),
    "hold music, organ": at_level(melody(0.5, 5, 0.2), -20),
    "hold music, arpeggio": at_level(melody(0.15, 6, 4), -25),
    "hold music, chords": at_level(chords(), -20),
}


def over_the_telephone(wave: Wave) -> Pcm:
    pcm = np.clip(np.rint(wave * 32_768), -32_768, 32_767).astype(np.int16)
    resampler = Resampler(TELEPHONE_RATE)
    return np.concatenate([resampler.push(decode(encode(pcm, "alaw"), "alaw")), resampler.flush()])


def sample_leg(name: str, channel: int) -> Pcm:
    stereo, rate = sf.read(CALLS / f"{name}.flac", dtype="float64")
    assert rate == TELEPHONE_RATE
    return over_the_telephone(stereo[:, channel].astype(np.float64))


def scores(pcm: Pcm, scorer: FrameScorer | None = None) -> Wave:
    scorer = scorer or FrameScorer()
    frames = pcm[: pcm.size - pcm.size % FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    return np.array([scorer.score(frame, dbfs(energy(frame) / frame.size)) for frame in frames])


@pytest.fixture(scope="module")
def opinion() -> SecondOpinion:
    return SecondOpinion()


@pytest.fixture(scope="module")
def spoken() -> dict[str, Pcm]:
    """One second out of the middle of what each voice says without a pause, in both languages."""
    return {
        f"{name} {channel}": densest_second(sample_leg(name, channel))
        for name in ("zh-exposure-threat", "en-arrest-threat")
        for channel in (0, 1)
    }


def densest_second(leg: Pcm) -> Pcm:
    voiced = np.convolve(scores(leg), np.ones(50), mode="valid")
    begin = int(np.argmax(voiced)) * FRAME_SAMPLES
    return leg[begin : begin + SAMPLE_RATE]


def test_silence_scores_nothing() -> None:
    assert not scores(np.zeros(2 * SAMPLE_RATE, np.int16)).any()


def test_speech_scores_high_while_it_lasts_and_low_after_it(spoken: dict[str, Pcm]) -> None:
    pause = np.zeros(SAMPLE_RATE, np.int16)
    for voice, second in spoken.items():
        found = scores(np.concatenate([pause, second, pause]))
        assert not found[:50].any(), voice
        assert np.mean(found[53:100] >= 0.6) > 0.9, voice
        assert not found[-30:].any(), voice


@pytest.mark.parametrize("kind", ["white noise", "dial tone", "50 Hz hum", "loud white noise", "loud 60 Hz hum"])
def test_a_steady_sound_stops_scoring_once_it_is_known_for_the_floor(kind: str) -> None:
    steady = over_the_telephone(np.tile(NOT_SPEECH[kind], 2))
    assert np.mean(scores(steady)[225:]) < 0.1


def test_a_room_far_under_the_voice_is_silence(spoken: dict[str, Pcm]) -> None:
    second = spoken["zh-exposure-threat 0"]
    echo = np.rint(second * 10 ** (-40 / 20)).astype(np.int16)
    assert scores(echo).max() >= 0.6
    assert scores(np.concatenate([second, echo]))[60:].max() < 0.6


def test_a_much_quieter_speaker_is_heard_again_after_seconds(spoken: dict[str, Pcm]) -> None:
    second = spoken["zh-exposure-threat 0"]
    quieter = np.rint(second * 10 ** (-40 / 20)).astype(np.int16)
    pause = np.zeros(4 * SAMPLE_RATE, np.int16)
    assert scores(np.concatenate([second, pause, quieter]))[-50:].max() >= 0.6


@pytest.mark.parametrize("kind", NOT_SPEECH)
def test_what_is_no_speech_is_refused(kind: str, opinion: SecondOpinion) -> None:
    assert not opinion.is_speech(to_float32(over_the_telephone(NOT_SPEECH[kind])))


@pytest.mark.parametrize("gain_db", [0, -15, -30])
def test_speech_is_accepted_at_any_level(gain_db: float, opinion: SecondOpinion, spoken: dict[str, Pcm]) -> None:
    for voice, second in spoken.items():
        assert opinion.is_speech(to_float32(second) * np.float32(10 ** (gain_db / 20))), voice


def test_speech_is_found_behind_a_ring_back_tone(opinion: SecondOpinion, spoken: dict[str, Pcm]) -> None:
    ring = over_the_telephone(repeated(tones(450, duration=1), 4, 2))
    assert opinion.is_speech(to_float32(np.concatenate([ring, spoken["en-arrest-threat 1"]])))


def test_a_lone_short_word_is_accepted(opinion: SecondOpinion, spoken: dict[str, Pcm]) -> None:
    """0.3 s of speech between the pre-roll and the tail of a cut, the line's noise under all of it."""
    line = np.random.default_rng(7).normal(0, 10, SAMPLE_RATE)
    fade = np.minimum(1, np.minimum(np.arange(4_800), np.arange(4_800)[::-1]) / 400)
    for voice, second in spoken.items():
        word = line.copy()
        word[5_600:10_400] += second[6_400:11_200] * fade
        assert opinion.is_speech(to_float32(np.rint(word).astype(np.int16))), voice


@pytest.mark.parametrize("kind", ["ring-back, China", "busy, US", "DTMF", "white noise", "pink noise"])
def test_a_short_cut_of_no_speech_is_refused(kind: str, opinion: SecondOpinion) -> None:
    pcm = to_float32(over_the_telephone(NOT_SPEECH[kind]))
    assert not any(opinion.is_speech(piece) for piece in np.split(pcm, range(SAMPLE_RATE, pcm.size, SAMPLE_RATE)))


def test_an_opinion_leaves_the_audio_as_it_was(opinion: SecondOpinion, spoken: dict[str, Pcm]) -> None:
    pcm = to_float32(spoken["zh-exposure-threat 1"])
    before = pcm.copy()
    assert opinion.is_speech(pcm)
    assert np.array_equal(pcm, before)


@pytest.mark.parametrize("samples", [0, 1, 319, 512, 513])
def test_hardly_any_audio_is_no_speech(samples: int, opinion: SecondOpinion) -> None:
    assert not opinion.is_speech(np.full(samples, 0.1, np.float32))


def test_threads_may_share_an_opinion(spoken: dict[str, Pcm]) -> None:
    shared = SecondOpinion()
    noise = to_float32(over_the_telephone(NOT_SPEECH["white noise"]))
    asked = [piece for pcm in spoken.values() for piece in (to_float32(pcm), noise)] * 2
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(shared.is_speech, asked)) == [True, False] * (len(asked) // 2)


def test_a_missing_model_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vad, "find_spec", lambda _: None)
    with pytest.raises(VoiceModelMissing, match=r"silero_vad_v6\.onnx is missing; install faster-whisper"):
        SecondOpinion().is_speech(np.zeros(SAMPLE_RATE, np.float32))
