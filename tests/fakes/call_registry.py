"""A call registry that takes every call, and connections that remember what came over them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from service.gateway.ports import CallOutcome, CallRefused
from service.ingest.events import CallAnnounced, LineEvent, ProtocolViolation
from service.record.facts import CallClosed, Fact
from service.storage.port import GatewayKey, LoggedFact
from tests import scenes


@dataclass
class FakeCallConnection:
    """Ends its call when stopped: the closing fact follows, then no more."""

    call_id: str
    resumed: bool = False
    fed: list[LineEvent] = field(default_factory=list)
    violation: ProtocolViolation | None = None
    refuses_audio: ProtocolViolation | None = None
    was_stopped: asyncio.Event = field(default_factory=asyncio.Event)
    was_lost: asyncio.Event = field(default_factory=asyncio.Event)
    was_rejected: asyncio.Event = field(default_factory=asyncio.Event)
    was_fed: asyncio.Event = field(default_factory=asyncio.Event)
    done_at_once: bool = True
    outcome: asyncio.Future[CallOutcome] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    facts: asyncio.Queue[Fact | None] = field(default_factory=asyncio.Queue)
    seq: int = 0

    def feed(self, event: LineEvent) -> None:
        if self.refuses_audio is not None:
            raise self.refuses_audio
        self.fed.append(event)
        self.was_fed.set()

    def stop(self, *, call_over: bool = True) -> None:
        if not self.was_stopped.is_set():
            self.was_stopped.set()
            if self.done_at_once:
                self.finish()

    def finish(self, outcome: CallOutcome = "processed") -> None:
        """Everything is written, or what else becomes of the call."""
        if outcome == "processed":
            self.facts.put_nowait(CallClosed(ended_at=scenes.NOON, duration=1.0, ending="completed"))
        self.facts.put_nowait(None)
        self.outcome.set_result(outcome)

    def lost(self) -> None:
        """As the real one: without meaning once the call was stopped or rejected."""
        if not self.was_stopped.is_set() and not self.was_rejected.is_set():
            self.was_lost.set()

    def reject(self, violation: ProtocolViolation) -> None:
        self.violation = violation
        self.was_rejected.set()

    async def over(self) -> CallOutcome:
        return await asyncio.shield(self.outcome)

    async def events(self) -> AsyncIterator[LoggedFact]:
        while (fact := await self.facts.get()) is not None:
            self.seq += 1
            yield scenes.logged(fact, self.call_id, self.seq)


@dataclass
class FakeCallRegistry:
    refuses: CallRefused | None = None
    resumed: bool = False
    too_fast: bool = False
    announced: list[CallAnnounced] = field(default_factory=list)
    sources: list[GatewayKey] = field(default_factory=list)
    connections: asyncio.Queue[FakeCallConnection] = field(default_factory=asyncio.Queue)
    done_at_once: bool = True

    async def attach(self, announced: CallAnnounced, source: GatewayKey, now: float) -> FakeCallConnection:
        if self.refuses is not None:
            raise self.refuses
        self.announced.append(announced)
        self.sources.append(source)
        connection = FakeCallConnection(announced.call_id, resumed=self.resumed, done_at_once=self.done_at_once)
        if self.too_fast:
            connection.refuses_audio = ProtocolViolation("audio", "comes 12 times as fast as it was spoken")
        self.connections.put_nowait(connection)
        return connection
