"""A service on a small disk of its own: warned of, kept for the store, full at the start, moved away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from asr.engines.absent import AbsentEngine
from detectors.runtime.registry import Registry, load
from service.access.sessions import Ended, load_secret
from service.app import Service
from service.ingest.events import AudioArrived, CallAnnounced
from service.private_files import prepare_folder
from service.record.facts import GapMarked, Notice
from service.settings import Settings
from service.storage.port import StorageUnavailable
from service.unusable import Unusable
from tests import scenes
from tests.scenes import AT
from tests.small_disk import SmallDisk, own_disk
from tests.unit.calls.test_registry import KEY

KIB = 1024
LOW, RESERVE = 1200 * KIB, 600 * KIB
"""Of eight MiB the last 0.8 are the reserve, and below 1.6 the disk is low."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    yield from own_disk(tmp_path)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load()


def service_on(disk: SmallDisk, registry: Registry) -> Service:
    settings = Settings(data_dir=disk.folder / "data", database_url="")
    prepare_folder(settings.data_dir, with_store=True)
    return Service(settings, registry, AbsentEngine("no model"), "no model")


async def fill(service: Service, disk: SmallDisk, room: int) -> None:
    (disk.folder / "filler").unlink(missing_ok=True)
    await asyncio.to_thread(disk.leave, room)
    await service.disks.look()


async def test_a_disk_that_fills_up_is_told_before_recordings_stop_and_the_store_keeps_its_room(
    disk: SmallDisk, registry: Registry
) -> None:
    service = await asyncio.to_thread(service_on, disk, registry)
    async with service.running():
        await service.disks.look()
        assert service.health().troubles == ("model_missing",)
        await fill(service, disk, LOW)
        assert service.health().troubles == ("model_missing", "disk_low")
        await fill(service, disk, RESERVE)
        assert service.health().troubles == ("model_missing", "recordings_paused")
        check = (await service.checks())["disk"]
        assert check.ok
        assert "recordings have stopped" in check.message
        await service.store.append("call-1", [scenes.opened()], AT)
        await service.store.append("call-1", [scenes.heard()], AT)
        (disk.folder / "filler").unlink()
        await service.disks.look()
        assert service.health().troubles == ("model_missing",)


async def test_a_call_says_that_it_is_not_recorded_and_marks_what_is_missing(
    disk: SmallDisk, registry: Registry
) -> None:
    service = await asyncio.to_thread(service_on, disk, registry)
    call = CallAnnounced(call_id="c-1", roles=("agent",), encoding="mulaw", rate=8000)
    tone = AudioArrived(payload=b"\x20\xa0" * 8000)  # two seconds that are not silent
    async with service.running():
        await fill(service, disk, RESERVE)
        connection = await service.calls.attach(call, KEY, 0.0)
        for _ in range(3):
            connection.feed(tone)
        connection.stop()
        await connection.over()
        facts = [logged.fact for logged in await service.store.facts("c-1")]
    assert "recording_paused" in [fact.code for fact in facts if isinstance(fact, Notice)]
    [gap] = [fact for fact in facts if isinstance(fact, GapMarked) and fact.reason == "unrecorded"]
    assert (gap.role, gap.start) == (None, 0.0)
    assert gap.end == pytest.approx(6.0, abs=0.1)


@pytest.mark.parametrize("begun", [False, True])
async def test_a_start_on_a_full_disk_says_so_in_a_sentence(disk: SmallDisk, registry: Registry, begun: bool) -> None:
    service = await asyncio.to_thread(service_on, disk, registry)
    if begun:
        async with service.running():
            await service.store.append("call-1", [scenes.opened()], AT)
        service = await asyncio.to_thread(service_on, disk, registry)
    await asyncio.to_thread(disk.leave, 0)
    with pytest.raises(StorageUnavailable, match=r"the disk is full: .*callwarden\.db") as told:
        async with service.running():
            raise AssertionError("it started")
    assert "\n" not in str(told.value)
    (disk.folder / "filler").unlink()
    again = await asyncio.to_thread(service_on, disk, registry)
    async with again.running():
        assert len(await again.store.live_calls()) <= 1


def test_no_secret_and_no_folder_can_be_made_on_a_full_disk_and_that_is_said(disk: SmallDisk) -> None:
    disk.leave(0)
    with pytest.raises(Unusable, match="the disk is full"):
        load_secret(disk.folder / "session.key")
    assert not (disk.folder / "session.key").exists()


def test_sessions_that_were_ended_stay_so_over_a_start_on_a_full_disk(disk: SmallDisk) -> None:
    path = disk.folder / "ended-sessions"
    kept = f"kept {2e9}\nold {1e9}\n"
    path.write_text(kept)
    disk.leave(0)
    Ended(path, 1.5e9)
    assert path.read_text() == kept


async def test_a_database_moved_away_is_told_by_health_and_readiness_until_it_is_back(
    disk: SmallDisk, registry: Registry
) -> None:
    service = await asyncio.to_thread(service_on, disk, registry)
    async with service.running():
        file = disk.folder / "data" / "callwarden.db"
        await service.store_watch.look()
        assert (await service.checks())["storage"].ok
        file.rename(disk.folder / "away.db")
        await service.store_watch.look()
        assert "storage_failing" in service.health().troubles
        check = (await service.checks())["storage"]
        assert not check.ok
        assert "moved away or deleted" in check.message
        await service.journal.write("call-1", [scenes.opened()], AT)
        await service.journal.write("call-1", [scenes.heard()], AT)
        assert not await asyncio.to_thread(file.exists)
        (disk.folder / "away.db").rename(file)
        await service.store_watch.look()
        assert (await service.checks())["storage"].ok or service.journal.failing
    again = await asyncio.to_thread(service_on, disk, registry)
    await again.store.open()
    assert len(await again.store.facts("call-1")) >= 2
    await again.store.close()
