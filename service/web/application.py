"""The web application, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from service.access.admittance import Admittance
from service.access.audit_log import FINISH_SECONDS
from service.metrics import Metrics
from service.recordings.peaks import Outlines
from service.web.headers import BodyLimit, HeadAsGet, SecurityHeaders
from service.web.openapi import allowed_methods, serve_document
from service.web.ports import WebParts
from service.web.request_context import RequestContext, install_context
from service.web.route_table import Lifespan, application
from service.web.routes.dashboard import STATIC, Dashboard

LOOP_PROBE_SECONDS = 0.5


def create_application(parts: WebParts, *, lifespan: Lifespan | None = None, static: Path = STATIC) -> FastAPI:
    """The application over these parts. `lifespan` runs around all requests (the composition root's own)."""
    context = RequestContext(
        parts=parts,
        audit=parts.audit,
        admittance=Admittance(parts.store, parts.sealer, parts.settings.public_url),
        outlines=Outlines(parts.recordings),
    )
    app = application(_watched(context, lifespan))
    # Its files hold no secret, so they may be packed; what the API packs it chooses itself (json_answer.py).
    app.mount("/", GZipMiddleware(Dashboard(static, allowed_methods()), compresslevel=5), name="dashboard")
    app.add_middleware(HeadAsGet)
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders, https=parts.settings.secure_cookie)
    install_context(app, context)
    serve_document(app)
    return app


def _watched(context: RequestContext, inner: Lifespan | None) -> Lifespan:
    """The inner lifespan, with the event loop's delay measured and the audit log written as long as it lasts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        async with _around(app, inner), asyncio.TaskGroup() as tasks:
            probe = tasks.create_task(_probe_loop(context.parts.metrics))
            audit = tasks.create_task(context.audit.run())
            try:
                yield
            finally:
                probe.cancel()
                context.audit.finish()
                await asyncio.wait([audit], timeout=FINISH_SECONDS)
                audit.cancel()

    return lifespan


def _around(app: FastAPI, inner: Lifespan | None) -> AbstractAsyncContextManager[None]:
    return inner(app) if inner is not None else _nothing()


@asynccontextmanager
async def _nothing() -> AsyncGenerator[None, None]:
    yield


async def _probe_loop(metrics: Metrics) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LOOP_PROBE_SECONDS
        await asyncio.sleep(LOOP_PROBE_SECONDS)
        metrics.loop_delay.observe(max(0.0, loop.time() - due))
