"""What the service does when something it needs is not there, or when it is shot."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import soundfile

from service.samples import sample_calls
from tests.e2e.conftest import Running, callwarden

pytestmark = [pytest.mark.model, pytest.mark.timeout(240)]


def asked(service: Running, path: str) -> tuple[int, dict[str, object]]:
    """A GET with the gateway's key: status and JSON body."""
    request = Request(service.url + path, headers={"Authorization": f"Bearer {service.key}"})
    try:
        with urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except HTTPError as refusal:
        return refusal.code, json.load(refusal)


@pytest.fixture(scope="module")
def sound(start: Callable[..., Running]) -> Running:
    return start()


def test_a_ready_service_says_so(sound: Running) -> None:
    status, body = asked(sound, "/readyz")
    assert (status, body["ready"]) == (200, True)


def test_without_its_model_the_service_says_which_file_and_how_to_get_it(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    service = start(CALLWARDEN_MODELS_DIR=str(tmp_path))
    status, body = asked(service, "/readyz")
    assert status == 503
    told = json.dumps(body)
    assert str(tmp_path) in told
    assert "callwarden models pull base" in told


def test_without_its_model_a_call_is_recorded_and_its_speech_marked(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    service = start(CALLWARDEN_MODELS_DIR=str(tmp_path))
    sample = sample_calls()[0]
    printed = callwarden(
        *("stream", str(sample.audio), "--url", service.gateway, "--key", service.key, "--json", "--pace", "9"),
        data_dir=service.data_dir,
    )
    heard = json.loads(printed)
    assert heard["utterances"] == []
    [recording] = (service.data_dir / "recordings").glob("*.wav")
    assert soundfile.info(recording).duration == pytest.approx(sample.turns[-1].end, abs=5)


def test_after_a_kill_the_recording_plays_and_the_next_start_goes_on_with_the_call(
    start: Callable[..., Running],
) -> None:
    service = start()
    client = playing(service)
    folder = service.data_dir / "recordings"
    deadline = time.monotonic() + 60
    while not any(soundfile.info(each).duration > 6 for each in folder.glob("*.wav")):
        assert time.monotonic() < deadline
        assert client.poll() is None
        time.sleep(0.1)
    service.process.send_signal(signal.SIGKILL)
    service.process.wait(timeout=60)
    client.wait(timeout=60)
    [recording] = folder.glob("*.wav")
    audio, rate = soundfile.read(recording)
    assert len(audio) / rate > 6
    assert abs(audio).max() > 0.01
    again = start(service.data_dir)
    status, _ = asked(again, "/healthz")
    assert status == 200, "ready it is not where one call is all that the machine can carry"
    deadline = time.monotonic() + 60
    while "call_resumed" not in (kinds := written(service)):  # ready, it still reads what the last process left
        assert time.monotonic() < deadline, kinds
        time.sleep(0.1)
    assert kinds.count("call_resumed") == 1
    assert "call_closed" not in kinds


def playing(service: Running) -> subprocess.Popen[bytes]:
    """A process that plays the first sample call into the service."""
    audio = str(sample_calls()[0].audio)
    return subprocess.Popen(
        [sys.executable, "-m", "service.cli", "stream", audio, "--url", service.gateway, "--key", service.key],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ,
    )


def written(service: Running) -> list[str]:
    """The kinds of all facts in the store, the oldest first."""
    with closing(sqlite3.connect(service.data_dir / "callwarden.db")) as database:
        return [kind for (kind,) in database.execute("SELECT type FROM events ORDER BY seq")]


@pytest.mark.parametrize(
    ("authorization", "status"),
    [("", 401), ("Bearer cw_000000000000_" + "x" * 43, 401), ("Basic " + base64.b64encode(b"a:b").decode(), 401)],
)
def test_a_gateway_without_a_good_key_is_turned_away_at_the_handshake(
    sound: Running, authorization: str, status: int
) -> None:
    host, _, port = sound.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=60) as wire:
        lines = [
            "GET /v1/stream HTTP/1.1",
            f"Host: {host}:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            *([f"Authorization: {authorization}"] if authorization else []),
        ]
        wire.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = wire.recv(4096).decode()
    assert answer.startswith(f"HTTP/1.1 {status} ")
