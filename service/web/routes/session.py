"""Log in, log out, change one's password."""

from __future__ import annotations

import structlog
from fastapi import APIRouter, Request
from pydantic import TypeAdapter
from starlette.responses import Response

from service.access.login_throttle import Attempt
from service.access.passwords import TooManyLogins
from service.access.sessions import COOKIE, DEVICE_COOKIE, DEVICE_SECONDS, Session, unix_now
from service.storage.port import NotFound, StorageError, User, UserChanges
from service.web.addresses import client_address, tell_of_proxy
from service.web.auth import Anyone, require_origin, rights_of
from service.web.errors import Refused, refusal
from service.web.http_limits import mark_known
from service.web.json_answer import json_answer
from service.web.request_context import ContextDep, RequestContext, steady_now
from service.web.schemas import Credentials, PasswordChange, SessionAnswer, Who

router = APIRouter(prefix="/api/v1/session", tags=["session"])
log = structlog.get_logger(__name__)

_NOT_KEPT = (
    "You are logged out, but the disk cannot keep that: should the service restart before it can, the session's cookie "
    "would be good again. Close the browser, and tell whoever runs the service."
)
_ANSWER = TypeAdapter(SessionAnswer)


@router.post("", response_model=SessionAnswer)
async def log_in(given: Credentials, request: Request, context: ContextDep) -> Response:
    """Start a session. The same answer, after the same time, for a wrong name and a wrong password."""
    require_origin(request, context)
    tell_of_proxy(request, context.parts.settings.trusted_proxies)
    device = context.parts.signer.device(request.cookies.get(DEVICE_COOKIE, ""), given.username, unix_now())
    attempt = Attempt(user=given.username, address=client_address(request), device=device)
    user = await _verified(context, attempt, given.password)
    mark_known(request)
    context.audit.note("login_succeeded", who=user.name, subject=user.name, address=attempt.address)
    session, token = context.parts.signer.issue(user, unix_now())
    answer = _answer(context, user, session)
    _set_cookie(answer, context, session, token)
    _set_device_cookie(answer, context, user)
    return answer


@router.get("", response_model=SessionAnswer)
async def who_am_i(principal: Anyone, context: ContextDep) -> Response:
    """The user of this session, what they may do, and the session's CSRF token."""
    return _answer(context, principal.user, principal.session)


@router.delete("", status_code=204)
async def log_out(principal: Anyone, request: Request, context: ContextDep) -> Response:
    """End this session; its cookie is worthless from now on. 503 `logout_not_kept` where the disk refuses to keep that:
    then the session is over, but a restart before the disk takes it would bring it back."""
    name = principal.user.name
    context.audit.note("logout", who=name, subject=name, address=client_address(request))
    answer = Response(status_code=204)
    try:
        await context.parts.ended.add(principal.session, context.parts.signer.expires(principal.session))
    except OSError as error:
        log.error("logout not written down; it is tried again", error=str(error))
        answer = refusal(Refused(503, "logout_not_kept", _NOT_KEPT))
    answer.delete_cookie(
        COOKIE, path="/", httponly=True, samesite="strict", secure=context.parts.settings.secure_cookie
    )
    return answer


@router.put("/password", status_code=204)
async def change_password(change: PasswordChange, principal: Anyone, request: Request, context: ContextDep) -> Response:
    """Set a new password. Every session of this user ends but this one."""
    # A session counts for itself: nobody outside can use up its attempts.
    attempt = Attempt(user=principal.user.name, address=client_address(request), device=principal.session.id)
    user = await _verified(context, attempt, change.old)
    changes = UserChanges(password_hash=await context.parts.passwords.hash(change.new))
    changed = await context.parts.store.change_user(user.name, changes)
    session, token = context.parts.signer.issue(changed, principal.session.issued_at, principal.session.id)
    answer = Response(status_code=204)
    _set_cookie(answer, context, session, token)
    context.audit.note("password_changed", who=user.name, subject=user.name, address=attempt.address)
    return answer


async def _verified(context: RequestContext, attempt: Attempt, password: str) -> User:
    wait = context.throttle.attempt(attempt, steady_now())
    outcomes = context.parts.metrics.logins
    if wait > 0:
        outcomes.labels("throttled").inc()
        context.audit.note("login_throttled", address=attempt.address, detail=f"wait {wait:.0f} s")
        raise Refused(429, "too_many_attempts", f"Too many attempts; wait {wait:.0f} s.", retry_after=wait)
    try:
        user = await _find(context, attempt.user)
        fits = await context.parts.passwords.verify(user.password_hash if user else None, password)
    except (StorageError, TooManyLogins):
        context.throttle.withdrawn(attempt)
        raise
    if not fits or user is None or user.disabled:
        outcomes.labels("failed").inc()
        # Of a name that is nobody's nothing is kept: it may be a password, typed into the wrong field.
        subject, detail = (user.name, "disabled" if user.disabled else "") if user else ("", "no such user")
        context.audit.note("login_failed", subject=subject, address=attempt.address, detail=detail)
        raise Refused(401, "wrong_credentials", "The user name or the password is wrong.")
    context.throttle.succeeded(attempt)
    outcomes.labels("succeeded").inc()
    return user


async def _find(context: RequestContext, name: str) -> User | None:
    try:
        return await context.parts.store.user(name)
    except NotFound:
        return None


def _answer(context: RequestContext, user: User, session: Session) -> Response:
    who = Who(name=user.name, role=user.role, rights=rights_of(user.role))
    return json_answer(_ANSWER, SessionAnswer(user=who, csrf=context.parts.signer.csrf(session)), user.role)


def _set_cookie(answer: Response, context: RequestContext, session: Session, token: str) -> None:
    answer.set_cookie(
        COOKIE,
        token,
        max_age=max(0, int(context.parts.signer.expires(session) - unix_now())),
        path="/",
        httponly=True,
        samesite="strict",
        secure=context.parts.settings.secure_cookie,
    )


def _set_device_cookie(answer: Response, context: RequestContext, user: User) -> None:
    answer.set_cookie(
        DEVICE_COOKIE,
        context.parts.signer.issue_device(user.name, unix_now()),
        max_age=DEVICE_SECONDS,
        path=router.prefix,
        httponly=True,
        samesite="strict",
        secure=context.parts.settings.secure_cookie,
    )
