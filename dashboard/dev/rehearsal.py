"""A stand-in service for work on the dashboard: scripted calls over the real wire types. Never part of the product.

    .venv/bin/python dashboard/dev/rehearsal.py --calls 24 --port 8720

Any user name with the password `rehearsal` logs in; the name chooses the role (supervisor, compliance, integrator,
admin; others are supervisors). Serves the built dashboard under the policy the service sends, so `npm run build`
first, or run `npm run dev` beside it. `POST /rehearsal/drop` cuts every live line, `/rehearsal/trouble` toggles a
fault.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import random
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import soundfile
import uvicorn
from fastapi import Cookie, FastAPI, HTTPException, Query, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse, JSONResponse
from pydantic import TypeAdapter

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT), str(HERE)]

from scripts import PLAYS, Play, facts_of  # noqa: E402  (needs the path above)

from detectors.packs.taxonomy import load_taxonomy  # noqa: E402
from service.live.messages import LIVE_MESSAGE, Event, Health, HealthChanged, Levels, LiveMessage, Snapshot  # noqa: E402
from service.record.facts import Alert, AlertChanged, Call, CallOpened, Fact  # noqa: E402
from service.record.summary import RISK_WEIGHTS, CallSummary, fold, opened  # noqa: E402
from service.storage.port import CallRecord, UserRole  # noqa: E402
from service.web.auth import rights_of  # noqa: E402
from service.web.headers import CONTENT_SECURITY_POLICY  # noqa: E402
from service.web.schemas import ReferenceAnswer  # noqa: E402

STATIC = ROOT / "service" / "web" / "static"
ROLES: tuple[UserRole, ...] = ("supervisor", "compliance", "integrator", "admin")
LAWS = load_taxonomy().codes


class Staged:
    """One scripted call: its whole future is known, `played` says how far it has come."""

    def __init__(self, call: Call, play: Play) -> None:
        self.call, self.play = call, play
        self.future = facts_of(call, play)
        self.events: list[Event] = []
        self.summary: CallSummary = opened(call, 0)
        self.happen(CallOpened(call=call))

    def happen(self, fact: Fact) -> Event:
        self.summary = fold(self.summary, fact, self.summary.seq + 1)
        event = Event(call_id=self.call.id, seq=self.summary.seq, at=datetime.now(UTC), fact=fact, summary=self.summary)
        self.events.append(event)
        return event

    def due(self, at: float) -> list[Event]:
        made: list[Event] = []
        while self.future and self.future[0][0] <= at:
            made.append(self.happen(self.future.pop(0)[1]))
        return made

    def alerts(self) -> dict[str, Alert]:
        held: dict[str, Alert] = {}
        for event in self.events:
            fact = event.fact
            if fact.type == "alert":
                held[fact.alert.id] = fact.alert
            elif fact.type == "alert_changed":
                old = held[fact.alert_id]
                held[fact.alert_id] = replace(
                    old, state=fact.state, changed_by=fact.by, changed_at=fact.at, note=fact.note
                )
        return held

    def record(self) -> CallRecord:
        def of(kind: str, name: str) -> tuple[Any, ...]:
            return tuple(getattr(e.fact, name) for e in self.events if e.fact.type == kind)

        return CallRecord(
            summary=self.summary,
            utterances=of("utterance", "utterance"),
            sentiments=of("sentiment", "sentiment"),
            findings=of("finding", "finding"),
            alerts=tuple(self.alerts().values()),
            gaps=tuple(e.fact for e in self.events if e.fact.type == "gap"),
            notices=tuple(e.fact for e in self.events if e.fact.type == "notice"),
        )


class Stage:
    def __init__(self, calls: int, past: int, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - scripts the rehearsal, guards nothing
        self.calls: dict[str, Staged] = {}
        self.sockets: set[asyncio.Queue[LiveMessage | None]] = set()
        self.fault = False
        self.made = 0
        self.slots = calls
        for index in range(past):
            staged = self.new(timedelta(minutes=11 * index + 20))
            staged.due(1e9)
        for index in range(calls):
            staged = self.new(timedelta())
            length = staged.future[-1][0]
            ago = self.random.uniform(0.05, 0.75) * length if index else 0.45 * length
            self.backdate(staged, ago)

    def new(self, ago: timedelta) -> Staged:
        play = PLAYS[self.made % len(PLAYS)]
        self.made += 1
        started = datetime.now(UTC) - ago
        call = Call(
            id=f"{started:%Y%m%d}-{self.made:05d}",
            source="shanghai-pbx" if play.language == "zh" else "twilio-us",
            roles=("agent", "customer"),
            encoding="mulaw",
            rate=8000,
            language=play.language,
            jurisdiction="CN" if play.language == "zh" else "US",
            started_at=started,
            agent=f"A{8000 + self.made % 97:04d}",
            customer=f"C-{880000 + self.made * 37}",
            timezone="Asia/Shanghai" if play.language == "zh" else "America/Chicago",
            metadata={
                "creditor": "海港银行" if play.language == "zh" else "First Harbor Bank",
                "product": "credit_card",
            },
        )
        staged = self.calls[call.id] = Staged(call, play)
        return staged

    def backdate(self, staged: Staged, seconds: float) -> None:
        started = datetime.now(UTC) - timedelta(seconds=seconds)
        staged.call = replace(staged.call, started_at=started)
        staged.summary = replace(staged.summary, call=staged.call)
        staged.due(seconds)

    def live(self) -> list[Staged]:
        return [s for s in self.calls.values() if s.summary.state == "live"]

    def health(self) -> Health:
        backlog = 6.4 if self.fault else round(self.random.uniform(0.2, 0.9), 1)
        troubles = ("storage_failing", "overloaded") if self.fault else ()
        return Health(
            model="whisper-base",
            live_calls=len(self.live()),
            max_calls=64,
            backlog=backlog,
            level="agents_first" if self.fault else "full",
            troubles=troubles,
        )

    def snapshot(self) -> Snapshot:
        alerts = [a for s in self.calls.values() for a in s.alerts().values() if a.state in ("open", "acknowledged")]
        alerts.sort(key=lambda a: a.raised_at, reverse=True)
        return Snapshot(
            now=datetime.now(UTC),
            calls=tuple(s.summary for s in self.live()),
            alerts=tuple(alerts[:200]),
            health=self.health(),
        )

    def publish(self, message: LiveMessage) -> None:
        for queue in self.sockets:
            queue.put_nowait(message)

    async def run(self) -> None:
        while True:
            for staged in self.live():
                at = (datetime.now(UTC) - staged.call.started_at).total_seconds()
                for event in staged.due(at):
                    self.publish(event)
                if staged.summary.state == "live":
                    self.publish(self.levels(staged, at))
            if len(self.live()) < self.slots and self.random.random() < 0.2:
                fresh = self.new(timedelta())
                self.publish(fresh.events[0])
                self.publish(HealthChanged(health=self.health()))
            await asyncio.sleep(0.5)

    def levels(self, staged: Staged, at: float) -> Levels:
        speaking = staged.play.speaking(at)
        dbfs = {
            role: self.random.uniform(-26, -14) if role in speaking else self.random.uniform(-62, -54)
            for role in staged.call.roles
        }
        return Levels(call_id=staged.call.id, at=at, dbfs=dbfs, speaking=speaking)


def problem(status: int, code: str, message: str) -> HTTPException:
    return HTTPException(status, {"error": {"code": code, "message": message, "field": None}})


def build(stage: Stage) -> FastAPI:  # noqa: C901, PLR0915 - one closure keeps the stand-in in one place
    @contextlib.asynccontextmanager
    async def running(_app: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(stage.run())
        yield
        task.cancel()

    app = FastAPI(lifespan=running)
    tries: list[float] = []
    users = {r: {"name": r, "role": r, "created_at": datetime.now(UTC), "disabled": False} for r in ROLES}
    keys: dict[str, dict[str, Any]] = {}

    @app.exception_handler(HTTPException)
    async def refused(_request: Request, error: HTTPException) -> JSONResponse:
        body = error.detail if isinstance(error.detail, dict) else {"error": {"code": "error", "message": error.detail}}
        return JSONResponse(body, error.status_code, headers=error.headers)

    def who(cookie: str | None) -> dict[str, Any]:
        if not cookie:
            raise problem(401, "no_session", "Log in first.")
        role = next((each for each in ROLES if each == cookie), "supervisor")
        return {"name": cookie, "role": role, "rights": rights_of(role)}

    @app.middleware("http")
    async def policy(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return response

    @app.post("/api/v1/session")
    async def log_in(body: dict[str, str], response: Response) -> dict[str, Any]:
        if len(tries) >= 5:
            tries.clear()
            raise HTTPException(429, problem(429, "throttled", "Too many tries.").detail, {"Retry-After": "30"})
        if body.get("password") != "rehearsal":
            tries.append(0.0)
            raise problem(401, "wrong_credentials", "User name or password is not right.")
        response.set_cookie("callwarden_session", body["username"], httponly=True, samesite="strict")
        return {"user": who(body["username"]), "csrf": "csrf"}

    @app.get("/api/v1/session")
    async def session(callwarden_session: Annotated[str | None, Cookie()] = None) -> dict[str, Any]:
        return {"user": who(callwarden_session), "csrf": "csrf"}

    @app.delete("/api/v1/session", status_code=204)
    async def log_out(response: Response) -> None:
        response.delete_cookie("callwarden_session")

    @app.put("/api/v1/session/password", status_code=204)
    async def password(body: dict[str, str]) -> None:
        if body["old"] != "rehearsal":
            raise problem(403, "wrong_password", "The current password is not right.")

    @app.get("/api/v1/calls")
    async def calls(
        state: str | None = None,
        flagged: bool | None = None,
        agent: str | None = None,
        text: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Any:
        rows = sorted(stage.calls.values(), key=lambda s: s.call.started_at, reverse=True)
        rows = [s for s in rows if state in (None, s.summary.state)]
        rows = [s for s in rows if flagged is None or bool(s.summary.alerts) == flagged]
        rows = [s for s in rows if agent is None or agent in s.call.agent]
        if text:
            rows = [s for s in rows if text in s.call.id + s.call.customer + "".join(t.text for t in s.play.turns)]
        begin = int(cursor or 0)
        after = str(begin + limit) if begin + limit < len(rows) else None
        page = [TypeAdapter(CallSummary).dump_python(s.summary, mode="json") for s in rows[begin : begin + limit]]
        return {"calls": page, "next": after}

    def staged(call_id: str) -> Staged:
        if call_id not in stage.calls:
            raise problem(404, "not_found", f"No call {call_id}.")
        return stage.calls[call_id]

    @app.get("/api/v1/calls/{call_id}")
    async def call(call_id: str) -> Any:
        return TypeAdapter(CallRecord).dump_python(staged(call_id).record(), mode="json")

    @app.get("/api/v1/calls/{call_id}/events")
    async def events(call_id: str, after: int = 0, limit: int = 1000) -> Any:
        rows = [e for e in staged(call_id).events if e.seq > after][:limit]
        return {"events": TypeAdapter(list[Event]).dump_python(rows, mode="json")}

    @app.get("/api/v1/calls/{call_id}/recording")
    async def recording(call_id: str, request: Request) -> Response:
        data = sound(staged(call_id))
        wav = io.BytesIO()
        soundfile.write(wav, data, 8000, format="WAV", subtype="PCM_16")
        return ranged(wav.getvalue(), request.headers.get("range"))

    @app.get("/api/v1/calls/{call_id}/peaks")
    async def peaks(call_id: str, points: int = 2000) -> Any:
        data = sound(staged(call_id))
        bins = np.array_split(np.abs(data), min(points, len(data)))
        tops = np.array([b.max(axis=0) for b in bins])
        return {"duration": len(data) / 8000, "roles": ["agent", "customer"], "peaks": tops.T.round(3).tolist()}

    @app.get("/api/v1/alerts")
    async def alerts(
        state: Annotated[list[str], Query()] = [],  # noqa: B006 - FastAPI copies it
        severity: Annotated[list[str], Query()] = [],  # noqa: B006
        call_id: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Any:
        rows = [a for s in stage.calls.values() for a in s.alerts().values()]
        rows = [a for a in rows if (not state or a.state in state) and (not severity or a.severity in severity)]
        rows = sorted((a for a in rows if call_id in (None, a.call_id)), key=lambda a: a.raised_at, reverse=True)
        begin = int(cursor or 0)
        after = str(begin + limit) if begin + limit < len(rows) else None
        return {
            "alerts": TypeAdapter(list[Alert]).dump_python(rows[begin : begin + limit], mode="json"),
            "calls": [stage.calls[each].call for each in {a.call_id for a in rows[begin : begin + limit]}],
            "next": after,
        }

    @app.get("/api/v1/reference")
    async def reference() -> Any:
        return ReferenceAnswer(laws=LAWS, risk_weights=RISK_WEIGHTS)

    @app.put("/api/v1/alerts/{alert_id}/state")
    async def decide(
        alert_id: str, body: dict[str, str], callwarden_session: Annotated[str | None, Cookie()] = None
    ) -> Any:
        for s in stage.calls.values():
            held = s.alerts().get(alert_id)
            if held is None:
                continue
            if held.state == body["state"]:
                raise problem(409, "stale_change", "Already so.")
            by, note = who(callwarden_session)["name"], body.get("note", "")
            fact = AlertChanged(alert_id=alert_id, state=body["state"], by=by, at=datetime.now(UTC), note=note)  # type: ignore[arg-type]
            stage.publish(s.happen(fact))
            return TypeAdapter(Alert).dump_python(s.alerts()[alert_id], mode="json")
        raise problem(404, "not_found", "No such alert.")

    @app.get("/api/v1/users")
    async def list_users() -> Any:
        return {"users": list(users.values())}

    @app.post("/api/v1/users")
    async def add_user(body: dict[str, str]) -> Any:
        if body["name"] in users:
            raise problem(409, "already_exists", "Taken.")
        fresh = {"name": body["name"], "role": body["role"], "created_at": datetime.now(UTC), "disabled": False}
        users[body["name"]] = fresh
        return fresh

    @app.put("/api/v1/users/{name}")
    async def change_user(name: str, body: dict[str, Any]) -> Any:
        users[name].update({k: v for k, v in body.items() if k != "password"})
        return users[name]

    @app.get("/api/v1/keys")
    async def list_keys() -> Any:
        return {"keys": list(keys.values())}

    @app.post("/api/v1/keys")
    async def add_key(body: dict[str, Any]) -> Any:
        key_id = f"{stage.random.getrandbits(40):010x}"
        keys[key_id] = {"id": key_id, **body, "created_at": datetime.now(UTC), "revoked_at": None}
        return {**keys[key_id], "key": f"cw_{key_id}_{stage.random.getrandbits(160):040x}"}

    @app.delete("/api/v1/keys/{key_id}", status_code=204)
    async def revoke(key_id: str) -> None:
        keys[key_id]["revoked_at"] = datetime.now(UTC)

    @app.post("/rehearsal/drop")
    async def drop() -> None:
        stage.publish(None)  # type: ignore[arg-type]

    @app.post("/rehearsal/trouble")
    async def trouble() -> None:
        stage.fault = not stage.fault
        stage.publish(HealthChanged(health=stage.health()))

    @app.websocket("/api/v1/live")
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

    @app.get("/{path:path}")
    async def page(path: str) -> FileResponse:
        asked = (STATIC / path).resolve()
        inside = asked.is_relative_to(STATIC) and asked.is_file()
        return FileResponse(asked if inside else STATIC / "index.html")

    return app


def sound(staged: Staged) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The play's own recording where it has one, else voice-like noise where someone speaks. 8 kHz stereo."""
    if staged.play.recording is not None:
        data, _rate = soundfile.read(ROOT / staged.play.recording, dtype="float32")
        return data
    length = staged.play.duration
    noise = np.random.default_rng(7)
    data = (noise.standard_normal((int(length * 8000), 2)) * 0.002).astype(np.float32)
    for turn in staged.play.turns:
        begin, end = int(turn.start * 8000), min(int(turn.end * 8000), len(data))
        t = np.arange(end - begin) / 8000
        syllables = np.abs(np.sin(t * np.pi * 4.3)) * (0.6 + 0.4 * np.sin(t * 2.1))
        tone = np.sin(2 * np.pi * (140 if turn.role == "agent" else 210) * t) + 0.3 * noise.standard_normal(len(t))
        loud = 0.35 + 0.4 * max(0.0, -turn.sentiment)
        data[begin:end, 0 if turn.role == "agent" else 1] += (syllables * tone * loud * 0.5).astype(np.float32)
    return data


def ranged(data: bytes, header: str | None) -> Response:
    common = {"Accept-Ranges": "bytes"}
    if header is None:
        return Response(data, media_type="audio/wav", headers=common)
    first, _, last = header.removeprefix("bytes=").partition("-")
    begin, end = int(first or 0), min(int(last or len(data) - 1), len(data) - 1)
    headers = {**common, "Content-Range": f"bytes {begin}-{end}/{len(data)}"}
    return Response(data[begin : end + 1], 206, media_type="audio/wav", headers=headers)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=8720)
    parser.add_argument("--calls", type=int, default=18)
    parser.add_argument("--past", type=int, default=60)
    parser.add_argument("--seed", type=int, default=11)
    asked = parser.parse_args()
    app = build(Stage(asked.calls, asked.past, asked.seed))
    uvicorn.run(app, host="127.0.0.1", port=asked.port, log_level="warning")


if __name__ == "__main__":
    main()
