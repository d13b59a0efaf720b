"""Where telephony gateways connect. The key is checked before the handshake is accepted.

No server pings here: some gateways hang the call up on one. An idle limit takes their place.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.websockets import WebSocket

from service.access.keys import KeyForbidden, KeyMissing, presented_id, presented_key, verified_key
from service.storage.port import GatewayKey, StorageError
from service.web.addresses import client_address
from service.web.errors import Refused, storage_refusal
from service.web.gateway_socket import GatewaySocket
from service.web.handshake import deny
from service.web.http_limits import mark_known
from service.web.request_context import ContextDep, RequestContext

router = APIRouter()

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="callwarden"'}


@router.websocket("/v1/stream")
async def stream(websocket: WebSocket, context: ContextDep) -> None:
    """Callwarden's own dialect; it may ask for its call's events."""
    key = await _admit(websocket, context, presented_key(websocket.headers))
    if key is not None:
        await GatewaySocket(websocket, context, key, context.parts.native(key), answers=True).serve()


@router.websocket("/v1/twilio")
async def twilio(websocket: WebSocket, context: ContextDep) -> None:
    """Twilio Media Streams behind something that can send a header."""
    await _twilio(websocket, context, presented_key(websocket.headers))


@router.websocket("/v1/twilio/{key}")
async def twilio_with_key(websocket: WebSocket, context: ContextDep, key: str) -> None:
    """Twilio itself, which can send neither header nor query string: the key is in the path, and kept out of logs."""
    await _twilio(websocket, context, key)


async def _twilio(websocket: WebSocket, context: RequestContext, presented: str | None) -> None:
    key = await _admit(websocket, context, presented)
    if key is not None:
        await GatewaySocket(websocket, context, key, context.parts.twilio(key), answers=False).serve()


async def _admit(websocket: WebSocket, context: RequestContext, presented: str | None) -> GatewayKey | None:
    """Accept the handshake and echo an offered sub-protocol; or deny it and give None."""
    try:
        key = await _verified(context, presented)
    except Refused as refused:
        _note_refusal(websocket, context, presented, refused)
        context.parts.metrics.gateway_denied.labels(str(refused.status)).inc()
        await deny(websocket, refused)
        return None
    mark_known(websocket)
    offered: list[str] = websocket.scope["subprotocols"]
    await websocket.accept(subprotocol=offered[0] if offered else None)
    return key


def _note_refusal(websocket: WebSocket, context: RequestContext, presented: str | None, refused: Refused) -> None:
    event = "key_refused" if refused.fault.code == "key" else "handshake_denied"
    detail = refused.fault.message if presented else "no key"
    context.audit.note(event, subject=presented_id(presented), address=client_address(websocket), detail=detail)


async def _verified(context: RequestContext, presented: str | None) -> GatewayKey:
    try:
        return await verified_key(context.keys, presented, "stream")
    except KeyMissing as error:
        refused = Refused(401, "key", "Send a gateway key: as bearer token, X-API-Key or Basic password.")
        refused.headers.update(_CHALLENGE)
        raise refused from error
    except KeyForbidden as error:
        raise Refused(403, "key", str(error)) from error
    except StorageError as error:
        raise storage_refusal(error) from error
