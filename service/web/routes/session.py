"""Log in, log out, change one's password."""

from __future__ import annotations

import structlog
from fastapi import APIRouter, Request
from pydantic import TypeAdapter
from starlette.responses import Response

from service.storage.port import NotFound, StorageError, User, UserChanges
from service.web.addresses import client_address, tell_of_proxy
from service.web.auth import Anyone, require_origin
from service.web.errors import Refused, refusal
from service.web.json_answer import json_answer
from service.web.passwords import TooManyLogins
from service.web.protocols import mark_known
from service.web.room import Room, RoomDep, steady_now
from service.web.sessions import COOKIE, DEVICE_COOKIE, DEVICE_SECONDS, Session, unix_now
from service.web.throttle import Attempt
from service.web.wire import Credentials, PasswordChange, SessionAnswer, Who

router = APIRouter(prefix="/api/v1/session", tags=["session"])
log = structlog.get_logger(__name__)

_NOT_KEPT = (
    "You are logged out, but the disk cannot keep that: should the service restart before it can, the session's cookie "
    "would be good again. Close the browser, and tell whoever runs the service."
)
_ANSWER = TypeAdapter(SessionAnswer)


@router.post("", response_model=SessionAnswer)
async def log_in(given: Credentials, request: Request, room: RoomDep) -> Response:
    """Start a session. The same answer, after the same time, for a wrong name and a wrong password."""
    require_origin(request, room)
    tell_of_proxy(request, room.parts.settings.trusted_proxies)
    device = room.parts.signer.device(request.cookies.get(DEVICE_COOKIE, ""), given.username, unix_now())
    attempt = Attempt(user=given.username, address=client_address(request), device=device)
    user = await _verified(room, attempt, given.password)
    mark_known(request)
    room.audit.note("login_succeeded", who=user.name, subject=user.name, address=attempt.address)
    session, token = room.parts.signer.issue(user, unix_now())
    answer = _answer(room, user, session)
    _set_cookie(answer, room, session, token)
    _set_device_cookie(answer, room, user)
    return answer


@router.get("", response_model=SessionAnswer)
async def who_am_i(principal: Anyone, room: RoomDep) -> Response:
    """The user of this session and its CSRF token."""
    return _answer(room, principal.user, principal.session)


@router.delete("", status_code=204)
async def log_out(principal: Anyone, request: Request, room: RoomDep) -> Response:
    """End this session; its cookie is worthless from now on. 503 `logout_not_kept` where the disk refuses to keep that:
    then the session is over, but a restart before the disk takes it would bring it back."""
    name = principal.user.name
    room.audit.note("logout", who=name, subject=name, address=client_address(request))
    answer = Response(status_code=204)
    try:
        await room.parts.ended.add(principal.session, room.parts.signer.expires(principal.session))
    except OSError as error:
        log.error("logout not written down; it is tried again", error=str(error))
        answer = refusal(Refused(503, "logout_not_kept", _NOT_KEPT))
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict", secure=room.parts.settings.secure_cookie)
    return answer


@router.put("/password", status_code=204)
async def change_password(change: PasswordChange, principal: Anyone, request: Request, room: RoomDep) -> Response:
    """Set a new password. Every session of this user ends but this one."""
    # A session counts for itself: nobody outside can use up its attempts.
    attempt = Attempt(user=principal.user.name, address=client_address(request), device=principal.session.id)
    user = await _verified(room, attempt, change.old)
    changes = UserChanges(password_hash=await room.parts.passwords.hash(change.new))
    changed = await room.parts.store.change_user(user.name, changes)
    session, token = room.parts.signer.issue(changed, principal.session.issued_at, principal.session.id)
    answer = Response(status_code=204)
    _set_cookie(answer, room, session, token)
    room.audit.note("password_changed", who=user.name, subject=user.name, address=attempt.address)
    return answer


async def _verified(room: Room, attempt: Attempt, password: str) -> User:
    wait = room.throttle.attempt(attempt, steady_now())
    outcomes = room.parts.metrics.logins
    if wait > 0:
        outcomes.labels("throttled").inc()
        room.audit.note("login_throttled", address=attempt.address, detail=f"wait {wait:.0f} s")
        raise Refused(429, "too_many_attempts", f"Too many attempts; wait {wait:.0f} s.", retry_after=wait)
    try:
        user = await _find(room, attempt.user)
        fits = await room.parts.passwords.verify(user.password_hash if user else None, password)
    except (StorageError, TooManyLogins):
        room.throttle.withdrawn(attempt)
        raise
    if not fits or user is None or user.disabled:
        outcomes.labels("failed").inc()
        # Of a name that is nobody's nothing is kept: it may be a password, typed into the wrong field.
        subject, detail = (user.name, "disabled" if user.disabled else "") if user else ("", "no such user")
        room.audit.note("login_failed", subject=subject, address=attempt.address, detail=detail)
        raise Refused(401, "wrong_credentials", "The user name or the password is wrong.")
    room.throttle.succeeded(attempt)
    outcomes.labels("succeeded").inc()
    return user


async def _find(room: Room, name: str) -> User | None:
    try:
        return await room.parts.store.user(name)
    except NotFound:
        return None


def _answer(room: Room, user: User, session: Session) -> Response:
    who = Who(name=user.name, role=user.role)
    return json_answer(_ANSWER, SessionAnswer(user=who, csrf=room.parts.signer.csrf(session)))


def _set_cookie(answer: Response, room: Room, session: Session, token: str) -> None:
    answer.set_cookie(
        COOKIE,
        token,
        max_age=max(0, int(room.parts.signer.expires(session) - unix_now())),
        path="/",
        httponly=True,
        samesite="strict",
        secure=room.parts.settings.secure_cookie,
    )


def _set_device_cookie(answer: Response, room: Room, user: User) -> None:
    answer.set_cookie(
        DEVICE_COOKIE,
        room.parts.signer.issue_device(user.name, unix_now()),
        max_age=DEVICE_SECONDS,
        path=router.prefix,
        httponly=True,
        samesite="strict",
        secure=room.parts.settings.secure_cookie,
    )
