"""Who listened, read, logged in, was refused, decided and changed something can be looked up afterwards."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from service.storage.port import AuditEntry, AuditQuery
from tests.integration.web.conftest import PASSWORD, House, cookie_of
from tests.integration.web.test_calls import stored_call

LOGIN = "/api/v1/session"


async def written(house: House, count: int) -> list[AuditEntry]:
    """The log, oldest first, once it has so many entries: they are written behind the answers."""
    async with asyncio.timeout(30), aclosing(logs(house)) as growing:
        async for entries in growing:
            if len(entries) >= count:
                return entries
    raise AssertionError


async def logs(house: House) -> AsyncGenerator[list[AuditEntry], None]:
    while True:
        yield (await house.parts.store.audit(AuditQuery(limit=1000)))[::-1]


def told(entries: list[AuditEntry]) -> list[tuple[str, str, str, str]]:
    assert {entry.address for entry in entries} == {"127.0.0.1"}
    return [(entry.event, entry.who, entry.subject, entry.detail) for entry in entries]


def secret_of(key: str) -> str:
    """The key without its prefix and its id; the secret may itself hold underscores."""
    return key.split("_", 2)[2]


async def test_logins_are_written_down_but_no_name_that_may_be_a_password(house: House) -> None:
    await house.user("lin", "supervisor")
    client = await house.stranger()
    for name, password in (("lin", "wrong"), (PASSWORD, "oops"), ("lin", PASSWORD)):
        await client.post(LOGIN, json={"username": name, "password": password})
    while (await client.post(LOGIN, json={"username": "wu", "password": "guess"})).status_code != 429:
        pass
    entries = told(await written(house, 9))
    assert entries[:3] == [
        ("login_failed", "", "lin", ""),
        ("login_failed", "", "", "no such user"),
        ("login_succeeded", "lin", "lin", ""),
    ]
    assert [event for event, *_ in entries[3:]] == ["login_failed"] * 5 + ["login_throttled"]
    assert PASSWORD not in repr(entries)


async def test_listening_and_reading_are_written_once_a_person_and_call(house: House) -> None:
    await stored_call(house.parts.store)
    house.recordings.put("call-1", bytes(1000))
    client = await house.logged_in("supervisor", "lin")
    for begin in range(0, 1000, 50):
        await client.get("/api/v1/calls/call-1/recording", headers={"Range": f"bytes={begin}-{begin + 49}"})
    await client.get("/api/v1/calls/call-1/conversation")  # holds no words
    await client.get("/api/v1/calls/call-1")
    await client.get("/api/v1/calls/call-1/events")
    await client.get("/api/v1/calls/none")
    async with connect(f"{house.ws}/api/v1/live", additional_headers=cookie_of(client), proxy=None):
        pass
    await client.delete(LOGIN)
    assert told(await written(house, 5))[1:] == [
        ("recording_played", "lin", "call-1", ""),
        ("transcript_read", "lin", "call-1", "(19 repeats left out before)"),
        ("live_opened", "lin", "", "(1 repeats left out before)"),
        ("logout", "lin", "lin", ""),
    ]


async def test_decisions_users_and_keys_are_written_with_who_changed_them(house: House) -> None:
    await stored_call(house.parts.store)
    client = await house.logged_in("admin", "boss")
    alert = (await client.get("/api/v1/alerts")).json()["alerts"][0]["id"]
    await client.put(f"/api/v1/alerts/{alert}/state", json={"state": "confirmed"})
    await client.put("/api/v1/calls/call-1/note", json={"text": "说了会还", "seen": 0})
    await client.post("/api/v1/users", json={"name": "lin", "role": "supervisor", "password": PASSWORD})
    await client.put("/api/v1/users/lin", json={"role": "compliance", "disabled": True, "password": PASSWORD})
    key = (await client.post("/api/v1/keys", json={"source": "pbx-2"})).json()
    await client.delete(f"/api/v1/keys/{key['id']}")
    await client.put("/api/v1/users/nobody", json={"disabled": True})
    entries = await written(house, 7)
    assert told(entries)[1:] == [
        ("alert_changed", "boss", alert, "confirmed"),
        ("note_written", "boss", "call-1", ""),
        ("user_added", "boss", "lin", "supervisor"),
        ("user_changed", "boss", "lin", "role compliance, disabled, new password"),
        ("key_made", "boss", key["id"], "pbx-2: stream"),
        ("key_revoked", "boss", key["id"], ""),
    ]
    assert PASSWORD not in repr(entries)
    assert "说了会还" not in repr(entries)
    assert secret_of(key["key"]) not in repr(entries)


async def test_a_refused_key_is_written_with_its_id_alone(house: House) -> None:
    key = await house.key()
    wrong = key[:-4] + ("AAAA" if not key.endswith("AAAA") else "BBBB")
    with pytest.raises(InvalidStatus):
        await connect(f"{house.ws}/v1/twilio/{wrong}", proxy=None)
    with pytest.raises(InvalidStatus):
        await connect(f"{house.ws}/api/v1/live", proxy=None)
    refused, denied = await written(house, 2)
    assert (refused.event, refused.subject) == ("key_refused", key.split("_")[1])
    assert (denied.event, denied.subject, denied.detail) == ("handshake_denied", "/api/v1/live", "Log in first.")
    assert secret_of(key)[:8] not in repr(refused)


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"\x01\x00\x10" + bytes(16), "token: is none of a call that was reserved in the last minutes"),
        (b"GET / HTTP/1.1\r\n\r\n" + bytes(20_000), "uuid: must be the first frame, of 16 bytes"),
    ],
    ids=["token", "rubbish"],
)
async def test_who_has_no_token_is_written_with_its_address_once(
    house: House, caplog: pytest.LogCaptureFixture, sent: bytes, why: str
) -> None:
    async with house.tcp() as address:
        for _ in range(20):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(sent)
            with suppress(ConnectionError):
                await reader.read()
            writer.close()
    [denied] = await written(house, 1)
    assert (denied.event, denied.subject, denied.address) == ("handshake_denied", "audiosocket", "127.0.0.1")
    assert denied.detail == why
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) <= 1


async def test_a_revoked_key_opens_nothing_though_it_was_used_a_moment_ago(house: House) -> None:
    headers = {"Authorization": f"Bearer {await house.key()}"}
    async with connect(f"{house.ws}/v1/stream", additional_headers=headers, proxy=None):
        pass
    client = await house.logged_in("integrator")
    [key] = (await client.get("/api/v1/keys")).json()["keys"]
    await client.delete(f"/api/v1/keys/{key['id']}")
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{house.ws}/v1/stream", additional_headers=headers, proxy=None)
    assert refused.value.response.status_code == 403
