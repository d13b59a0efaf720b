"""What whoever sets a gateway up sees of its connections, while they happen."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from service.gateway.call_ports import CallRefused
from service.gateway.shell import GatewayLimits
from service.preview.previews import MOST_LET_IN, MOST_TURNED_AWAY
from service.storage.port import StorageUnavailable
from tests.integration.web.conftest import House, OpenHouse
from tests.integration.web.test_credentials import PUBLIC, TOKEN, a_source
from tests.integration.web.test_gateways import SECOND, START, started, stream
from tests.scenes import NOON

TWILIO = {
    "event": "start",
    "streamSid": "MZ1",
    "start": {
        "callSid": "CA1",
        "tracks": ["inbound", "outbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"agent": "A17", "customer": "13800138000", "language": "zh-CN", "authToken": TOKEN},
    },
}
MEDIA = {"event": "media", "media": {"track": "inbound", "timestamp": "0", "payload": "/" * 216}}


async def shown(client: httpx.AsyncClient, source: str = "pbx") -> list[dict[str, Any]]:
    answer = await client.get(f"/api/v1/sources/{source}/connections")
    assert answer.status_code == 200, answer.text
    return answer.json()["connections"]


async def unmatched(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    return (await client.get("/api/v1/connections/unmatched")).json()["connections"]


async def until(
    ask: Callable[[], Awaitable[list[dict[str, Any]]]], holds: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """The newest connection, once it is so."""
    async with asyncio.timeout(20):
        while not (found := await ask()) or not holds(found[0]):
            pass
    return found[0]


def mapped(connection: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    return {each["name"]: (each["value"], each["origin"], each["place"]) for each in connection["fields"]}


async def a_call_of_twilio(house: House, key: str) -> ClientConnection:
    client = await connect(f"{house.ws}/v1/twilio/{key}?site=north", proxy=None)
    for message in ({"event": "connected", "protocol": "Call"}, TWILIO, MEDIA):
        await client.send(json.dumps(message))
    return client


async def test_an_accepted_call_is_seen_from_its_handshake_to_its_close(house: House) -> None:
    boss, key = (
        await house.logged_in("admin"),
        await house.key(labels={"direction": "outbound"}, timezone="Asia/Shanghai"),
    )
    gateway = await a_call_of_twilio(house, key)
    live = await until(lambda: shown(boss), lambda each: each["legs"] and each["legs"][1]["packets"] == 1)
    assert (live["state"], live["credential"], live["call_id"]) == ("live", key.rsplit("_", 1)[0][:15], "CA1")
    assert (live["seen"]["dialect"], live["seen"]["path"]) == ("twilio", "/v1/twilio/…")
    assert live["seen"]["query"] == {"site": "north"}
    assert live["seen"]["headers"]["sec-websocket-key"] == "…"
    assert live["seen"]["headers"]["host"] == f"127.0.0.1:{house.port}"
    assert mapped(live) == {
        "call_id": ("CA1", "message", "start.callSid"),
        "agent": ("A17", "message", "start.customParameters.agent"),
        "customer": ("13800138000", "message", "start.customParameters.customer"),
        "language": ("zh", "message", "start.customParameters.language"),
        "started_at": ("", "arrival", ""),
        "jurisdiction": ("CN", "service", ""),
        "direction": ("outbound", "label", ""),
        "timezone": ("Asia/Shanghai", "source", ""),
    }
    customer = next(leg for leg in live["legs"] if leg["role"] == "customer")
    assert (customer["encoding"], customer["rate"], customer["audio"]) == ("mulaw", 8000, 0.02)
    assert customer["reading"]["peak"] == -9.0
    assert (live["texts"], live["binaries"], live["notices"]) == (3, 0, [])
    await gateway.close()
    over = await until(lambda: shown(boss), lambda each: each["state"] == "ended")
    assert (over["ending"]["by"], over["ending"]["code"]) == ("gateway", 1000)
    assert over["legs"][0]["reading"]["peak"] == -9.0, "what was read last stays"


async def test_neither_secrets_nor_sound_are_shown_and_personal_data_to_admins_alone(house: House) -> None:
    boss, fitter, key = await house.logged_in("admin"), await house.logged_in("integrator"), await house.key()
    async with await a_call_of_twilio(house, key):
        [live] = await shown(boss)
        texts = json.dumps(live, ensure_ascii=False)
        assert "13800138000" in texts
        for secret in (key, key.rsplit("_", 1)[1], TOKEN, MEDIA["media"]["payload"]):  # type: ignore[index]
            assert str(secret) not in texts
        [fitted] = await shown(fitter)
        texts = json.dumps(fitted, ensure_ascii=False)
        assert not any(personal in texts for personal in ("A17", "13800138000", "north"))
        assert mapped(fitted)["customer"] == ("(11: digits)", "message", "start.customParameters.customer")
        assert mapped(fitted)["call_id"] == mapped(live)["call_id"]
        start = json.loads(fitted["messages"][1]["text"])["start"]
        assert start["mediaFormat"]["encoding"] == "audio/x-mulaw"
        assert start["customParameters"]["customer"] == "(11: digits)"


async def test_of_a_text_within_a_call_admins_too_see_only_the_form(house: House) -> None:
    boss = await house.logged_in("admin")
    async with stream(house, await house.key()) as gateway:
        await started(gateway)
        await gateway.send(json.dumps({"type": "caption", "said": "还钱"}))
        await gateway.send(json.dumps({"type": "dtmf", "digit": "7"}))
        live = await until(lambda: shown(boss), lambda each: each["texts"] == 3)
    assert [json.loads(each["text"]) for each in live["messages"][1:]] == [
        {"type": "caption", "said": "(2: letters)"},
        {"type": "dtmf", "digit": "…"},
    ]
    assert live["digits"] == 1


async def test_what_is_odd_is_told_with_its_reason_and_counted(house: House) -> None:
    boss = await house.logged_in("admin")
    async with stream(house, await house.key(names={"started_at": "begun"})) as gateway:
        await started(gateway, metadata={"begun": "soon"})
        for _ in range(3):
            await gateway.send("no json")
        live = await until(lambda: shown(boss), lambda each: each["texts"] == 4)
    told = {each["field"]: (each["kind"], each["times"]) for each in live["notices"]}
    assert told == {"metadata.begun": ("value", 1), "message": ("unreadable", 3)}


async def refused_at(house: House, path: str, headers: dict[str, str] | None = None) -> None:
    with pytest.raises(InvalidStatus):
        await connect(house.ws + path, additional_headers=headers or {}, proxy=None)


async def test_each_refused_handshake_is_seen_at_the_next_question_with_its_reason_and_a_hint(
    open_house: OpenHouse,
) -> None:
    """Nothing is waited for, and the page asks every 750 ms: it shows within a second."""
    house = await open_house(public_url=PUBLIC)
    boss = await house.logged_in("admin")
    key, rightless, revoked = await house.key(), await house.key("events"), await house.key()
    abroad = await house.key(source="abroad", networks=("10.0.0.0/8",))
    spoken = await house.key(source="spoken", dialect="twilio")
    await house.parts.store.revoke_key(revoked.split("_")[1], NOON)
    await a_source(house, "header", "X-PBX-Token", called="headed")
    await a_source(house, "twilio", called="signed")
    signed = {"X-Twilio-Signature": "bm90IGl0"}
    cases = [
        ("/v1/stream", {"X-API-Key": f"{key[:-1]}{'A' if key[-1] != 'A' else 'B'}"}, "pbx", "wrong_secret", ""),
        ("/v1/stream", {"X-API-Key": revoked}, "pbx", "revoked", "This key has been revoked."),
        ("/v1/stream", {"X-API-Key": rightless}, "pbx", "no_right", "This key lacks the right 'stream'."),
        ("/v1/stream/abroad", {"X-API-Key": key}, "pbx", "other_source", "This key is another source's."),
        ("/v1/stream", {"X-API-Key": abroad}, "abroad", "other_network", "does not connect from 127.0.0.1"),
        ("/v1/stream", {"X-API-Key": spoken}, "spoken", "other_dialect", "speaks twilio"),
        ("/v1/stream/headed", {"X-PBX-Token": "guess"}, "headed", "wrong_credential", ""),
        ("/v1/twilio/signed", signed, "signed", "wrong_signature", f"over {PUBLIC}/v1/twilio/signed"),
        ("/v1/stream/pbx", {}, "pbx", "no_key", ""),
        ("/v1/twilio/pxb", {}, None, "unknown_source", ""),
        ("/v1/stream", {"X-API-Key": "cw_guess"}, None, "unknown_key", ""),
        ("/v1/stream", {}, None, "no_key", ""),
        ("/v1/streams", {}, None, "path", "no gateway connects at /v1/streams"),
    ]
    for path, headers, source, code, told in cases:
        await refused_at(house, path, headers)
        seen = (await (unmatched(boss) if source is None else shown(boss, source)))[0]
        refusal = seen["refusal"]
        assert (seen["state"], refusal["code"]) == ("refused", code), (path, headers)
        assert told in refusal["message"]
        assert refusal["hint"]["zh"]
        assert refusal["hint"]["en"]


async def test_a_store_that_is_away_is_told_as_the_reason(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    boss, key = await house.logged_in("admin"), await house.key()

    async def locked(_key_id: str) -> None:
        raise StorageUnavailable("the database is locked")

    monkeypatch.setattr(house.parts.store, "key", locked)
    await refused_at(house, "/v1/stream", {"X-API-Key": key})
    assert (await unmatched(boss))[0]["refusal"]["code"] == "store_away"


REFUSED_STARTS = [
    (json.dumps({**START, "rate": 96_000}), "start"),
    (json.dumps({**START, "encoding": "amr-wb"}), "unsupported"),
    ("x" * (64 * 1024 + 1), "too_big"),
    (json.dumps({**START, "events": True}), "events"),
]


async def test_a_start_that_is_refused_is_seen_with_the_message_and_the_close(house: House) -> None:
    boss, key = await house.logged_in("admin"), await house.key()
    for message, code in REFUSED_STARTS:
        async with stream(house, key) as gateway:
            await gateway.send(message)
            await gateway.wait_closed()
            [seen, *_] = await shown(boss)
        assert (seen["state"], seen["refusal"]["code"]) == ("refused", code)
        assert (seen["ending"]["by"], seen["ending"]["code"]) == ("service", gateway.close_code)
        assert seen["messages"][0]["size"] == len(message)


async def test_a_call_that_is_not_taken_is_seen_with_the_reason(house: House) -> None:
    boss, key = await house.logged_in("admin"), await house.key()
    for code in ("quota", "capacity", "overload", "conflict", "ending", "restarting"):
        house.calls.refuses = CallRefused(code, "as many calls as it may have", 10.0)
        async with stream(house, key) as gateway:
            await gateway.send(json.dumps(START))
            await gateway.wait_closed()
        refusal = (await shown(boss))[0]["refusal"]
        assert (refusal["code"], refusal["message"]) == (code, "as many calls as it may have")


async def test_a_connection_that_says_nothing_is_seen_waiting_and_then_refused(open_house: OpenHouse) -> None:
    house = await open_house(limits=GatewayLimits(start=0.3))
    boss = await house.logged_in("admin")
    async with stream(house, await house.key()) as gateway:
        assert (await shown(boss))[0]["state"] == "waiting"
        await gateway.wait_closed()
    assert (await shown(boss))[0]["refusal"]["code"] == "no_start"


async def test_audiosocket_is_seen_by_its_reservation_and_a_wrong_uuid_among_the_unmatched(house: House) -> None:
    boss, stranger = await house.logged_in("admin"), await house.stranger()
    headers = {"Authorization": f"Bearer {await house.key()}"}
    wrong = await stranger.post("/v1/reservations", json={"call_id": "!"}, headers=headers)
    assert (wrong.status_code, (await shown(boss))[0]["refusal"]["code"]) == (422, "start")
    told = await stranger.post("/v1/reservations", json={"call_id": "c-9", "agent": "A17"}, headers=headers)
    token = uuid.UUID(told.json()["tokens"]["agent"]).bytes
    async with house.tcp() as (host, port):
        _, writer = await asyncio.open_connection(host, port)
        writer.write(b"\x01\x00\x10" + token)
        live = await until(lambda: shown(boss), lambda each: each["state"] == "live")
        assert (live["call_id"], live["seen"]["dialect"], live["names_parties"]) == ("c-9", "audiosocket", True)
        assert mapped(live)["agent"] == ("A17", "dialect", "")
        writer.write(b"\x10\x01\x40" + bytes(320))
        heard = await until(lambda: shown(boss), lambda each: each["legs"][0]["packets"] == 1)
        assert (heard["legs"][0]["role"], heard["legs"][0]["audio"]) == ("agent", 0.02)
        writer.close()
        strange_reader, strange = await asyncio.open_connection(host, port)
        strange.write(b"\x01\x00\x10" + uuid.uuid4().bytes)
        assert await strange_reader.read() == b""
        seen = await until(lambda: unmatched(boss), lambda each: each["refusal"] is not None)
        assert (seen["refusal"]["code"], seen["seen"]["address"]) == ("token", "127.0.0.1")
        strange.close()


async def test_swapped_legs_show_from_the_next_connection_on(house: House) -> None:
    boss, key = await house.logged_in("admin"), await house.key()
    first = await a_call_of_twilio(house, key)
    for track in ("customer", "agent"):
        await boss.patch("/api/v1/sources/pbx", json={"first_track": track})
        async with await a_call_of_twilio(house, key):
            live = await until(lambda: shown(boss), lambda each: any(leg["packets"] for leg in each["legs"]))
            assert [leg["role"] for leg in live["legs"] if leg["packets"]] == [track]
    await first.close()


async def test_no_more_than_the_last_are_kept_and_guesses_do_not_drive_them_out(house: House) -> None:
    boss, key = await house.logged_in("admin"), await house.key()
    for number in range(MOST_LET_IN + 2):
        async with stream(house, key) as gateway:
            await started(gateway, call_id=f"call-{number}")
    for number in range(MOST_TURNED_AWAY + 2):
        await refused_at(house, f"/v1/stream/pbx?try={number}", {"X-API-Key": "cw_guess"})
        await refused_at(house, f"/v1/twilio/pbx?try={number}", {"Other": "x"})
    seen = await shown(boss)
    assert len(seen) == MOST_LET_IN + MOST_TURNED_AWAY
    assert {each["call_id"] for each in seen} == {"", *(f"call-{number}" for number in range(2, MOST_LET_IN + 2))}


async def test_the_same_refusal_again_is_counted_and_not_listed_again(house: House) -> None:
    boss = await house.logged_in("admin")
    for _ in range(3):
        await refused_at(house, "/v1/twilio/nobody")
    [seen] = await unmatched(boss)
    assert seen["times"] == 3


async def test_a_source_that_is_none_is_not_found_and_one_without_connections_is_empty(house: House) -> None:
    boss = await house.logged_in("admin")
    assert (await boss.get("/api/v1/sources/none/connections")).status_code == 404
    await house.key()
    assert await shown(boss) == []


async def test_audio_is_counted_as_it_comes_and_none_of_it_is_kept(house: House) -> None:
    boss = await house.logged_in("admin")
    async with stream(house, await house.key()) as gateway:
        await started(gateway)
        for _ in range(20):
            await gateway.send(SECOND)
        live = await until(lambda: shown(boss), lambda each: each["binaries"] == 20)
    assert [(leg["role"], leg["audio"], leg["packets"]) for leg in live["legs"]] == [
        ("agent", 20.0, 20),
        ("customer", 20.0, 20),
    ]
    assert live["size"] > 20 * len(SECOND)
    assert all(each["text"] == "" for each in live["messages"] if each["kind"] == "binary")
