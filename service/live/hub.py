"""Fan-out of what happens in live calls, to the dashboards that watch and to those who follow one call. In one process,
on one event loop, with no task of its own: a dashboard's messages are made while it asks for the next one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

import structlog

from asr.types import Role
from service.live.followers import MOST_FOLLOWED, Followers
from service.live.messages import (
    Event,
    Health,
    HealthChanged,
    Levels,
    LiveMessage,
    Partial,
    Resync,
    Snapshot,
    events_of,
)
from service.record.facts import (
    UNDECIDED,
    Alert,
    AlertChanged,
    AlertRaised,
    Call,
    CallClosed,
    CallOpened,
    CallResumed,
    FindingWithdrawn,
    UtteranceHeard,
)
from service.record.summary import CallSummary
from service.storage.port import AlertQuery, CallStore, LoggedFact, NotFound, StorageUnavailable

log = structlog.get_logger()

ALERTS_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class HubLimits:
    """How much the hub keeps and reads for one who watches.

    `waiting`: events kept for a dashboard that reads slowly: half a minute of 16 busy calls, 1.5 MB as text that slow
    dashboards share. Beyond that a fresh picture is cheaper than the rest of the old one.
    `resumed`: calls one Resume may name; a dashboard holds far fewer.
    `page`: missed events that are read at once.
    `followed`: facts kept for one that follows a call and reads slowly; `interim`: texts for one that follows those.
    """

    waiting: int = 1000
    resumed: int = 1000
    page: int = 500
    followed: int = MOST_FOLLOWED
    interim: int = 64


class Subscription:
    """One dashboard's place at the hub. Iterate, in one task, for a Snapshot and what follows; never raises for
    slowness or a failing store.

    Events wait in order; of health, of each party's partials and of each call's levels only the newest waits, behind
    all events, so that what is worth least is dropped first.
    """

    def __init__(self, hub: LiveHub, limits: HubLimits) -> None:
        self._hub = hub
        self._limits = limits
        self._events: deque[Event] = deque()
        self._health: HealthChanged | None = None
        self._partials: dict[tuple[str, Role], Partial] = {}
        self._levels: dict[str, Levels] = {}
        self._asked: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._behind = True  # nothing is queued until a snapshot says what it comes on top of
        self._fresh = True

    def put(self, message: Event | Levels | Partial | HealthChanged) -> bool:
        """Queue a message; False if this dashboard has just fallen too far behind and will start anew."""
        self._wake.set()
        match message:
            case Levels():
                self._levels[message.call_id] = message
            case Partial():
                self._partials[message.call_id, message.role] = message
            case HealthChanged():
                self._health = message
            case Event():
                return self._behind or self._put_event(message)
        return True

    def _put_event(self, event: Event) -> bool:
        if len(self._events) >= self._limits.waiting:
            self.start_anew()
            return False
        self._events.append(event)
        self._drop_stale(event)
        return True

    def start_anew(self) -> None:
        """A snapshot comes next, in place of what is queued."""
        self._behind = True
        self._events.clear()
        self._partials.clear()
        self._wake.set()

    def _drop_stale(self, event: Event) -> None:
        """Partials wait behind events: what the event makes old must not be shown after it."""
        match event.fact:
            case UtteranceHeard(utterance=said):
                waiting = self._partials.get((event.call_id, said.role))
                if waiting is not None and waiting.start < said.end:
                    del self._partials[event.call_id, said.role]
            case CallClosed():
                self._partials = {key: waiting for key, waiting in self._partials.items() if key[0] != event.call_id}
            case _:
                pass

    async def resume(self, seqs: Mapping[str, int]) -> None:
        """Each call's events after these follow, in order, before the queued ones. Some may come twice; their `seq`
        shows it."""
        self._asked |= islice(seqs.items(), self._limits.resumed)
        self._wake.set()

    async def __aiter__(self) -> AsyncIterator[LiveMessage]:
        while True:
            if self._behind:
                if not self._fresh:
                    yield Resync()
                yield await self._start_anew()
            elif self._asked:
                async for event in self._missed():
                    yield event
            elif (message := self._next()) is not None:
                yield message
            else:
                self._wake.clear()
                await self._wake.wait()

    async def _start_anew(self) -> Snapshot:
        """Begin with a snapshot. Events are queued from the moment that its calls show; its alerts may be newer."""
        self._behind = self._fresh = False
        calls = self._hub.live_calls()
        return await self._hub.snapshot(calls)

    async def _missed(self) -> AsyncGenerator[Event, None]:
        call_id, seq = self._asked.popitem()
        async for event in self._hub.missed(call_id, seq):
            if self._behind:
                return
            yield event

    def _next(self) -> LiveMessage | None:
        if self._events:
            return self._events.popleft()
        if self._health is not None:
            health, self._health = self._health, None
            return health
        if self._partials:
            return self._partials.pop(next(iter(self._partials)))
        if self._levels:
            return self._levels.pop(next(iter(self._levels)))
        return None


class LiveHub:
    """The live bus: keeps every live call's newest summary, and passes on what is published and shown.

    A dashboard that sees a hole in a call's `seq`, such as one that fell behind, asks for what it lacks.
    """

    def __init__(
        self,
        store: CallStore,
        *,
        health: Callable[[], Health],
        wall: Callable[[], datetime],
        dropped: Callable[[], None] = lambda: None,
        limits: HubLimits | None = None,
    ) -> None:
        self._store = store
        self._health = health
        self._wall = wall
        self._dropped = dropped
        self._limits = limits or HubLimits()
        self._live: dict[str, CallSummary] = {}
        self._undecided: dict[str, Alert] = {}
        self._subscriptions: set[Subscription] = set()
        self._followers = Followers[LoggedFact](self._limits.followed)
        self._interim = Followers[Partial](self._limits.interim)

    def publish(self, *logged: LoggedFact) -> None:
        """Show facts of one call that were stored together to everyone."""
        for each in logged:
            self._remember_call(each)
            self._remember_alert(each)
        for event in events_of(logged):
            self._send(event)
        for each in logged:
            self._followers.tell(each.call_id, each)

    def follow(self, call_id: str) -> AsyncGenerator[LoggedFact, None]:
        """The call's facts as they are published, from this moment to its last one. Ends early for a follower that
        falls too far behind."""
        return self._followers.follow(call_id)

    def follow_partials(self, call_id: str) -> AsyncGenerator[Partial, None]:
        """The call's interim texts as they are shown, as `follow` its facts."""
        return self._interim.follow(call_id)

    def ended(self, call_id: str) -> None:
        """Nothing more will be published of this call: its followers come to their end."""
        self._followers.end(call_id)
        self._interim.end(call_id)

    def show_levels(self, levels: Levels) -> None:
        """Show how loud a call is now."""
        self._send(levels)

    def show_partial(self, partial: Partial) -> None:
        """Show interim text; not of a call that is not shown as live, for nothing would end it there."""
        if partial.call_id in self._live:
            self._send(partial)
            self._interim.tell(partial.call_id, partial)

    def show_health(self) -> None:
        """Tell everyone how the service does."""
        self._send(HealthChanged(health=self._health()))

    @asynccontextmanager
    async def subscribe(self) -> AsyncGenerator[Subscription, None]:
        """A dashboard's place, for as long as it is there."""
        subscription = Subscription(self, self._limits)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    def start_anew(self) -> None:
        """Give every dashboard a fresh snapshot: what it holds of a call is of another store than what follows."""
        for subscription in self._subscriptions:
            subscription.start_anew()

    def live_call(self, call_id: str) -> Call | None:
        """A live call as it was announced."""
        summary = self._live.get(call_id)
        return None if summary is None else summary.call

    def live_calls(self) -> tuple[CallSummary, ...]:
        """Every live call as of what has been published up to now."""
        return tuple(self._live.values())

    async def snapshot(self, calls: tuple[CallSummary, ...]) -> Snapshot:
        """These calls and the newest undecided alerts; of the alerts, while the store is down, those published since
        the service started."""
        try:
            page = await self._store.alerts(AlertQuery(states=UNDECIDED, limit=ALERTS_SHOWN))
            alerts = page.alerts
        except StorageUnavailable:
            alerts = tuple(reversed(self._undecided.values()))
        return Snapshot(now=self._wall(), calls=calls, alerts=alerts, health=self._health())

    async def missed(self, call_id: str, seq: int) -> AsyncGenerator[Event, None]:
        """A call's stored events after `seq`; none for a call nobody knows. While the store is down it ends early: the
        dashboard sees the hole that is left and asks again."""
        try:
            while page := await self._store.facts(call_id, after=seq, limit=self._limits.page):
                for event in events_of(page):
                    yield event
                seq = page[-1].seq
        except NotFound:
            return
        except StorageUnavailable as cause:
            log.warning("missed events not read", call_id=call_id, error=str(cause))

    def _remember_call(self, logged: LoggedFact) -> None:
        """Remember a call's summary. Only its opening or its going on brings a call in, so that a fact published late
        brings back no closed one."""
        held = self._live.get(logged.call_id)
        if isinstance(logged.fact, CallClosed):
            self._live.pop(logged.call_id, None)
        elif isinstance(logged.fact, CallOpened | CallResumed) or (held is not None and held.seq < logged.seq):
            self._live[logged.call_id] = logged.summary

    def _remember_alert(self, logged: LoggedFact) -> None:
        match logged.fact:
            case AlertRaised(alert=alert):
                self._undecided[alert.id] = alert
                if len(self._undecided) > ALERTS_SHOWN:
                    del self._undecided[next(iter(self._undecided))]
            case AlertChanged(alert_id=alert_id) as change:
                alert = self._undecided.pop(alert_id, None)
                if alert is not None and change.state in UNDECIDED:
                    self._undecided[alert_id] = replace(
                        alert, state=change.state, changed_by=change.by, changed_at=change.at, note=change.note
                    )
            case FindingWithdrawn(alert_id=str(alert_id)):
                self._undecided.pop(alert_id, None)
            case _:
                pass

    def _send(self, message: Event | Levels | Partial | HealthChanged) -> None:
        for subscription in self._subscriptions:
            if not subscription.put(message):
                self._dropped()
