"""The service's API over the staged calls, as far as the dashboard uses it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
from fastapi import APIRouter, Cookie, FastAPI, HTTPException, Query, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse, JSONResponse
from pydantic import TypeAdapter

from detectors.packs.taxonomy import load_taxonomy
from service.access.view import USERS
from service.live.messages import LIVE_MESSAGE, Event, HealthChanged, LiveMessage
from service.record.conversation import Conversation, conversation_of
from service.record.facts import Alert, AlertChanged, AlertState, NoteWritten
from service.record.summary import RISK_WEIGHTS, CallSummary
from service.storage.port import CallRecord, UserRole
from service.web.auth import rights_of
from service.web.headers import CONTENT_SECURITY_POLICY
from service.web.schemas import NoteAnswer, NoteChange, ReferenceAnswer
from tools.rehearsal.plays import ROOT
from tools.rehearsal.sound import RATE, ranged, sound_of, wav_of
from tools.rehearsal.stage import RehearsalStage, StagedCall

STATIC = ROOT / "service" / "web" / "static"
MOST_TRIES = 5
LAWS = load_taxonomy().codes

Row = TypeVar("Row")
SessionCookie = Annotated[str | None, Cookie(alias="callwarden_session")]


def build(stage: RehearsalStage) -> FastAPI:
    """The stand-in; its stage runs while it does."""

    @contextlib.asynccontextmanager
    async def running(_app: FastAPI) -> AsyncGenerator[None, None]:
        task = asyncio.create_task(stage.run())
        yield
        task.cancel()

    app = FastAPI(lifespan=running)
    app.add_exception_handler(HTTPException, _refused)
    app.middleware("http")(_policy)
    staged = (_calls, _notes, _sounds, _alerts, _keys, _live)
    for routes in (_sessions(), _users(), *(make(stage) for make in staged)):
        app.include_router(routes)
    app.include_router(_pages())
    return app


def problem(status: int, code: str, message: str, **headers: str) -> HTTPException:
    """An error as the service words it."""
    return HTTPException(status, {"error": {"code": code, "message": message, "field": None}}, headers)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    told: Any = error.detail
    body = told if isinstance(told, dict) else {"error": {"code": "error", "message": told}}
    return JSONResponse(body, error.status_code, headers=error.headers)


async def _policy(request: Request, call_next: Any) -> Response:
    response: Response = await call_next(request)
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response


def _who(cookie: str | None) -> dict[str, Any]:
    if not cookie:
        raise problem(401, "not_logged_in", "Log in first.")
    roles: dict[str, UserRole] = {role: role for role in USERS}
    role = roles.get(cookie, "supervisor")
    return {"name": cookie, "role": role, "rights": rights_of(role)}


def _sessions() -> APIRouter:
    router = APIRouter(prefix="/api/v1/session")
    tries: list[str] = []

    @router.post("")
    async def log_in(body: dict[str, str], response: Response) -> dict[str, Any]:
        if len(tries) >= MOST_TRIES:
            tries.clear()
            raise problem(429, "too_many_attempts", "Too many attempts.", **{"Retry-After": "30"})
        if body.get("password") != "rehearsal":
            tries.append(body["username"])
            raise problem(401, "wrong_credentials", "User name or password is not right.")
        response.set_cookie("callwarden_session", body["username"], httponly=True, samesite="strict")
        return {"user": _who(body["username"]), "csrf": "csrf"}

    @router.get("")
    async def session(cookie: SessionCookie = None) -> dict[str, Any]:
        return {"user": _who(cookie), "csrf": "csrf"}

    @router.delete("", status_code=204)
    async def log_out(response: Response) -> None:
        response.delete_cookie("callwarden_session")

    @router.put("/password", status_code=204)
    async def password(body: dict[str, str]) -> None:
        if body["old"] != "rehearsal":
            raise problem(401, "wrong_credentials", "The user name or the password is wrong.")

    return router


def _calls(stage: RehearsalStage) -> APIRouter:
    router = APIRouter(prefix="/api/v1")

    @router.get("/calls")
    async def calls(
        state: str | None = None,
        flagged: bool | None = None,
        agent: str | None = None,
        text: str | None = None,
        cursor: int = 0,
        limit: int = 50,
    ) -> Any:
        rows = sorted(stage.calls.values(), key=lambda each: each.call.started_at, reverse=True)
        rows = [each for each in rows if state in (None, each.summary.state)]
        rows = [each for each in rows if flagged is None or bool(each.summary.alerts) == flagged]
        rows = [each for each in rows if (agent or "") in each.call.agent and (text or "") in _words(each)]
        page, after = _page(rows, cursor, limit)
        return {"calls": _json(list[CallSummary], [each.summary for each in page]), "next": after}

    @router.get("/calls/{call_id}")
    async def call(call_id: str) -> Any:
        return _json(CallRecord, _found(stage, call_id).record())

    @router.get("/calls/{call_id}/conversation")
    async def conversation(call_id: str) -> Any:
        record = _found(stage, call_id).record()
        parties, until = record.summary.call.roles, record.summary.duration
        return _json(Conversation, conversation_of(parties, record.utterances, record.gaps, until))

    @router.get("/calls/{call_id}/events")
    async def events(call_id: str, after: int = 0, limit: int = 1000) -> Any:
        rows = [event for event in _found(stage, call_id).events if event.seq > after][:limit]
        return {"events": _json(list[Event], rows)}

    @router.get("/reference")
    async def reference() -> Any:
        return ReferenceAnswer(laws=LAWS, risk_weights=RISK_WEIGHTS)

    return router


def _notes(stage: RehearsalStage) -> APIRouter:
    router = APIRouter(prefix="/api/v1")

    @router.put("/calls/{call_id}/note")
    async def write_note(call_id: str, change: NoteChange, cookie: SessionCookie = None) -> Any:
        staged = _found(stage, call_id)
        if change.seen != len(staged.record().edits):
            raise problem(409, "stale_change", "Somebody else has written meanwhile.")
        written = NoteWritten(note=change.note(), by=_who(cookie)["name"], at=datetime.now(UTC))
        stage.publish(staged.happen(written))
        record = staged.record()
        return _json(NoteAnswer, NoteAnswer(note=record.note, edits=record.edits))

    return router


def _sounds(stage: RehearsalStage) -> APIRouter:
    router = APIRouter(prefix="/api/v1/calls/{call_id}")

    @router.get("/recording")
    async def recording(call_id: str, request: Request) -> Response:
        return ranged(wav_of(_found(stage, call_id).play), request.headers.get("range"))

    @router.get("/peaks")
    async def peaks(call_id: str, points: int = 2000) -> Any:
        data = sound_of(_found(stage, call_id).play)
        bins = np.array_split(np.abs(data), min(points, len(data)))
        tops = np.array([each.max(axis=0) for each in bins])
        return {"duration": len(data) / RATE, "roles": ["agent", "customer"], "peaks": tops.T.round(3).tolist()}

    return router


def _alerts(stage: RehearsalStage) -> APIRouter:
    router = APIRouter(prefix="/api/v1/alerts")

    @router.get("")
    async def alerts(
        state: Annotated[tuple[str, ...], Query()] = (),
        severity: Annotated[tuple[str, ...], Query()] = (),
        call_id: str | None = None,
        cursor: int = 0,
        limit: int = 50,
    ) -> Any:
        rows = [alert for each in stage.calls.values() for alert in each.alerts().values()]
        rows = [each for each in rows if (not state or each.state in state) and call_id in (None, each.call_id)]
        rows = [each for each in rows if not severity or each.severity in severity]
        page, after = _page(sorted(rows, key=lambda each: each.raised_at, reverse=True), cursor, limit)
        calls = [stage.calls[call_id].call for call_id in {alert.call_id for alert in page}]
        return {"alerts": _json(list[Alert], page), "calls": calls, "next": after}

    @router.put("/{alert_id}/state")
    async def decide(alert_id: str, body: dict[str, str], cookie: SessionCookie = None) -> Any:
        staged = next((each for each in stage.calls.values() if alert_id in each.alerts()), None)
        if staged is None:
            raise problem(404, "not_found", "No such alert.")
        state = TypeAdapter[AlertState](AlertState).validate_python(body["state"])
        if staged.alerts()[alert_id].state == state:
            raise problem(409, "stale_change", "Already so.")
        by, note = _who(cookie)["name"], body.get("note", "")
        stage.publish(
            staged.happen(AlertChanged(alert_id=alert_id, state=state, by=by, at=datetime.now(UTC), note=note))
        )
        return _json(Alert, staged.alerts()[alert_id])

    return router


def _users() -> APIRouter:
    router = APIRouter(prefix="/api/v1/users")
    users = {role: _user(role, role) for role in map(str, USERS)}

    @router.get("")
    async def list_users() -> Any:
        return {"users": list(users.values())}

    @router.post("")
    async def add_user(body: dict[str, str]) -> Any:
        if body["name"] in users:
            raise problem(409, "already_exists", "Taken.")
        users[body["name"]] = _user(body["name"], body["role"])
        return users[body["name"]]

    @router.put("/{name}")
    async def change_user(name: str, body: dict[str, Any]) -> Any:
        users[name].update({field: value for field, value in body.items() if field != "password"})
        return users[name]

    return router


def _user(name: str, role: str) -> dict[str, Any]:
    return {"name": name, "role": role, "created_at": datetime.now(UTC), "disabled": False}


def _keys(stage: RehearsalStage) -> APIRouter:
    router = APIRouter(prefix="/api/v1/keys")
    keys: dict[str, dict[str, Any]] = {}

    @router.get("")
    async def list_keys() -> Any:
        return {"keys": list(keys.values())}

    @router.post("")
    async def add_key(body: dict[str, Any]) -> Any:
        key_id = f"{stage.random.getrandbits(40):010x}"
        said = {**body, "first_track": body.get("first_track") or "customer", "max_share": None}
        keys[key_id] = {"id": key_id, **said, "created_at": datetime.now(UTC), "revoked_at": None}
        return {**keys[key_id], "key": f"cw_{key_id}_{stage.random.getrandbits(160):040x}"}

    @router.delete("/{key_id}", status_code=204)
    async def revoke(key_id: str) -> None:
        keys[key_id]["revoked_at"] = datetime.now(UTC)

    return router


def _live(stage: RehearsalStage) -> APIRouter:
    router = APIRouter()

    @router.post("/rehearsal/drop")
    async def drop() -> None:
        stage.drop()

    @router.post("/rehearsal/trouble")
    async def trouble() -> None:
        stage.fault = not stage.fault
        stage.publish(HealthChanged(health=stage.health()))

    @router.websocket("/api/v1/live")
    async def live(socket: WebSocket) -> None:
        if not socket.cookies.get("callwarden_session"):
            await socket.close(4401)
            return
        await socket.accept()
        queue: asyncio.Queue[LiveMessage | None] = asyncio.Queue()
        queue.put_nowait(stage.snapshot())
        stage.sockets.add(queue)
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while (message := await queue.get()) is not None:
                await socket.send_text(LIVE_MESSAGE.dump_json(message).decode())
            await socket.close(1012)
        stage.sockets.discard(queue)

    return router


def _pages() -> APIRouter:
    router = APIRouter()

    @router.get("/{path:path}")
    async def page(path: str) -> FileResponse:
        return FileResponse(await asyncio.to_thread(_file, path))

    return router


def _file(path: str) -> Path:
    asked = (STATIC / path).resolve()
    return asked if asked.is_relative_to(STATIC) and asked.is_file() else STATIC / "index.html"


def _found(stage: RehearsalStage, call_id: str) -> StagedCall:
    if call_id not in stage.calls:
        raise problem(404, "not_found", f"No call {call_id}.")
    return stage.calls[call_id]


def _words(staged: StagedCall) -> str:
    return staged.call.id + staged.call.customer + "".join(turn.text for turn in staged.play.turns)


def _page(rows: list[Row], cursor: int, limit: int) -> tuple[list[Row], str | None]:
    end = cursor + limit
    return rows[cursor:end], str(end) if end < len(rows) else None


def _json(kind: Any, value: Any) -> Any:
    return TypeAdapter[Any](kind).dump_python(value, mode="json")
