"""What every store must do: keep who did what, in order, for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from service.storage.port import AuditEntry, AuditQuery, Store
from tests.scenes import AT

ENTRY = AuditEntry(at=AT, event="recording_played", who="美", subject="call-1", address="2001:db8::1", detail="🎧")


async def test_entries_are_read_as_added_newest_first(store: Store) -> None:
    entries = [replace(ENTRY, at=AT + timedelta(seconds=number % 3), detail=str(number)) for number in range(5)]
    await store.add_audit(entries[:2])
    await store.add_audit([])
    await store.add_audit(entries[2:])
    assert await store.audit(AuditQuery()) == entries[::-1]
    assert await store.audit(AuditQuery(limit=2)) == entries[:2:-1]


async def test_entries_are_found_by_event_person_and_subject(store: Store) -> None:
    other = replace(ENTRY, event="login_failed", who="", subject="lin")
    await store.add_audit([ENTRY, other])
    assert await store.audit(AuditQuery(event="login_failed")) == [other]
    assert await store.audit(AuditQuery(who="美", subject="call-1")) == [ENTRY]
    assert await store.audit(AuditQuery(who="美", event="login_failed")) == []


async def test_text_no_database_takes_is_kept_with_a_sign_in_its_place(store: Store) -> None:
    await store.add_audit([replace(ENTRY, subject="a\x00b\ud800")])
    [kept] = await store.audit(AuditQuery())
    assert kept.subject == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"
