"""What people's decisions rely on in the journal: each is stored, then shown to whoever watches, or refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.calls.journal import StoreJournal
from service.metrics import Metrics
from service.record.facts import UNDECIDED
from service.record.note import CallNote
from service.storage.port import NotFound, StaleChange
from service.storage.sql import SqlStore
from service.web.ports import Decisions
from tests import scenes
from tests.fakes.live_bus import FakeLiveBus

NOTE = CallNote(text="will call back")


@dataclass(frozen=True, slots=True)
class Subject:
    """Decisions over a call with one open alert; its store, and what was published since."""

    decisions: Decisions
    store: SqlStore
    bus: FakeLiveBus

    @property
    def told(self) -> list[str]:
        return [logged.fact.type for logged in self.bus.published]


@pytest.fixture
async def subject(tmp_path: Path) -> AsyncIterator[Subject]:
    bus = FakeLiveBus()
    async with SqlStore(f"sqlite+aiosqlite:///{tmp_path / 'c.db'}") as store, StoreJournal(store, bus, Metrics()) as it:
        await it.write("call-1", [scenes.opened(), scenes.heard(), scenes.raised()], scenes.now())
        bus.published.clear()
        yield Subject(it, store, bus)


async def test_a_decision_is_stored_and_told_once(subject: Subject) -> None:
    alert = await subject.decisions.decide("alert-1", "confirmed", "lin", scenes.now(), "heard it", UNDECIDED)
    assert (alert.state, alert.changed_by, alert.note) == ("confirmed", "lin", "heard it")
    assert await subject.store.alert("alert-1") == alert
    assert subject.told == ["alert_changed"]


async def test_who_decides_by_what_is_no_longer_so_is_refused_and_nobody_is_told(subject: Subject) -> None:
    await subject.decisions.decide("alert-1", "confirmed", "lin", scenes.now(), "", UNDECIDED)
    with pytest.raises(StaleChange):
        await subject.decisions.decide("alert-1", "dismissed", "wu", scenes.now(), "", UNDECIDED)
    assert (await subject.store.alert("alert-1")).state == "confirmed"
    assert subject.told == ["alert_changed"]


async def test_a_record_is_corrected_by_who_has_seen_every_edit(subject: Subject) -> None:
    await subject.decisions.write_note("call-1", NOTE, "lin", scenes.now(), 0)
    with pytest.raises(StaleChange):
        await subject.decisions.write_note("call-1", CallNote(), "wu", scenes.now(), 0)
    record = await subject.store.call("call-1")
    assert (record.note, [edit.by for edit in record.edits]) == (NOTE, ["lin"])
    assert subject.told == ["note_written"]


async def test_what_nobody_knows_is_not_found(subject: Subject) -> None:
    with pytest.raises(NotFound):
        await subject.decisions.decide("alert-9", "confirmed", "lin", scenes.now(), "", UNDECIDED)
    with pytest.raises(NotFound):
        await subject.decisions.write_note("call-9", NOTE, "lin", scenes.now(), 0)
    assert subject.told == []
