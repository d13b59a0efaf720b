"""One connection's hold on one call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Literal, Protocol, TypeAlias

from service.calls.ports import Journal
from service.calls.session import CallSession, SessionEnd
from service.ingest.events import LineEvent, ProtocolViolation
from service.record.facts import Notice
from service.storage.port import LoggedFact

CallOutcome: TypeAlias = SessionEnd | Literal["failed", "taken_over"]
"""What became of a connection's call: it is over and everything is written; its session failed; this process stops and
another may go on with it; another connection has it."""


class ConnectedCall(Protocol):
    """What the registry keeps of a live call, as its connections see it."""

    @property
    def session(self) -> CallSession: ...

    @property
    def connection(self) -> CallConnection | None: ...

    def lost(self) -> None:
        """The connection is gone: the call waits for it to come back."""
        ...

    def stream_stopped(self) -> None:
        """The stream is over, and perhaps the call: it waits for a moment whether another one follows."""
        ...


class CallConnection:
    """One connection's hold on one call. A later connection of the same call takes the call away from it."""

    def __init__(self, call: ConnectedCall, journal: Journal, *, resumed: bool) -> None:
        self._call = call
        self._journal = journal
        self._outcome: asyncio.Future[CallOutcome] = asyncio.get_running_loop().create_future()
        self.resumed = resumed

    @property
    def call_id(self) -> str:
        """The call's id here, which is the announced one unless that was used before."""
        return self._call.session.call.id

    def feed(self, event: LineEvent) -> None:
        """What happens within the call; never waits. Raises ProtocolViolation. Ignored if another line has the call."""
        if self._holds():
            self._call.session.feed(event)

    def stop(self, *, call_over: bool = True) -> None:
        """The gateway says that it is over: the call, or only this stream of it. `over` tells when all is processed."""
        if not self._holds():
            return
        if call_over:
            self._call.session.finish("completed")
        else:
            self._call.stream_stopped()

    def lost(self) -> None:
        """The connection is gone. Without meaning once the call was stopped."""
        if self._holds() and not self._call.session.finishing:
            self._call.lost()

    def reject(self, violation: ProtocolViolation) -> None:
        """The peer broke the protocol: what came before is kept and processed, the call is marked."""
        if self._holds():
            session = self._call.session
            session.tell(Notice(code="protocol_error", message=str(violation), at=session.reached))
            session.finish("rejected", str(violation))

    async def over(self) -> CallOutcome:
        """Returns when this connection has its call no longer."""
        return await asyncio.shield(self._outcome)

    def end(self, outcome: CallOutcome) -> None:
        """This connection has its call no longer."""
        if not self._outcome.done():
            self._outcome.set_result(outcome)

    def events(self) -> AsyncIterator[LoggedFact]:
        """The call's facts from now on, until it is wholly processed."""
        return self._journal.follow(self.call_id)

    def _holds(self) -> bool:
        return self._call.connection is self
