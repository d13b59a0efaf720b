"""The real service in its own process, with a real model, store and browser."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from blockbuster import BlockBuster
from playwright.sync_api import Browser, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-gpu"]
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def blocked_event_loop_fails() -> BlockBuster | None:
    """These tests have no event loop of their own: the service runs in another process."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A running service: its address, a gateway key, the process and its environment."""

    url: str
    key: str
    process: subprocess.Popen[str]
    data_dir: Path

    @property
    def gateway(self) -> str:
        return self.url.replace("http", "ws", 1) + "/v1/stream"


def callwarden(*arguments: str, data_dir: Path, given: str = "") -> str:
    """Run the command to its end; what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "service.cli", *arguments],
        env={**os.environ, "CALLWARDEN_DATA_DIR": str(data_dir)},
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Running]]:
    """Starts services, with extra settings as CALLWARDEN_… variables, and stops them at the end."""
    running: list[subprocess.Popen[str]] = []

    def started(data_dir: Path | None = None, **settings: str) -> Running:
        data_dir = data_dir or tmp_path_factory.mktemp("data")
        key = callwarden("keys", "create", "--source", "pbx", data_dir=data_dir).strip()
        process = subprocess.Popen(
            [sys.executable, "-m", "service.cli", "serve", "--port", "0"],
            env={**os.environ, "CALLWARDEN_DATA_DIR": str(data_dir), **settings},
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return Running(url=_address(process), key=key, process=process, data_dir=data_dir)

    yield started
    for process in running:
        process.send_signal(signal.SIGINT)
    for process in running:
        process.communicate(timeout=60)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        found = re.search(r"listens on (http://\S+)", line)
        if found:
            threading.Thread(target=process.stderr.read, daemon=True).start()  # or it would wait for a reader
            return found[1]
    raise AssertionError("the service ended before it listened")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium; `make browser` installs one."""
    assert CHROMIUM.exists(), f"{CHROMIUM} is missing: make browser"
    expect.set_options(timeout=30_000)  # beside a model that works, a page takes its time
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()
