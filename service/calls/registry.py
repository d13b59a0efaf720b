"""The registry of live calls: takes announced calls in, waits for dropped ones, and lets finished ones go."""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, Protocol

import structlog

from asr.lifetime import Lifetime
from asr.types import Seconds
from detectors.contract import EarlierContact
from service.calls.admission import RETRY_AFTER, Admission, Asker, LiveCall
from service.calls.asking import answered
from service.calls.earlier_call import EarlierCall
from service.calls.earlier_calls import RETURN_WITHIN, EarlierCalls, announced_id
from service.calls.ended_calls import EndedCall, EndedCalls
from service.calls.opened_call import opened_call
from service.calls.ports import CallsJournal, LiveBus
from service.calls.registered_call import CallConnection, CallKey, CallOutcome, RegisteredCall
from service.calls.session import CallSession
from service.ingest.events import CallAnnounced, FormatChanged
from service.ingest.source import Source
from service.metrics import Metrics
from service.record.facts import Call, CallClosed
from service.record.summary import CallSummary
from service.settings import Settings
from service.storage.port import Gateway, StorageError, StorageUnavailable

log = structlog.get_logger()

RETURN_AFTER_RESTART: Seconds = 60.0
"""How long a call that the last process left is waited for: gateways come back with some delay of theirs."""

ENDS_WITHIN: Seconds = 30.0
"""How long a gateway that comes back to a call that begins or ends is kept waiting: a machine that is full needs some
seconds."""

ANSWERS_WITHIN: Seconds = 5.0
"""How long the store is asked whether an id was used before, while the call's audio waits in its connection: some
gateways hang up later. A call that ended here a moment ago is worth ENDS_WITHIN."""

LAST_WORDS: Seconds = 6.0
"""When the service stops, how long sessions may take to recognise and write what was said. The next process does what
is left, so this need not be long; containers are killed ten seconds after they are told to stop."""


class CallRefused(Exception):
    """A call is not taken: `code` is `capacity` (as many calls as allowed), `overload` (as much speech as can be
    recognised in time), `quota` (as many as the key may have), `ending` (it is still being read or written) or
    `restarting` (this process stops); `retry_after` seconds may help."""

    def __init__(self, code: str, message: str, retry_after: Seconds | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after


def _restarting() -> CallRefused:
    return CallRefused("restarting", "the service is restarting", RETRY_AFTER)


class OpenSession(Protocol):
    """Makes the session of a call, with everything it works with; `earlier` is where another one left it, `history`
    what is known of its debtor's other calls."""

    def __call__(
        self, call: Call, earlier: EarlierCall | None, history: tuple[EarlierContact, ...] | None
    ) -> CallSession: ...


class CallRegistry(Lifetime):
    """Every live call of this process. Use as an async context manager: entering it goes on with the calls that the
    last process left, leaving it suspends all calls.

    A call is claimed by its name before anything is awaited, and let go by identity. Whoever announces the same one
    meanwhile waits for what becomes of the claim.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        earlier: EarlierCalls,
        journal: CallsJournal,
        bus: LiveBus,
        open_session: OpenSession,
        admission: Admission,
        metrics: Metrics,
        wall: Callable[[], datetime],
        return_after_restart: Seconds = RETURN_AFTER_RESTART,
        answers_within: Seconds = ANSWERS_WITHIN,
    ) -> None:
        self._settings = settings
        self._earlier = earlier
        self._journal = journal
        self._bus = bus
        self._open_session = open_session
        self._admission = admission
        self._metrics = metrics
        self._wall = wall
        self._return_after_restart = return_after_restart
        self._answers_within = answers_within
        self._calls: dict[CallKey, RegisteredCall] = {}
        self._ended = EndedCalls(RETURN_WITHIN)
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    @property
    def live(self) -> int:
        """How many calls are live."""
        return len(self._calls)

    @property
    def stopping(self) -> bool:
        """No more calls are taken."""
        return self._stopping.is_set()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None, None]:
        """What this installation left is gone on with; at the end the calls are suspended."""
        await answered(lambda: self._take_up_left(own=True), self._answers_within, self._stopping)
        try:
            yield
        finally:
            await self.suspend()

    async def keep(self) -> None:
        """Say that the calls that are live here go on here, and go on with those of installations that are gone. To be
        called every few seconds. May raise StorageError."""
        if not self.stopping:
            await self._earlier.keep([call.call_id for call in self._calls.values() if call.call_id])
            await self._take_up_left(own=False)

    async def _take_up_left(self, *, own: bool) -> None:
        here = self._used_ids()
        left = [summary for summary in await self._earlier.left(own=own) if summary.call.id not in here]
        await self._earlier.keep([summary.call.id for summary in left])
        for summary in reversed(left):  # the newer of one name is claimed first
            if summary.call.id not in self._used_ids():
                self._spawn(self._take_up(self._claim_left(summary), summary))

    def _used_ids(self) -> set[str]:
        """The ids of calls that are live here, and of calls whose log is not wholly stored."""
        return {call.call_id for call in self._calls.values()} | self._journal.unwritten()

    async def suspend(self, within: Seconds = LAST_WORDS) -> None:
        """Take no more calls; recognise and write what was said, for at most so long. The calls stay live in their
        logs: the next process goes on with them, and recognises what was recorded and has no text yet."""
        self._stopping.set()
        for call in list(self._calls.values()):
            if call.made is not None:
                call.made.suspend()
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self._tasks:
                    await asyncio.wait(self._tasks)
        late = list(self._tasks)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def attach(self, announced: CallAnnounced, key: Gateway, now: float) -> CallConnection:
        """Open a call, or go on with one that is live or ended a moment ago. Raises CallRefused."""
        name = (key.source.name, announced.call_id)
        while (call := self._calls.get(name)) is not None:
            await self._until(call.ready, call)
            if self._calls.get(name) is call and not call.session.finishing:
                if call.connected and not call.has_any(announced.roles):
                    raise CallRefused("conflict", f"call {call.call_id} is live with other legs")
                return self._connect(call, announced, key.source, now, resumed=True)
            await self._until(call.over, call)
        self._admit(key.source, now)
        call = self._claim(name, now)
        try:
            resumed = await self._open(call, announced, key.source)
        except BaseException:
            self._release(call, "failed")
            raise
        return self._connect(call, announced, key.source, now, resumed=resumed)

    async def _until(self, happened: asyncio.Event, call: RegisteredCall) -> None:
        """A call that begins or ends is announced again: it is gone on with once everything of it is read or
        written. Raises CallRefused."""
        try:
            async with asyncio.timeout(ENDS_WITHIN):
                await happened.wait()
        except TimeoutError:
            raise CallRefused("ending", f"call {call.call_id} is still being read or written", RETRY_AFTER) from None

    def _admit(self, source: Source, now: float) -> None:
        """Raises CallRefused where one more call would cost those that are live their time."""
        if self.stopping:
            raise _restarting()
        asker = Asker(source=source.name, max_calls=source.max_calls, max_share=source.max_share)
        refusal = self._admission.ask(asker, self._all_live(now), now)
        if refusal is not None:
            raise CallRefused(refusal.code, refusal.message, refusal.retry_after)

    def closed(self, now: float) -> str:
        """Why no call can be taken now; empty if one can."""
        return "the service is stopping" if self.stopping else self._admission.closed(self._all_live(now), now)

    def _all_live(self, now: float) -> list[LiveCall]:
        return [
            LiveCall(call_id=call.call_id, source=call.name[0], age=now - call.claimed_at)
            for call in self._calls.values()
        ]

    def _claim(self, name: CallKey, now: float) -> RegisteredCall:
        grace = self._settings.grace_seconds
        call = self._calls[name] = RegisteredCall(name=name, claimed_at=now, grace_seconds=grace)
        return call

    def _claim_left(self, summary: CallSummary) -> RegisteredCall:
        """The claim of a call that the last process left; under a name of its own where a newer one has it."""
        source, call_id = summary.call.source, summary.call.id
        name = (source, announced_id(call_id))
        call = self._claim(name if name not in self._calls else (source, f"~{call_id}"), time.monotonic())
        call.call_id = call_id
        return call

    def _connect(
        self, call: RegisteredCall, announced: CallAnnounced, source: Source, now: float, *, resumed: bool
    ) -> CallConnection:
        """Give these legs of the call to a new connection: the first that brings them; or their gateway came back, or
        never noticed that the one before was gone."""
        connection = CallConnection(call, self._bus, announced.roles, clock=source.clock, resumed=resumed)
        form = FormatChanged(
            encoding=announced.encoding,
            rate=announced.rate,
            roles=announced.roles,
            clock=source.clock or announced.clock,
        )
        call.connect(connection, form, max(now, time.monotonic()))  # it may have waited
        return connection

    async def _open(self, call: RegisteredCall, announced: CallAnnounced, source: Source) -> bool:
        """Make the session; whether it goes on with a call of before."""
        ended = self._ended.of(call.name, time.monotonic())
        within = self._answers_within if ended is None else ENDS_WITHIN
        away: Seconds | None = None
        try:
            found = await answered(lambda: self._identify(call, announced, source, ended), within, self._stopping)
            if found is not None:
                await self._resume(call, found, within)
                return True
        except StorageError:  # who cannot say whether an id was used gets one that cannot have been
            if self.stopping:
                raise _restarting() from None
            call.call_id = f"{announced.call_id}~{secrets.token_hex(4)}"
            away = None if ended is None else time.monotonic() - ended.at
        opened, notices = opened_call(call.call_id, announced, source, self._settings, self._wall())
        session = self._open_session(opened, None, await self._earlier.history(opened))
        for notice in notices:
            session.tell(notice)
        if away is not None:
            session.resumed(away)  # its beginning is in another log: a gap, in which nobody is blamed
        self._begin(call, session)
        call.ready.set()
        return False

    async def _identify(
        self, call: RegisteredCall, announced: CallAnnounced, source: Source, ended: EndedCall | None
    ) -> CallSummary | None:
        """Give the claim an id that no other has; the call of before that it goes on with."""
        before = None if ended is None else ended.call_id
        while True:
            call_id, found = await self._earlier.identify(announced, source, self._used_ids(), before)
            if found is not None or call_id not in self._used_ids():
                call.call_id = call_id
                return found

    async def _take_up(self, call: RegisteredCall, summary: CallSummary) -> None:
        """Go on with a call that the last process left: until its gateway is back, or for as long as it may take."""
        try:
            earlier = await self._resume(call, summary, math.inf)
        except StorageUnavailable:
            self._release(call, "suspended")  # the next process goes on with it
            return
        except Exception:
            log.exception("call cannot be gone on with", call_id=call.call_id)
            await self._close_left(summary)
            self._release(call, "failed")
            return
        if self._earlier.away(earlier) > RETURN_WITHIN:
            call.session.finish("interrupted", "the service went down")

    async def _resume(self, call: RegisteredCall, summary: CallSummary, within: Seconds) -> EarlierCall:
        """Make the session of a call of before; it waits for its connection from where it was left."""
        earlier = await answered(lambda: self._earlier.read(summary), within, self._stopping)
        session = self._open_session(earlier.call, earlier, await self._earlier.history(earlier.call))
        await self._earlier.relisten(session, earlier)
        call.seq = earlier.seq
        self._begin(call, session)
        call.took_up()
        patience = max(self._return_after_restart, self._settings.grace_seconds)
        call.wait(patience, time.monotonic() - self._earlier.away(earlier), "interrupted", "the service went down")
        call.ready.set()
        return earlier

    def _begin(self, call: RegisteredCall, session: CallSession) -> None:
        call.made = session
        if self.stopping:
            session.suspend()
        self._spawn(self._supervise(call))
        self._metrics.calls_opened.inc()

    async def _supervise(self, call: RegisteredCall) -> None:
        """The per-call supervisor: one call's defect ends that call, visibly, and no other."""
        session = call.session
        outcome: CallOutcome = "failed"
        self._metrics.calls_live.inc()
        log.info("call opened", call_id=session.call.id, source=session.call.source)
        try:
            outcome = await session.run()
        except asyncio.CancelledError:  # its last words take longer than the service has
            outcome = "suspended"
            raise
        except Exception:
            log.exception("call session failed", call_id=session.call.id)
            await self._close_failed(session)
        finally:
            self._journal.finished(session.call.id)
            self._metrics.calls_live.dec()
            self._release(call, outcome)
            log.info("call closed", call_id=session.call.id, seconds=round(session.reached, 1), outcome=outcome)

    async def _close_failed(self, session: CallSession) -> None:
        failed = "the call's session failed; the service's log tells why"
        await self._write_closed(session.call.id, session.reached, failed)

    async def _close_left(self, summary: CallSummary) -> None:
        last = max((party.last_end for party in summary.parties), default=0.0)
        await self._write_closed(summary.call.id, last, "the service went down")

    async def _write_closed(self, call_id: str, duration: Seconds, reason: str) -> None:
        closed = CallClosed(ended_at=self._wall(), duration=duration, ending="interrupted", reason=reason)
        with suppress(StorageError):  # it would say again what the log says already
            await self._journal.write(call_id, [closed], self._wall())

    def _release(self, call: RegisteredCall, outcome: CallOutcome) -> None:
        if self._calls.get(call.name) is call:
            del self._calls[call.name]
        if call.made is not None and outcome != "suspended":
            self._ended.add(call.name, call.call_id, time.monotonic())
        call.let_go(outcome)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        """A task's own defect is told and harms no other."""
        self._tasks.discard(task)
        if not task.cancelled() and (defect := task.exception()) is not None:
            log.error("a call's task failed", exc_info=defect)
