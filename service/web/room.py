"""What the routes share: the parts they were given and the state that belongs to the web room itself."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, FastAPI
from starlette.requests import HTTPConnection

from service.web.ports import WebParts
from service.web.throttle import LoginThrottle


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """One application's parts and its login throttle."""

    parts: WebParts
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


def utc_now() -> datetime:
    return datetime.now(UTC)


def steady_now() -> float:
    """Seconds that only go forward; for waits and limits inside one process."""
    return time.monotonic()
