"""A claimed call: its session once that is made, its connection, and since when it has none."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TypeAlias

from asr.types import Seconds
from service.calls.connection import CallConnection, CallOutcome
from service.calls.session import CallSession
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
    connection: CallConnection | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _lost_at: float | None = None
    _grace: asyncio.TimerHandle | None = None

    @property
    def session(self) -> CallSession:
        assert self.made is not None, "asked for before it is ready"
        return self.made

    @property
    def connected(self) -> bool:
        """A connection has the call, as far as is known."""
        return self.connection is not None and self._lost_at is None

    def lost(self) -> None:
        """The connection is gone: the call waits for it to come back."""
        if self._lost_at is None:
            late = f"the gateway was gone for {self.grace_seconds:g} s"
            self.wait(self.grace_seconds, time.monotonic(), "dropped", late)

    def stream_stopped(self) -> None:
        """The stream is over, and perhaps the call: it waits for a moment whether another one follows."""
        if self._lost_at is None:
            self.wait(min(STREAM_FOLLOWS, self.grace_seconds), time.monotonic(), "completed", "")

    def wait(self, patience: Seconds, lost_at: float, ending: CallEnding, reason: str) -> None:
        """For a connection, since `lost_at`; what was said last does not wait."""
        self._lost_at = lost_at
        self.session.pause()
        self._grace = asyncio.get_running_loop().call_later(patience, self.session.finish, ending, reason)

    def connect(self, connection: CallConnection, now: float) -> None:
        """The connection that has the call from now on."""
        if self._grace is not None:
            self._grace.cancel()
        if self._lost_at is not None:
            self.session.resumed(now - self._lost_at)
        self._lost_at = self._grace = None
        if self.connection is not None:
            self.connection.end("taken_over")
        self.connection = connection

    def let_go(self, outcome: CallOutcome) -> None:
        """Nothing more will be done with the call here."""
        if self._grace is not None:
            self._grace.cancel()
        if self.connection is not None:
            self.connection.end(outcome)
        self.ready.set()
        self.over.set()
