"""What is written to the audit log, what is left out, and what happens while the store is away."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from service.access.audit_log import FROM_STRANGERS, STRANGERS_A_MINUTE, AuditLog, Repeats
from service.storage.port import AuditEntry, AuditEvent, AuditQuery
from tests.fakes.store import AuditlessStore
from tests.scenes import AT

PLAYED = AuditEntry(at=AT, event="recording_played", who="lin", subject="call-1", address="a", detail="")
REFUSED = AuditEntry(at=AT, event="key_refused", who="", subject="0a1b", address="a", detail="")


def test_a_player_that_asks_for_fifty_ranges_is_written_once_in_five_minutes() -> None:
    repeats = Repeats()
    assert [repeats.written(PLAYED, float(second)) for second in range(50)] == [0] + [None] * 49
    assert repeats.written(replace(PLAYED, who="wu"), 50) == 49
    assert repeats.written(replace(PLAYED, subject="call-2"), 51) == 0
    assert repeats.written(replace(PLAYED, address="b"), 52) == 0
    assert repeats.written(PLAYED, 300.0) == 0


@pytest.mark.parametrize("event", ["alert_changed", "user_changed", "key_revoked", "login_succeeded"])
def test_what_changes_something_is_written_each_time(event: AuditEvent) -> None:
    repeats = Repeats()
    assert [repeats.written(replace(PLAYED, event=event), 0) for _ in range(500)] == [0] * 500


def test_a_stranger_writes_few_lines_whatever_it_tries() -> None:
    repeats = Repeats()
    lines = [repeats.written(replace(REFUSED, subject=str(number)), number / 1000) for number in range(5000)]
    assert sum(line is not None for line in lines) == 1
    many = [repeats.written(replace(REFUSED, address=str(number)), 100 + number / 1000) for number in range(5000)]
    assert sum(line is not None for line in many) == STRANGERS_A_MINUTE
    assert repeats.written(replace(PLAYED, event="logout"), 110) is not None


def test_memory_is_bounded() -> None:
    repeats = Repeats(remembered=10)
    for number in range(100):
        repeats.written(replace(PLAYED, subject=str(number)), 0)
    assert repeats.written(replace(PLAYED, subject="0"), 1) == 0


@pytest.fixture
def store(tmp_path: Path) -> AuditlessStore:
    return AuditlessStore(f"sqlite:///{tmp_path}/callwarden.db")


async def test_nothing_waits_for_a_store_that_is_away_and_nothing_is_lost(store: AuditlessStore) -> None:
    await store.open()
    log = AuditLog(store, retry_seconds=(0.001,))
    store.away = True
    running = asyncio.create_task(log.run())
    with capture_logs() as lines:
        for number in range(500):
            log.note("alert_changed", who="lin", subject=f"alert-{number}", address="a")
    assert sum(line["event"] == "audit" and line["pii.who"] == "lin" for line in lines) == 500
    for _ in range(3):
        await store.refused.acquire()
    store.away = False
    log.finish()
    await running
    entries = await store.audit(AuditQuery(limit=1000))
    assert [entry.subject for entry in reversed(entries)] == [f"alert-{number}" for number in range(500)]
    await store.close()


async def test_a_stop_does_not_wait_for_a_store_that_is_away(store: AuditlessStore) -> None:
    log = AuditLog(store)
    store.away = True
    running = asyncio.create_task(log.run())
    log.note("logout", who="lin")
    await store.refused.acquire()
    with capture_logs() as lines:
        log.finish()
        await running
    assert [(line["event"], line["waiting"]) for line in lines] == [("audit lines wait for the store", 1)]


async def test_what_waits_is_bounded_and_the_log_says_what_is_lost(store: AuditlessStore) -> None:
    await store.open()
    log = AuditLog(store, most_waiting=10)
    with capture_logs() as lines:
        for number in range(25):
            log.note("logout", who=f"user-{number}")
    assert sum("not stored" in str(line["event"]) for line in lines) == 15
    log.finish()
    await log.run()
    assert [entry.who for entry in await store.audit(AuditQuery())] == [f"user-{n}" for n in range(24, 14, -1)]
    await store.close()


def test_what_strangers_cause_is_told_apart() -> None:
    assert {"login_failed", "login_throttled", "key_refused", "handshake_denied"} == FROM_STRANGERS
