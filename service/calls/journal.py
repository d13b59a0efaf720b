"""Store first, then publish; and while the store fails, keep everything in order and try again.

A write goes straight to the store. When the store cannot take it, the call gets a backlog: its facts wait there in
order, the call goes on, and one task tries until the backlog is empty again. While the store fails, new facts go to
their call's backlog at once and the backlogs try in turn, so that no call waits out another's timeout.

What is kept is kept in memory: a file would lie on the disk that is full.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from weakref import WeakValueDictionary

import structlog

from asr.lifetime import Lifetime, serving_tasks
from service.calls.ports import LiveBus
from service.calls.whole_log import Kept, opens, whole_log
from service.metrics import Metrics
from service.record.facts import FACT, Alert, AlertChanged, AlertState, CallOpened, Fact, Notice, WordsTimed
from service.record.note import CallNote
from service.record.summary import CallSummary
from service.storage.port import CallStore, LoggedFact, NotFound, StorageError, StorageUnavailable

log = structlog.get_logger()

RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0)
"""Waits between tries; the last one repeats: a disk that is freed is noticed within two seconds."""
MOST_KEPT = 64 * 2**20
"""Bytes of facts, as JSON, that are kept while the store fails; in memory they take some three times as much. A busy
call makes 1.3 KB a second, so 16 of them fill it in fifty minutes. Then writers wait: nothing is dropped, calls are
recorded on, and their recognition stands still until the store is back."""
_REPLACED = "The database was replaced while the call was on: what was said before stands in the old one."
_PAGE = 1000
_WAITS = "what the call said before waits to be stored; try again in a moment"


@dataclass(frozen=True, slots=True, kw_only=True)
class _UnstoredFacts:
    """Facts to store in one transaction. `tried`: the store failed on them, which may have been after it stored them
    (a connection lost before the commit was confirmed)."""

    facts: tuple[Fact, ...]
    at: datetime
    tried: bool

    @property
    def opens(self) -> bool:
        return isinstance(self.facts[0], CallOpened)

    def size(self) -> int:
        """Bytes as JSON."""
        return sum(len(FACT.dump_json(fact, warnings="none")) for fact in self.facts)


class StoreJournal(Lifetime):
    """The service's journal. Use as an async context manager; leaving it tries once more to store what is kept."""

    def __init__(
        self,
        store: CallStore,
        bus: LiveBus,
        metrics: Metrics,
        *,
        most_kept: int = MOST_KEPT,
        retry_seconds: Sequence[float] = RETRY_SECONDS,
    ) -> None:
        self._store = store
        self._bus = bus
        self._metrics = metrics
        self._most_kept = most_kept
        self._retry_seconds = retry_seconds
        self._backlogs: dict[str, deque[_UnstoredFacts]] = {}
        self._storing: dict[str, asyncio.Task[None]] = {}  # of each backlog
        self._kept = 0  # bytes
        self._space_freed = asyncio.Event()
        self._turn = asyncio.Lock()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._refused: set[str] = set()
        self._begun_anew: set[str] = set()
        self._ended: set[str] = set()
        self._tasks = asyncio.TaskGroup()
        self._stopping = asyncio.Event()
        self.failing = False
        """The store refuses writes now."""

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None, None]:
        """Backlogs are stored. At the end each is tried once more."""
        async with serving_tasks(self._stop) as self._tasks:
            yield

    def _stop(self) -> None:
        self._stopping.set()
        self._space_freed.set()

    async def write(self, call_id: str, facts: Sequence[Fact], at: datetime) -> None:
        """Store and publish the facts; or keep them in the call's backlog until that can be done.

        One writer a call. Raises StorageError only for what no waiting would mend. What follows of a call whose
        opening was refused is dropped: it would land in the call that has its id.
        """
        if call_id in self._refused:
            log.error("facts dropped: the call's opening was refused", call_id=call_id, facts=len(facts))
            return
        self._ended.discard(call_id)  # it goes on
        entry = _UnstoredFacts(facts=tuple(facts), at=at, tried=False)
        if self.failing or call_id in self._backlogs:
            await self._keep(call_id, entry)
            return
        try:
            async with self._writing(call_id):
                await self._try(call_id, entry)
        except StorageUnavailable:
            await self._keep(call_id, replace(entry, tried=True))
        except StorageError:
            if entry.opens:
                self._refuse(call_id)
            raise

    async def decide(
        self, alert_id: str, state: AlertState, by: str, at: datetime, note: str, among: Collection[AlertState]
    ) -> Alert:
        """A person moves an alert that is in one of the states `among`. Stored, then shown to dashboards and followers
        alike. Raises StorageError: StaleChange where somebody else was first, StorageUnavailable also while earlier
        facts of the call wait, for a decision is not kept until it may be made."""
        alert = await self._store.alert(alert_id)
        async with self._writing(alert.call_id):
            self._check_may_write(alert.call_id)
            self._bus.publish(await self._store.change_alert(alert_id, state, by, at, note, among))
        return await self._store.alert(alert_id)

    async def write_note(self, call_id: str, note: CallNote, by: str, at: datetime, seen: int) -> None:
        """A person corrects the record of a call of which they have seen `seen` edits. As for `decide`."""
        async with self._writing(call_id):
            self._check_may_write(call_id)
            self._bus.publish(await self._store.write_note(call_id, note, by, at, seen))

    def unwritten(self) -> set[str]:
        """The calls with a backlog, also those that are finished."""
        return set(self._backlogs)

    async def log(self, call_id: str) -> list[LoggedFact]:
        """The call's whole log, oldest fact first, with what is kept of it. Raises StorageError where any of it lies in
        the store and cannot be read."""
        kept = self._kept_of(call_id)
        return whole_log(call_id, [] if opens(kept) else await self._stored(call_id), kept)

    async def summary(self, call_id: str) -> CallSummary:
        """The call's summary, with what is kept of it. Raises StorageError."""
        if call_id in self._backlogs:
            return (await self.log(call_id))[-1].summary
        return await self._store.summary(call_id)

    def _kept_of(self, call_id: str) -> list[Kept]:
        entries = self._backlogs.get(call_id, ())
        return [(self._store.storable(fact, call_id), entry.at) for entry in entries for fact in entry.facts]

    async def _stored(self, call_id: str) -> list[LoggedFact]:
        log: list[LoggedFact] = []
        while page := await self._store.facts(call_id, after=log[-1].seq if log else 0, limit=_PAGE):
            log += page
        return log

    def finished(self, call_id: str) -> None:
        """Nothing more will be written of this call: its followers come to their end once the backlog is stored."""
        self._refused.discard(call_id)
        self._begun_anew.discard(call_id)
        if call_id in self._backlogs:
            self._ended.add(call_id)
        else:
            self._bus.ended(call_id)

    def _check_may_write(self, call_id: str) -> None:
        if self.failing or call_id in self._backlogs:
            raise StorageUnavailable(_WAITS)

    def _writing(self, call_id: str) -> asyncio.Lock:
        """Held by whoever writes to the call: a person may decide while its session writes, and what is shown keeps
        the order of `seq`."""
        return self._locks.setdefault(call_id, asyncio.Lock())

    async def _try(self, call_id: str, entry: _UnstoredFacts) -> None:
        """Raises StorageError; after StorageUnavailable nobody else writes until it is known what became of it."""
        try:
            await self._store_and_publish(call_id, entry)
        except StorageUnavailable as cause:
            self._fail(cause)
            raise

    async def _store_and_publish(self, call_id: str, entry: _UnstoredFacts) -> None:
        logged = await self._found(call_id, entry) if entry.tried else []
        self._bus.publish(*(logged or await self._append(call_id, entry)))

    async def _append(self, call_id: str, entry: _UnstoredFacts) -> list[LoggedFact]:
        """Into the call's log; into a new one where the store no longer knows the call, for another database has taken
        the place of the one it was opened in. What refers to facts of the old log is left out there."""
        facts = _standing_alone(entry.facts) if call_id in self._begun_anew else entry.facts
        try:
            return await self._store.append(call_id, facts, entry.at)
        except NotFound:
            call = self._bus.live_call(call_id)
            if call is None or entry.opens or await self._knows(call_id):
                raise
        self._begun_anew.add(call_id)
        log.error("call begun anew: the database was replaced by one that does not know it", call_id=call_id)
        anew = (CallOpened(call=call), Notice(code="storage_replaced", message=_REPLACED, at=0.0))
        logged = await self._store.append(call_id, [*anew, *_standing_alone(entry.facts)], entry.at)
        self._bus.start_anew()
        return logged

    async def _knows(self, call_id: str) -> bool:
        try:
            await self._store.summary(call_id)
        except NotFound:
            return False
        return True

    async def _found(self, call_id: str, entry: _UnstoredFacts) -> list[LoggedFact]:
        """The entry at the end of the call's log, if an earlier try has stored it after all: nobody else writes to a
        call while its entries wait."""
        await self._store.check()  # takes up a database that has been put back
        try:
            present = await self._store.summary(call_id)
        except NotFound:
            return []
        last = await self._store.facts(call_id, after=max(0, present.seq - len(entry.facts)))
        sought = [(self._store.storable(fact, call_id), entry.at) for fact in entry.facts]
        return last if [(each.fact, each.at) for each in last] == sought else []

    async def _keep(self, call_id: str, entry: _UnstoredFacts) -> None:
        """Put the entry in its call's backlog; waits while there is no room for it."""
        size = entry.size()
        while self._kept and self._kept + size > self._most_kept and not self._stopping.is_set():
            self._space_freed.clear()
            await self._space_freed.wait()
        self._kept += size
        if call_id in self._backlogs:
            self._backlogs[call_id].append(entry)
        else:
            self._backlogs[call_id] = deque([entry])
            self._tasks.create_task(self._store_backlog(call_id))

    async def _store_backlog(self, call_id: str) -> None:
        """Store a call's backlog, however long that takes; when the service stops, one last try is made."""
        backlog = self._backlogs[call_id]
        tries = 0
        while backlog:
            last_chance = self._stopping.is_set()
            try:
                async with self._turn, self._writing(call_id):
                    await self._try(call_id, backlog[0])
            except StorageUnavailable:
                if last_chance:
                    log.error("facts lost at shutdown: the store is failing", call_id=call_id, entries=len(backlog))
                    break
                backlog[0] = replace(backlog[0], tried=True)
                await self._pause(self._retry_seconds[min(tries, len(self._retry_seconds) - 1)])
                tries += 1
                continue
            except StorageError as cause:
                log.error("facts cannot be stored", call_id=call_id, facts=len(backlog[0].facts), error=str(cause))
                if backlog[0].opens:
                    self._refuse(call_id)
            tries = 0
            self._let_go(backlog)
        self._close_backlog(call_id)

    def _refuse(self, call_id: str) -> None:
        """A call whose opening the store refuses has no log of its own to write to."""
        backlog = self._backlogs.get(call_id, deque())
        while len(backlog) > 1:
            self._kept -= backlog.pop().size()
        if call_id not in self._ended:
            self._refused.add(call_id)

    def _let_go(self, backlog: deque[_UnstoredFacts]) -> None:
        """The first entry needs no more keeping."""
        self._kept -= backlog.popleft().size()
        self._space_freed.set()

    def _close_backlog(self, call_id: str) -> None:
        lost = self._backlogs.pop(call_id)
        if call_id in self._ended:
            self._ended.discard(call_id)
            self._bus.ended(call_id)
        if not self._backlogs and not lost:
            self._recover()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    def _fail(self, cause: StorageUnavailable) -> None:
        self._metrics.store_failures.inc()
        if not self.failing:
            self.failing = True
            log.error("store failing", error=str(cause))
            self._bus.show_health()

    def _recover(self) -> None:
        self.failing = False
        log.info("store recovered")
        self._bus.show_health()


def _standing_alone(facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """The facts that stand alone. The others refer to an earlier fact, which a log that was begun anew may lack."""
    return tuple(fact for fact in facts if not isinstance(fact, AlertChanged | WordsTimed))
