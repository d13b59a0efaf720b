"""Reservations in a file, so that a leg comes back with its token to the next process.

Those that were made with another credential than a key are not kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from pydantic import TypeAdapter, ValidationError

from asr.types import Seconds
from service.access.clock import steady_now, utc_now
from service.gateway.reservations import RESERVED_FOR, Reservation, Reservations
from service.ingest.events import CallAnnounced, Irregularity
from service.private_files import replace_file
from service.storage.port import GatewayKey

SAVE_EVERY: Final[Seconds] = 60.0
"""How often reservations are saved if nothing has changed. Legs that are live extend theirs."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """One reservation in the file: the token's digest and the key's id, so the file opens nothing. `until` is Unix
    time."""

    digest: str
    key: str
    announced: CallAnnounced
    notes: tuple[Irregularity, ...]
    until: float


_FILE = TypeAdapter(tuple[_Kept, ...])


class KeptReservations:
    """Keeps reservations in a file. `save` is called every few seconds and at the end; a kill loses those made
    since."""

    def __init__(self, reservations: Reservations, path: Path) -> None:
        self._reservations = reservations
        self._path = path
        self._saved = (0, 0.0)
        self._content = _FILE.dump_json(())
        self._failing = False

    async def restore(self, keys: Iterable[GatewayKey]) -> None:
        """Takes up what an earlier process kept, as far as it still holds and its key is not revoked."""
        known = {key.id: key for key in keys if key.revoked_at is None}
        kept = await asyncio.to_thread(self._read)
        now, unix = steady_now(), utc_now().timestamp()
        self._reservations.restore(
            (
                each.digest,
                Reservation(
                    key=known[each.key],
                    announced=each.announced,
                    notes=each.notes,
                    until=now + min(each.until - unix, RESERVED_FOR),  # the clock may have been set back
                ),
            )
            for each in kept
            if each.key in known and each.until > unix
        )

    async def save(self) -> None:
        """Writes the reservations if anything has changed. A disk that refuses is told once, and tried again."""
        now, changes = steady_now(), self._reservations.changes
        if self._saved[0] == changes and now - self._saved[1] < SAVE_EVERY:
            return
        later = utc_now().timestamp() - now
        kept = tuple(
            _Kept(digest=digest, key=held.key.id, announced=held.announced, notes=held.notes, until=held.until + later)
            for digest, held in self._reservations.held(now)
            if isinstance(held.key, GatewayKey)
        )
        content = _FILE.dump_json(kept)
        try:
            if content != self._content:
                await asyncio.to_thread(lambda: replace_file(self._path, content))
            self._saved, self._content, self._failing = (changes, now), content, False
        except OSError as error:
            if not self._failing:
                log.warning("reservations are not kept for the next start", error=str(error))
            self._failing = True

    def _read(self) -> tuple[_Kept, ...]:
        try:
            return _FILE.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return ()
        except (OSError, ValidationError) as error:
            log.warning("reservations of the last start cannot be read", error=type(error).__name__)
            return ()
