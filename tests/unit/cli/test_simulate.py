"""`callwarden simulate`, up to the moment it connects."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import soundfile
from typer.testing import CliRunner, Result

from service.cli import app


def simulated(tmp_path: Path, dialect: str, url: str, *options: str) -> Result:
    soundfile.write(tmp_path / "call.wav", np.zeros((800, 2)), 8000)
    told = ["simulate", dialect, str(tmp_path / "call.wav"), "--url", url, "--key", "cw_secret", *options]
    return CliRunner().invoke(app, told)


def test_a_dialect_that_cannot_be_simulated_is_named_with_those_that_can(tmp_path: Path) -> None:
    done = simulated(tmp_path, "siprec", "ws://127.0.0.1:1")
    assert done.exit_code == 2
    assert "'siprec' cannot be simulated; one of twilio" in done.stderr


def test_audiosocket_asks_where_its_call_is_reserved(tmp_path: Path) -> None:
    done = simulated(tmp_path, "audiosocket", "tcp://127.0.0.1:1")
    assert done.exit_code == 2
    assert "--reservations" in done.stderr


def test_nobody_there_is_told_in_a_sentence_without_the_key(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for url in (f"ws://127.0.0.1:{port}/v1/twilio", "http://127.0.0.1/v1/twilio", "nowhere"):
        done = simulated(tmp_path, "twilio", url)
        assert done.exit_code == 1
        assert done.stderr.count("error:") == 1
        assert "cw_secret" not in done.output
