"""`callwarden webhooks`: made, tried, looked after and removed on the store itself."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli.webhooks import webhooks
from service.storage.port import AuditQuery
from service.storage.sql import SqlStore

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("CALLWARDEN_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CALLWARDEN_WEBHOOK_NETWORKS", "127.0.0.1")

    def ran(*arguments: str, text: str = "") -> tuple[int, str]:
        result = CliRunner().invoke(webhooks, arguments, input=text)
        return result.exit_code, result.output

    return ran


@pytest.fixture
def receiver() -> Iterator[str]:
    """The URL of a server that takes two requests, in a thread: commands have an event loop of their own."""
    answers = (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")

    def serve() -> None:
        for answer in answers:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/hidden"


def audited(folder: Path) -> list[tuple[str, str]]:
    async def read() -> list[tuple[str, str]]:
        async with SqlStore(f"sqlite:///{folder}/callwarden.db") as store:
            return [(entry.event, entry.subject) for entry in (await store.audit(AuditQuery()))[::-1]]

    return asyncio.run(read())


def test_a_webhook_is_made_tried_and_removed(run: Run, receiver: str, tmp_path: Path) -> None:
    code, made = run("add", "team", "--alerts", "high", "--digest-hour", "18", text=f"{receiver}\n")
    assert code == 0, made
    assert "whsec_" in made
    shown = " ".join(run("list")[1].split())
    assert all(words in shown for words in ("alerts from high", "18:00 Asia/Shanghai", "works"))
    assert "hidden" not in shown
    assert "whsec_" not in shown
    assert run("test", "team") == (0, "delivered: HTTP 200 ok\n")
    code, told = run("resend", "team", "1")
    assert (code, "not delivered: HTTP 500" in told) == (1, True)
    log = run("log", "team")[1]
    assert all(words in log for words in ("test", "waiting", "500"))
    assert run("remove", "team")[0] == 0
    assert run("log", "team")[0] == 1
    events = ("webhook_added", "webhook_tested", "delivery_resent", "webhook_removed")
    assert audited(tmp_path) == [(event, "team") for event in events]


@pytest.mark.parametrize(
    ("arguments", "text", "reason"),
    [
        (("add", "a b", "--call-ended"), "https://x.org\n", "a name has"),
        (("add", "team", "--call-ended"), "x.org\n", "url is one such as"),
        (("add", "team", "--call-ended"), "https://10.0.0.1/\n", "CALLWARDEN_WEBHOOK_NETWORKS"),
        (("add", "team"), "https://x.org\n", "alerts from is empty"),
        (("add", "team", "--digest-hour", "24"), "https://x.org\n", "digest hour is 0 to 23"),
        (("test", "team"), "", "no webhook team"),
        (("resend", "team", "1"), "", "no delivery 1 of webhook team"),
        (("log", "team"), "", "no webhook team"),
        (("remove", "team"), "", "no webhook team"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(run: Run, arguments: tuple[str, ...], text: str, reason: str) -> None:
    code, told = run(*arguments, text=text)
    assert code != 0
    assert reason in " ".join(told.split())
    assert "Traceback" not in told


def test_a_vendors_secret_is_asked_for(run: Run) -> None:
    code, told = run("add", "room", "--shape", "dingtalk", "--alerts", "low", text="https://x.org/a\nSEC1\n")
    assert code == 0, told
    assert "whsec_" not in told
    assert "dingtalk" in run("list")[1]
