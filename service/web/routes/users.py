"""Users: made and changed by an admin."""

from __future__ import annotations

import structlog
from fastapi import APIRouter
from pydantic import TypeAdapter
from starlette.responses import Response

from service.storage.port import User, UserChanges
from service.web.auth import Admin
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
    hashed = await room.parts.passwords.hash(change.password) if change.password else None
    changes = UserChanges(role=change.role, password_hash=hashed, disabled=change.disabled)
    changed = await room.parts.store.change_user(name, changes)
    log.info("user changed", role=changed.role, **{"pii.user": name, "pii.by": admin.user.name})
    return json_answer(_USER, user_answer(changed))
