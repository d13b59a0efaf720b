"""One connection's hold on legs of a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Literal, Protocol, TypeAlias

from asr.types import Role
from service.calls.ports import LiveBus
from service.calls.session import CallSession, SessionEnd
from service.ingest.events import AudioArrived, FormatChanged, LineEvent, ProtocolViolation
from service.ingest.source import Clock
from service.record.facts import Notice
from service.storage.port import LoggedFact

CallOutcome: TypeAlias = SessionEnd | Literal["failed", "taken_over"]
"""What became of a connection's call: it is over and everything is written; its session failed; this process stops and
another may go on with it; another connection has its legs."""


class ConnectedCall(Protocol):
    """What the registry keeps of a live call, as its connections see it."""

    @property
    def session(self) -> CallSession: ...

    def has(self, connection: CallConnection) -> bool:
        """The connection's legs are its own still."""
        ...

    def lost(self, connection: CallConnection) -> None:
        """The connection is gone: without another one the call waits for it to come back."""
        ...

    def stream_stopped(self, connection: CallConnection) -> None:
        """The stream is over; without another one the call is too, unless a stream follows in a moment."""
        ...


class CallConnection:
    """One connection's hold on the legs that it brings. A later connection that brings one of them takes them away.

    `clock`: what audio is placed by, whatever its dialect says."""

    def __init__(
        self,
        call: ConnectedCall,
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
        """The call's facts from now on, until it is wholly processed."""
        return self._bus.follow(self.call_id)
