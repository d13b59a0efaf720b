"""Commands that cannot start say why in a sentence, with an exit code and no traceback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from blockbuster import BlockBuster
from typer.testing import CliRunner, Result

from service.cli import app


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, blocked_event_loop_fails: BlockBuster) -> None:
    """No settings of whoever runs the tests; an empty folder for data. Nothing else runs beside a command."""
    blocked_event_loop_fails.deactivate()
    for name in [name for name in os.environ if name.startswith("CALLWARDEN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CALLWARDEN_DATA_DIR", str(tmp_path / "data"))


def run(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def run_apart(*words: str) -> tuple[list[str], int]:
    """In a process of its own, for what sets up logging: its errors and its exit code."""
    ran = subprocess.run(
        [sys.executable, "-m", "service.cli", *words], capture_output=True, text=True, check=False, timeout=100
    )
    assert "Traceback" not in ran.stderr
    return [line for line in ran.stderr.splitlines() if line.startswith("error: ")], ran.returncode


def refused(result: Result, code: int) -> list[str]:
    """The sentences; the command left by itself, not by an error of its own."""
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code
    lines = result.stderr.splitlines()
    assert all(line.startswith(("error: ", "warning: ")) for line in lines), lines
    return lines


COMMANDS = [
    ("serve",),
    ("demo", "--port", "0"),
    ("keys", "list"),
    ("keys", "create"),
    ("users", "list"),
    ("models", "list"),
    ("transcribe", "nothing.wav"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_refuses_bad_settings_a_line_each(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLWARDEN_SESSION_HOURS", "many")
    monkeypatch.setenv("CALLWARDEN_DATABASE_URL", "postgresql://boss:hush@more@host/db")
    monkeypatch.setenv("CALLWARDEN_SECURE_COOKIES", "true")
    lines = refused(run(*command), 2)
    assert len(lines) == 3
    assert not any(piece in line for piece in ("boss", "hush", "more") for line in lines)


def test_what_is_only_unknown_is_told_and_the_command_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLWARDEN_SERVICE_HOST", "10.0.0.1")
    result = run("keys", "list")
    assert result.exit_code == 0
    assert "warning: CALLWARDEN_SERVICE_HOST is no setting" in result.stderr


def test_accounts_are_kept_in_the_folder_that_is_asked_for(tmp_path: Path) -> None:
    made = run("keys", "create", "--source", "pbx", "--data-dir", str(tmp_path / "other"))
    assert made.exit_code == 0, made.stderr
    assert (tmp_path / "other" / "callwarden.db").exists()
    assert not (tmp_path / "data").exists()
    assert "pbx" in run("keys", "list", "--data-dir", str(tmp_path / "other")).stdout
    assert "pbx" not in run("keys", "list").stdout


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "is not a folder, or lies in a file"),
        ({"callwarden.db": b"no database at all" * 99}, "callwarden.db is damaged"),
        ({"callwarden.db-wal": b"x" * 99}, "its log callwarden.db-wal is there"),
    ],
)
def test_a_data_folder_that_cannot_be_used_is_told(content: dict[str, bytes] | None, why: str, tmp_path: Path) -> None:
    if content is None:
        (tmp_path / "data").touch()
    else:
        (tmp_path / "data").mkdir(mode=0o700)
        for name, body in content.items():
            (tmp_path / "data" / name).write_bytes(body)
    [line] = refused(run("keys", "list"), 1)
    assert why in line


@pytest.fixture
def model_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CALLWARDEN_MODELS_DIR", str(tmp_path / "models"))


def test_a_service_over_a_damaged_database_does_not_start(tmp_path: Path, model_absent: None) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "callwarden.db").write_bytes(b"no database at all" * 99)
    [line], code = run_apart("serve", "--port", "0")
    assert ("callwarden.db is damaged" in line, code) == (True, 1)


def test_a_damaged_session_key_is_told_before_anything_is_begun(tmp_path: Path, model_absent: None) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "session.key").write_bytes(b"short")
    [line], code = run_apart("serve", "--port", "0")
    assert ("session.key is no session key" in line, code) == (True, 1)
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["session.key"]


def test_a_port_that_is_in_use_is_told_before_anything_is_begun(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        [line], code = run_apart("serve", "--port", str(other.getsockname()[1]))
    assert ("another program does" in line, code) == (True, 1)
    assert not (tmp_path / "data").exists()
