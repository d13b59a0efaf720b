"""The audit log: who did what, when and from where. Each entry is a line in the log at once, and a row in the store as
soon as it takes it.

Nothing waits for the row. While the store is away, rows are kept in memory, in order; the log has each line in any
case.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import structlog

from service.access.clock import steady_now, utc_now
from service.storage.port import AuditEntry, AuditEvent, AuditTrail, StorageError

log = structlog.get_logger(__name__)

REPEAT_SECONDS: Mapping[AuditEvent, float] = MappingProxyType(
    {
        "recording_played": 300.0,
        "transcript_read": 300.0,
        "live_opened": 300.0,
        "login_throttled": 60.0,
        "key_refused": 10.0,
        "handshake_denied": 10.0,
    }
)
"""An equal entry within this time is not written again. A player asks for a recording in dozens of ranges."""

FROM_STRANGERS: frozenset[AuditEvent] = frozenset(
    {"login_failed", "login_throttled", "key_refused", "handshake_denied"}
)
"""Events that anybody can cause who reaches the port."""
STRANGERS_A_MINUTE = 120
REMEMBERED = 10_000
MOST_WAITING = 10_000
"""Rows kept while the store is away: about 5 MB."""
BATCH = 200
FINISH_SECONDS = 2.0
RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0, 15.0)
"""Waits between tries; the last one repeats."""
_LONGEST_TEXT = 200


class Repeats:
    """Leaves out entries that repeat a recent one. Pure: `now` in seconds of a steady clock."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._last: OrderedDict[tuple[str, ...], float] = OrderedDict()
        self._minute = (0.0, 0)
        self._left_out = 0

    def written(self, entry: AuditEntry, now: float) -> int | None:
        """None if the entry is to be left out. Otherwise the number of entries left out since the last one that was
        written."""
        if self._again(entry, now) or (entry.event in FROM_STRANGERS and self._flood(now)):
            self._left_out += 1
            return None
        left_out, self._left_out = self._left_out, 0
        return left_out

    def _again(self, entry: AuditEntry, now: float) -> bool:
        seconds = REPEAT_SECONDS.get(entry.event)
        if seconds is None:
            return False
        # A stranger chooses the names and key ids it tries: of its lines only the address counts.
        whose = () if entry.event in FROM_STRANGERS else (entry.who, entry.subject)
        key = (entry.event, entry.address, *whose)
        last = self._last.get(key)
        if last is not None and now - last < seconds:
            return True
        self._last[key] = now
        self._last.move_to_end(key)
        if len(self._last) > self._remembered:
            self._last.popitem(last=False)
        return False

    def _flood(self, now: float) -> bool:
        begun, count = self._minute
        if now - begun >= 60.0:
            begun, count = now, 0
        self._minute = begun, count + 1
        return count >= STRANGERS_A_MINUTE


class AuditLog:
    """One application's audit log. `run` writes its rows, until `finish`."""

    def __init__(
        self, store: AuditTrail, *, most_waiting: int = MOST_WAITING, retry_seconds: Sequence[float] = RETRY_SECONDS
    ) -> None:
        self._store = store
        self._most_waiting = most_waiting
        self._retry_seconds = retry_seconds
        self._repeats = Repeats()
        self._waiting: deque[AuditEntry] = deque()
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._failing = False

    def note(self, event: AuditEvent, *, who: str = "", subject: str = "", address: str = "", detail: str = "") -> None:
        """Write an entry down; never waits. `who` is a user's name, `subject` what the event was done to."""
        entry = AuditEntry(
            at=utc_now(),
            event=event,
            who=who[:_LONGEST_TEXT],
            subject=subject[:_LONGEST_TEXT],
            address=address[:_LONGEST_TEXT],
            detail=detail[:_LONGEST_TEXT],
        )
        left_out = self._repeats.written(entry, steady_now())
        if left_out is None:
            return
        if left_out:
            entry = replace(entry, detail=f"{entry.detail} ({left_out} repeats left out before)".strip())
        say = log.warning if event in FROM_STRANGERS else log.info
        say("audit", what=event, subject=entry.subject, address=entry.address, detail=entry.detail, **{"pii.who": who})
        self._keep(entry)

    def _keep(self, entry: AuditEntry) -> None:
        if len(self._waiting) >= self._most_waiting:
            self._waiting.popleft()
            log.error("audit line not stored: too many wait for the store; the log has it")
        self._waiting.append(entry)
        self._wake.set()

    async def run(self) -> None:
        """Write rows as they come; returns once `finish` was called and all are written, or the store refuses."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._write_all()
            if self._stopping.is_set():
                return

    def finish(self) -> None:
        """Let `run` write what waits and return."""
        self._stopping.set()
        self._wake.set()

    async def _write_all(self) -> None:
        tries = 0
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            try:
                await self._store.add_audit(batch)
            except StorageError as error:
                self._waiting.extendleft(reversed(batch))
                log.error("audit lines wait for the store", waiting=len(self._waiting), error=str(error))
                if self._stopping.is_set():
                    return
                await self._pause(self._retry_seconds[min(tries, len(self._retry_seconds) - 1)])
                tries += 1
            else:
                tries = 0

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
