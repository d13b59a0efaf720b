"""Reservations in a file, so that a leg comes back with its token to the next process.

The file holds a line for each. A new one is added before its token is told; every few seconds the file is written anew,
without what is over. Those that were made with another credential than a key are not kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from pydantic import TypeAdapter, ValidationError

from asr.types import Role, Seconds
from service.access.clock import steady_now, utc_now
from service.gateway.reservations import RESERVED_FOR, Reservation, Reservations, digest_of
from service.ingest.events import CallAnnounced, Irregularity
from service.private_files import append_to_file, replace_file
from service.storage.port import Gateway, GatewayKey

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


_LINE = TypeAdapter(_Kept)


class KeptReservations:
    """Call `save` every few seconds and at the end."""

    def __init__(self, reservations: Reservations, path: Path) -> None:
        self._reservations = reservations
        self._path = path
        self._saved = (0, 0.0)
        self._content: bytes | None = b""
        """What the file holds; None where it has been added to."""
        self._failing = False
        self._writing = asyncio.Lock()

    async def reserve(
        self, key: Gateway, announced: CallAnnounced, notes: Sequence[Irregularity] = ()
    ) -> dict[Role, str]:
        """A token for each leg of the call, written down where the disk takes it."""
        tokens = self._reservations.reserve(key, announced, steady_now(), notes)
        made = {digest_of(token) for token in tokens.values()}
        async with self._writing:
            lines = self._lines(steady_now(), made)
            if lines and await self._written(lambda: append_to_file(self._path, [b"\n", lines])):
                self._content = None  # a line that a kill broke off lies before the first line break
        return tokens

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
        """Write them all down where anything changed. A disk that refuses is told once, and tried again."""
        async with self._writing:
            now, changes = steady_now(), self._reservations.changes
            if self._saved[0] == changes and now - self._saved[1] < SAVE_EVERY:
                return
            content = self._lines(now)
            if content == self._content or await self._written(lambda: replace_file(self._path, content)):
                self._saved, self._content = (changes, now), content

    def _lines(self, now: Seconds, made: Container[str] | None = None) -> bytes:
        """Those that are held, or of these digests."""
        later = utc_now().timestamp() - now
        kept = (
            _Kept(digest=digest, key=held.key.id, announced=held.announced, notes=held.notes, until=held.until + later)
            for digest, held in self._reservations.held(now)
            if isinstance(held.key, GatewayKey) and (made is None or digest in made)
        )
        return b"".join(_LINE.dump_json(each) + b"\n" for each in kept)

    async def _written(self, write: Callable[[], None]) -> bool:
        try:
            await asyncio.to_thread(write)
        except OSError as error:
            if not self._failing:
                log.warning("reservations are not kept for the next start", error=str(error))
            self._failing = True
            return False
        self._failing = False
        return True

    def _read(self) -> list[_Kept]:
        """What can be read of the file; a kill may have broken a line off."""
        kept: list[_Kept] = []
        try:
            lines = self._path.read_bytes().split(b"\n") if self._path.exists() else []
        except OSError as error:
            log.warning("reservations of the last start cannot be read", error=str(error))
            return kept
        for line in filter(None, lines):
            try:
                kept.append(_LINE.validate_json(line))
            except ValidationError:
                log.warning("a reservation of the last start cannot be read", length=len(line))
        return kept
