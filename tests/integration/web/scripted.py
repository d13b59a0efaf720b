"""Stand-ins for the web room's neighbours: they do what the test says and remember what was asked of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from service.gateway.ports import CallOutcome, CallRefused
from service.ingest.events import CallAnnounced, LineEvent, ProtocolViolation
from service.live.messages import Health, LiveMessage, Snapshot
from service.record.facts import Call, CallClosed, Fact
from service.record.summary import opened
from service.recordings.peaks import Peaks
from service.storage.port import GatewayKey, LoggedFact

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HEALTH = Health(model="base", live_calls=0, max_calls=16, backlog=0.0)


def a_call(call_id: str = "call-1") -> Call:
    return Call(
        id=call_id,
        source="pbx",
        roles=("agent", "customer"),
        encoding="pcm_s16le",
        rate=8000,
        language="zh",
        jurisdiction="CN",
        started_at=NOON,
        agent="A7",
        customer="C1",
    )


@dataclass
class ScriptedConnection:
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
            self.facts.put_nowait(CallClosed(ended_at=NOON, duration=1.0, ending="completed"))
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
            yield logged(fact, self.call_id, self.seq)


def logged(fact: Fact, call_id: str = "call-1", seq: int = 1) -> LoggedFact:
    return LoggedFact(call_id=call_id, seq=seq, at=NOON, fact=fact, summary=opened(a_call(call_id), seq))


@dataclass
class ScriptedCallRegistry:
    refuses: CallRefused | None = None
    resumed: bool = False
    too_fast: bool = False
    announced: list[CallAnnounced] = field(default_factory=list)
    sources: list[GatewayKey] = field(default_factory=list)
    connections: asyncio.Queue[ScriptedConnection] = field(default_factory=asyncio.Queue)
    done_at_once: bool = True

    async def attach(self, announced: CallAnnounced, source: GatewayKey, now: float) -> ScriptedConnection:
        if self.refuses is not None:
            raise self.refuses
        self.announced.append(announced)
        self.sources.append(source)
        connection = ScriptedConnection(announced.call_id, resumed=self.resumed, done_at_once=self.done_at_once)
        if self.too_fast:
            connection.refuses_audio = ProtocolViolation("audio", "comes 12 times as fast as it was spoken")
        self.connections.put_nowait(connection)
        return connection


@dataclass
class ScriptedSubscription:
    messages: asyncio.Queue[LiveMessage] = field(default_factory=asyncio.Queue)
    resumes: asyncio.Queue[Mapping[str, int]] = field(default_factory=asyncio.Queue)

    async def __aiter__(self) -> AsyncIterator[LiveMessage]:
        while True:
            yield await self.messages.get()

    async def resume(self, seqs: Mapping[str, int]) -> None:
        self.resumes.put_nowait(seqs)


@dataclass
class ScriptedFeed:
    """Everyone who subscribes gets a Snapshot first."""

    published: list[LoggedFact] = field(default_factory=list)
    subscriptions: asyncio.Queue[ScriptedSubscription] = field(default_factory=asyncio.Queue)
    open: int = 0

    def publish(self, *logged: LoggedFact) -> None:
        self.published += logged

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[ScriptedSubscription]:
        subscription = ScriptedSubscription()
        subscription.messages.put_nowait(Snapshot(now=NOON, calls=(), alerts=(), health=HEALTH))
        self.subscriptions.put_nowait(subscription)
        self.open += 1
        try:
            yield subscription
        finally:
            self.open -= 1


@dataclass
class ScriptedRecordings:
    folder: Path

    def path(self, call_id: str) -> Path:
        return self.folder / f"{call_id}.wav"

    def peaks(self, call_id: str, points: int) -> Peaks:
        if not self.path(call_id).exists():
            raise FileNotFoundError(call_id)
        return Peaks(duration=2.0, roles=("agent", "customer"), peaks=((0.5,) * points, (0.25,) * points))
