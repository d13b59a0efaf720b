"""HEAD is answered like GET on every path, and what a path does not take is said with what it does."""

from __future__ import annotations

import pytest
from fastapi.routing import APIRoute

from service.web.route_table import HTTP_ROUTES
from tests.integration.web.conftest import House
from tests.integration.web.test_calls import stored_call

GETS = [
    *("/healthz", "/readyz", "/metrics", "/api/v1/session", "/api/v1/calls", "/api/v1/calls/call-1"),
    *("/api/v1/calls/call-1/events", "/api/v1/calls/call-1/recording", "/api/v1/calls/call-1/peaks", "/api/v1/rules"),
    *("/api/v1/reference", "/api/v1/alerts", "/api/v1/users", "/api/v1/keys", "/api/v1/sources", "/api/v1/sources/pbx"),
    *("/api/v1/calls/call-1/conversation", "/api/v1/records", "/api/v1/sources/pbx/connections"),
    *("/api/v1/connections/unmatched", "/api/v1/webhooks", "/api/v1/webhooks/none/deliveries"),
    *("/api/v1/openapi.json", "/api/v1/calls/none", "/", "/api/x", "/v1/stream"),
]
VARYING = {"date", "content-length"}


def test_every_path_that_answers_get_is_among_those() -> None:
    routes = [route for module in HTTP_ROUTES for route in module.router.routes if isinstance(route, APIRoute)]
    gets = [route for route in routes if "GET" in (route.methods or ())]
    assert [route.path for route in gets if not any(map(route.path_regex.match, GETS))] == []
    assert len(gets) > 12


async def test_head_has_the_status_and_headers_of_get_and_no_body(house: House) -> None:
    await stored_call(house.parts.store)
    house.recordings.put("call-1", bytes(300_000))
    await house.key()
    client = await house.logged_in("admin")
    for path in GETS:
        got, head = await client.get(path), await client.head(path)
        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert set(head.headers) == set(got.headers), path
        for name in set(got.headers) - VARYING:
            assert head.headers[name] == got.headers[name], (path, name)
        if path != "/metrics":  # its figures change
            assert head.headers.get("content-length") == got.headers.get("content-length"), path


async def test_head_of_a_range_is_that_of_its_get(house: House) -> None:
    await stored_call(house.parts.store)
    house.recordings.put("call-1", bytes(1000))
    client = await house.logged_in("supervisor")
    head = await client.head("/api/v1/calls/call-1/recording", headers={"Range": "bytes=10-19"})
    assert (head.status_code, head.headers["content-range"], head.headers["content-length"]) == (
        *(206, "bytes 10-19/1000", "10"),
    )


async def test_head_needs_what_get_needs(house: House) -> None:
    client = await house.stranger()
    assert (await client.head("/api/v1/calls")).status_code == 401
    assert (await (await house.logged_in("integrator")).head("/api/v1/calls")).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/v1/calls", "GET, HEAD"),
        ("POST", "/healthz", "GET, HEAD"),
        ("PATCH", "/api/v1/users", "GET, HEAD, POST"),
        ("DELETE", "/api/v1/users/lin", "PUT"),
        ("GET", "/api/v1/users/lin", "PUT"),
        ("HEAD", "/api/v1/keys/0a1b", "DELETE"),
        ("PUT", "/api/v1/session", "DELETE, GET, HEAD, POST"),
        ("POST", "/api/v1/openapi.json", "GET, HEAD"),
        ("OPTIONS", "/api/v1/alerts/a/state", "PUT"),
    ],
)
async def test_a_method_that_is_not_taken_is_405_with_those_that_are(
    house: House, method: str, path: str, allowed: str
) -> None:
    client = await house.stranger()
    answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
