"""`callwarden records export`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from blockbuster import BlockBuster
from typer.testing import CliRunner

from service.cli import app
from service.storage.port import AuditEntry, AuditQuery
from service.storage.sql import SqlStore
from tests import scenes
from tests.scenes import AT


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocked_event_loop_fails: BlockBuster) -> str:
    """Of the store that the command opens, with a call that is over."""
    blocked_event_loop_fails.deactivate()
    store = f"sqlite:///{tmp_path / 'callwarden.db'}"
    monkeypatch.setenv("CALLWARDEN_DATABASE_URL", store)
    monkeypatch.setenv("CALLWARDEN_DATA_DIR", str(tmp_path))
    asyncio.run(_called(store))
    return store


async def _called(url: str) -> None:
    async with SqlStore(url) as store:
        await store.append("call-1", [scenes.opened(), scenes.stated("promise"), scenes.closed()], AT)


async def _audited(url: str) -> list[AuditEntry]:
    async with SqlStore(url) as store:
        return await store.audit(AuditQuery())


def exported(*options: str) -> bytes:
    result = CliRunner().invoke(app, ["records", "export", *options])
    assert result.exit_code == 0, result.output
    return result.stdout_bytes


def test_records_are_written_to_stdout_and_the_export_is_written_down(url: str) -> None:
    [line] = exported("--agent", "agent-7").splitlines()
    assert (json.loads(line)["call_id"], json.loads(line)["outcomes"]) == ("call-1", ["promise"])
    [entry] = asyncio.run(_audited(url))
    assert (entry.event, entry.subject, entry.detail) == ("records_exported", "agent-7", "jsonl")


@pytest.mark.usefixtures("url")
def test_a_spreadsheet_gets_its_head_though_no_call_is_found() -> None:
    assert exported("--format", "csv", "--until", AT.isoformat()).startswith(b"\xef\xbb\xbfcall_id,")
    assert exported("--until", AT.isoformat()) == b""


def test_a_moment_without_offset_is_refused() -> None:
    assert CliRunner().invoke(app, ["records", "export", "--since", "2026-03-02"]).exit_code == 1
