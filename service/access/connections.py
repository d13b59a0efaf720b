"""The table of open connections: how long each may keep the service waiting, and which goes when there are too many.
Pure: `now` is an argument (seconds of any steady clock).

A connection is a *stranger's* until a key or a session was verified on it. A half request costs its sender nothing and
the service a descriptor, so strangers have a limit of their own. When it is reached, the address with most strangers
loses the one that has kept the service waiting longest. A gateway that connects meanwhile sends its whole head at once,
is verified, and no longer counts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from asr.types import Seconds

Phase = Literal["head", "body", "answer", "handshake", "closing"]
"""What is waited for: a request's head (or the next request), its body, our own answer (or an open WebSocket's end), a
WebSocket's verification, the peer's reading of the last bytes."""

_BASE_DESCRIPTORS = 192
"""The store, the model, logs, and what is accepted and dropped within one turn of the event loop."""
_MOST_STRANGERS = 512
"""The most strangers. An office of 60 that opens the log-in page at the same moment makes 360, for a second or two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionPatience:
    """A head is one packet, a body has 64 KiB at most: a line of 30 kbit/s brings it in time. A handshake waits for the
    database, which may take 10 s to fail. Our own answer has no limit; but a stranger that reads nothing of it for
    `stalled` is dropped, since what strangers may get is small. `look_every`: how often it is seen who is late."""

    head: Seconds = 10.0
    body: Seconds = 20.0
    handshake: Seconds = 30.0
    closing: Seconds = 30.0
    stalled: Seconds = 30.0
    look_every: Seconds = 1.0

    def of(self, phase: Phase) -> Seconds:
        """The longest time that a connection may spend in this phase."""
        match phase:
            case "head":
                return self.head
            case "body":
                return self.body
            case "handshake":
                return self.handshake
            case "closing":
                return self.closing
            case "answer":
                return math.inf


PATIENCE: Final = ConnectionPatience()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """`total` connections at once, of them `strangers` that have shown neither key nor session."""

    total: int
    strangers: int

    @classmethod
    def within(cls, descriptors: int) -> ConnectionLimits:
        """Limits that fit a limit of open files. A connection may hold a second descriptor, of the recording that it
        reads or writes. A quarter, at most 512, may be strangers'."""
        total = max(8, (descriptors - _BASE_DESCRIPTORS) // 2)
        return cls(total=total, strangers=min(_MOST_STRANGERS, max(4, total // 4)))


@dataclass(slots=True, kw_only=True, eq=False)
class Connection:
    """One TCP connection. `drop` ends it at once, without another byte."""

    address: str
    drop: Callable[[], None]
    since: float
    """When its phase began."""
    phase: Phase = "head"
    stranger: bool = True
    stalled_since: float | None = None
    """Since when it reads nothing of what is sent."""

    @property
    def waits_for_peer(self) -> bool:
        """Whether the peer, and not the service, has to act next."""
        return self.phase in ("head", "body", "closing")

    def overdue(self, patience: ConnectionPatience, now: float) -> bool:
        """Whether it has kept the service waiting for too long."""
        if now - self.since > patience.of(self.phase):
            return True
        return self.stranger and self.stalled_since is not None and now - self.stalled_since > patience.stalled


class Connections:
    """All connections of one process."""

    def __init__(self, limits: ConnectionLimits, patience: ConnectionPatience = PATIENCE) -> None:
        self._limits = limits
        self._patience = patience
        self._open: dict[Connection, None] = {}
        self._strangers: dict[Connection, None] = {}

    def __len__(self) -> int:
        return len(self._open)

    @property
    def strangers(self) -> int:
        """The number of connections without a verified key or session."""
        return len(self._strangers)

    def opened(self, address: str, drop: Callable[[], None], now: float) -> tuple[Connection, Connection | None]:
        """A new connection, and the connection that must be dropped for it, if any. It may be the new one itself."""
        new = Connection(address=address, drop=drop, since=now)
        self._open[new] = self._strangers[new] = None
        if len(self._open) <= self._limits.total and len(self._strangers) <= self._limits.strangers:
            return new, None
        victim = self._least_deserving()
        self.closed(victim)
        return new, victim

    def enter(self, connection: Connection, phase: Phase, now: float) -> None:
        """The connection begins this phase now."""
        if connection.phase != phase:
            connection.phase, connection.since = phase, now

    def known(self, connection: Connection) -> None:
        """A key or a session was verified on it."""
        connection.stranger = False
        self._strangers.pop(connection, None)

    def closed(self, connection: Connection) -> None:
        """The connection is over. A second call changes nothing."""
        self._open.pop(connection, None)
        self._strangers.pop(connection, None)

    def overdue(self, now: float) -> list[Connection]:
        """The connections to drop now. They no longer count."""
        late = [connection for connection in self._open if connection.overdue(self._patience, now)]
        for connection in late:
            self.closed(connection)
        return late

    def _least_deserving(self) -> Connection:
        """Of the address with most strangers, the one that has kept the service waiting longest. The new one is among
        them, as the youngest."""
        held = Counter(connection.address for connection in self._strangers)
        return min(
            self._strangers,
            key=lambda stranger: (-held[stranger.address], not stranger.waits_for_peer, stranger.since),
        )
