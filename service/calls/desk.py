"""Where announced calls are taken in, dropped ones waited for, and finished ones let go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import structlog

from asr.types import Seconds
from service.calls.admission import RETRY_AFTER, Admission, LiveCall
from service.calls.ports import Journal
from service.calls.session import CallSession
from service.facts import Call, CallClosed, Notice
from service.gateway.events import CallAnnounced, LineEvent, ProtocolViolation
from service.metrics import Metrics
from service.settings import Settings
from service.storage.port import GatewayKey, LoggedFact, NotFound, StorageError, StorageUnavailable, Store

log = structlog.get_logger()

LAST_WORDS: Seconds = 20.0
"""At shutdown, how long sessions may take to recognise and write what was already said."""


class CallRefused(Exception):
    """A call is not taken: `code` is `capacity` (as many calls as allowed), `overload` (as much speech as can be
    recognised in time), `quota` (as many as the key may have) or `conflict`; `retry_after` seconds may help."""

    def __init__(self, code: str, message: str, retry_after: Seconds | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after


class OpenSession(Protocol):
    """Makes the session of a new call, with everything it works with."""

    def __call__(self, call: Call) -> CallSession: ...


@dataclass(slots=True, kw_only=True)
class _Held:
    """A live call, the connection that has it, and since when it has none."""

    session: CallSession
    key_id: str
    opened_at: float
    line: Line | None = None
    lost_at: float | None = None
    grace: asyncio.TimerHandle | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when everything of the call is written, also where its session failed."""


class Desk:
    """Every live call of this process. Use as an async context manager: leaving it finishes all calls."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: Store,
        journal: Journal,
        open_session: OpenSession,
        admission: Admission,
        metrics: Metrics,
        wall: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._store = store
        self._journal = journal
        self._open_session = open_session
        self._admission = admission
        self._metrics = metrics
        self._wall = wall
        self._held: dict[str, _Held] = {}
        self._tasks = asyncio.TaskGroup()

    @property
    def live(self) -> int:
        """How many calls are live."""
        return len(self._held)

    async def __aenter__(self) -> Desk:
        await self._tasks.__aenter__()
        await self._close_interrupted()
        return self

    async def __aexit__(self, *_: object) -> None:
        sessions = [held.session for held in self._held.values()]
        for session in sessions:
            session.finish("interrupted", "the service was stopped")
        waits = [self._tasks.create_task(session.done.wait()) for session in sessions]
        if waits:
            await asyncio.wait(waits, timeout=LAST_WORDS)
        await self._tasks.__aexit__(None, None, None)

    async def attach(self, announced: CallAnnounced, source: GatewayKey, now: float) -> Line:
        """Open a call, or go on with one that is live. Raises CallRefused."""
        held = self._held.get(announced.call_id)
        if held is not None:
            return self._take_over(held, announced, source, now)
        self._admit(source, now)
        call_id = await self._free_id(announced.call_id)
        session = self._open_session(self._call(call_id, announced, source))
        held = _Held(session=session, key_id=source.id, opened_at=now)
        self._held[announced.call_id] = held
        self._tasks.create_task(self._supervise(announced.call_id, held.session))
        self._metrics.calls_opened.inc()
        held.line = Line(self, held, self._journal, resumed=False)
        return held.line

    def _admit(self, source: GatewayKey, now: float) -> None:
        """Raises CallRefused where one more call would cost those that are live their time."""
        refusal = self._admission.ask(source.id, self._all_live(now), now)
        if refusal is not None:
            raise CallRefused(refusal.code, refusal.message, refusal.retry_after)

    def closed(self, now: float) -> str:
        """Why no call can be taken now; empty if one can."""
        return self._admission.closed(self._all_live(now), now)

    def _all_live(self, now: float) -> list[LiveCall]:
        return [
            LiveCall(call_id=held.session.call.id, key_id=held.key_id, age=now - held.opened_at)
            for held in self._held.values()
        ]

    def hold(self, held: _Held, now: float) -> None:
        """The connection is gone: wait for it to come back."""
        held.lost_at = now
        late = f"the gateway was gone for {self._settings.grace_seconds:g} s"
        held.grace = asyncio.get_running_loop().call_later(
            self._settings.grace_seconds, held.session.finish, "dropped", late
        )

    def _take_over(self, held: _Held, announced: CallAnnounced, source: GatewayKey, now: float) -> Line:
        """A live call's id again: the gateway reconnected, or never noticed that its first connection was gone."""
        call = held.session.call
        if held.key_id != source.id:
            raise CallRefused("conflict", f"call {call.id} is live from another source")
        if (call.roles, call.encoding, call.rate) != (announced.roles, announced.encoding, announced.rate):
            raise CallRefused("conflict", f"call {call.id} is live with another encoding, rate or other legs")
        if held.session.finishing:
            raise CallRefused("conflict", f"call {call.id} is ending", RETRY_AFTER)
        if held.grace is not None:
            held.grace.cancel()
        if held.lost_at is not None:
            held.session.resumed(now - held.lost_at)
        held.lost_at = held.grace = None
        held.line = Line(self, held, self._journal, resumed=True)
        return held.line

    async def _supervise(self, announced_id: str, session: CallSession) -> None:
        """The per-call supervisor: one call's defect ends that call, visibly, and no other."""
        self._metrics.calls_live.inc()
        log.info("call opened", call_id=session.call.id, source=session.call.source)
        try:
            await session.run()
        except Exception:
            log.exception("call session failed", call_id=session.call.id)
            failed = "the call's session failed; the service's log tells why"
            closed = CallClosed(ended_at=self._wall(), duration=session.reached, ending="interrupted", reason=failed)
            with suppress(StorageError):  # it would say again what the log says already
                await self._journal.write(session.call.id, [closed], self._wall())
        finally:
            self._journal.finished(session.call.id)
            self._metrics.calls_live.dec()
            held = self._held.pop(announced_id)
            held.over.set()
            if held.grace is not None:
                held.grace.cancel()
            log.info("call closed", call_id=session.call.id, seconds=round(session.reached, 1))

    async def _free_id(self, announced_id: str) -> str:
        """The announced id, or, where a call of that id has ended (a restart of this service or of the PBX's
        counter), the next of `ID~2`, `ID~3`, …: what is said now is worth more than a tidy id."""
        call_id, count = announced_id, 1
        while await self._known(call_id):
            count += 1
            call_id = f"{announced_id}~{count}"
        return call_id

    async def _known(self, call_id: str) -> bool:
        try:
            await self._store.summary(call_id)
        except (NotFound, StorageUnavailable):
            return False
        return True

    def _call(self, call_id: str, announced: CallAnnounced, source: GatewayKey) -> Call:
        settings = self._settings
        return Call(
            id=call_id,
            source=source.source,
            roles=announced.roles,
            encoding=announced.encoding,
            rate=announced.rate,
            language=announced.language or settings.language,
            jurisdiction=announced.jurisdiction or settings.jurisdiction,
            started_at=announced.started_at or self._wall().astimezone(settings.timezone),
            agent=announced.agent,
            customer=announced.customer,
            metadata=announced.metadata,
        )

    async def _close_interrupted(self) -> None:
        """Calls that were live when the service last went down are over."""
        for summary in await self._store.live_calls():
            last = max((party.last_end for party in summary.parties), default=0.0)
            closed = CallClosed(
                ended_at=self._wall(), duration=last, ending="interrupted", reason="the service went down"
            )
            await self._journal.write(summary.call.id, [closed], self._wall())


class Line:
    """One connection's hold on one call. A later connection of the same call takes the call away from it."""

    def __init__(self, desk: Desk, held: _Held, journal: Journal, *, resumed: bool) -> None:
        self._desk = desk
        self._held = held
        self._journal = journal
        self.resumed = resumed

    @property
    def call_id(self) -> str:
        """The call's id here, which is the announced one unless that was used before."""
        return self._held.session.call.id

    async def feed(self, event: LineEvent) -> None:
        """What happens within the call; never waits for recognition. Raises ProtocolViolation."""
        if not self._holds():
            raise ProtocolViolation("call_id", "another connection has taken this call over")
        self._held.session.feed(event)

    async def stop(self) -> None:
        """The call is over: returns once everything is processed and written."""
        if self._holds():
            self._held.session.finish("completed")
            await self._held.over.wait()

    async def lost(self) -> None:
        """The connection dropped: the grace period begins."""
        if self._holds() and not self._held.session.finishing:
            self._desk.hold(self._held, time.monotonic())

    async def reject(self, violation: ProtocolViolation) -> None:
        """The peer broke the protocol: what came before is kept and processed, the call is marked."""
        if self._holds():
            session = self._held.session
            session.tell(Notice(code="protocol_error", message=str(violation), at=session.reached))
            session.finish("rejected", str(violation))

    def events(self) -> AsyncIterator[LoggedFact]:
        """The call's facts from its first one on, until it is wholly processed."""
        return self._journal.follow(self.call_id)

    def _holds(self) -> bool:
        return self._held.line is self
