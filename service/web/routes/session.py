"""Log in, log out, change one's password."""

from __future__ import annotations

from dataclasses import replace

import structlog
from fastapi import APIRouter, Request
from pydantic import TypeAdapter
from starlette.responses import Response

from service.storage.port import NotFound, User
from service.web.auth import Anyone, require_origin
from service.web.errors import Refused, refusal
from service.web.json_answer import json_answer
from service.web.protocols import mark_known
from service.web.room import Room, RoomDep, steady_now
from service.web.sessions import COOKIE, Session, unix_now
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
    user = await _verified(room, request, given.username, given.password)
    mark_known(request)
    session, token = room.parts.signer.issue(user, unix_now())
    answer = _answer(room, user, session)
    _set_cookie(answer, room, session, token)
    return answer


@router.get("", response_model=SessionAnswer)
async def who_am_i(principal: Anyone, room: RoomDep) -> Response:
    """The user of this session and its CSRF token."""
    return _answer(room, principal.user, principal.session)


@router.delete("", status_code=204)
async def log_out(principal: Anyone, room: RoomDep) -> Response:
    """End this session; its cookie is worthless from now on. 503 `logout_not_kept` where the disk refuses to keep that:
    then the session is over, but a restart before the disk takes it would bring it back."""
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
    user = await _verified(room, request, principal.user.name, change.old)
    changed = replace(user, password_hash=await room.parts.passwords.hash(change.new))
    await room.parts.store.replace_user(changed)
    session, token = room.parts.signer.issue(changed, principal.session.issued_at, principal.session.id)
    answer = Response(status_code=204)
    _set_cookie(answer, room, session, token)
    log.info("password changed", **{"pii.user": user.name})
    return answer


async def _verified(room: Room, request: Request, name: str, password: str) -> User:
    address = request.client.host if request.client else "unknown"
    wait = room.throttle.attempt(name, address, steady_now())
    outcomes = room.parts.metrics.logins
    if wait > 0:
        outcomes.labels("throttled").inc()
        raise Refused(429, "too_many_attempts", f"Too many attempts; wait {wait:.0f} s.", retry_after=wait)
    user = await _find(room, name)
    fits = await room.parts.passwords.verify(user.password_hash if user else None, password)
    if not fits or user is None or user.disabled:
        outcomes.labels("failed").inc()
        raise Refused(401, "wrong_credentials", "The user name or the password is wrong.")
    room.throttle.succeeded(name, address)
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
