"""Every route against every role: a route without a row here fails the test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import httpx
import pytest
from fastapi.routing import APIRoute, APIWebSocketRoute
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from service.access.view import USERS
from service.ingest.dialects.specs import DIALECTS
from service.storage.port import UserRole
from service.web.route_table import HTTP_ROUTES, SOCKET_ROUTES
from tests.integration.web.conftest import House, cookie_of

Open = frozenset(USERS)
WATCH = frozenset({"supervisor", "compliance", "admin"})
KEEP = frozenset({"integrator", "admin"})
ADMIN = frozenset({"admin"})
DECIDE = frozenset({"compliance", "admin"})


@dataclass(frozen=True)
class Row:
    """One endpoint: who may, with what body, whether strangers may, and whether gateway keys alone may."""

    method: str
    path: str
    roles: frozenset[str]
    body: dict[str, object] | None = None
    stranger: Literal["refused", "open"] = "refused"
    key_only: bool = False


ROWS = [
    Row("GET", "/healthz", Open, stranger="open"),
    Row("POST", "/api/v1/session", Open, {"username": "x", "password": "y"}, stranger="open"),
    Row("GET", "/api/v1/session", Open),
    Row("DELETE", "/api/v1/session", Open),
    Row("PUT", "/api/v1/session/password", Open, {"old": "x", "new": "long enough now"}),
    Row("GET", "/readyz", Open, stranger="open"),
    Row("GET", "/metrics", ADMIN),
    Row("GET", "/api/v1/openapi.json", Open),
    Row("GET", "/api/v1/calls", WATCH),
    Row("GET", "/api/v1/calls/{call_id}", WATCH),
    Row("GET", "/api/v1/calls/{call_id}/conversation", WATCH),
    Row("GET", "/api/v1/calls/{call_id}/events", WATCH),
    Row("PUT", "/api/v1/calls/{call_id}/note", WATCH, {"seen": 0}),
    Row("GET", "/api/v1/calls/{call_id}/recording", WATCH),
    Row("GET", "/api/v1/calls/{call_id}/peaks", WATCH),
    Row("GET", "/api/v1/records", DECIDE),
    Row("GET", "/api/v1/rules", WATCH),
    Row("GET", "/api/v1/reference", WATCH),
    Row("GET", "/api/v1/alerts", WATCH),
    Row("PUT", "/api/v1/alerts/{alert_id}/state", WATCH, {"state": "acknowledged"}),
    Row("GET", "/api/v1/users", ADMIN),
    Row("POST", "/api/v1/users", ADMIN, {"name": "", "role": "admin", "password": ""}),
    Row("PUT", "/api/v1/users/{name}", ADMIN, {"role": "admin"}),
    Row("GET", "/api/v1/sources", KEEP),
    Row("GET", "/api/v1/sources/{name}", KEEP),
    Row("POST", "/api/v1/sources", KEEP, {"name": ""}),
    Row("PATCH", "/api/v1/sources/{name}", KEEP, {"language": "en"}),
    Row("DELETE", "/api/v1/sources/{name}", KEEP),
    Row("GET", "/api/v1/sources/{name}/connections", KEEP),
    Row("GET", "/api/v1/connections/unmatched", ADMIN),
    Row("GET", "/api/v1/keys", KEEP),
    Row("POST", "/api/v1/keys", KEEP, {"source": "pbx", "rights": ["stream"]}),
    Row("DELETE", "/api/v1/keys/{key_id}", KEEP),
    Row("GET", "/api/v1/webhooks", ADMIN),
    Row("POST", "/api/v1/webhooks", ADMIN, {"name": "", "url": ""}),
    Row("DELETE", "/api/v1/webhooks/{name}", ADMIN),
    Row("POST", "/api/v1/webhooks/{name}/test", ADMIN),
    Row("GET", "/api/v1/webhooks/{name}/deliveries", ADMIN),
    Row("POST", "/api/v1/webhooks/{name}/deliveries/{delivery_id}/resend", ADMIN),
    Row("POST", "/v1/reservations", frozenset(), {"call_id": "c-1"}, key_only=True),
]
SOCKETS = {"/api/v1/live", *(path for spec in DIALECTS.values() for path in spec.paths)}


def _all_routes() -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for module in (*HTTP_ROUTES, *SOCKET_ROUTES):
        for route in module.router.routes:
            assert isinstance(route, APIRoute | APIWebSocketRoute)
            methods = route.methods or () if isinstance(route, APIRoute) else {"WS"}
            found |= {(method, route.path) for method in methods}
    return found


def test_every_route_has_a_row() -> None:
    listed = {(row.method, row.path) for row in ROWS} | {("WS", path) for path in SOCKETS}
    assert _all_routes() == listed


async def _ask(client: httpx.AsyncClient, row: Row) -> httpx.Response:
    path = row.path
    for name in ("call_id", "alert_id", "name", "key_id", "delivery_id"):
        path = path.replace("{" + name + "}", "none-such")
    return await client.request(row.method, path, json=row.body)


@pytest.mark.parametrize("role", USERS)
async def test_each_role_reaches_what_it_may_and_nothing_else(house: House, role: UserRole) -> None:
    for number, row in enumerate(ROWS):
        # A login of its own for each row: one of them logs out.
        client = await house.logged_in(role, f"{role}-{number}")
        answer = await _ask(client, row)
        if row.key_only:
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "key"), row.path
            continue
        denied = answer.status_code == 403
        assert denied == (role not in row.roles), f"{role} {row.method} {row.path}: {answer.status_code} {answer.text}"
        if denied:
            assert answer.json()["error"]["code"] == "role"


async def test_strangers_get_401_everywhere_but_at_the_open_doors(house: House) -> None:
    client = await house.stranger()
    for row in ROWS:
        answer = await _ask(client, row)
        if row.path == "/healthz":
            assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        elif row.path == "/readyz":
            assert (answer.status_code, answer.json()["ready"]) == (200, True)
        elif row.stranger == "open":
            assert answer.json()["error"]["code"] == "wrong_credentials"
        else:
            expected = "key" if row.key_only else "not_logged_in"
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, expected), row.path


async def test_sockets_turn_strangers_away_before_the_handshake(house: House) -> None:
    """Those that are told on the accepted socket (`DialectSpec.tells_refusals`) have tests of their own."""
    for path in SOCKETS - {path for spec in DIALECTS.values() if spec.tells_refusals for path in spec.paths}:
        with pytest.raises(InvalidStatus) as refused:
            await connect(house.ws + path.replace("{key}", "cw_nothing"), proxy=None)
        assert refused.value.response.status_code == 401, path


async def test_the_live_socket_is_for_watchers(house: House) -> None:
    for role in USERS:
        client = await house.logged_in(role)
        url = f"{house.ws}/api/v1/live"
        if role in WATCH:
            async with connect(url, additional_headers=cookie_of(client), proxy=None):
                pass
        else:
            with pytest.raises(InvalidStatus) as refused:
                await connect(url, additional_headers=cookie_of(client), proxy=None)
            assert refused.value.response.status_code == 403


async def test_a_role_taken_away_is_gone_at_the_next_request(house: House) -> None:
    boss = await house.logged_in("admin", "boss")
    worker = await house.logged_in("compliance", "worker")
    assert (await worker.get("/api/v1/calls")).status_code == 200
    await boss.put("/api/v1/users/worker", json={"role": "integrator"})
    assert (await worker.get("/api/v1/calls")).status_code == 403


async def test_interactive_documentation_is_off(house: House) -> None:
    client = await house.logged_in("admin")
    for path in ("/docs", "/redoc", "/openapi.json"):
        answer = await client.get(path)
        assert "swagger" not in answer.text.lower()
        assert "openapi" not in answer.text.lower()


@pytest.mark.parametrize("role", USERS)
async def test_a_session_tells_the_rights_that_the_routes_grant(house: House, role: UserRole) -> None:
    client = await house.logged_in(role)
    told = (await client.get("/api/v1/session")).json()["user"]["rights"]
    granted = {
        "watch": WATCH,
        "decide": DECIDE,
        "keys": KEEP,
        "users": ADMIN,
        "webhooks": ADMIN,
    }
    assert set(told) == {right for right, roles in granted.items() if role in roles}
