"""The application's routes, without the parts they work with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.routing import APIRoute

from service.web import errors
from service.web.routes import alerts, calls, gateways, keys, live, recordings, session, users, watch

_ABOUT = "Callwarden: real-time speech monitoring for live calls."

HTTP_ROUTES = (session, calls, recordings, alerts, users, keys, watch)
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
    for room in HTTP_ROUTES:
        app.include_router(room.router, responses=errors.RESPONSES)
    for room in SOCKET_ROUTES:
        app.include_router(room.router)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
