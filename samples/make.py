"""Make the sample calls: scripts/*.yaml in, calls/<id>.flac and calls/<id>.json out.

    python samples/make.py            every call
    python samples/make.py ID ...     only these

The audio is 8 kHz 16-bit stereo, agent left and customer right, through a telephone's band. The JSON says what
was said when (seconds in the audio) and what a perfect monitor would find.
"""

import json
import re
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import yaml
from scipy.signal import butter, lfilter, resample_poly, sosfilt
from voices import RATE, Voices

HERE = Path(__file__).parent
PHONE_RATE = 8_000
SPEECH_DBFS = -20.0
LINE_NOISE_DBFS = -62.0
LEAD_S, TAIL_S = 0.8, 0.8
GAP_S = (0.35, 0.9)  # between turns, where the script sets none; a script's negative gap is a talk-over
SENTENCE_PAUSE_S = 0.22
SHORTEST_SENTENCE = {"zh": 9, "en": 22}  # characters: alone, a shorter one comes out slurred
TALK_BAND = butter(6, (300, 3400), "bandpass", fs=PHONE_RATE, output="sos")
# How a mood sounds: pace against the voice's own, and level in dB against SPEECH_DBFS.
TONES = {"calm": (1.0, 0.0), "tense": (1.05, 1.0), "angry": (1.08, 3.0), "low": (0.94, -2.5), "relieved": (0.97, -1.0)}
SPEAKERS = ("agent", "customer")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenTurn:
    """One turn, spoken: `start` in samples at PHONE_RATE."""

    speaker: str
    text: str
    start: int
    speech: np.ndarray

    @property
    def end(self) -> int:
        return self.start + len(self.speech)


def decibels(gain: float) -> float:
    """The factor of a gain in dB."""
    return 10.0 ** (gain / 20.0)


def rms(signal: np.ndarray) -> float:
    """Root mean square of the parts that are louder than 1 % of the peak, so that pauses do not count."""
    loud = signal[np.abs(signal) > 0.01 * np.max(np.abs(signal))]
    return float(np.sqrt(np.mean(loud**2)))


def trimmed(speech: np.ndarray, *, pad_s: float = 0.02) -> np.ndarray:
    """Cut the silence before and after, so that a turn's bounds are the bounds of its voice."""
    loud = np.flatnonzero(np.abs(speech) > 0.015 * np.max(np.abs(speech)))
    pad = int(pad_s * RATE)
    return speech[max(0, loud[0] - pad) : loud[-1] + pad]


def sentences(text: str, lang: str) -> list[str]:
    """Cut a turn at its full stops, each piece at least SHORTEST_SENTENCE long."""
    pieces: list[str] = []
    for piece in re.split(r"(?<=[。！？])|(?<=[.!?])\s+", text):
        if pieces and min(len(pieces[-1]), len(piece)) < SHORTEST_SENTENCE[lang]:
            pieces[-1] = f"{pieces[-1]} {piece}" if lang == "en" else pieces[-1] + piece
        elif piece:
            pieces.append(piece)
    return pieces


def spoken(voices: Voices, call: dict[str, Any], turn: dict[str, Any]) -> np.ndarray:
    """One turn at PHONE_RATE, at its level. `say` replaces `text` where the reading must be helped."""
    voice = call["voices"][turn["speaker"]]
    pace, gain = TONES[turn.get("tone", "calm")]
    pause = np.zeros(int(SENTENCE_PAUSE_S * RATE), dtype=np.float32)
    parts: list[np.ndarray] = []
    for sentence in sentences(turn.get("say", turn["text"]), call["lang"]):
        speed = pace * voice.get("speed", 1.0) * turn.get("speed", 1.0)
        parts += [trimmed(voices.say(sentence, lang=call["lang"], voice=voice["name"], speed=speed)), pause]
    speech = resample_poly(np.concatenate(parts[:-1]), PHONE_RATE, RATE)
    speech = sosfilt(TALK_BAND, speech)
    return speech * (decibels(SPEECH_DBFS + gain) / rms(speech))


def laid_out(voices: Voices, call: dict[str, Any], rng: np.random.Generator) -> list[SpokenTurn]:
    """Every turn in its place on the call's time line."""
    turns: list[SpokenTurn] = []
    now = int(LEAD_S * PHONE_RATE)
    for line in call["turns"]:
        speech = spoken(voices, call, line)
        gap = line.get("gap", rng.uniform(*GAP_S)) if turns else 0.0
        start = now + int(gap * PHONE_RATE)
        turns.append(SpokenTurn(speaker=line["speaker"], text=line["text"], start=start, speech=speech))
        now = turns[-1].end
    return turns


def line_noise(rng: np.random.Generator, samples: int) -> np.ndarray:
    """The hiss of a line: mostly low, inside the telephone's band."""
    noise = sosfilt(TALK_BAND, lfilter([1.0], [1.0, -0.9], rng.standard_normal(samples)))
    return noise * (decibels(LINE_NOISE_DBFS) / float(np.sqrt(np.mean(noise**2))))


def mixed(turns: list[SpokenTurn], rng: np.random.Generator) -> np.ndarray:
    """Two channels, agent and customer; int16, shape (samples, 2).

    Mu-law carries 14 bits, so the two lowest are left at zero, which FLAC stores for nothing.
    """
    samples = max(turn.end for turn in turns) + int(TAIL_S * PHONE_RATE)
    legs = np.stack([line_noise(rng, samples) for _ in SPEAKERS], axis=1)
    for turn in turns:
        legs[turn.start : turn.end, SPEAKERS.index(turn.speaker)] += turn.speech
    return np.round(np.clip(legs, -0.99, 0.99) * 8_191).astype(np.int16) * 4


def described(call: dict[str, Any], turns: list[SpokenTurn]) -> dict[str, Any]:
    """The JSON beside the audio."""
    kept = ("id", "title", "lang", "jurisdiction", "started_at", "agent", "customer", "metadata")
    timed = [
        {
            "speaker": turn.speaker,
            "start": round(turn.start / PHONE_RATE, 2),
            "end": round(turn.end / PHONE_RATE, 2),
            "text": turn.text,
        }
        for turn in turns
    ]
    findings = [
        {"category": category, "speaker": line["speaker"], "turn": index}
        for index, line in enumerate(call["turns"])
        for category in line.get("breaks", [])
    ]
    expected = {"findings": findings, "duties_missing": call.get("duties_missing", [])}
    return {key: call[key] for key in kept} | {"turns": timed, "expected": expected}


def make(script: Path) -> None:
    """Write one call's audio and its JSON. The line noise and the gaps are seeded by the call's id.

    Fresh voices for every call: their random state moves on with each sentence, and a call made alone must be the
    same as one made with the others.
    """
    call = yaml.safe_load(script.read_text("utf-8"))
    rng = np.random.default_rng(zlib.crc32(call["id"].encode()))
    turns = laid_out(Voices(), call, rng)
    audio = mixed(turns, rng)
    flac = HERE / "calls" / f"{call['id']}.flac"
    soundfile.write(flac, audio, PHONE_RATE, subtype="PCM_16", compression_level=1.0)
    text = json.dumps(described(call, turns), ensure_ascii=False, indent=1)
    flac.with_suffix(".json").write_text(text + "\n", "utf-8")
    print(f"{call['id']:<28} {len(audio) / PHONE_RATE:5.1f} s {flac.stat().st_size / 1000:5.0f} kB", flush=True)


def main(wanted: list[str]) -> None:
    scripts = sorted((HERE / "scripts").glob("*.yaml"))
    unknown = set(wanted) - {script.stem for script in scripts}
    if unknown:
        sys.exit(f"no script for {', '.join(sorted(unknown))} in {HERE / 'scripts'}")
    (HERE / "calls").mkdir(exist_ok=True)
    for script in scripts:
        if not wanted or script.stem in wanted:
            make(script)


if __name__ == "__main__":
    main(sys.argv[1:])
