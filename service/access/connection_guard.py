"""Guards the connections of one process, on every port. `connections.py` has the table and its rules; this adds the
clock and drops what must go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from service.access.clock import steady_now
from service.access.connections import PATIENCE, Connection, ConnectionLimits, ConnectionPatience, Connections, Phase

_TELL_SECONDS = 60.0

log = structlog.get_logger(__name__)


class ConnectionGuard:
    """Drops the connections that the table names, at once and from time to time."""

    def __init__(
        self,
        limits: ConnectionLimits,
        patience: ConnectionPatience = PATIENCE,
        clock: Callable[[], float] = steady_now,
    ) -> None:
        self._table = Connections(limits, patience)
        self._look_every = patience.look_every
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self._dropped = {"too many": 0, "too slow": 0}
        self._told_at = float("-inf")

    def enter(self, address: str, drop: Callable[[], None]) -> Connection:
        """A connection is made."""
        connection, victim = self._table.opened(address, drop, self._clock())
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._look_every, self._sweep)
        if victim is not None:
            self._drop(victim, "too many", self._clock())
        return connection

    def leave(self, connection: Connection) -> None:
        """A connection is lost."""
        self._table.closed(connection)

    def phase(self, connection: Connection, phase: Phase) -> None:
        """What the connection waits for now."""
        self._table.enter(connection, phase, self._clock())

    def stalls(self, connection: Connection, stalled: bool) -> None:
        """Whether the connection reads nothing of what is sent, now."""
        connection.stalled_since = self._clock() if stalled else None

    def known(self, connection: Connection) -> None:
        """A key or session was verified on it."""
        self._table.known(connection)

    def _sweep(self) -> None:
        for late in self._table.overdue(self._clock()):
            self._drop(late, "too slow", self._clock())
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._look_every, self._sweep) if len(self._table) else None

    def _drop(self, connection: Connection, why: str, now: float) -> None:
        connection.drop()
        self._dropped[why] += 1
        if now - self._told_at > _TELL_SECONDS:
            self._told_at = now
            log.warning(
                "connections dropped",
                too_many=self._dropped["too many"],
                too_slow=self._dropped["too slow"],
                last_address=connection.address,
                open=len(self._table),
                strangers=self._table.strangers,
            )
