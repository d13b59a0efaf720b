"""Logging in, staying in, getting out, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from service.storage.port import UserChanges
from tests.integration.web.conftest import PASSWORD, House, OpenHouse, cookie_of

LOGIN = "/api/v1/session"


async def test_login_answers_user_and_csrf_and_sets_a_guarded_cookie(house: House) -> None:
    await house.user("lin", "supervisor")
    client = await house.stranger()
    answer = await client.post(LOGIN, json={"username": "lin", "password": PASSWORD})
    assert answer.status_code == 200
    assert answer.json()["user"] == {"name": "lin", "role": "supervisor", "rights": ["watch"]}
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie
    again = await client.get(LOGIN)
    assert again.json() == answer.json()


async def test_cookie_is_secure_where_the_setting_says_so(open_house: OpenHouse) -> None:
    house = await open_house(secure_cookie=True)
    await house.user("lin", "supervisor")
    answer = await (await house.stranger()).post(LOGIN, json={"username": "lin", "password": PASSWORD})
    assert "secure" in answer.headers["set-cookie"].lower()
    assert "max-age" in answer.headers["strict-transport-security"]


async def test_unknown_user_and_wrong_password_get_the_same_answer(house: House) -> None:
    await house.user("lin", "supervisor")
    client = await house.stranger()
    wrong = await client.post(LOGIN, json={"username": "lin", "password": "not it at all"})
    unknown = await client.post(LOGIN, json={"username": "nobody", "password": "not it at all"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content
    assert wrong.json()["error"]["code"] == "wrong_credentials"


async def test_repeated_failures_are_throttled_for_that_account_only(house: House) -> None:
    await house.user("lin", "supervisor")
    await house.user("wu", "supervisor")
    client = await house.stranger()
    for _ in range(5):
        await client.post(LOGIN, json={"username": "lin", "password": "guess"})
    sixth = await client.post(LOGIN, json={"username": "lin", "password": PASSWORD})
    assert sixth.status_code == 429
    assert int(sixth.headers["retry-after"]) > 0
    other = await client.post(LOGIN, json={"username": "wu", "password": PASSWORD})
    assert other.status_code == 200


async def test_a_login_from_another_site_is_refused(house: House) -> None:
    await house.user("lin", "supervisor")
    client = await house.stranger()
    body = {"username": "lin", "password": PASSWORD}
    foreign = await client.post(LOGIN, json=body, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    own = await client.post(LOGIN, json=body, headers={"Origin": house.url})
    assert own.status_code == 200


async def test_public_url_decides_origins_behind_a_proxy(open_house: OpenHouse) -> None:
    house = await open_house(public_url="https://calls.example")
    await house.user("lin", "supervisor")
    client = await house.stranger()
    body = {"username": "lin", "password": PASSWORD}
    assert (await client.post(LOGIN, json=body, headers={"Origin": house.url})).status_code == 403
    assert (await client.post(LOGIN, json=body, headers={"Origin": "https://calls.example"})).status_code == 200


async def test_logging_out_makes_the_cookie_worthless(house: House) -> None:
    client = await house.logged_in("supervisor")
    stolen = dict(client.cookies)
    assert (await client.delete(LOGIN)).status_code == 204
    thief = await house.stranger()
    thief.cookies.update(stolen)
    assert (await thief.get(LOGIN)).status_code == 401


async def test_a_logout_that_the_disk_cannot_keep_is_told_and_holds(house: House, tmp_path: Path) -> None:
    client = await house.logged_in("supervisor")
    kept = cookie_of(client)
    await asyncio.to_thread((tmp_path / "sessions.ended").mkdir)
    answer = await client.delete(LOGIN)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "logout_not_kept")
    assert 'callwarden_session=""' in answer.headers["set-cookie"]
    assert (await (await house.stranger()).get(LOGIN, headers=kept)).status_code == 401


async def test_a_logout_outlives_a_restart(open_house: OpenHouse) -> None:
    house = await open_house()
    client = await house.logged_in("supervisor")
    stolen = dict(client.cookies)
    await client.delete(LOGIN)
    restarted = await open_house()
    thief = await restarted.stranger()
    thief.cookies.update(stolen)
    assert (await thief.get(LOGIN)).status_code == 401


async def test_a_new_password_ends_every_other_session_and_keeps_this_one(house: House) -> None:
    here = await house.logged_in("supervisor", "lin")
    elsewhere = await house.stranger()
    await elsewhere.post(LOGIN, json={"username": "lin", "password": PASSWORD})
    changed = await here.put(f"{LOGIN}/password", json={"old": PASSWORD, "new": "a new one, longer"})
    assert changed.status_code == 204
    assert (await here.get(LOGIN)).status_code == 200
    assert (await here.get(LOGIN)).json()["csrf"] == here.headers["X-CSRF-Token"]
    assert (await elsewhere.get(LOGIN)).status_code == 401


async def test_a_new_password_needs_the_old_one_and_ten_characters(house: House) -> None:
    client = await house.logged_in("supervisor")
    wrong = await client.put(f"{LOGIN}/password", json={"old": "nonsense", "new": "a new one, longer"})
    assert wrong.status_code == 401
    short = await client.put(f"{LOGIN}/password", json={"old": PASSWORD, "new": "short"})
    assert short.status_code == 422
    assert short.json()["error"]["field"] == "new"


async def test_a_disabled_user_is_out_at_once_and_cannot_come_back(house: House) -> None:
    client = await house.logged_in("supervisor", "lin")
    store = house.parts.store
    await store.change_user("lin", UserChanges(disabled=True))
    assert (await client.get(LOGIN)).status_code == 401
    again = await client.post(LOGIN, json={"username": "lin", "password": PASSWORD})
    assert again.status_code == 401


async def test_a_forged_or_mangled_cookie_is_no_session(house: House) -> None:
    client = await house.logged_in("admin")
    token = client.cookies["callwarden_session"]
    other = "B" if token[-2] == "A" else "A"  # the last character but one: each of its bits is a part of the signature
    for forged in (token[:-2] + other + token[-1], "e30.nothing", "", "é"):
        headers = [(b"Cookie", f"callwarden_session={forged}".encode())]
        answer = await (await house.stranger()).get(LOGIN, headers=headers)
        assert answer.status_code == 401, forged


async def test_changes_need_this_sessions_csrf_token(house: House) -> None:
    client = await house.logged_in("admin", "a")
    other = await house.logged_in("admin", "b")
    body = {"source": "pbx", "rights": ["stream"]}
    for token in ("", "wrong", other.headers["X-CSRF-Token"]):
        answer = await client.post("/api/v1/keys", json=body, headers={"X-CSRF-Token": token})
        assert answer.status_code == 403, token
        assert answer.json()["error"]["code"] == "csrf"
    assert (await client.post("/api/v1/keys", json=body)).status_code == 201


async def test_changes_from_another_site_are_refused_even_with_the_token(house: House) -> None:
    client = await house.logged_in("admin")
    answer = await client.post("/api/v1/keys", json={"source": "pbx", "rights": ["stream"]}, headers={"Origin": "null"})
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "origin"


async def test_oversized_and_malformed_bodies_get_clear_answers(house: House) -> None:
    client = await house.stranger()
    huge = await client.post(LOGIN, content=b"x" * 70_000, headers={"Content-Type": "application/json"})
    assert (huge.status_code, huge.json()["error"]["code"]) == (413, "too_large")
    chunked = await client.post(LOGIN, content=_chunks(), headers={"Content-Type": "application/json"})
    assert chunked.status_code == 413
    broken = await client.post(LOGIN, content=b"{", headers={"Content-Type": "application/json"})
    assert broken.status_code == 400
    unknown = await client.post(LOGIN, json={"username": "a", "password": "b", "role": "admin"})
    assert (unknown.status_code, unknown.json()["error"]["field"]) == (422, "role")


async def _chunks() -> AsyncIterator[bytes]:
    for _ in range(70):
        yield b"x" * 1000


async def test_answers_carry_the_security_headers_and_are_not_stored(house: House) -> None:
    answer = await (await house.stranger()).get(LOGIN)
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy.split("; ")
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers


async def test_a_session_expires(open_house: OpenHouse) -> None:
    house = await open_house(session_hours=1e-9)
    await house.user("lin", "supervisor")
    client = await house.stranger()
    token = house.parts.signer.issue(await house.parts.store.user("lin"), 1_000_000.0)[1]
    client.cookies.set("callwarden_session", token)
    answer: httpx.Response = await client.get(LOGIN)
    assert answer.status_code == 401
