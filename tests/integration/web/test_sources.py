"""Sources over HTTP: made, changed, removed, and what a change means for who connects."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from service.ingest.source import Source
from tests.integration.web.conftest import House
from tests.integration.web.test_audited import told, written
from tests.integration.web.test_credentials import TOKEN, a_source, status
from tests.integration.web.test_gateways import started, stream

ALL: dict[str, Any] = {
    "dialect": "native",
    "first_track": "agent",
    "language": "en",
    "jurisdiction": "US",
    "timezone": "America/New_York",
    "clock": "arrival",
    "labels": {"team": "一组"},
    "names": {"agent": "who"},
    "public_url": "wss://calls.example.org",
    "idle_seconds": 900.0,
    "networks": ["10.0.0.0/8"],
    "max_calls": 12,
    "max_share": 0.5,
}


async def test_a_source_is_made_read_changed_and_removed(house: House) -> None:
    client = await house.logged_in("integrator")
    made = await client.post("/api/v1/sources", json={"name": "pbx", **ALL})
    assert (made.status_code, made.json()) == (201, {"name": "pbx", **ALL, "credential": {"kind": "key", "name": ""}})
    assert (await client.get("/api/v1/sources")).json() == {"sources": [made.json()]}
    changed = await client.patch("/api/v1/sources/pbx", json={"first_track": "customer", "language": None})
    assert changed.json() == {**made.json(), "first_track": "customer", "language": None}
    assert (await client.get("/api/v1/sources/pbx")).json() == changed.json()
    assert (await client.delete("/api/v1/sources/pbx")).status_code == 204
    for answer in (await client.get("/api/v1/sources/pbx"), await client.delete("/api/v1/sources/pbx")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_what_is_written_in_many_ways_is_kept_in_one(house: House) -> None:
    client = await house.logged_in("integrator")
    said = {
        "name": "pbx",
        "timezone": "eastern standard time",
        "networks": [" 10.1.2.3/8", "203.0.113.7", "2001:DB8::/32"],
    }
    made = (await client.post("/api/v1/sources", json=said)).json()
    assert made["timezone"] == "America/New_York"
    assert made["networks"] == ["10.0.0.0/8", "203.0.113.7/32", "2001:db8::/32"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"dialect": "klingon"}, "dialect"),
    ({"timezone": "nowhere"}, "timezone"),
    ({"networks": ["10.0.0.0/99"]}, "networks"),
    ({"networks": ["example.org"]}, "networks"),
    ({"public_url": "calls.example.org"}, "public_url"),
    ({"public_url": "wss://me:pw@calls.example.org"}, "public_url"),
    ({"public_url": "wss://calls.example.org:99999"}, "public_url"),
    ({"idle_seconds": 0}, "idle_seconds"),
    ({"max_calls": 0}, "max_calls"),
    ({"labels": {"": "x"}}, "labels"),
    ({"labels": {"x": "\0"}}, "labels"),
    ({"labels": {str(n): "x" for n in range(33)}}, "labels"),
    ({"names": {"agent": ""}}, "names"),
    ({"names": {"customer": "x" * 65}}, "names"),
    ({"names": {"colour": "x"}}, "names.colour.[key]"),
    ({"credential": {"kind": "twilio"}}, "credential"),
    ({"credential": {"kind": "twilio", "secret": "short"}}, "credential"),
    ({"credential": {"kind": "twilio", "name": "x", "secret": TOKEN}}, "credential"),
    ({"credential": {"kind": "key", "secret": TOKEN}}, "credential"),
    ({"credential": {"kind": "header", "secret": TOKEN}}, "credential"),
    ({"credential": {"kind": "header", "name": "Authorization", "secret": TOKEN}}, "credential"),
    ({"credential": {"kind": "basic", "name": "a:b", "secret": TOKEN}}, "credential"),
    ({"credential": {"kind": "audiohook", "name": "key", "secret": "not base64, not at all"}}, "credential"),
    ({"credential": {"kind": "smile", "secret": TOKEN}}, "credential.kind"),
]


async def test_what_cannot_be_is_refused_by_its_field(house: House) -> None:
    client = await house.logged_in("integrator")
    await client.post("/api/v1/sources", json={"name": "pbx"})
    for said, field in WRONG:
        for answer in (
            await client.post("/api/v1/sources", json={"name": "pbx-2", **said}),
            await client.patch("/api/v1/sources/pbx", json=said),
        ):
            assert (answer.status_code, answer.json()["error"]["field"]) == (422, field), (said, answer.text)
    assert await house.parts.store.sources() == [Source(name="pbx")]


async def test_a_secret_goes_in_and_is_sealed_and_never_comes_out(house: House) -> None:
    client = await house.logged_in("integrator")
    shown = {"kind": "twilio", "secret": TOKEN}
    made = await client.post("/api/v1/sources", json={"name": "pbx", "credential": shown})
    assert made.json()["credential"] == {"kind": "twilio", "name": ""}
    listed = await client.get("/api/v1/sources")
    stored = await house.parts.store.source("pbx")
    for text in (made.text, listed.text, repr(stored)):
        assert TOKEN not in text
    assert stored.credential.sealed not in listed.text
    kept = await client.patch("/api/v1/sources/pbx", json={"credential": {"kind": "twilio"}, "language": "en"})
    assert kept.status_code == 200
    assert (await house.parts.store.source("pbx")).credential == stored.credential
    other = await client.patch("/api/v1/sources/pbx", json={"credential": {"kind": "plivo"}})
    assert (other.status_code, other.json()["error"]["field"]) == (422, "credential")


async def test_a_lost_master_key_is_told_and_no_new_one_takes_its_place(house: House) -> None:
    client = await house.logged_in("integrator")
    path = house.parts.settings.master_key
    await a_source(house, "twilio")
    await asyncio.to_thread(path.unlink)
    shown = {"kind": "twilio", "secret": TOKEN}
    refused = await client.post("/api/v1/sources", json={"name": "pbx-2", "credential": shown})
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "secret")
    assert "is missing" in refused.json()["error"]["message"]
    assert not await asyncio.to_thread(path.exists)


async def test_a_source_with_a_key_in_force_stays(house: House) -> None:
    client = await house.logged_in("integrator")
    key = (await client.post("/api/v1/keys", json={"source": "pbx"})).json()
    refused = await client.delete("/api/v1/sources/pbx")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "source_in_use")
    await client.delete(f"/api/v1/keys/{key['id']}")
    assert (await client.delete("/api/v1/sources/pbx")).status_code == 204
    assert (await client.get("/api/v1/keys")).json()["keys"] == []


async def test_a_change_holds_from_the_next_connection_on(house: House) -> None:
    client = await house.logged_in("integrator")
    key = (await client.post("/api/v1/keys", json={"source": "pbx"})).json()["key"]
    async with stream(house, key) as first:
        await started(first)
        await client.patch("/api/v1/sources/pbx", json={"first_track": "agent"})
        async with stream(house, key) as second:
            await started(second, call_id="call-2")
            assert [gateway.source.first_track for gateway in house.calls.keys] == ["customer", "agent"]
            await second.send(json.dumps({"type": "stop"}))
            await second.wait_closed()
        assert first.close_code is None


async def test_a_network_taken_away_is_closed_at_the_next_connection(house: House) -> None:
    client = await house.logged_in("integrator")
    key = (await client.post("/api/v1/keys", json={"source": "pbx"})).json()["key"]
    async with stream(house, key):
        pass
    await client.patch("/api/v1/sources/pbx", json={"networks": ["10.0.0.0/8"]})
    with pytest.raises(InvalidStatus) as refused:
        async with stream(house, key):
            pass
    assert refused.value.response.status_code == 403


async def test_every_change_is_written_with_who_made_it_and_no_secret(house: House) -> None:
    client = await house.logged_in("admin", "boss")
    shown = {"kind": "header", "name": "X-Token", "secret": TOKEN}
    await client.post("/api/v1/sources", json={"name": "pbx", "language": "en"})
    await client.patch("/api/v1/sources/pbx", json={"credential": shown, "labels": {"a": "b"}})
    await client.delete("/api/v1/sources/pbx")
    entries = await written(house, 4)
    assert told(entries)[1:] == [
        ("source_added", "boss", "pbx", "language"),
        ("source_changed", "boss", "pbx", "labels, credential"),
        ("source_removed", "boss", "pbx", ""),
    ]
    assert TOKEN not in repr(entries)


async def test_two_who_change_one_source_at_once_lose_nothing(house: House) -> None:
    client = await house.logged_in("integrator")
    await client.post("/api/v1/sources", json={"name": "pbx"})
    answers = await asyncio.gather(
        *(client.patch("/api/v1/sources/pbx", json={"labels": {"by": str(number)}}) for number in range(6))
    )
    codes = {answer.status_code for answer in answers}
    assert codes <= {200, 409}
    won = [answer.json()["labels"] for answer in answers if answer.status_code == 200]
    assert (await house.parts.store.source("pbx")).labels in won


async def test_a_name_in_the_path_is_a_source_and_not_a_key(house: House) -> None:
    await house.key()
    for path in ("/v1/stream/pbx", "/v1/twilio/pbx", "/v1/twilio/none"):
        with pytest.raises(InvalidStatus) as refused:
            await connect(house.ws + path, proxy=None)
        assert refused.value.response.status_code == 401


async def test_a_changed_secret_is_the_one_that_counts_at_once(house: House) -> None:
    client = await house.logged_in("integrator")
    shown = {"kind": "header", "name": "X-PBX-Token", "secret": TOKEN}
    await client.post("/api/v1/sources", json={"name": "pbx", "credential": shown})
    assert await status(house, "/v1/stream/pbx", {"X-PBX-Token": TOKEN}) == 101
    fresh = TOKEN[::-1]
    await client.patch("/api/v1/sources/pbx", json={"credential": {**shown, "secret": fresh}})
    assert await status(house, "/v1/stream/pbx", {"X-PBX-Token": TOKEN}) == 401
    assert await status(house, "/v1/stream/pbx", {"X-PBX-Token": fresh}) == 101
