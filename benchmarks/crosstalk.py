"""What reaches recognition of a line's echo, and what of the parties' own speech is lost, with and without the
comparison of legs, in the same run.

    python benchmarks/crosstalk.py SPEECH_FOLDER [--calls N] [--report FILE]

Calls are made of SPEECH_FOLDER's clips (a `manifest.jsonl` of `file`, `text` a line): two parties in turns, a share of
which begin 0.8 to 2.2 s before the other has ended. Each leg gets the other's echo by a filtering line of random
response and sign, noise, and mu-law. Speakers are in two halves by name: thresholds were chosen on one, figures are of
the other.

A stretch counts as speech where an utterance stands that the second opinion takes for speech. Echo is what no voice of
the leg's own lies within 0.3 s of; own speech is what is speech of the same call without echo and noise. "Before" each
leg is a call of its own, so that nothing is compared.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from asr.audio.pcm import Pcm, decode, encode, samples_in, samples_of, to_float32
from asr.endpointing.endpointer import SpeechSegment
from asr.endpointing.vad import SecondOpinion
from asr.types import ROLES, Role
from service.bench.channel import PHONE_RATE, telephone
from service.bench.report import write_report
from service.calls.audio_path import AudioPath, ChannelsCompared
from service.ingest.events import AudioArrived

Sound = NDArray[np.float64]
SpeechFrames = dict[Role, NDArray[np.bool_]]

SPOKEN_DBFS = -20.0
TURNS = 10
STEP = PHONE_RATE // 50
"""Figures count frames of 20 ms."""
VOICED_DB = 18.0
"""A frame is voiced that is less than so far under its speaker's level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One row of the report: levels and delays of a call and of its echo."""

    name: str
    echo_db: float | None
    delay_ms: float = 60
    noise_db: float = -62
    agent_db: float = 0
    """The agent's level beside the customer's."""
    overlap: float = 0.3
    """Share of turns that begin before the other has ended."""


CONDITIONS = (
    *(Condition(name=f"echo {db} dB, 60 ms", echo_db=db) for db in (-6, -12, -20, -28, -35)),
    *(Condition(name=f"echo -12 dB, {ms} ms", echo_db=-12, delay_ms=ms) for ms in (3, 20, 150, 300, 500)),
    Condition(name="echo -6 dB, 0 ms", echo_db=-6, delay_ms=0),
    Condition(name="echo -28 dB, 250 ms, noise -50 dBFS", echo_db=-28, delay_ms=250, noise_db=-50),
    *(
        Condition(name=f"talk-over, agent {db} dB, echo -12 dB", echo_db=-12, agent_db=db, overlap=0.8, noise_db=-70)
        for db in (0, -10, -20)
    ),
    *(
        Condition(name=f"talk-over, agent {db} dB, no echo", echo_db=None, agent_db=db, overlap=0.8, noise_db=-70)
        for db in (0, -10, -20)
    ),
)


@dataclass(slots=True)
class Count:
    """Seconds."""

    echo: float = 0
    echo_before: float = 0
    echo_now: float = 0
    own: float = 0
    own_lost: float = 0
    over: float = 0
    over_lost: float = 0
    called_equal: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--calls", type=int, default=6)
    parser.add_argument("--report", type=Path)
    asked = parser.parse_args()
    voices = _voices(asked.folder, half=1)
    opinion = SecondOpinion()
    figures: dict[str, dict[str, float]] = {}
    for condition in CONDITIONS:
        count = Count()
        for seed in range(asked.calls):
            _measure(*_call(condition, voices, np.random.default_rng(seed)), condition, opinion, count)
        figures[condition.name] = _figures(count)
        Console(stderr=True).print(condition.name, figures[condition.name])
    Console().print(_table(figures))
    Console().print("CPU of a call's audio path, beside each leg alone:", figures.setdefault("cost", _cost(voices)))
    if asked.report:
        write_report(asked.report, "benchmarks/crosstalk.py", {"calls": asked.calls, "half": 1}, figures)


def _speaker(file: str) -> str:
    name = Path(file).name
    return name[:11] if name.startswith("BAC") else name[:7]


def _voices(folder: Path, half: int) -> dict[str, list[Sound]]:
    """Clips of every speaker of a half, after a telephone channel, at one level."""
    voices: dict[str, list[Sound]] = {}
    for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines():
        file = json.loads(line)["file"]
        if sum(map(ord, _speaker(file))) % 2 == half:
            pcm, rate = soundfile.read(folder / file, dtype="float32")
            said = to_float32(telephone(np.asarray(pcm, np.float32), rate)).astype(np.float64)
            voices.setdefault(_speaker(file), []).append(said * 10 ** (SPOKEN_DBFS / 20) / _loud(said))
    return voices


def _loud(said: Sound) -> float:
    """RMS of the louder third of frames."""
    powers = np.sort(_powers(said))
    return float(np.sqrt(powers[int(0.7 * powers.size) :].mean()))


def _powers(sound: Sound) -> Sound:
    return np.square(sound[: sound.size - sound.size % STEP].reshape(-1, STEP)).mean(axis=1)


def _call(condition: Condition, voices: dict[str, list[Sound]], rng: np.random.Generator) -> tuple[Sound, Sound]:
    """What the parties say, and the echo in each leg; shape (2, samples)."""
    agent = sorted(voices)[int(rng.integers(len(voices)))]
    clips = voices[agent], [clip for name, said in voices.items() if name != agent for clip in said]
    placed: list[tuple[int, int, Sound]] = []
    free, end, who = [0.0, 0.0], 0.5, int(rng.integers(2))
    for turn in range(TURNS):
        said = clips[who][int(rng.integers(len(clips[who])))] * 10 ** ((condition.agent_db if who == 0 else 0) / 20)
        start = (
            end - rng.uniform(0.8, 2.2) if turn and rng.random() < condition.overlap else end + rng.uniform(0.1, 0.8)
        )
        start = max(start, free[who] + 0.3, 0.5)
        placed.append((who, samples_in(start, PHONE_RATE), said))
        free[who] = start + said.size / PHONE_RATE
        end, who = max(end, free[who]), 1 - who
    spoken = np.zeros((2, samples_in(end + 1, PHONE_RATE)))
    for who, at, said in placed:
        spoken[who, at : at + said.size] += said
    echo = np.zeros_like(spoken)
    if condition.echo_db is not None:
        echo = np.stack([_line(spoken[1 - who], condition.delay_ms, condition.echo_db, rng) for who in (0, 1)])
    return spoken, echo


def _line(sound: Sound, delay_ms: float, gain_db: float, rng: np.random.Generator) -> Sound:
    """The sound after a line that rings for some milliseconds, with a delay of any fraction of a sample and either
    sign."""
    response = rng.normal(0, 0.5, 80) * np.exp(-np.arange(80) / rng.uniform(4, 12))
    response[0] += rng.choice([-1, 1])
    length = sound.size + PHONE_RATE
    hertz = np.fft.rfftfreq(length, 1 / PHONE_RATE)
    spectrum = np.fft.rfft(sound, length) * np.fft.rfft(response, length)
    late = delay_ms / 1_000 + rng.uniform(0, 1) / PHONE_RATE
    arrived = np.fft.irfft(spectrum * np.exp(-2j * np.pi * hertz * late), length)[: sound.size]
    return arrived * 10 ** (gain_db / 20) * np.sqrt(np.square(sound).mean() / max(np.square(arrived).mean(), 1e-12))


def _wire(legs: Sound, noise_db: float) -> Pcm:
    noisy = legs + np.random.default_rng(0).normal(0, 10 ** (noise_db / 20), legs.shape)
    pcm = np.clip(np.rint(noisy * 32_768), -32_768, 32_767).astype(np.int16)
    return np.stack([decode(encode(leg, "mulaw"), "mulaw") for leg in pcm])


def _measure(spoken: Sound, echo: Sound, condition: Condition, opinion: SecondOpinion, count: Count) -> None:
    wire = _wire(spoken + echo, condition.noise_db)
    now, equal = _taken_for_speech(wire, ROLES, opinion)
    alone = [_taken_for_speech(wire[[leg]], (role,), opinion)[0][role] for leg, role in enumerate(ROLES)]
    clean = [_taken_for_speech(_wire(spoken, -75)[[leg]], (role,), opinion)[0][role] for leg, role in enumerate(ROLES)]
    count.called_equal += equal
    voiced = [_voiced(spoken[leg], condition.agent_db if leg == 0 else 0) for leg in (0, 1)]
    for leg, role in enumerate(ROLES):
        length = min(voiced[leg].size, now[role].size, alone[leg].size, clean[leg].size)
        own, other = voiced[leg][:length] & clean[leg][:length], voiced[1 - leg][:length]
        near = np.convolve(voiced[leg][:length], np.ones(31), "same") > 0
        speech = now[role][:length]
        if condition.echo_db is not None:
            level = condition.echo_db + (condition.agent_db if leg == 1 else 0)
            echoed = _voiced(echo[leg], level)[:length] & ~near
            count.echo += echoed.sum() / 50
            count.echo_before += (echoed & alone[leg][:length]).sum() / 50
            count.echo_now += (echoed & speech).sum() / 50
        count.own += (own & ~other).sum() / 50
        count.own_lost += (own & ~other & ~speech).sum() / 50
        count.over += (own & other).sum() / 50
        count.over_lost += (own & other & ~speech).sum() / 50


def _voiced(sound: Sound, level_db: float) -> NDArray[np.bool_]:
    return _powers(sound) > 10 ** ((SPOKEN_DBFS + level_db - VOICED_DB) / 10)


def _taken_for_speech(legs: Pcm, roles: tuple[Role, ...], opinion: SecondOpinion) -> tuple[SpeechFrames, bool]:
    """Which frames of each leg lie in an utterance that goes to recognition; whether the channels were called equal."""
    audio_path = AudioPath(roles, "pcm_s16le", PHONE_RATE, max_pace=1e9, now=0.0)
    found = [each for piece in _pieces(legs) for each in audio_path.take(piece, 0.0).found] + audio_path.pause(
        0.0
    ).found
    speech: SpeechFrames = {role: np.zeros(legs.shape[1] // STEP, np.bool_) for role in roles}
    for cut in found:
        if isinstance(cut, SpeechSegment) and opinion.is_speech(samples_of(cut.pcm)):
            speech[cut.role][round(cut.start * 50) : round(cut.end * 50)] = True
    return speech, any(isinstance(each, ChannelsCompared) for each in found)


def _pieces(legs: Pcm) -> list[AudioArrived]:
    length = legs.shape[1]
    return [
        AudioArrived(payload=encode(np.ascontiguousarray(legs[:, at : at + STEP].T).reshape(-1), "pcm_s16le"))
        for at in range(0, length, STEP)
    ]


def _cost(voices: dict[str, list[Sound]]) -> dict[str, float]:
    """CPU seconds a minute of call: legs alone, compared without an echo, and with one."""
    costs: dict[str, float] = {}
    for name, echo_db, together in (("alone", None, False), ("compared", None, True), ("echo", -12.0, True)):
        condition = Condition(name=name, echo_db=echo_db)
        spent = minutes = 0.0
        for seed in range(4):
            wire = _wire(np.sum(_call(condition, voices, np.random.default_rng(seed)), axis=0), condition.noise_db)
            calls: list[tuple[Pcm, tuple[Role, ...]]]
            calls = [(wire, ROLES)] if together else [(wire[[leg]], (role,)) for leg, role in enumerate(ROLES)]
            for legs, roles in calls:
                pieces, audio_path = _pieces(legs), AudioPath(roles, "pcm_s16le", PHONE_RATE, max_pace=1e9, now=0.0)
                begun = time.process_time()
                for piece in pieces:
                    audio_path.take(piece, 0.0)
                spent += time.process_time() - begun
            minutes += wire.shape[1] / PHONE_RATE / 60
        costs[name] = round(spent / minutes, 3)
    return costs


def _figures(count: Count) -> dict[str, float]:
    def share(part: float, whole: float) -> float:
        return round(float(part / whole), 4) if whole else 0.0

    return {
        "echo_seconds": round(float(count.echo), 1),
        "echo_as_speech_before": share(count.echo_before, count.echo),
        "echo_as_speech_now": share(count.echo_now, count.echo),
        "own_seconds": round(float(count.own), 1),
        "own_lost": share(count.own_lost, count.own),
        "talk_over_seconds": round(float(count.over), 1),
        "talk_over_lost": share(count.over_lost, count.over),
        "called_equal": count.called_equal,
    }


def _table(figures: dict[str, dict[str, float]]) -> Table:
    table = Table("", *next(iter(figures.values())))
    for name, row in figures.items():
        table.add_row(name, *(f"{figure:g}" for figure in row.values()))
    return table


if __name__ == "__main__":
    main()
