"""A claimed call: its session once that is made, its connections, and since when it has none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from asr.types import Role, Seconds
from service.calls.connection import CallConnection, CallOutcome
from service.calls.session import CallSession
from service.ingest.events import FormatChanged
from service.record.facts import CallEnding

STREAM_FOLLOWS: Seconds = 5.0
"""How long after the end of a stream another one of the same call may begin before the call counts as over."""

CallKey: TypeAlias = tuple[str, str]
"""A source and the id it announced: two sources may count alike."""


@dataclass(slots=True, kw_only=True, eq=False)
class RegisteredCall:
    """`call_id` is empty until it is known, `key_id` for a call that the last process left.

    `ready` is set when the session is there, or will never be; `over` when everything of the call is written, also
    where its session failed.
    """

    name: CallKey
    key_id: str
    claimed_at: float
    grace_seconds: Seconds
    call_id: str = ""
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

    def fits(self, roles: Sequence[Role]) -> bool:
        """A connection may bring these legs: all of them the call's, and all or none of what another one brings."""
        live = (set(other.roles) for other in self.connections if other not in self._gone)
        return set(roles) <= set(self.session.call.roles) and all(
            theirs <= set(roles) or not theirs & set(roles) for theirs in live
        )

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
