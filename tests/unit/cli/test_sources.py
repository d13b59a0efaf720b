"""`callwarden sources`: made, changed, shown and removed on the store itself; secrets come from standard input."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.access.credentials import secret_of
from service.access.sealing import Sealer
from service.cli.accounts import keys
from service.cli.sources import sources
from service.ingest.source import Source
from service.storage.port import AuditEntry, AuditQuery
from service.storage.sql import SqlStore

TOKEN = "0123456789abcdef0123456789abcdef"
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("CALLWARDEN_DATA_DIR", str(tmp_path))

    def ran(*arguments: str, text: str = "", app: object = sources) -> tuple[int, str]:
        result = CliRunner().invoke(app, arguments, input=text)  # type: ignore[arg-type]
        return result.exit_code, result.output

    return ran


def stored(folder: Path) -> tuple[list[Source], list[AuditEntry]]:
    async def read() -> tuple[list[Source], list[AuditEntry]]:
        store = SqlStore(f"sqlite:///{folder}/callwarden.db")
        await store.open()
        try:
            return await store.sources(), (await store.audit(AuditQuery()))[::-1]
        finally:
            await store.close()

    return asyncio.run(read())


def test_a_source_is_made_changed_and_removed_and_each_is_written_down(run: Run, tmp_path: Path) -> None:
    known = ("--dialect", "twilio", "--language", "en", "--network", "10.1.2.3/8", "--network", "203.0.113.7")
    more = ("--label", "team=一组", "--named", "agent=who", "--max-calls", "5", "--idle-seconds", "900")
    assert run("add", "pbx", *known, *more)[0] == 0
    made = Source(
        name="pbx",
        dialect="twilio",
        language="en",
        networks=("10.0.0.0/8", "203.0.113.7/32"),
        labels={"team": "一组"},
        names={"agent": "who"},
        max_calls=5,
        idle_seconds=900.0,
    )
    assert stored(tmp_path)[0] == [made]
    assert run("change", "pbx", "--first-track", "agent", "--clear", "language", "--clear", "networks")[0] == 0
    shown = json.loads(run("show", "pbx")[1])
    assert (shown["first_track"], shown["language"], shown["networks"], shown["max_calls"]) == ("agent", None, [], 5)
    assert "twilio" in run("list")[1]
    assert run("remove", "pbx")[0] == 0
    left, entries = stored(tmp_path)
    assert left == []
    assert [(entry.event, entry.subject, entry.detail) for entry in entries] == [
        ("source_added", "pbx", "dialect, language, labels, names, idle_seconds, networks, max_calls"),
        ("source_changed", "pbx", "first_track, language, networks"),
        ("source_removed", "pbx", ""),
    ]


def test_a_secret_is_read_from_standard_input_and_sealed_with_a_key_in_the_data_folder(
    run: Run, tmp_path: Path
) -> None:
    asked = ("--credential", "header", "--credential-name", "X-Token", "--secret-stdin")
    code, told = run("add", "pbx", *asked, text=f"{TOKEN}\n")
    assert code == 0, told
    [source], _ = stored(tmp_path)
    assert (source.credential.kind, source.credential.name) == ("header", "x-token")
    assert secret_of(source, Sealer(tmp_path / "master.key")) == TOKEN
    shown = run("show", "pbx")[1]
    assert TOKEN not in shown + told
    assert source.credential.sealed not in shown


def test_a_key_of_a_source_that_is_described_needs_nothing_said_of_it(run: Run, tmp_path: Path) -> None:
    assert run("add", "pbx", "--language", "en")[0] == 0
    assert run("create", "--source", "pbx", app=keys)[0] == 0
    assert len(stored(tmp_path)[0]) == 1
    code, told = run("remove", "pbx")
    assert code != 0
    assert "has gateway keys in force" in told


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("add", "a b"), "a name has"),
        (("add", "pbx", "--dialect", "klingon"), "dialect is one of native"),
        (("add", "pbx", "--network", "everywhere"), "networks are addresses"),
        (("add", "pbx", "--named", "colour=x"), "--named 'colour'"),
        (("add", "pbx", "--label", "x"), "--label 'x' is not of the form k=v"),
        (("add", "pbx", "--clear", "name"), "--clear 'name'"),
        (("add", "pbx", "--credential", "twilio"), "needs a secret"),
        (("change", "pbx", "--language", "en"), "no source pbx"),
        (("remove", "pbx"), "no source pbx"),
        (("show", "pbx"), "no source pbx"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], reason: str
) -> None:
    code, told = run(*arguments)
    assert code != 0
    assert reason in " ".join(told.split())
    assert "Traceback" not in told
    assert stored(tmp_path)[0] == []
