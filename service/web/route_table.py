"""The application's routes, without the parts they work with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.websockets import WebSocket

from service.access.keys import redacted
from service.preview.hints import refusal
from service.web import errors
from service.web.handshake import deny
from service.web.previewed import turn_away
from service.web.request_context import context_of
from service.web.routes import (
    alerts,
    call_sound,
    calls,
    gateways,
    health,
    keys,
    live,
    previews,
    records,
    reservations,
    session,
    sources,
    users,
    webhooks,
)

_ABOUT = "Callwarden: real-time speech monitoring for live calls."

HTTP_ROUTES = (
    session,
    calls,
    call_sound,
    records,
    alerts,
    users,
    sources,
    previews,
    keys,
    webhooks,
    reservations,
    health,
)
"""Modules whose routes answer HTTP requests."""
SOCKET_ROUTES = (gateways, live)

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def application(lifespan: Lifespan | None = None) -> FastAPI:
    """All routes and error answers. Interactive docs are off: they would load scripts from elsewhere."""
    app = FastAPI(
        title="Callwarden",
        version=version("callwarden"),
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
    )
    errors.install(app)
    for routes in HTTP_ROUTES:
        app.include_router(routes.router, responses=errors.RESPONSES)
    for routes in SOCKET_ROUTES:
        app.include_router(routes.router)
    app.websocket("/{path:path}")(_nowhere)
    return app


async def _nowhere(websocket: WebSocket) -> None:
    """A gateway with a wrong path must not look for the fault in its key."""
    path = refusal("path", f"no gateway connects at {redacted(websocket.url.path)}")
    turn_away(context_of(websocket), websocket, "", path)
    streams = ", ".join(route.path for route in gateways.router.routes if isinstance(route, APIWebSocketRoute))
    await deny(websocket, errors.Refused(404, "not_found", f"no WebSocket is here; gateways connect to {streams}"))


def _operation_id(route: APIRoute) -> str:
    return route.name
