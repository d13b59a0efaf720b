"""`WS /api/v1/live`: what supervisors see as it happens.

There are no server pings (they would reach the gateways' sockets as well, see service/web/server.py). Instead the
service's health is sent again and again (`LiveTimes.heartbeat`): a browser that hears nothing for longer reconnects,
and a connection on which nothing can be sent any more is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from fastapi import APIRouter
from pydantic import TypeAdapter, ValidationError
from starlette.websockets import WebSocket

from service.access.sessions import COOKIE
from service.access.view import WATCHERS, View, seen_by
from service.live.messages import LIVE_MESSAGE, HealthChanged, LiveMessage, Resume
from service.storage.port import StorageError, StorageUnavailable
from service.web.addresses import client_address
from service.web.auth import Principal, logged_in, principal_of, require_origin, require_role
from service.web.errors import Refused, storage_refusal
from service.web.handshake import deny
from service.web.ports import Subscription
from service.web.request_context import ContextDep, RequestContext
from service.web.unsent import UNSENT

router = APIRouter()

CLOSE_SESSION_ENDED = 4401
CLOSE_UNSUPPORTED = 1003
MAX_REQUEST = 256 * 1024
"""A Resume that names a thousand calls fits."""
REMEMBERED_TEXTS = 64 * len(WATCHERS)
"""Dashboards that keep up are sent the same message in the same turn of the event loop; 64 messages, as each role sees
them, cover those that lag a little, at one and a half megabytes."""

_RESUME = TypeAdapter(Resume)


class LiveTexts:
    """Live messages as JSON, each written once for all dashboards that see the same of it.

    An event takes some 90 µs to write; for fifty dashboards and sixteen calls that would be a seventh of a core.
    """

    def __init__(
        self, seen: Callable[[View, LiveMessage], LiveMessage] = seen_by, remembered: int = REMEMBERED_TEXTS
    ) -> None:
        self._seen = seen
        self._remembered = remembered
        self._texts: dict[tuple[int, View], tuple[LiveMessage, str]] = {}

    def of(self, message: LiveMessage, view: View) -> str:
        """What the view sees of the message. Remembered by identity: messages are frozen, and the hub hands the same
        object to all."""
        key = (id(message), view)
        found = self._texts.get(key)
        if found is not None:  # it holds the message, so no other object can have its id
            return found[1]
        text = LIVE_MESSAGE.dump_json(self._seen(view, message)).decode()
        self._texts[key] = (message, text)
        if len(self._texts) > self._remembered:
            del self._texts[next(iter(self._texts))]
        return text


_texts = LiveTexts()


@router.websocket("/api/v1/live")
async def live(websocket: WebSocket, context: ContextDep) -> None:
    """Cookie, Origin and role are checked before the handshake is accepted, the session again and again after it."""
    address = client_address(websocket)
    try:
        watcher = await _watcher(websocket, context)
    except Refused as refused:
        context.audit.note("handshake_denied", subject="/api/v1/live", address=address, detail=refused.fault.message)
        await deny(websocket, refused)
        return
    context.audit.note("live_opened", who=watcher.user.name, address=address)
    await websocket.accept()
    context.parts.metrics.live_sockets.inc()
    try:
        async with context.parts.feed.subscribe() as subscription:
            await LiveSocket(websocket, context, subscription, watcher.view).serve()
    finally:
        context.parts.metrics.live_sockets.dec()


async def _watcher(websocket: WebSocket, context: RequestContext) -> Principal:
    require_origin(websocket, context)
    try:
        principal = await logged_in(websocket, context)
    except StorageError as error:
        raise storage_refusal(error) from error
    require_role(principal, WATCHERS)
    return principal


class LiveSocket:
    """One dashboard's socket, accepted."""

    def __init__(self, websocket: WebSocket, context: RequestContext, subscription: Subscription, view: View) -> None:
        self._view: View = view
        self._websocket = websocket
        self._context = context
        self._subscription = subscription
        self._times = context.parts.live_times

    async def serve(self) -> None:
        """Returns when the dashboard is gone, reads nothing any more, or may not watch any longer."""
        await _until_one_ends(self._send_all(), self._receive(), self._check_session(), self._beat())

    async def _send_all(self) -> None:
        async for message in self._subscription:
            if not await self._sent(message):
                return

    async def _sent(self, message: LiveMessage) -> bool:
        try:
            async with asyncio.timeout(self._times.send):
                await self._websocket.send_text(_texts.of(message, self._view))
        except (TimeoutError, *UNSENT):
            return False
        return True

    async def _close(self, code: int, reason: str) -> None:
        with suppress(*UNSENT):
            await self._websocket.close(code, reason)

    async def _receive(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            try:
                asked = _RESUME.validate_json((message.get("text") or "")[:MAX_REQUEST])
            except ValidationError:
                await self._close(CLOSE_UNSUPPORTED, "only a resume message is understood")
                return
            await self._subscription.resume(asked.seqs)

    async def _check_session(self) -> None:
        token = self._websocket.cookies[COOKIE]
        while True:
            await asyncio.sleep(self._times.session_check)
            try:
                principal = await principal_of(token, self._context)
            except StorageUnavailable:
                continue  # who was allowed in stays in while the database cannot be asked
            if principal is None or principal.user.role not in WATCHERS:
                await self._close(CLOSE_SESSION_ENDED, "the session has ended")
                return
            self._view = principal.view  # the role may be another by now

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._times.heartbeat)
            if not await self._sent(HealthChanged(health=self._context.parts.health())):
                return


class _Ended(Exception):
    """One of the socket's tasks is done, so the socket is."""


async def _until_one_ends(*tasks: Coroutine[Any, Any, None]) -> None:
    async def run(task: Coroutine[Any, Any, None]) -> None:
        await task
        raise _Ended

    try:
        async with asyncio.TaskGroup() as group:
            for task in tasks:
                group.create_task(run(task))
    except* _Ended:
        pass
