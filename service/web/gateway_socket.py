"""One gateway connection, from its accepted handshake to its end: the dialect's shell.

Reading never waits for recognition: audio is handed to the call as it comes. What goes back (events, the end) is sent
by a task of its own. However the connection ends, its call is stopped, rejected or held at that moment,
before anything is awaited.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import structlog
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from service.calls.registry import CallRefused
from service.ingest.dialects import native_replies
from service.ingest.events import (
    CLOSE_POLICY,
    CLOSE_TOO_BIG,
    CallAnnounced,
    CallStopped,
    Dialect,
    GatewayEvent,
    Irregularity,
    ProtocolViolation,
)
from service.ingest.rate_limits import MessageLimit
from service.record.facts import CallClosed
from service.storage.port import GatewayKey, LoggedFact
from service.web.ports import CallConnection
from service.web.request_context import RequestContext, steady_now

START_SECONDS = 30.0
"""A connection that announces no call by then is closed: it holds a socket and a buffer for nothing. After that the
connection's life is TCP's to tell (`service.web.server`): a call on hold sends nothing for minutes."""
SEND_SECONDS = 30.0
"""A gateway that asked for events and does not read them for so long gets no more; its call goes on."""

CLOSE_NORMAL = 1000
CLOSE_BAD_TEXT = 1007
CLOSE_INTERNAL_ERROR = 1011
CLOSE_RESTARTING = 1012
CLOSE_TRY_LATER = 1013
_REASON_BYTES = 123
"""RFC 6455, 5.5.1: what a close frame has room for."""

_UNSENT = (TimeoutError, WebSocketDisconnect, RuntimeError)
"""What a send ends in when the peer does not read, or is gone: starlette says the latter in two ways."""

log = structlog.get_logger(__name__)


class GatewaySocket:
    """`answers`: the dialect's vendor takes messages back. Twilio takes none, not even an error: the close code and
    reason must say it."""

    def __init__(
        self, websocket: WebSocket, context: RequestContext, key: GatewayKey, dialect: Dialect, *, answers: bool
    ) -> None:
        self._websocket = websocket
        self._context = context
        self._metrics = context.parts.metrics
        self._key = key
        self._dialect = dialect
        self._answers = answers
        self._call_id = ""
        self._connection: CallConnection | None = None
        self._messages = MessageLimit(steady_now())
        self._replies: asyncio.Task[None] | None = None
        self._closed = False

    async def serve(self) -> None:
        """Returns when the connection is over."""
        self._metrics.gateway_sockets.inc()
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._converse(tasks)
                self._hush()
        finally:
            self._metrics.gateway_sockets.dec()
            if self._connection is not None:
                self._connection.lost()

    async def _converse(self, tasks: asyncio.TaskGroup) -> None:
        """Read until the connection is over, and say why where it is this side that ends it."""
        try:
            events = await self._started()
            if events is None:
                return
            connection, announced = await self._attach(events)
            facts = connection.events()  # before anything else happens in the call
            await self._say_ready(connection)
            self._replies = tasks.create_task(self._speak(connection, facts, events=announced.wants_events))
            for event in events[1:]:
                self._take(event, connection)
            while (message := await self._websocket.receive())["type"] != "websocket.disconnect":
                for event in self._events(message):
                    self._take(event, connection)
            self._gone(message.get("code", 1006), connection)
        except ProtocolViolation as violation:
            self._hush()
            self._reject(violation)
            await self._say_why(violation)
        except CallRefused as refused:
            self._metrics.calls_refused.labels(refused.code).inc()
            log.warning("call refused", call_id=self._call_id, source=self._key.source, code=refused.code)
            await self._say_why(_as_violation(refused))

    def _hush(self) -> None:
        if self._replies is not None:
            self._replies.cancel()

    async def _started(self) -> list[GatewayEvent] | None:
        """The first events, beginning with the announcement; None where the peer left before."""
        try:
            async with asyncio.timeout(START_SECONDS):
                while (message := await self._websocket.receive())["type"] != "websocket.disconnect":
                    if events := self._events(message):
                        return events
        except TimeoutError:
            raise ProtocolViolation("connection", f"no call was announced within {START_SECONDS:g} s") from None
        return None

    def _events(self, message: Message) -> list[GatewayEvent]:
        self._messages.count(steady_now())
        text = message.get("text")
        if text is not None:
            self._metrics.frames.labels("text").inc()
            return self._dialect.text(text)
        payload: bytes = message.get("bytes") or b""
        self._metrics.frames.labels("binary").inc()
        self._metrics.audio_bytes.inc(len(payload))
        return self._dialect.binary(payload)

    async def _attach(self, events: list[GatewayEvent]) -> tuple[CallConnection, CallAnnounced]:
        announced = events[0]
        if not isinstance(announced, CallAnnounced):
            raise ProtocolViolation("start", "must come first")
        self._call_id = announced.call_id
        if announced.wants_events and "events" not in self._key.rights:
            raise ProtocolViolation("events", f"key {self._key.id} lacks the right 'events'")
        connection = self._connection = await self._context.parts.calls.attach(announced, self._key, steady_now())
        self._call_id = connection.call_id
        log.info("gateway connected", call_id=connection.call_id, source=self._key.source, resumed=connection.resumed)
        return connection, announced

    def _take(self, event: GatewayEvent, connection: CallConnection) -> None:
        if isinstance(event, CallStopped):
            connection.stop(call_over=event.call_over)
        elif not isinstance(event, CallAnnounced):
            connection.feed(event)

    async def _say_ready(self, connection: CallConnection) -> None:
        if self._answers:
            with suppress(*_UNSENT):  # what it sent before it left is still to be read
                await self._say(native_replies.ready(connection.call_id, resumed=connection.resumed))

    async def _speak(self, connection: CallConnection, facts: AsyncIterator[LoggedFact], *, events: bool) -> None:
        """Send the call's facts if they were asked for, at last what became of it, and close."""
        if self._answers:
            try:
                await self._forward(facts, events=events)
            except _UNSENT:
                log.warning("gateway does not read its events", call_id=self._call_id, source=self._key.source)
        match await connection.over():
            case "processed":
                await self._close(CLOSE_NORMAL, "")
            case "failed":
                failed = "the monitoring of this call failed; announce it again to go on"
                await self._say_why(ProtocolViolation("call", failed, CLOSE_INTERNAL_ERROR))
            case "suspended":
                await self._say_why(ProtocolViolation("call", "the service is restarting", CLOSE_RESTARTING, 1.0))
            case "taken_over":
                taken = "another connection has taken this call over"
                await self._say_why(ProtocolViolation("call_id", taken, CLOSE_POLICY))

    async def _forward(self, facts: AsyncIterator[LoggedFact], *, events: bool) -> None:
        async for logged in facts:
            if events:
                await self._say(native_replies.event(logged.call_id, logged.seq, logged.at, logged.fact))
            if isinstance(logged.fact, CallClosed):
                await self._say(native_replies.finished(logged.call_id, logged.fact.duration, logged.fact.ending))

    def _gone(self, code: int, connection: CallConnection) -> None:
        """The connection is over; what that means for the call depends on how it ended."""
        if self._closed:
            return
        if code == CLOSE_TOO_BIG:
            self._reject(ProtocolViolation("message", "is far too big", code))
        elif code == CLOSE_BAD_TEXT:
            told = "is not UTF-8, which ends the connection"
            connection.feed(Irregularity(kind="unreadable", field="message", message=told))
        elif code == CLOSE_NORMAL:
            for event in self._dialect.closed():
                self._take(event, connection)

    def _reject(self, violation: ProtocolViolation) -> None:
        """The gateway broke the protocol: what it sent before is kept, its call is marked and ends."""
        told = {"call_id": self._call_id, "source": self._key.source, "field": violation.field}
        log.warning("gateway broke the protocol", **told, reason=violation.message, close_code=violation.close_code)
        if self._connection is not None and violation.ends_call:
            self._metrics.calls_rejected.inc()
            self._connection.reject(violation)

    async def _say_why(self, violation: ProtocolViolation) -> None:
        if self._answers:
            with suppress(*_UNSENT):
                await self._say(native_replies.error(violation))
        await self._close(violation.close_code, str(violation))

    async def _say(self, text: str) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await self._websocket.send_text(text)

    async def _close(self, code: int, reason: str) -> None:
        if self._closed:
            return
        self._closed = True
        with suppress(*_UNSENT):
            async with asyncio.timeout(SEND_SECONDS):
                await self._websocket.close(code, reason.encode()[:_REASON_BYTES].decode(errors="ignore"))


def _as_violation(refused: CallRefused) -> ProtocolViolation:
    """A refused call in the words a gateway is told it with."""
    later = f"; try again in {refused.retry_after:.0f} s" if refused.retry_after else ""
    code = CLOSE_RESTARTING if refused.code == "restarting" else CLOSE_TRY_LATER
    return ProtocolViolation("start", refused.message + later, code, refused.retry_after)
