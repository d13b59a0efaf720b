"""One gateway connection, from its accepted handshake to its end: the dialect's shell.

Reading never waits for recognition: audio is handed to the call's line as it comes, and what goes back (events, the
end) is sent by a task of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import structlog
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from service.calls.desk import CallRefused
from service.facts import CallClosed
from service.gateway import replies
from service.gateway.events import (
    CLOSE_TOO_BIG,
    CallAnnounced,
    CallStopped,
    Dialect,
    GatewayEvent,
    Irregularity,
    ProtocolViolation,
)
from service.gateway.flood import MessageLimit
from service.storage.port import GatewayKey, LoggedFact
from service.web.ports import CallLine
from service.web.room import Room, steady_now

START_SECONDS = 30.0
"""A connection that announces no call by then is closed: it holds a socket and a buffer for nothing."""
SEND_SECONDS = 30.0
"""A gateway that asked for events and does not read them for so long gets no more; its call goes on."""

CLOSE_NORMAL = 1000
CLOSE_BAD_TEXT = 1007
CLOSE_TRY_LATER = 1013
_REASON_BYTES = 123
"""RFC 6455, 5.5.1: what a close frame has room for."""

log = structlog.get_logger(__name__)


class _Idle(Exception):
    """Nothing came for too long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"nothing came for {seconds:g} s")


class GatewaySocket:
    """`answers`: the dialect's vendor takes messages back. Twilio takes none, not even an error: the close code and
    reason must say it."""

    def __init__(self, websocket: WebSocket, room: Room, key: GatewayKey, dialect: Dialect, *, answers: bool) -> None:
        self._websocket = websocket
        self._room = room
        self._metrics = room.parts.metrics
        self._key = key
        self._dialect = dialect
        self._answers = answers
        self._call_id = ""
        self._line: CallLine | None = None
        self._stopping = False
        self._settled = False
        self._closed = False
        self._start_by = steady_now() + START_SECONDS
        self._messages = MessageLimit(steady_now())
        self._speaker: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Returns when the connection is over and its call, if it was stopped, is wholly processed."""
        self._metrics.gateway_sockets.inc()
        try:
            async with asyncio.TaskGroup() as tasks:
                try:
                    await self._converse(tasks)
                finally:
                    if self._speaker is not None:
                        self._speaker.cancel()
        finally:
            self._metrics.gateway_sockets.dec()
            if self._line is not None and not self._settled:
                await self._line.lost()

    async def _converse(self, tasks: asyncio.TaskGroup) -> None:
        try:
            await self._read(tasks)
        except ProtocolViolation as violation:
            await self._break_off(violation)
        except CallRefused as refused:
            self._metrics.calls_refused.labels(refused.code).inc()
            log.warning("call refused", call_id=self._call_id, source=self._key.source, code=refused.code)
            await self._say_why(_as_violation(refused))
        except _Idle as idle:
            log.warning("gateway connection idle", call_id=self._call_id, source=self._key.source)
            await self._say_why(ProtocolViolation("connection", str(idle)))

    async def _read(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            message = await self._next()
            if message["type"] == "websocket.disconnect":
                await self._gone(message.get("code", 1006), tasks)
                return
            self._messages.count(steady_now())
            for event in self._events(message):
                await self._take(event, tasks)

    async def _next(self) -> Message:
        limit = self._patience()
        try:
            async with asyncio.timeout(limit):
                return await self._websocket.receive()
        except TimeoutError as error:
            raise _Idle(limit or 0.0) from error

    def _patience(self) -> float | None:
        if self._stopping:
            return None
        idle = self._room.parts.settings.idle_seconds
        return idle if self._line is not None else min(idle, max(0.0, self._start_by - steady_now()))

    def _events(self, message: Message) -> list[GatewayEvent]:
        text = message.get("text")
        if text is not None:
            self._metrics.frames.labels("text").inc()
            return self._dialect.text(text)
        payload: bytes = message.get("bytes") or b""
        self._metrics.frames.labels("binary").inc()
        self._metrics.audio_bytes.inc(len(payload))
        return self._dialect.binary(payload)

    async def _take(self, event: GatewayEvent, tasks: asyncio.TaskGroup) -> None:
        if isinstance(event, CallAnnounced):
            await self._attach(event, tasks)
        elif self._line is None:
            raise ProtocolViolation("start", "must come first")
        elif isinstance(event, CallStopped):
            self._stop(self._line, tasks)
        else:
            await self._line.feed(event)

    async def _attach(self, announced: CallAnnounced, tasks: asyncio.TaskGroup) -> None:
        if announced.wants_events and "events" not in self._key.rights:
            raise ProtocolViolation("events", f"key {self._key.id} lacks the right 'events'")
        line = self._line = await self._room.parts.desk.attach(announced, self._key, steady_now())
        self._call_id = line.call_id
        log.info("gateway connected", call_id=line.call_id, source=self._key.source, resumed=line.resumed)
        if self._answers:
            facts = line.events()
            with suppress(TimeoutError, WebSocketDisconnect):  # what it sent before it left is still to be read
                await self._say(replies.ready(line.call_id, resumed=line.resumed))
            self._speaker = tasks.create_task(self._speak(facts, events=announced.wants_events))

    def _stop(self, line: CallLine, tasks: asyncio.TaskGroup) -> None:
        self._stopping = self._settled = True
        tasks.create_task(self._finish(line))

    async def _finish(self, line: CallLine) -> None:
        await line.stop()
        if self._speaker is None or self._speaker.done():
            await self._close(CLOSE_NORMAL, "")

    async def _speak(self, facts: AsyncIterator[LoggedFact], *, events: bool) -> None:
        """Send the call's facts if they were asked for, at last what became of it, and close."""
        finished = False
        try:
            async for logged in facts:
                if events:
                    await self._say(replies.event(logged.call_id, logged.seq, logged.at, logged.fact))
                if isinstance(logged.fact, CallClosed):
                    finished = True
                    await self._say(replies.finished(logged.call_id, logged.fact.duration, logged.fact.ending))
        except TimeoutError:
            log.warning("gateway does not read its events", call_id=self._call_id, source=self._key.source)
            return
        except WebSocketDisconnect:
            return
        if finished:  # else the facts were taken from a reader that fell too far behind; its call goes on
            await self._close(CLOSE_NORMAL, "")

    async def _gone(self, code: int, tasks: asyncio.TaskGroup) -> None:
        """The connection is over; what that means for the call depends on how it ended."""
        if self._line is None or self._stopping or self._closed:
            return
        if code == CLOSE_TOO_BIG:
            await self._reject(self._line, ProtocolViolation("message", "is far too big", code))
            return
        if code == CLOSE_BAD_TEXT:
            told = "is not UTF-8, which ends the connection"
            await self._line.feed(Irregularity(kind="unreadable", field="message", message=told))
        if code == CLOSE_NORMAL:
            for event in self._dialect.closed():
                await self._take(event, tasks)

    async def _break_off(self, violation: ProtocolViolation) -> None:
        log.warning(
            "gateway broke the protocol",
            call_id=self._call_id,
            source=self._key.source,
            field=violation.field,
            close_code=violation.close_code,
        )
        await self._say_why(violation)
        if self._line is not None:
            await self._reject(self._line, violation)

    async def _reject(self, line: CallLine, violation: ProtocolViolation) -> None:
        self._settled = True
        self._metrics.calls_rejected.inc()
        await line.reject(violation)

    async def _say_why(self, violation: ProtocolViolation) -> None:
        if self._speaker is not None:
            self._speaker.cancel()
        with suppress(TimeoutError, WebSocketDisconnect):
            if self._answers:
                await self._say(replies.error(violation))
        await self._close(violation.close_code, str(violation))

    async def _say(self, text: str) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await self._websocket.send_text(text)

    async def _close(self, code: int, reason: str) -> None:
        if self._closed:
            return
        self._closed = True
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):  # RuntimeError: the peer was faster
            async with asyncio.timeout(SEND_SECONDS):
                await self._websocket.close(code, reason.encode()[:_REASON_BYTES].decode(errors="ignore"))


def _as_violation(refused: CallRefused) -> ProtocolViolation:
    """A refused call in the words a gateway is told it with."""
    if refused.code == "conflict":
        return ProtocolViolation("call_id", refused.message)
    later = f"; try again in {refused.retry_after:.0f} s" if refused.retry_after else ""
    return ProtocolViolation("start", refused.message + later, CLOSE_TRY_LATER, refused.retry_after)
