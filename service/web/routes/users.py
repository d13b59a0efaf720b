"""Users: made and changed by an admin."""

from __future__ import annotations

from dataclasses import replace

import structlog
from fastapi import APIRouter
from pydantic import TypeAdapter
from starlette.responses import Response

from service.storage.port import Store, User
from service.web.auth import Admin
from service.web.errors import Refused
from service.web.json_answer import json_answer
from service.web.room import RoomDep, utc_now
from service.web.wire import NewUser, UserAnswer, UserChange, UsersAnswer, user_answer

router = APIRouter(prefix="/api/v1/users", tags=["users"])
log = structlog.get_logger(__name__)

_USERS = TypeAdapter(UsersAnswer)
_USER = TypeAdapter(UserAnswer)


@router.get("", response_model=UsersAnswer)
async def users(_admin: Admin, room: RoomDep) -> Response:
    """Everyone who may log in, or once could."""
    stored = await room.parts.store.users()
    return json_answer(_USERS, UsersAnswer(users=tuple(user_answer(user) for user in stored)))


@router.post("", response_model=UserAnswer, status_code=201)
async def add_user(new: NewUser, admin: Admin, room: RoomDep) -> Response:
    """Add a user. The password is never given back."""
    password_hash = await room.parts.passwords.hash(new.password)
    user = User(name=new.name, role=new.role, password_hash=password_hash, created_at=utc_now())
    await room.parts.store.add_user(user)
    log.info("user added", role=user.role, **{"pii.user": user.name, "pii.by": admin.user.name})
    return json_answer(_USER, user_answer(user), 201)


@router.put("/{name}", response_model=UserAnswer)
async def change_user(name: str, change: UserChange, admin: Admin, room: RoomDep) -> Response:
    """Change role, password or disabled. A new password or `disabled` ends the user's sessions."""
    store = room.parts.store
    user = await store.user(name)
    changed = replace(
        user,
        role=change.role or user.role,
        disabled=user.disabled if change.disabled is None else change.disabled,
        password_hash=await room.parts.passwords.hash(change.password) if change.password else user.password_hash,
    )
    await _keep_an_admin(store, user, changed)
    await store.replace_user(changed)
    log.info("user changed", role=changed.role, **{"pii.user": name, "pii.by": admin.user.name})
    return json_answer(_USER, user_answer(changed))


async def _keep_an_admin(store: Store, before: User, after: User) -> None:
    if before.role != "admin" or (after.role == "admin" and not after.disabled):
        return
    others = [u for u in await store.users() if u.role == "admin" and not u.disabled and u.name != before.name]
    if not others:
        raise Refused(409, "last_admin", "This is the last admin; make another one first.")
