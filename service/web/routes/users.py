"""Users: made and changed by an admin."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import TypeAdapter
from starlette.responses import Response

from service.storage.port import User, UserChanges
from service.web.addresses import client_address
from service.web.auth import Admin
from service.web.json_answer import json_answer
from service.web.request_context import ContextDep, utc_now
from service.web.schemas import NewUser, UserAnswer, UserChange, UsersAnswer, user_answer

router = APIRouter(prefix="/api/v1/users", tags=["users"])

_USERS = TypeAdapter(UsersAnswer)
_USER = TypeAdapter(UserAnswer)


@router.get("", response_model=UsersAnswer)
async def users(admin: Admin, context: ContextDep) -> Response:
    """Everyone who may log in, or once could."""
    stored = await context.parts.store.users()
    return json_answer(_USERS, UsersAnswer(users=tuple(user_answer(user) for user in stored)), admin.view)


@router.post("", response_model=UserAnswer, status_code=201)
async def add_user(new: NewUser, admin: Admin, request: Request, context: ContextDep) -> Response:
    """Add a user. The password is never given back."""
    password_hash = await context.parts.passwords.hash(new.password)
    user = User(name=new.name, role=new.role, password_hash=password_hash, created_at=utc_now())
    await context.parts.store.add_user(user)
    who, address = admin.user.name, client_address(request)
    context.audit.note("user_added", who=who, subject=user.name, address=address, detail=user.role)
    return json_answer(_USER, user_answer(user), admin.view, 201)


@router.put("/{name}", response_model=UserAnswer)
async def change_user(name: str, change: UserChange, admin: Admin, request: Request, context: ContextDep) -> Response:
    """Change role, password or disabled. A new password or `disabled` ends the user's sessions."""
    hashed = await context.parts.passwords.hash(change.password) if change.password else None
    changes = UserChanges(role=change.role, password_hash=hashed, disabled=change.disabled)
    changed = await context.parts.store.change_user(name, changes)
    who, address = admin.user.name, client_address(request)
    context.audit.note("user_changed", who=who, subject=name, address=address, detail=_told(change))
    return json_answer(_USER, user_answer(changed), admin.view)


def _told(change: UserChange) -> str:
    told = [f"role {change.role}"] if change.role else []
    told += ["disabled" if change.disabled else "enabled"] if change.disabled is not None else []
    return ", ".join([*told, *(["new password"] if change.password else [])])
