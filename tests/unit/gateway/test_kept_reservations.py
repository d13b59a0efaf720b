"""What was reserved outlives the process, and the file that holds it opens nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from service.access.clock import steady_now
from service.gateway.kept_reservations import KeptReservations
from service.gateway.reservations import Reservation, Reservations
from service.ingest.events import CallAnnounced, Irregularity
from tests.floor import KEY
from tests.scenes import NOON

CALL = CallAnnounced(
    call_id="c-1",
    roles=("agent", "customer"),
    encoding="pcm_s16le",
    rate=8000,
    clock="arrival",
    started_at=NOON,
    metadata={"debtor": "4711"},
)
CUT = Irregularity(kind="value", field="agent", message="it is cut")


async def kept(path: Path) -> dict[str, str]:
    """The tokens of a call that was reserved, and of which one leg is connected."""
    reservations = Reservations()
    keeping = KeptReservations(reservations, path)
    tokens = reservations.reserve(KEY, CALL, steady_now(), [CUT])
    await keeping.save()
    assert reservations.connected(tokens["agent"], steady_now())
    await keeping.save()
    return {str(role): token for role, token in tokens.items()}


async def found(path: Path, token: str, *, revoked: bool = False) -> Reservation | None:
    reservations = Reservations()
    key = replace(KEY, revoked_at=NOON) if revoked else KEY
    await KeptReservations(reservations, path).restore([key])
    return reservations.connected(token, steady_now())


async def test_the_next_process_knows_the_tokens_of_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "reservations"
    for role, token in (await kept(path)).items():
        again = await found(path, token)
        assert again is not None
        assert again.announced == replace(CALL, roles=(role,), call_roles=("agent", "customer"))
        assert (again.key, again.notes) == (KEY, (CUT,))
        assert await found(path, token, revoked=True) is None
        assert token not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_token_is_written_down_before_it_is_told(tmp_path: Path) -> None:
    """Nobody calls `save` before the process is killed. What is over goes when the file is next written anew."""
    path = tmp_path / "reservations"
    reservations = Reservations()
    keeping = KeptReservations(reservations, path)
    tokens = await keeping.reserve(KEY, CALL, [CUT])
    later = await keeping.reserve(KEY, replace(CALL, call_id="c-2"))
    again = [await found(path, token) for token in (*tokens.values(), *later.values())]
    assert [leg and leg.announced.call_id for leg in again] == ["c-1", "c-1", "c-2", "c-2"]
    assert not any(token in path.read_text() for token in tokens.values())
    assert path.stat().st_mode & 0o777 == 0o600
    await keeping.save()
    assert await found(path, tokens["agent"]) is not None
    assert len(path.read_text().splitlines()) == 4


async def test_reservations_that_come_at_once_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "reservations"
    keeping = KeptReservations(Reservations(), path)
    calls = [replace(CALL, call_id=f"c-{number}") for number in range(8)]
    told, *_saved = await asyncio.gather(
        asyncio.gather(*(keeping.reserve(KEY, call) for call in calls)), keeping.save(), keeping.save()
    )
    for tokens in told:
        assert await found(path, tokens["customer"]) is not None


@pytest.mark.parametrize("content", [b"[{", b'{"digest": 1}', b"\xff"])
async def test_a_damaged_line_is_told_and_nothing_is_taken_from_it(tmp_path: Path, content: bytes) -> None:
    """As a kill may leave it; what is added behind it is found."""
    path = tmp_path / "reservations"
    path.write_bytes(content)
    token = (await KeptReservations(Reservations(), path).reserve(KEY, CALL))["agent"]
    with capture_logs() as logged:
        assert await found(path, token) is not None
    assert [line["event"] for line in logged] == ["a reservation of the last start cannot be read"]


async def test_a_token_is_told_though_the_disk_refuses_it(tmp_path: Path) -> None:
    path = tmp_path / "reservations"
    path.mkdir()
    reservations = Reservations()
    with capture_logs() as logged:
        token = (await KeptReservations(reservations, path).reserve(KEY, CALL))["agent"]
        assert await found(path, "any") is None
    assert reservations.connected(token, steady_now())
    assert len(logged) == 2


async def test_a_disk_that_refuses_is_told_once_and_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "reservations"
    path.mkdir()
    reservations = Reservations()
    keeping = KeptReservations(reservations, path)
    token = reservations.reserve(KEY, CALL, steady_now())["agent"]
    with capture_logs() as logged:
        await keeping.save()
        await keeping.save()
    assert len(logged) == 1
    path.rmdir()
    await keeping.save()
    assert await found(path, token) is not None


async def test_nothing_is_written_where_nothing_changed(tmp_path: Path) -> None:
    path = tmp_path / "reservations"
    reservations = Reservations()
    keeping = KeptReservations(reservations, path)
    await keeping.save()
    assert not path.exists()
    reservations.reserve(KEY, CALL, steady_now())
    await keeping.save()
    path.unlink()
    await keeping.save()
    assert not path.exists()
