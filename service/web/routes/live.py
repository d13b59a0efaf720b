"""`WS /api/v1/live`: what supervisors see as it happens.

There are no server pings (they would reach the gateways' sockets as well, see service/web/server.py). Instead the
service's health is sent every HEARTBEAT_SECONDS: a browser that hears nothing for longer reconnects, and a
connection on which nothing can be sent any more is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from fastapi import APIRouter
from pydantic import TypeAdapter, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from service.access.sessions import COOKIE
from service.live.encoding import text_of
from service.live.messages import HealthChanged, LiveMessage, Resume
from service.storage.port import StorageError, StorageUnavailable
from service.web.addresses import client_address
from service.web.auth import WATCHERS, Principal, logged_in, principal_of, require_origin, require_role
from service.web.errors import Refused, storage_refusal
from service.web.handshake import deny
from service.web.ports import Subscription
from service.web.request_context import ContextDep, RequestContext

router = APIRouter()

HEARTBEAT_SECONDS = 15.0
SEND_SECONDS = 30.0
CLOSE_SESSION_ENDED = 4401
CLOSE_UNSUPPORTED = 1003
MAX_REQUEST = 256 * 1024
"""A Resume that names a thousand calls fits."""

_RESUME = TypeAdapter(Resume)


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
            await _until_one_ends(
                _send(websocket, subscription),
                _receive(websocket, subscription),
                _check_session(websocket, context),
                _beat(websocket, context),
            )
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


async def _send(websocket: WebSocket, subscription: Subscription) -> None:
    async for message in subscription:
        if not await _sent(websocket, message):
            return


async def _sent(websocket: WebSocket, message: LiveMessage) -> bool:
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await websocket.send_text(text_of(message))
    except (TimeoutError, WebSocketDisconnect):
        return False
    return True


async def _receive(websocket: WebSocket, subscription: Subscription) -> None:
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        try:
            asked = _RESUME.validate_json((message.get("text") or "")[:MAX_REQUEST])
        except ValidationError:
            await websocket.close(CLOSE_UNSUPPORTED, "only a resume message is understood")
            return
        await subscription.resume(asked.seqs)


async def _check_session(websocket: WebSocket, context: RequestContext) -> None:
    token = websocket.cookies[COOKIE]
    while True:
        await asyncio.sleep(context.parts.session_check_seconds)
        try:
            principal = await principal_of(token, context)
        except StorageUnavailable:
            continue  # who was allowed in stays in while the database cannot be asked
        if principal is None or principal.user.role not in WATCHERS:
            await websocket.close(CLOSE_SESSION_ENDED, "the session has ended")
            return


async def _beat(websocket: WebSocket, context: RequestContext) -> None:
    while True:
        await asyncio.sleep(HEARTBEAT_SECONDS)
        if not await _sent(websocket, HealthChanged(health=context.parts.health())):
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
