"""What the routes share: the parts they were given and the state that belongs to the web layer itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, FastAPI
from starlette.requests import HTTPConnection

from service.access.admittance import Admittance
from service.access.audit_log import AuditLog
from service.access.clock import steady_now as steady_now
from service.access.clock import utc_now as utc_now
from service.access.login_throttle import LoginThrottle
from service.recordings.peaks import Outlines
from service.web.ports import WebParts


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """One application's parts, and what belongs to the web layer itself."""

    parts: WebParts
    audit: AuditLog
    admittance: Admittance
    outlines: Outlines
    throttle: LoginThrottle = field(default_factory=LoginThrottle)


def install_context(app: FastAPI, context: RequestContext) -> None:
    """Let the app's routes find the context."""
    app.state.context = context


def context_of(connection: HTTPConnection) -> RequestContext:
    """The context of the application that got this request or socket."""
    context = connection.app.state.context
    assert isinstance(context, RequestContext)
    return context


ContextDep = Annotated[RequestContext, Depends(context_of)]
