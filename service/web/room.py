"""What the routes share: the parts they were given and the state that belongs to the web room itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, FastAPI
from starlette.requests import HTTPConnection

from service.web.audit import AuditLog
from service.web.clock import steady_now as steady_now
from service.web.clock import utc_now as utc_now
from service.web.known_keys import KnownKeys
from service.web.ports import WebParts
from service.web.throttle import LoginThrottle


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """One application's parts, and what belongs to the web room itself."""

    parts: WebParts
    audit: AuditLog
    keys: KnownKeys
    throttle: LoginThrottle = field(default_factory=LoginThrottle)


def furnish(app: FastAPI, room: Room) -> None:
    """Let the app's routes find the room."""
    app.state.room = room


def room_of(connection: HTTPConnection) -> Room:
    """The room of the application that got this request or socket."""
    room = connection.app.state.room
    assert isinstance(room, Room)
    return room


RoomDep = Annotated[Room, Depends(room_of)]
