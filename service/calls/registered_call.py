"""A claimed call: its session once that is made, its connections, and since when it has none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from asr.types import Role, Seconds
from service.calls.ports import LiveBus
from service.calls.session import CallSession, SessionEnd
from service.ingest.events import AudioArrived, FormatChanged, LineEvent, ProtocolViolation
from service.ingest.source import Clock
from service.live.messages import Partial
from service.media.readings import LegReading
from service.record.facts import CallClosed, CallEnding, Notice
from service.storage.port import LoggedFact

STREAM_FOLLOWS: Seconds = 5.0
"""How long after the end of a stream another one of the same call may begin before the call counts as over."""

CallKey: TypeAlias = tuple[str, str]
"""A source and the id it announced: two sources may count alike."""

CallOutcome: TypeAlias = SessionEnd | Literal["failed", "taken_over"]
"""What became of a connection's call: it is over and everything is written; its session failed; this process stops and
another may go on with it; another connection has its legs."""


class CallConnection:
    """One connection's hold on the legs that it brings. A later connection that brings one of them takes all away: its
    gateway came back, perhaps with fewer legs, and never noticed that this one was gone.

    `clock`: what audio is placed by, whatever its dialect says."""

    def __init__(
        self,
        call: RegisteredCall,
        bus: LiveBus,
        roles: tuple[Role, ...],
        *,
        clock: Clock | None = None,
        resumed: bool,
    ) -> None:
        self._call = call
        self._bus = bus
        self._outcome: asyncio.Future[CallOutcome] = asyncio.get_running_loop().create_future()
        self._clock: Clock | None = clock
        self.roles = roles
        self.resumed = resumed

    @property
    def call_id(self) -> str:
        """The call's id here, which is the announced one unless that was used before."""
        return self._call.session.call.id

    def feed(self, event: LineEvent) -> None:
        """What happens within the call; never waits. Raises ProtocolViolation. Ignored where another connection has
        the legs."""
        if not self._call.has(self):
            return
        self._call.session.feed(self._of_my_legs(event))

    def _of_my_legs(self, event: LineEvent) -> LineEvent:
        """Several connections may bring legs of one call, each knowing its own alone."""
        if isinstance(event, FormatChanged):
            self.roles = event.roles or self.roles
            return replace(event, roles=self.roles, clock=self._clock or event.clock)
        if isinstance(event, AudioArrived) and event.role is None and len(self.roles) == 1:
            return replace(event, role=self.roles[0])
        return event

    def readings(self) -> Mapping[Role, LegReading]:
        """How the legs that it brings come in."""
        session = self._call.session
        return {role: session.reading(role) for role in self.roles if role in session.call.roles}

    def stop(self, *, call_over: bool = True) -> None:
        """The gateway says that it is over: the call, or only this stream of it. `over` tells when all is processed."""
        if not self._call.has(self):
            return
        if call_over:
            self._call.session.finish("completed")
        else:
            self._call.stream_stopped(self)

    def lost(self) -> None:
        """The connection is gone. Without meaning once the call was stopped."""
        if self._call.has(self) and not self._call.session.finishing:
            self._call.lost(self)

    def reject(self, violation: ProtocolViolation) -> None:
        """The peer broke the protocol: what came before is kept and processed, the call is marked."""
        if self._call.has(self):
            session = self._call.session
            session.tell(Notice(code="protocol_error", message=str(violation), at=session.reached))
            session.finish("rejected", str(violation))

    async def over(self) -> CallOutcome:
        """Returns when this connection has its legs no longer."""
        return await asyncio.shield(self._outcome)

    def end(self, outcome: CallOutcome) -> None:
        """This connection has its legs no longer."""
        if not self._outcome.done():
            self._outcome.set_result(outcome)

    def events(self) -> AsyncIterator[LoggedFact]:
        """The call's facts from now on, until it is wholly processed; none of before it was gone on with."""
        return _facts_of(self._bus.follow(self.call_id), after=self._call.seq)

    def partials(self) -> AsyncIterator[Partial]:
        """The call's interim texts from now on, until it is wholly processed."""
        return self._bus.follow_partials(self.call_id)


@dataclass(slots=True, kw_only=True, eq=False)
class RegisteredCall:
    """`call_id` is empty until it is known; `seq` is that of the last fact of before, where the call is gone on with.

    `ready` is set when the session is there, or will never be; `over` when everything of the call is written, also
    where its session failed.
    """

    name: CallKey
    claimed_at: float
    grace_seconds: Seconds
    call_id: str = ""
    seq: int = 0
    made: CallSession | None = None
    connections: list[CallConnection] = field(default_factory=list[CallConnection])
    """Each with legs of its own; also those that are gone, until another brings their legs."""
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _gone: set[CallConnection] = field(default_factory=set[CallConnection])
    _known: set[Role] = field(default_factory=set[Role])
    """Legs that a connection has brought, here or to an earlier process."""
    _lost_at: float | None = None
    _grace: asyncio.TimerHandle | None = None

    @property
    def session(self) -> CallSession:
        assert self.made is not None, "asked for before it is ready"
        return self.made

    @property
    def connected(self) -> bool:
        """A connection has the call, as far as is known."""
        return any(connection not in self._gone for connection in self.connections)

    def has(self, connection: CallConnection) -> bool:
        """The connection's legs are its own still."""
        return connection in self.connections

    def has_any(self, roles: Sequence[Role]) -> bool:
        """Any of these legs is the call's."""
        return not set(roles).isdisjoint(self.session.call.roles)

    def lost(self, connection: CallConnection) -> None:
        """The connection is gone: without another one the call waits for it to come back."""
        if self._is_last(connection):
            late = f"the gateway was gone for {self.grace_seconds:g} s"
            self.wait(self.grace_seconds, time.monotonic(), "dropped", late)

    def stream_stopped(self, connection: CallConnection) -> None:
        """The stream is over; without another one the call is too, unless a stream follows in a moment."""
        if self._is_last(connection):
            self.wait(min(STREAM_FOLLOWS, self.grace_seconds), time.monotonic(), "completed", "")

    def _is_last(self, connection: CallConnection) -> bool:
        """It is gone now, and was the last that was not."""
        if connection in self._gone:
            return False
        self._gone.add(connection)
        return not self.connected

    def took_up(self) -> None:
        """An earlier process had the call: its connections brought all legs."""
        self._known.update(self.session.call.roles)

    def wait(self, patience: Seconds, lost_at: float, ending: CallEnding, reason: str) -> None:
        """For a connection, since `lost_at`; what was said last does not wait."""
        self._lost_at = lost_at
        self.session.pause()
        self._grace = asyncio.get_running_loop().call_later(patience, self.session.finish, ending, reason)

    def connect(self, connection: CallConnection, form: FormatChanged, now: float) -> None:
        """The connection has the legs of this form from now on."""
        if self._grace is not None:
            self._grace.cancel()
        if self._lost_at is not None:
            self.session.resumed(now - self._lost_at)
        self._lost_at = self._grace = None
        for other in [other for other in self.connections if set(other.roles) & set(connection.roles)]:
            self.connections.remove(other)
            self._gone.discard(other)
            other.end("taken_over")
        self.connections.append(connection)
        if self._known.isdisjoint(form.roles) and set(form.roles) <= set(self.session.call.roles):
            self.session.join(form)
        else:  # a connection may bring another form than the one before
            self.session.feed(form)
        self._known.update(form.roles)

    def let_go(self, outcome: CallOutcome) -> None:
        """Nothing more will be done with the call here."""
        if self._grace is not None:
            self._grace.cancel()
        for connection in self.connections:
            connection.end(outcome)
        self.ready.set()
        self.over.set()


async def _facts_of(facts: AsyncIterator[LoggedFact], after: int) -> AsyncIterator[LoggedFact]:
    """Those of one stretch of a call, to its end. While the store is locked, the end of the stretch before may be
    published later than this one begins."""
    async for logged in facts:
        if logged.seq > after:
            yield logged
            if isinstance(logged.fact, CallClosed):
                return
