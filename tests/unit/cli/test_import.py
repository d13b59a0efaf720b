"""`callwarden import` on files of all kinds, into a real store, with an engine that is scripted."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import soundfile
from blockbuster import BlockBuster
from typer.testing import CliRunner, Result

from asr.types import Role
from detectors.runtime.registry import load
from service.audio_files.call import read_call_audio
from service.cli import app, import_files
from service.recordings.folder import recording_name
from service.recordings.wav_writer import WavWriter
from service.samples import sample_calls
from service.sole_user import sole_user
from service.storage.port import CallQuery, CallRecord
from service.storage.sql import SqlStore
from tests.fakes.engine import FakeEngine, fails

T = TypeVar("T")

REGISTRY = load(encoder=None)
RATE = 8000


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, blocked_event_loop_fails: BlockBuster) -> FakeEngine:
    """Nothing runs beside the command, so its event loop may wait for the disk."""
    blocked_event_loop_fails.deactivate()
    scripted = FakeEngine()
    monkeypatch.setattr(import_files, "load_engine", lambda _settings: scripted)
    monkeypatch.setattr(import_files, "load_registry", lambda _settings: REGISTRY)
    monkeypatch.setattr(import_files, "configure_logging", lambda _settings: None)
    monkeypatch.setenv("CALLWARDEN_DATA_DIR", str(tmp_path / "data"))
    return scripted


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    """The first eight seconds of a call, in which the agent speaks."""
    audio = read_call_audio(sample_calls()[0].audio)
    return audio.pcm[: 8 * audio.rate]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "calls").mkdir()
    return tmp_path / "calls"


def imported(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["import", *map(str, words)])


def of_store(data: Path, ask: Callable[[SqlStore], Awaitable[T]]) -> T:
    async def read() -> T:
        store = SqlStore(f"sqlite:///{data / 'callwarden.db'}")
        await store.open()
        try:
            return await ask(store)
        finally:
            await store.close()

    return asyncio.run(read())


def stored(data: Path) -> dict[str, CallRecord]:
    """Every call in the store."""

    async def ask(store: SqlStore) -> dict[str, CallRecord]:
        page = await store.calls(CallQuery(limit=100))
        return {each.call.id: await store.call(each.call.id) for each in page.calls}

    return of_store(data, ask)


def written_at(data: Path, calls: Iterable[str]) -> dict[str, datetime]:
    async def ask(store: SqlStore) -> dict[str, datetime]:
        return {call: (await store.facts(call))[0].at for call in calls}

    return of_store(data, ask)


@pytest.mark.usefixtures("engine")
def test_a_recording_becomes_a_call_with_everything_that_a_live_one_has(
    tmp_path: Path, folder: Path, sound: np.ndarray
) -> None:
    soundfile.write(folder / "A17_C-88_20260302-101500.wav", sound, RATE)
    pattern = ["--pattern", "{agent}_{customer}_{started_at}", "--times-in", "+08:00"]
    done = imported(folder, *pattern)
    assert (done.exit_code, done.stdout) == (0, "1 taken, 0 stored before, 0 refused\n")

    [record] = stored(tmp_path / "data").values()
    call = record.summary.call
    began = datetime.fromisoformat("2026-03-02T10:15:00+08:00")
    assert (call.id, call.source, call.agent, call.customer) == ("A17_C-88_20260302-101500", "import", "A17", "C-88")
    assert (call.started_at, record.summary.ended_at) == (began, began.replace(second=8))
    assert (record.summary.state, record.summary.ending, record.summary.duration) == ("ended", "completed", 8.0)
    assert {said.role for said in record.utterances} == {"agent"}
    assert any(finding.kind == "duty_missing" for finding in record.findings)
    assert {alert.latency for alert in record.alerts} == {0.0}
    recorded, rate = soundfile.read(tmp_path / "data" / "recordings" / recording_name(call.id), dtype="int16")
    assert rate == RATE
    np.testing.assert_array_equal(recorded, sound)
    assert list((tmp_path / "data" / "recordings" / "importing").iterdir()) == []


@pytest.mark.usefixtures("engine")
def test_a_call_of_another_day_with_a_name_that_is_stored_is_refused_and_not_passed_over(
    tmp_path: Path, folder: Path, sound: np.ndarray
) -> None:
    soundfile.write(folder / "0001.wav", sound, RATE)
    told = []
    for day in ("2026-03-02T10:15:00+08:00", "2026-03-02T10:15:07+08:00", "2026-04-02T10:15:00+08:00"):
        (tmp_path / "calls.csv").write_text(f"file,started_at\n0001.wav,{day}\n")
        told.append(imported(folder, "--calls", tmp_path / "calls.csv"))
    assert [done.stdout.splitlines()[-1] for done in told] == [
        "1 taken, 0 stored before, 0 refused",
        "0 taken, 1 stored before, 0 refused",
        "0 taken, 0 stored before, 1 refused",
    ]
    assert "another call is stored as 0001 of 2026-03-02 10:15:00" in " ".join(told[-1].output.split())


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("kind", "subtype", "ending"),
    [
        ("WAV", "PCM_U8", "wav"),
        ("WAV", "PCM_24", "wav"),
        ("WAV", "PCM_32", "wav"),
        ("WAV", "FLOAT", "wav"),
        ("WAVEX", "PCM_24", "wav"),
        ("FLAC", "PCM_16", "flac"),
        ("MP3", "MPEG_LAYER_III", "mp3"),
        ("OGG", "OPUS", "opus"),
    ],
)
def test_every_usual_form_is_taken(
    tmp_path: Path, folder: Path, sound: np.ndarray, kind: str, subtype: str, ending: str
) -> None:
    soundfile.write(folder / f"call.{ending}", sound / 32768, RATE, format=kind, subtype=subtype)
    done = imported(folder)
    assert (done.exit_code, done.stdout) == (0, "1 taken, 0 stored before, 0 refused\n")
    record = stored(tmp_path / "data")["call"]
    assert {said.role for said in record.utterances} == {"agent"}
    assert record.summary.duration == pytest.approx(8.0, abs=0.1)


def cut(path: Path, sound: np.ndarray) -> None:
    soundfile.write(path, sound, RATE)
    path.write_bytes(path.read_bytes()[: 44 + 6 * RATE * 4])


def three(path: Path, sound: np.ndarray) -> None:
    soundfile.write(path, np.column_stack([sound, sound[:, 0]]), RATE)


ODD: dict[str, tuple[Callable[[Path, np.ndarray], object], str]] = {
    "three": (three, "has 3 channels; a call needs two"),
    "mono": (lambda path, sound: soundfile.write(path, sound[:, 0], RATE), "say whose words it holds with --party"),
    "cut": (cut, "it ends after 6.0 s, and its header tells of 8.0 s"),
    "empty": (lambda path, _: path.touch(), "is empty, 0 bytes"),
    "head": (lambda path, sound: soundfile.write(path, sound[:0], RATE), "holds no sample"),
    "text": (lambda path, _: path.write_text("not audio at all\n" * 50), "cannot be read as audio"),
    "slow": (lambda path, sound: soundfile.write(path, sound, 1), "are no rate that speech is recorded at"),
}


@pytest.mark.usefixtures("engine")
def test_what_cannot_be_a_call_is_refused_with_its_reason_and_leaves_nothing(
    tmp_path: Path, folder: Path, sound: np.ndarray
) -> None:
    for name, (write, _) in ODD.items():
        write(folder / f"{name}.wav", sound)
    soundfile.write(folder / "good.wav", sound, RATE)
    (folder / "notes.txt").touch()
    done = imported(folder, folder / "missing.wav")
    assert done.exit_code == 1
    assert done.stdout == f"1 taken, 0 stored before, {len(ODD) + 1} refused\n"
    lines = done.stderr.splitlines()
    for name, (_, reason) in {**ODD, "missing": (cut, "there is no such file")}.items():
        assert any(line.startswith(f"refused: {folder / name}.wav: ") and reason in line for line in lines), name
    assert any("1 other files lie in the folders" in line for line in lines)
    assert list(stored(tmp_path / "data")) == ["good"]
    assert [path.name for path in (tmp_path / "data" / "recordings").glob("*.wav*")] == ["good.wav"]
    assert list((tmp_path / "data" / "recordings" / "importing").iterdir()) == []


@pytest.mark.usefixtures("engine")
def test_silence_and_a_header_that_was_never_closed_are_taken(tmp_path: Path, folder: Path, sound: np.ndarray) -> None:
    soundfile.write(folder / "silent.wav", np.zeros((RATE, 2)), RATE)
    soundfile.write(folder / "open.wav", sound, RATE)
    wave = bytearray((folder / "open.wav").read_bytes())
    wave[4:8] = wave[40:44] = bytes(4)
    (folder / "open.wav").write_bytes(wave)
    assert imported(folder).exit_code == 0
    calls = stored(tmp_path / "data")
    assert calls["silent"].utterances == ()
    assert calls["open"].summary.duration == 8.0


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("party", ["agent", "customer"])
def test_one_channel_is_taken_where_somebody_says_whose_it_is(
    tmp_path: Path, folder: Path, sound: np.ndarray, party: Role
) -> None:
    soundfile.write(folder / "mono.wav", sound[:, 0], RATE)
    assert imported(folder, "--party", party).exit_code == 0
    record = stored(tmp_path / "data")["mono"]
    assert record.summary.call.roles == (party,)
    assert {said.role for said in record.utterances} == {party}


@pytest.mark.usefixtures("engine")
def test_a_list_tells_who_is_on_the_left_and_when_it_was(tmp_path: Path, folder: Path, sound: np.ndarray) -> None:
    soundfile.write(folder / "x.wav", sound, RATE)
    (tmp_path / "calls.csv").write_text("file,call_id,left,started_at\nx.wav,c-1,customer,2026-03-02T10:15:00Z\n")
    assert imported(folder, "--calls", tmp_path / "calls.csv").exit_code == 0
    record = stored(tmp_path / "data")["c-1"]
    assert record.summary.call.roles == ("customer", "agent")
    assert {said.role for said in record.utterances} == {"customer"}
    assert record.summary.call.started_at == datetime(2026, 3, 2, 10, 15, tzinfo=UTC)


@pytest.mark.usefixtures("engine")
def test_a_list_with_mistakes_is_told_by_line_before_anything_is_done(tmp_path: Path, folder: Path) -> None:
    (folder / "x.wav").touch()
    (tmp_path / "calls.csv").write_text("file,language\ny.wav,zh\nx.wav,fr\n")
    done = imported(folder, "--calls", tmp_path / "calls.csv")
    assert done.exit_code == 2
    told = done.stderr.splitlines()
    assert [line.partition("calls.csv: ")[2][:15] for line in told] == ["line 2: file: '", "line 3: languag"]
    assert not (tmp_path / "data").exists()


@pytest.mark.usefixtures("engine")
def test_what_nothing_dates_is_dated_by_its_file_and_told(tmp_path: Path, folder: Path, sound: np.ndarray) -> None:
    soundfile.write(folder / "x.wav", sound, RATE)
    ended = datetime(2026, 3, 2, 2, 15, 8, tzinfo=UTC)
    os.utime(folder / "x.wav", (ended.timestamp(), ended.timestamp()))
    done = imported(folder)
    assert "nothing told when 1 of the calls began" in done.stderr
    call = stored(tmp_path / "data")["x"].summary.call
    assert call.started_at == ended.replace(second=0)
    assert call.metadata == {"started_at_from": "file"}


def test_a_second_run_takes_what_is_new(tmp_path: Path, folder: Path, sound: np.ndarray, engine: FakeEngine) -> None:
    soundfile.write(folder / "1.wav", sound, RATE)
    assert imported(folder).exit_code == 0
    heard, before = len(engine.batches), stored(tmp_path / "data")
    engine.closed = False
    soundfile.write(folder / "2.wav", sound, RATE)
    done = imported(folder)
    assert (done.exit_code, done.stdout) == (0, "1 taken, 1 stored before, 0 refused\n")
    assert stored(tmp_path / "data")["1"] == before["1"]
    assert len(engine.batches) == 2 * heard


KILLED = """
import sys, threading
from detectors.runtime.registry import load
from service.cli import import_files, main
from tests.fakes.engine import FakeEngine

def hang(_batch):
    print("hangs", flush=True)
    threading.Event().wait()

import_files.load = lambda **_: load(encoder=None)
import_files.load_engine = lambda _settings: FakeEngine(lambda _batch: None, hang)
main()
"""


@pytest.mark.usefixtures("engine")
def test_a_killed_run_leaves_whole_calls_and_is_gone_on_with(tmp_path: Path, folder: Path, sound: np.ndarray) -> None:
    for number in (1, 2):
        soundfile.write(folder / f"{number}.wav", sound, RATE)
        os.utime(folder / f"{number}.wav", (number, number))
    command = [sys.executable, "-c", KILLED, "import", str(folder)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "hangs\n"  # in the second file
        run.send_signal(signal.SIGKILL)
    assert list(stored(tmp_path / "data")) == ["1"]
    assert [path.name for path in (tmp_path / "data" / "recordings").glob("*.wav*")] == ["1.wav"]
    assert imported(folder).stdout == "1 taken, 1 stored before, 0 refused\n"
    assert sorted(stored(tmp_path / "data")) == ["1", "2"]
    assert list((tmp_path / "data" / "recordings" / "importing").iterdir()) == []


def test_speech_that_cannot_be_recognised_leaves_no_call(
    tmp_path: Path, folder: Path, sound: np.ndarray, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(folder / "1.wav", sound, RATE)
    monkeypatch.setattr(import_files, "load_engine", lambda _settings: FakeEngine(*[fails] * 40))
    done = imported(folder)
    assert done.exit_code == 1
    assert "stretches of speech could not be recognised" in done.stderr
    assert stored(tmp_path / "data") == {}
    monkeypatch.setattr(import_files, "load_engine", lambda _settings: engine)
    assert imported(folder).stdout == "1 taken, 0 stored before, 0 refused\n"


@pytest.mark.usefixtures("engine")
def test_a_disk_that_takes_no_recording_ends_the_run_with_a_sentence(
    tmp_path: Path, folder: Path, sound: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(folder / "1.wav", sound, RATE)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(WavWriter, "_opened", full)
    done = imported(folder)
    assert done.exit_code == 1
    assert "error: recordings cannot be written" in done.stderr
    monkeypatch.undo()
    assert stored(tmp_path / "data") == {}


@pytest.mark.usefixtures("engine")
def test_a_data_folder_in_use_is_left_alone(tmp_path: Path, folder: Path, sound: np.ndarray) -> None:
    soundfile.write(folder / "1.wav", sound, RATE)
    (tmp_path / "data").mkdir(mode=0o700)
    with sole_user(tmp_path / "data"):
        done = imported(folder)
    assert done.exit_code == 1
    assert "another Callwarden runs on" in done.stderr


@pytest.mark.usefixtures("engine")
def test_calls_of_one_customer_are_taken_in_their_order_however_many_go_at_once(
    tmp_path: Path, folder: Path, sound: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_files, "load_engine", lambda _settings: FakeEngine(workers=24))
    rows = ["file,customer,started_at"]
    for number in range(6):
        soundfile.write(folder / f"{number}.wav", sound[: (number + 2) * RATE], RATE)
        rows.append(f"{number}.wav,C-{number % 2},2026-03-0{9 - number}T10:00:00Z")
    (tmp_path / "calls.csv").write_text("\n".join(rows))
    assert imported(folder, "--calls", tmp_path / "calls.csv").stdout.startswith("6 taken")
    written = written_at(tmp_path / "data", "024135")
    assert written["4"] < written["2"] < written["0"]
    assert written["5"] < written["3"] < written["1"]


@pytest.mark.usefixtures("engine")
def test_a_folder_without_recordings_is_told(folder: Path) -> None:
    done = imported(folder)
    assert done.exit_code == 1
    assert "there are no recordings in" in done.stderr
