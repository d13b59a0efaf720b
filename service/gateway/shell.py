"""One gateway connection, from its first message to its end: what a dialect cannot be, for it does no IO.

Reading waits for nothing: one task reads, and answers at once what the dialect answers by itself, also while the call
is being opened. Another one hands the call what came, in order; that never waits for recognition. What goes back
(events, the end) is sent by a third. However the connection ends, its call is stopped, rejected or held once all that
came before is taken in.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import structlog

from asr.types import Seconds
from service.access.clock import steady_now
from service.access.view import seen_by
from service.gateway.call_ports import CallConnection, CallRefused, CallRegistry
from service.gateway.endings import FAILED, close_after, last_news, not_taken
from service.gateway.inbox import Inbox, PeerClosed, Turns
from service.gateway.reservations import Reservation, Reservations
from service.ingest.completion import completed
from service.ingest.dialect import (
    CallProcessed,
    CallTaken,
    Close,
    ConnectionRefused,
    Dialect,
    DialectOutput,
    FactStored,
    News,
    PartialRecognised,
    SendText,
)
from service.ingest.events import (
    CLOSE_BAD_TEXT,
    CLOSE_NORMAL,
    CLOSE_TOO_BIG,
    CallAnnounced,
    CallStopped,
    GatewayEvent,
    Irregularity,
    ProtocolViolation,
    ReservedCallAnnounced,
)
from service.ingest.rate_limits import MESSAGES_A_SECOND, MESSAGES_AT_ONCE, MessageLimit
from service.live.messages import Partial
from service.metrics import Metrics
from service.preview.hints import refusal, refusal_of
from service.preview.previews import Previews
from service.preview.trace import ConnectionTrace
from service.storage.port import Gateway, LoggedFact

log = structlog.get_logger(__name__)


class Unsent(Exception):
    """The peer does not read, or is gone."""


class Transport(Protocol):
    """A connection that carries messages."""

    async def receive(self) -> str | bytes | PeerClosed:
        """The next message. May be cancelled without losing one."""
        ...

    async def send(self, text: str) -> None:
        """Raises Unsent."""
        ...

    async def close(self, code: int, reason: str) -> None:
        """Raises Unsent."""
        ...


class Stranger(Protocol):
    """Whoever connects without a key, and may show the token of a reserved call instead."""

    def reserved(self, token: str) -> Reservation | None:
        """What is reserved under the token; then it is a stranger no more."""
        ...

    def refused(self, why: str) -> None:
        """It showed none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayLimits:
    """`start`: a connection that announces no call by then is closed, for it holds a socket and a buffer for nothing.
    After that the connection's life is TCP's to tell: a call on hold sends nothing for minutes.

    `send`: a gateway that asked for events and does not read them for so long gets no more; its call goes on.

    `farewell`: a peer whose protocol lets it close the connection has so long for that.

    `messages_a_second` and `messages_at_once`: as `service.ingest.rate_limits` has them.
    """

    start: Seconds = 30.0
    send: Seconds = 30.0
    farewell: Seconds = 10.0
    messages_a_second: float = MESSAGES_A_SECOND
    messages_at_once: float = MESSAGES_AT_ONCE


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayParts:
    """What connections work with. `previews`: where those who set gateways up see what came."""

    calls: CallRegistry
    metrics: Metrics
    reservations: Reservations
    previews: Previews = field(default_factory=Previews)
    limits: GatewayLimits = field(default_factory=GatewayLimits)
    turns: Turns = field(default_factory=Turns)


class GatewayShell:
    """`key`: who connects, None where that is not known; then `stranger` may show the token of a reserved call, and
    without one the dialect only says that the connection is refused. `trace` is told what passes."""

    def __init__(
        self,
        transport: Transport,
        parts: GatewayParts,
        dialect: Dialect,
        trace: ConnectionTrace,
        key: Gateway | None,
        stranger: Stranger | None = None,
    ) -> None:
        self._transport = transport
        self._parts = parts
        self._metrics = parts.metrics
        self._dialect = dialect
        self._trace = trace
        self._key = key
        self._stranger = stranger
        self._call_id = ""
        self._connection: CallConnection | None = None
        limits = self._limits = parts.limits
        self._messages = MessageLimit(steady_now(), a_second=limits.messages_a_second, at_once=limits.messages_at_once)
        self._inbox = Inbox()
        self._reading: asyncio.Task[None] | None = None
        self._beside: list[asyncio.Task[None]] = []
        self._left = False
        self._sending = asyncio.Lock()
        self._received_at = steady_now()
        self._closed = False

    async def serve(self) -> None:
        """Returns when the connection is over. A defect of this side is told; the call waits to be announced again."""
        self._metrics.gateway_sockets.inc()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._reading = tasks.create_task(self._read())
                await self._converse(tasks)
                self._hush()
                self._stop_reading()
        except Exception:
            log.exception("gateway connection failed", call_id=self._call_id, source=self._source)
            await self._part(FAILED)
        finally:
            self._metrics.gateway_sockets.dec()
            if self._connection is not None:
                self._connection.lost()
            self._trace.left(steady_now())

    async def _read(self) -> None:
        """Read until the connection is over, or the peer breaks the protocol."""
        try:
            while not isinstance(message := await self._next(), PeerClosed):
                if events := await self._replied(message):
                    await self._inbox.put(events)
            await self._inbox.put(message)
        except ProtocolViolation as violation:
            await self._inbox.put(violation)

    async def _taken(self) -> Sequence[GatewayEvent] | PeerClosed:
        """The next events that came. Raises ProtocolViolation."""
        received = await self._inbox.take()
        if isinstance(received, ProtocolViolation):
            raise received
        return received

    async def _converse(self, tasks: asyncio.TaskGroup) -> None:
        """Take in what comes until the connection is over, and say why where it is this side that ends it."""
        try:
            events = await self._started()
            if events is None:
                return
            key, announced, notes = self._announced(events[0])
            self._trace.happened(notes, steady_now())
            connection = await self._attach(key, announced)
            facts, partials = connection.events(), connection.partials()  # before anything happens in the call
            with suppress(Unsent):  # what it sent before it left is still to be read
                await self._tell(CallTaken(call_id=connection.call_id, resumed=connection.resumed))
            self._beside.append(tasks.create_task(self._answer(connection, facts, partials)))
            if key.source.idle_seconds is not None:
                self._beside.append(tasks.create_task(self._watch(key.source.idle_seconds)))
            self._take([*notes, *events[1:]], connection)
            while not isinstance(events := await self._taken(), PeerClosed):
                await self._parts.turns.next()
                self._take(events, connection)
            self._gone(events.code, connection)
        except ProtocolViolation as violation:
            self._hush()
            self._reject(violation)
            await self._part(violation)
        except CallRefused as refused:
            self._metrics.calls_refused.labels(refused.code).inc()
            log.warning("call refused", call_id=self._call_id, source=self._source, code=refused.code)
            self._trace.refuse(refusal(refused.code, refused.message))
            await self._part(not_taken(refused))

    @property
    def _source(self) -> str:
        return self._key.source.name if self._key is not None else ""

    def _stop_reading(self) -> None:
        """Nothing that came is lost by it."""
        if self._reading is not None:
            self._reading.cancel()

    def _hush(self) -> None:
        for task in self._beside:
            task.cancel()

    async def _started(self) -> Sequence[GatewayEvent] | None:
        """The first events, beginning with the announcement; None where the peer left before."""
        try:
            async with asyncio.timeout(self._limits.start):
                events = await self._taken()
        except TimeoutError:
            raise ProtocolViolation("connection", f"no call was announced within {self._limits.start:g} s") from None
        return None if isinstance(events, PeerClosed) else events

    async def _next(self) -> Sequence[DialectOutput] | PeerClosed:
        """What the next message comes to, or the dialect's deadline."""
        due = self._dialect.deadline()
        try:
            async with asyncio.timeout(None if due is None else max(0.0, due - steady_now())):
                message = await self._transport.receive()
        except TimeoutError:
            now = steady_now()
            outputs = self._dialect.tick(now)
            self._trace.happened(outputs, now)
            return outputs
        self._received_at = steady_now()
        if isinstance(message, PeerClosed):
            self._left = True
            self._trace.closed("gateway", message.code, "", self._received_at)
            return message
        return self._understood(message)

    async def _watch(self, idle: Seconds) -> None:
        """A connection with a call that is silent for longer than its source lets it has to part."""
        silent: Seconds = 0.0
        while silent < idle:
            await asyncio.sleep(idle - silent)
            silent = steady_now() - self._received_at
        await self._inbox.put(ProtocolViolation("connection", f"nothing came for {silent:.0f} s", ends_call=False))

    def _understood(self, message: str | bytes) -> Sequence[DialectOutput]:
        self._messages.count(self._received_at)
        outputs: Sequence[DialectOutput] = ()
        try:
            outputs = self._parsed(message)
        finally:
            self._trace.received(message, outputs, self._received_at)
        return outputs

    def _parsed(self, message: str | bytes) -> Sequence[DialectOutput]:
        if isinstance(message, str):
            self._metrics.frames.labels("text").inc()
            return self._dialect.text(message)
        self._metrics.frames.labels("binary").inc()
        self._metrics.audio_bytes.inc(len(message))
        return self._dialect.binary(message)

    async def _replied(self, outputs: Sequence[DialectOutput]) -> list[GatewayEvent]:
        """The events among a dialect's output, once its replies are sent."""
        replies = [output for output in outputs if isinstance(output, SendText | Close)]
        if replies:  # audio does not wait for a peer that is slow to read what it is told
            with suppress(Unsent):
                await self._send(replies)
        return [output for output in outputs if not isinstance(output, SendText | Close)]

    async def _attach(self, key: Gateway, announced: CallAnnounced) -> CallConnection:
        self._key, self._call_id = key, announced.call_id
        if announced.wants_events and "events" not in key.rights:
            raise ProtocolViolation("events", "this key lacks the right 'events'")
        connection = self._connection = await self._parts.calls.attach(announced, key, steady_now())
        self._call_id = connection.call_id
        self._trace.attached(connection.call_id, announced, key.source, connection.readings, resumed=connection.resumed)
        log.info("gateway connected", call_id=connection.call_id, source=key.source.name, resumed=connection.resumed)
        return connection

    def _announced(self, first: GatewayEvent) -> tuple[Gateway, CallAnnounced, list[Irregularity]]:
        """Whose call begins, and what is announced of it; what was odd about that."""
        if isinstance(first, ReservedCallAnnounced) and self._stranger is not None:
            reserved = self._stranger.reserved(first.token)
            if reserved is None:
                raise ProtocolViolation("token", "is none of a call that was reserved in the last minutes")
            leg = replace(reserved.announced, encoding=first.encoding, rate=first.rate, clock=first.clock)
            announced, notes = completed(leg, reserved.key.source)
            return reserved.key, announced, [*reserved.notes, *notes]
        if not isinstance(first, CallAnnounced) or self._key is None:
            raise ProtocolViolation("start", "must come first")
        return self._key, *completed(first, self._key.source)

    def _take(self, events: Sequence[GatewayEvent], connection: CallConnection) -> None:
        for event in events:
            if isinstance(event, CallStopped):
                connection.stop(call_over=event.call_over)
            elif not isinstance(event, CallAnnounced | ReservedCallAnnounced):
                connection.feed(event)

    async def _answer(
        self, connection: CallConnection, facts: AsyncIterator[LoggedFact], partials: AsyncIterator[Partial]
    ) -> None:
        """Tell the dialect of the call's facts, at last of what became of it."""
        telling = asyncio.create_task(self._tell_facts(facts))
        interim = asyncio.create_task(self._tell_partials(partials))
        try:
            outcome = await connection.over()
            if outcome == "processed":
                await telling
        finally:
            telling.cancel()
            interim.cancel()
        last = last_news(outcome)
        with suppress(Unsent):
            await self._tell(last)
        if not self._closed:  # the peer's next message is read by whoever reads
            await asyncio.sleep(self._limits.farewell)
            await self._close_after(last)

    async def _tell_facts(self, facts: AsyncIterator[LoggedFact]) -> None:
        try:
            async for logged in facts:
                fact = seen_by("gateway", logged.fact)
                await self._tell(FactStored(call_id=logged.call_id, seq=logged.seq, at=logged.at, fact=fact))
        except Unsent:
            log.warning("gateway does not read its events", call_id=self._call_id, source=self._source)

    async def _tell_partials(self, partials: AsyncIterator[Partial]) -> None:
        with suppress(Unsent):
            async for each in partials:
                said = seen_by("gateway", each)
                partial = PartialRecognised(call_id=said.call_id, role=said.role, start=said.start, text=said.text)
                await self._tell(partial)

    def _gone(self, code: int, connection: CallConnection) -> None:
        """The connection is over; what that means for the call depends on how it ended."""
        if self._closed:
            return
        self._take(self._dialect.held(), connection)
        if code == CLOSE_TOO_BIG:
            self._reject(ProtocolViolation("message", "is far too big", code))
        elif code == CLOSE_BAD_TEXT:
            told = "is not UTF-8, which ends the connection"
            connection.feed(Irregularity(kind="unreadable", field="message", message=told))
        elif code == CLOSE_NORMAL:
            self._take(self._dialect.closed(), connection)

    def _reject(self, violation: ProtocolViolation) -> None:
        """The gateway broke the protocol: what it sent before is kept and its call is marked. The call ends too, unless
        only its connection does."""
        if self._key is None and self._stranger is not None:
            self._stranger.refused(f"{violation.field}: {violation.message}")
            return
        told = {"call_id": self._call_id, "source": self._source, "field": violation.field}
        log.warning("gateway broke the protocol", **told, reason=violation.message, close_code=violation.close_code)
        if self._connection is None:
            return
        if not violation.ends_call:
            ended = f"{violation.message}; that ends the connection"
            self._connection.feed(Irregularity(kind="order", field=violation.field, message=ended))
            self._connection.lost()  # what still comes until the peer closes is ignored
            return
        self._metrics.calls_rejected.inc()
        self._connection.reject(violation)

    async def _part(self, violation: ProtocolViolation) -> None:
        """Say why this side ends the connection, and read on where it is the peer that closes."""
        self._trace.refuse(refusal_of(violation, live=self._connection is not None))
        self._stop_reading()
        last = ConnectionRefused(violation=violation)
        with suppress(Unsent):
            await self._tell(last)
        with suppress(TimeoutError, ProtocolViolation):
            async with asyncio.timeout(self._limits.farewell):
                while not (self._closed or self._left) and not isinstance(message := await self._next(), PeerClosed):
                    await self._replied(message)
        await self._close_after(last)

    async def _close_after(self, last: CallProcessed | ConnectionRefused) -> None:
        """The peer may have closed, or been closed, already."""
        with suppress(Unsent):
            await self._send([close_after(last)])

    async def _tell(self, news: News) -> None:
        await self._send(self._dialect.tell(news))

    async def _send(self, replies: Sequence[SendText | Close]) -> None:
        """One after the other, in the order in which the dialect gave them, for they may be numbered. Raises Unsent. A
        close is tried even where what comes before it cannot be sent."""
        async with self._sending:
            try:
                for reply in replies:
                    if isinstance(reply, SendText):
                        await self._within_time(self._transport.send(reply.text))
            finally:
                await self._send_close([reply for reply in replies if isinstance(reply, Close)])

    async def _send_close(self, replies: Sequence[Close]) -> None:
        for reply in replies:
            if not self._closed:
                self._closed = True
                self._trace.closed("service", reply.code, reply.reason, steady_now())
                with suppress(Unsent):
                    await self._within_time(self._transport.close(reply.code, reply.reason))

    async def _within_time(self, sending: Coroutine[Any, Any, None]) -> None:
        try:
            async with asyncio.timeout(self._limits.send):
                await sending
        except TimeoutError as late:
            raise Unsent from late
