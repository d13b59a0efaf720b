"""`callwarden transcribe` on files of all kinds, with an engine that is scripted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from service.audio_files.call import read_call_audio
from service.cli import app, transcribe
from service.samples import sample_calls
from tests.fakes.engine import FakeEngine, fails


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    scripted = FakeEngine()
    monkeypatch.setattr(transcribe, "load_engine", lambda _settings: scripted)
    return scripted


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    """The first eight seconds of a call, in which the agent speaks."""
    audio = read_call_audio(sample_calls()[0].audio)
    return audio.pcm[: 8 * audio.rate]


def transcribed(path: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["transcribe", str(path), *options])


def told(done: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.usefixtures("engine")
def test_the_same_sound_has_the_same_text_in_every_form(tmp_path: Path, sound: np.ndarray) -> None:
    answers: list[list[dict[str, object]]] = []
    for subtype in ("PCM_16", "PCM_24", "FLOAT", "DOUBLE"):
        path = tmp_path / f"{subtype}.wav"
        soundfile.write(path, sound / 32768, 8000, subtype=subtype)
        done = transcribed(path, "--json")
        assert done.exit_code == 0
        answers.append(told(done))
    assert {said["speaker"] for said in answers[0]} == {"agent"}
    assert answers.count(answers[0]) == len(answers)


@pytest.mark.usefixtures("engine")
def test_a_file_of_unknown_length_is_transcribed(tmp_path: Path, sound: np.ndarray) -> None:
    path = tmp_path / "unknown.flac"
    soundfile.write(path, sound, 8000)
    flac = path.read_bytes()
    whole = transcribed(path, "--json").stdout
    path.write_bytes(flac[:21] + bytes([flac[21] & 0xF0]) + bytes(4) + flac[26:])
    assert transcribed(path, "--json").stdout == whole != ""


@pytest.mark.usefixtures("engine")
def test_one_channel_has_text_but_no_speaker(tmp_path: Path, sound: np.ndarray) -> None:
    path = tmp_path / "mono.wav"
    soundfile.write(path, sound[:, 0], 8000)
    done = transcribed(path, "--json")
    assert done.exit_code == 0
    assert {said["speaker"] for said in told(done)} == {None}
    assert "nobody can tell who speaks" in done.stderr
    plain = transcribed(path)
    assert "agent" not in plain.stdout
    assert "秒" in plain.stdout


@pytest.mark.usefixtures("engine")
def test_a_file_that_breaks_off_has_text_and_a_note(tmp_path: Path, sound: np.ndarray) -> None:
    path = tmp_path / "cut.wav"
    soundfile.write(path, sound, 8000)
    path.write_bytes(path.read_bytes()[: 44 + 6 * 8000 * 4])
    done = transcribed(path, "--json")
    assert done.exit_code == 0
    assert told(done)
    assert "its header tells of 8.0 s" in done.stderr


@pytest.mark.usefixtures("engine")
def test_a_file_in_which_nobody_speaks_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "silent.wav"
    soundfile.write(path, np.zeros((8000, 2)), 8000)
    done = transcribed(path, "--json")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "nobody was heard to speak" in done.stderr


@pytest.mark.usefixtures("engine")
def test_a_file_without_a_sample_is_an_error_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "none.wav"
    soundfile.write(path, np.zeros((0, 2)), 8000)
    done = transcribed(path)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.strip() == f"error: {path}: holds no sample: there is a header and no sound behind it"


def test_speech_that_cannot_be_recognised_is_an_error(
    tmp_path: Path, sound: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcribe, "load_engine", lambda _settings: FakeEngine(*[fails] * 40))
    path = tmp_path / "call.wav"
    soundfile.write(path, sound, 8000)
    done = transcribed(path, "--json")
    assert done.exit_code == 1
    assert "could not be recognised" in done.stderr


def test_streaming_one_channel_is_refused_for_alerts_would_blame_somebody(tmp_path: Path, sound: np.ndarray) -> None:
    path = tmp_path / "mono.wav"
    soundfile.write(path, sound[:, 0], 8000)
    done = CliRunner().invoke(app, ["stream", str(path), "--url", "ws://127.0.0.1:9/v1/stream", "--key", "k"])
    assert done.exit_code == 1
    assert "a call needs two, agent left and customer right" in done.stderr
