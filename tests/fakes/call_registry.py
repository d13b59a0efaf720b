"""A call registry that takes every call, and connections that remember what came over them; they pass the contract
suite of the gateways' ports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from asr.types import Role, Seconds
from service.gateway.call_ports import CallOutcome, CallRefused
from service.ingest.events import CallAnnounced, LineEvent, ProtocolViolation
from service.live.followers import Followers
from service.live.messages import Partial
from service.media.readings import LegReading
from service.record.facts import CallClosed, CallEnding, Fact
from service.storage.port import Gateway, LoggedFact
from tests import scenes


@dataclass
class FakeCallConnection:
    """Ends its call when it is stopped or rejected, unless `done_at_once` is False: the closing fact follows, then no
    more."""

    call_id: str
    resumed: bool = False
    roles: tuple[Role, ...] = ()
    fed: list[LineEvent] = field(default_factory=list)
    violation: ProtocolViolation | None = None
    refuses_audio: ProtocolViolation | None = None
    was_stopped: asyncio.Event = field(default_factory=asyncio.Event)
    was_lost: asyncio.Event = field(default_factory=asyncio.Event)
    was_rejected: asyncio.Event = field(default_factory=asyncio.Event)
    was_fed: asyncio.Event = field(default_factory=asyncio.Event)
    done_at_once: bool = True
    outcome: asyncio.Future[CallOutcome] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    followers: Followers[LoggedFact] = field(default_factory=Followers[LoggedFact])
    interim: Followers[Partial] = field(default_factory=Followers[Partial])
    seq: int = 0

    def feed(self, event: LineEvent) -> None:
        if self.outcome.done():
            return
        if self.refuses_audio is not None:
            raise self.refuses_audio
        self.fed.append(event)
        self.was_fed.set()

    def readings(self) -> dict[Role, LegReading]:
        return dict.fromkeys(self.roles, scenes.READING)

    def stop(self, *, call_over: bool = True) -> None:
        if not self._ending:
            self.was_stopped.set()
            if self.done_at_once:
                self.finish()

    def finish(self, outcome: CallOutcome = "processed", ending: CallEnding = "completed") -> None:
        """Everything is written, or what else becomes of the call."""
        if self.outcome.done():
            return
        if outcome == "processed":
            self.tell(CallClosed(ended_at=scenes.NOON, duration=1.0, ending=ending))
        self.end_facts()
        self.outcome.set_result(outcome)

    def tell(self, fact: Fact) -> None:
        """The fact is stored."""
        self.seq += 1
        self.followers.tell(self.call_id, scenes.logged(fact, self.call_id, self.seq))

    def say(self, role: Role, text: str, start: Seconds = 0.0) -> None:
        """A party says something that goes on."""
        self.interim.tell(self.call_id, Partial(call_id=self.call_id, role=role, start=start, text=text))

    def end_facts(self) -> None:
        """Whoever follows the call's facts or its interim texts gets no more."""
        self.followers.end(self.call_id)
        self.interim.end(self.call_id)

    def lost(self) -> None:
        if not self._ending:
            self.was_lost.set()

    def reject(self, violation: ProtocolViolation) -> None:
        if not self._ending:
            self.violation = violation
            self.was_rejected.set()
            if self.done_at_once:
                self.finish(ending="rejected")

    async def over(self) -> CallOutcome:
        return await asyncio.shield(self.outcome)

    def events(self) -> AsyncIterator[LoggedFact]:
        return self.followers.follow(self.call_id)

    def partials(self) -> AsyncIterator[Partial]:
        return self.interim.follow(self.call_id)

    @property
    def _ending(self) -> bool:
        return self.was_stopped.is_set() or self.was_rejected.is_set() or self.outcome.done()


@dataclass
class FakeCallRegistry:
    """Hands its connections to the test too."""

    refuses: CallRefused | None = None
    resumed: bool = False
    """A call is gone on with although nobody has announced it here."""
    too_fast: bool = False
    announced: list[CallAnnounced] = field(default_factory=list)
    keys: list[Gateway] = field(default_factory=list)
    connections: asyncio.Queue[FakeCallConnection] = field(default_factory=asyncio.Queue)
    done_at_once: bool = True
    _known: dict[tuple[str, str], list[FakeCallConnection]] = field(default_factory=dict)

    async def attach(self, announced: CallAnnounced, key: Gateway, now: float) -> FakeCallConnection:
        if self.refuses is not None:
            raise self.refuses
        self.announced.append(announced)
        self.keys.append(key)
        others = self._known.setdefault((key.source.name, announced.call_id), [])
        connection = FakeCallConnection(
            announced.call_id,
            resumed=self.resumed or bool(others),
            roles=announced.roles,
            done_at_once=self.done_at_once,
        )
        if self.too_fast:
            connection.refuses_audio = ProtocolViolation("audio", "comes 12 times as fast as it was spoken")
        for other in others:
            if set(other.roles) & set(connection.roles):
                other.finish("taken_over")
        others.append(connection)
        self.connections.put_nowait(connection)
        return connection
