"""Where telephony gateways connect over a WebSocket, each dialect on its path. The key is checked before the handshake
is accepted; where it is not good the handshake is denied, or accepted to say so, as the vendor wants it.

No server pings here: some gateways hang the call up on one. An idle limit takes their place.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter
from starlette.websockets import WebSocket

from service.access.keys import presented_id, presented_key
from service.gateway.inbox import PeerClosed
from service.gateway.shell import GatewayShell, Unsent
from service.ingest.dialect import Dialect, Handshake
from service.ingest.dialects.specs import DIALECTS, DialectSpec
from service.ingest.events import CLOSE_ABNORMAL, CLOSE_TRY_LATER, CLOSE_UNAUTHORIZED, ProtocolViolation
from service.ingest.source import STRANGER
from service.preview.trace import ConnectionTrace
from service.storage.port import Gateway
from service.web.addresses import client_address
from service.web.auth import admitted_gateway
from service.web.errors import Refused
from service.web.handshake import deny
from service.web.http_limits import mark_known
from service.web.previewed import let_in
from service.web.request_context import ContextDep, RequestContext
from service.web.unsent import UNSENT

_REASON_BYTES = 123
"""RFC 6455, 5.5.1: what a close frame has room for."""

router = APIRouter()


class WebSocketTransport:
    """An accepted WebSocket."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def receive(self) -> str | bytes | PeerClosed:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            return PeerClosed(code=message.get("code", CLOSE_ABNORMAL))
        text = message.get("text")
        return text if text is not None else message.get("bytes") or b""

    async def send(self, text: str) -> None:
        try:
            await self._websocket.send_text(text)
        except UNSENT as gone:
            raise Unsent from gone

    async def close(self, code: int, reason: str) -> None:
        try:
            await self._websocket.close(code, reason.encode()[:_REASON_BYTES].decode(errors="ignore"))
        except UNSENT as gone:
            raise Unsent from gone


def _route(name: str, spec: DialectSpec) -> Callable[[WebSocket, RequestContext], Awaitable[None]]:
    async def connected(websocket: WebSocket, context: ContextDep) -> None:
        try:
            key = await _key(websocket, context, name)
        except Refused as refused:
            if spec.tells_refusals:
                trace = let_in(context, websocket, name, None)
                await _serve(websocket, context, spec.make(STRANGER, _handshake(websocket, refused)), trace, None)
            else:
                await deny(websocket, refused)
            return
        mark_known(websocket)
        trace = let_in(context, websocket, name, key)
        await _serve(websocket, context, spec.make(key.source, _handshake(websocket)), trace, key)

    return connected


for _name, _spec in DIALECTS.items():
    for _path in _spec.paths:
        router.add_api_websocket_route(_path, _route(_name, _spec))


async def _key(websocket: WebSocket, context: RequestContext, dialect: str) -> Gateway:
    """The gateway that connects. Raises Refused, which the audit log has by then."""
    presented = websocket.path_params.get("key") or presented_key(websocket.headers)
    try:
        return await admitted_gateway(context, websocket, (dialect,))
    except Refused as refused:
        _note_refusal(websocket, context, presented, refused)
        context.parts.metrics.gateway_denied.labels(str(refused.status)).inc()
        raise


async def _serve(
    websocket: WebSocket, context: RequestContext, dialect: Dialect, trace: ConnectionTrace, key: Gateway | None
) -> None:
    """Accept the handshake, echo an offered sub-protocol, and stay until the connection is over."""
    offered: list[str] = websocket.scope["subprotocols"]
    await websocket.accept(subprotocol=offered[0] if offered else None)
    await GatewayShell(WebSocketTransport(websocket), context.parts.gateways, dialect, trace, key).serve()


def _handshake(websocket: WebSocket, refused: Refused | None = None) -> Handshake:
    """What a dialect sees of the request."""
    violation = None if refused is None else _as_violation(refused)
    return Handshake(query=dict(websocket.query_params), headers=websocket.headers, refused=violation)


def _as_violation(refused: Refused) -> ProtocolViolation:
    """A refused handshake in the words that a gateway is told it with on the socket."""
    code = CLOSE_UNAUTHORIZED if refused.fault.code == "key" else CLOSE_TRY_LATER
    return ProtocolViolation("key", refused.fault.message, code)


def _note_refusal(websocket: WebSocket, context: RequestContext, presented: str | None, refused: Refused) -> None:
    event = "key_refused" if refused.fault.code == "key" else "handshake_denied"
    detail = refused.fault.message if presented else "no key"
    context.audit.note(event, subject=presented_id(presented), address=client_address(websocket), detail=detail)
