"""Users and gateway keys over HTTP."""

from __future__ import annotations

from service.ingest.source import Source
from tests.integration.web.conftest import PASSWORD, House


async def test_an_admin_adds_a_user_who_can_log_in_and_no_hash_is_shown(house: House) -> None:
    admin = await house.logged_in("admin")
    made = await admin.post("/api/v1/users", json={"name": "李雷", "role": "supervisor", "password": PASSWORD})
    assert made.status_code == 201
    assert set(made.json()) == {"name", "role", "created_at", "disabled"}
    client = await house.stranger()
    login = await client.post("/api/v1/session", json={"username": "李雷", "password": PASSWORD})
    assert login.status_code == 200
    listed = (await admin.get("/api/v1/users")).json()["users"]
    assert {user["name"] for user in listed} == {"some-admin", "李雷"}
    assert "argon2" not in (await admin.get("/api/v1/users")).text


async def test_a_taken_name_is_409_and_odd_names_are_422(house: House) -> None:
    admin = await house.logged_in("admin")
    body = {"name": "some-admin", "role": "admin", "password": PASSWORD}
    assert (await admin.post("/api/v1/users", json=body)).status_code == 409
    for name in ("", "a b", "../x", "a" * 65):
        answer = await admin.post("/api/v1/users", json={**body, "name": name})
        assert (answer.status_code, answer.json()["error"]["field"]) == (422, "name")
    answer = await admin.post("/api/v1/users", json={**body, "name": "b", "role": "root"})
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "role")


async def test_the_last_admin_can_be_neither_demoted_nor_disabled(house: House) -> None:
    admin = await house.logged_in("admin", "boss")
    for change in ({"role": "supervisor"}, {"disabled": True}):
        answer = await admin.put("/api/v1/users/boss", json=change)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "last_admin")
    await house.user("second", "admin")
    assert (await admin.put("/api/v1/users/boss", json={"role": "supervisor"})).status_code == 200
    assert (await admin.get("/api/v1/users")).status_code == 403


async def test_a_password_set_by_an_admin_ends_the_users_sessions(house: House) -> None:
    admin, user = await house.logged_in("admin"), await house.logged_in("supervisor", "lin")
    changed = await admin.put("/api/v1/users/lin", json={"password": "another one, long"})
    assert changed.json()["role"] == "supervisor"
    assert (await user.get("/api/v1/session")).status_code == 401
    assert (await admin.put("/api/v1/users/none", json={"disabled": True})).status_code == 404


async def test_a_key_has_the_zone_of_the_debtors_it_calls(house: House) -> None:
    client = await house.logged_in("integrator")
    made = await client.post("/api/v1/keys", json={"source": "pbx-us", "timezone": "eastern standard time"})
    assert made.json()["timezone"] == "America/New_York"
    assert (await client.get("/api/v1/keys")).json()["keys"][0]["timezone"] == "America/New_York"
    assert (await house.parts.store.key(made.json()["id"])).source.timezone == "America/New_York"
    for zone in ("America", "x" * 120, "\0"):
        refused = await client.post("/api/v1/keys", json={"source": "pbx-us", "timezone": zone})
        assert (refused.status_code, refused.json()["error"]["field"]) == (422, "timezone")


async def test_a_key_tells_what_holds_for_the_calls_of_its_source(house: House) -> None:
    client = await house.logged_in("integrator")
    known = {"language": "en", "jurisdiction": "US", "timezone": "America/Denver", "clock": "samples"}
    made = (await client.post("/api/v1/keys", json={"source": "pbx-us", **known})).json()
    [listed] = (await client.get("/api/v1/keys")).json()["keys"]
    assert {name: made[name] for name in known} == {name: listed[name] for name in known} == known
    assert (await house.parts.store.key(made["id"])).source == Source(name="pbx-us", **known)  # type: ignore[arg-type]


async def test_a_key_is_shown_once_and_stored_as_a_hash(house: House) -> None:
    client = await house.logged_in("integrator")
    made = (await client.post("/api/v1/keys", json={"source": "pbx-2", "rights": ["stream", "events"]})).json()
    assert made["key"].startswith(f"cw_{made['id']}_")
    secret = made["key"].split("_", 2)[2]
    stored = await house.parts.store.key(made["id"])
    assert secret not in repr(stored)
    listed = await client.get("/api/v1/keys")
    assert secret not in listed.text
    assert stored.secret_hash not in listed.text
    [key] = listed.json()["keys"]
    assert (key["source"], key["rights"], key["revoked_at"]) == ("pbx-2", ["stream", "events"], None)


async def test_a_revoked_key_stays_listed(house: House) -> None:
    client = await house.logged_in("integrator")
    made = (await client.post("/api/v1/keys", json={"source": "pbx"})).json()
    assert (await client.delete(f"/api/v1/keys/{made['id']}")).status_code == 204
    [key] = (await client.get("/api/v1/keys")).json()["keys"]
    assert key["revoked_at"] is not None
    assert (await client.delete("/api/v1/keys/none")).status_code == 404


async def test_rights_and_source_are_checked(house: House) -> None:
    client = await house.logged_in("integrator")
    for body, field in (
        ({"source": "pbx", "rights": []}, "rights"),
        ({"source": "pbx", "rights": ["admin"]}, "rights.0"),
        ({"source": "a/b"}, "source"),
        ({"source": "pbx", "first_track": "bot"}, "first_track"),
        ({"source": "pbx", "language": "fr"}, "language"),
        ({"source": "pbx", "jurisdiction": "EU"}, "jurisdiction"),
        ({"source": "pbx", "clock": "sundial"}, "clock"),
    ):
        answer = await client.post("/api/v1/keys", json=body)
        assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


async def test_a_second_key_of_a_source_needs_nothing_said_of_it_and_changes_nothing(house: House) -> None:
    client = await house.logged_in("integrator")
    first = await client.post("/api/v1/keys", json={"source": "pbx", "first_track": "agent", "language": "en"})
    for said in ({}, {"first_track": "agent"}, {"language": "en"}):
        second = await client.post("/api/v1/keys", json={"source": "pbx", **said})
        assert (second.status_code, second.json()["first_track"]) == (201, "agent")
        assert second.json()["id"] != first.json()["id"]
    for said in ({"first_track": "customer"}, {"language": "zh"}, {"max_calls": 3}):
        refused = await client.post("/api/v1/keys", json={"source": "pbx", **said})
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "already_exists"), said
    assert await house.parts.store.sources() == [Source(name="pbx", first_track="agent", language="en")]
