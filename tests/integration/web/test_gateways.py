"""Gateway sockets with a real client: who gets in, what is said back, what becomes of the call."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

from service.gateway.call_ports import CallOutcome, CallRefused
from service.gateway.shell import GatewayLimits
from service.ingest.events import AudioArrived, DigitPressed, Irregularity
from service.record.facts import DtmfPressed
from service.storage.port import StorageUnavailable
from tests.integration.web.conftest import House, OpenHouse
from tests.media_streams_vendors import VENDORS
from tests.scenes import NOON

START = {
    "type": "start",
    "call_id": "call-1",
    "legs": [{"role": "agent"}, {"role": "customer"}],
    "encoding": "pcm_s16le",
    "rate": 8000,
    "started_at": "2026-03-02T12:00:00+08:00",
}
SECOND = bytes(32_000)


@asynccontextmanager
async def stream(house: House, key: str, path: str = "/v1/stream", **options: Any) -> AsyncIterator[ClientConnection]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with connect(house.ws + path, additional_headers=headers, proxy=None, **options) as client:
        yield client


async def started(client: ClientConnection, **changed: object) -> dict[str, Any]:
    await client.send(json.dumps({**START, **changed}))
    return json.loads(await client.recv())


async def ending(client: ClientConnection) -> tuple[dict[str, Any], int]:
    """The error message and the close code."""
    message = json.loads(await client.recv())
    await client.wait_closed()
    assert client.close_code is not None
    return message, client.close_code


async def test_a_wrong_path_is_told_as_such_and_not_as_a_wrong_key(house: House) -> None:
    for path in ("/", "/v1/streams", "/api/v1/stream"):
        with pytest.raises(InvalidStatus) as refused:
            async with stream(house, await house.key(), path):
                pass
        assert refused.value.response.status_code == 404
        assert b"/v1/stream" in (refused.value.response.body or b"")


async def test_a_call_from_start_to_finished(house: House) -> None:
    async with stream(house, await house.key()) as client:
        assert await started(client) == {"type": "ready", "call_id": "call-1", "resumed": False}
        connection = await house.calls.connections.get()
        await client.send(SECOND)
        await client.send(json.dumps({"type": "dtmf", "digit": "5"}))
        await client.send(json.dumps({"type": "stop"}))
        last = json.loads(await client.recv())
        await client.wait_closed()
    assert connection.fed == [AudioArrived(payload=SECOND), DigitPressed(digit="5")]
    assert (last["type"], last["ending"]) == ("finished", "completed")
    assert client.close_code == 1000
    assert not connection.was_lost.is_set()
    assert house.calls.keys[0].source.name == "pbx"


@pytest.mark.parametrize("form", ["bearer", "x-api-key", "basic"])
async def test_a_key_is_taken_in_three_forms(house: House, form: str) -> None:
    key = await house.key()
    basic = base64.b64encode(f"gateway:{key}".encode()).decode()
    forms = {"bearer": ("Authorization", f"Bearer {key}"), "x-api-key": ("X-API-Key", key)}
    name, value = forms.get(form, ("Authorization", f"Basic {basic}"))
    async with connect(f"{house.ws}/v1/stream", additional_headers={name: value}, proxy=None) as client:
        assert (await started(client))["type"] == "ready"


async def test_wrong_revoked_and_rightless_keys_are_turned_away_before_the_handshake(house: House) -> None:
    good, rightless, revoked = await house.key(), await house.key("events"), await house.key()
    await house.parts.store.revoke_key(revoked.split("_")[1], NOON)
    unknown = f"cw_000000000000_{good.split('_', 2)[2]}"
    for key, status in (("", 401), ("cw_x", 401), (good[:-1], 401), (unknown, 401), (rightless, 403), (revoked, 403)):
        with pytest.raises(InvalidStatus) as refused:
            async with stream(house, key):
                pass
        assert refused.value.response.status_code == status, key


async def test_a_connection_from_elsewhere_or_in_another_dialect_is_turned_away(open_house: OpenHouse) -> None:
    house = await open_house(trusted_proxies="127.0.0.1")
    key = await house.key(networks=("10.1.0.0/16",), dialect="native")
    told = {"X-Forwarded-For": "10.1.2.3"}
    async with connect(f"{house.ws}/v1/stream", additional_headers={"X-API-Key": key, **told}, proxy=None) as client:
        assert (await started(client))["type"] == "ready"
    for path, headers in (("/v1/stream", {}), ("/v1/stream", {"X-Forwarded-For": "10.2.0.1"}), ("/v1/twilio", told)):
        with pytest.raises(InvalidStatus) as refused:
            await connect(house.ws + path, additional_headers={"X-API-Key": key, **headers}, proxy=None)
        assert refused.value.response.status_code == 403, (path, headers)


async def test_what_a_source_says_of_its_calls_is_in_each(house: House) -> None:
    key = await house.key(labels={"team": "一组"}, names={"agent": "who", "started_at": "begun"})
    async with stream(house, key) as client:
        await started(client, metadata={"who": "张伟", "begun": "soon"})
        connection = await house.calls.connections.get()
        await client.send(json.dumps({"type": "stop"}))
        await client.wait_closed()
    [announced] = house.calls.announced
    assert (announced.agent, announced.metadata["team"]) == ("张伟", "一组")
    assert [(event.kind, event.field) for event in connection.fed if isinstance(event, Irregularity)] == [
        ("value", "metadata.begun")
    ]


async def test_a_store_that_cannot_be_asked_is_503_before_the_handshake(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await house.key()

    async def locked(_key_id: str) -> None:
        raise StorageUnavailable("the database is locked")

    monkeypatch.setattr(house.parts.store, "key", locked)
    with pytest.raises(InvalidStatus) as refused:
        async with stream(house, key):
            pass
    assert refused.value.response.status_code == 503


async def test_an_offered_subprotocol_is_echoed_and_none_is_required(house: House) -> None:
    async with stream(house, await house.key(), subprotocols=["audio.drachtio.org"]) as client:
        assert client.subprotocol == "audio.drachtio.org"


@pytest.mark.parametrize(
    ("message", "field", "code"),
    [
        ("no json", "message", 1003),
        (json.dumps({**START, "encoding": "amr-wb"}), "encoding", 1003),
        (json.dumps({**START, "rate": 96_000}), "rate", 1008),
        (json.dumps({"type": "stop"}), "start", 1008),
        ("x" * (64 * 1024 + 1), "message", 1009),
        (bytes(1024 * 1024 + 1), "audio", 1009),
    ],
)
async def test_bad_input_names_the_field_and_the_close_code(
    house: House, message: str | bytes, field: str, code: int
) -> None:
    async with stream(house, await house.key()) as client:
        await client.send(message)
        error, close_code = await ending(client)
    assert (error["type"], error["field"], error["code"], close_code) == ("error", field, code, code)
    assert error["message"]


async def test_a_message_that_is_too_big_ends_the_call_and_keeps_what_came(house: House) -> None:
    async with stream(house, await house.key()) as client:
        await started(client)
        connection = await house.calls.connections.get()
        await client.send(SECOND)
        await client.send(bytes(1024 * 1024 + 4))
        error, close_code = await ending(client)
        await connection.was_rejected.wait()
    assert (error["field"], close_code) == ("audio", 1009)
    assert connection.fed == [AudioArrived(payload=SECOND)]
    assert connection.violation is not None
    assert connection.violation.field == "audio"
    assert not connection.was_lost.is_set()


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (json.dumps(START), "start"),
        ("no json", "message"),
        (json.dumps({"type": "dtmf", "digit": "!"}), "digit"),
        (b"\0\0\0", "audio"),
    ],
)
async def test_what_is_odd_in_a_call_is_told_and_the_call_goes_on(
    house: House, message: str | bytes, field: str
) -> None:
    async with stream(house, await house.key()) as client:
        await started(client)
        connection = await house.calls.connections.get()
        await client.send(message)
        await client.send(SECOND)
        await client.send(json.dumps({"type": "stop"}))
        assert [json.loads(said)["type"] async for said in client] == ["finished"]
    odd = [event.field for event in connection.fed if isinstance(event, Irregularity)]
    assert odd == [field, field] if field == "audio" else [field]
    assert AudioArrived(payload=SECOND) in connection.fed
    assert connection.violation is None


async def test_a_start_after_stop_costs_the_connection_and_not_the_call(house: House) -> None:
    house.calls.done_at_once = False
    async with stream(house, await house.key(), "/v1/twilio") as client:
        await client.send(TWILIO_START)
        connection = await house.calls.connections.get()
        await client.send(json.dumps({"event": "stop"}))
        await connection.was_stopped.wait()
        await client.send(TWILIO_START)
        await client.wait_closed()
    assert client.close_code == 1008
    assert not connection.was_rejected.is_set()


async def test_text_that_is_not_utf_8_costs_the_connection_and_not_the_call(house: House) -> None:
    async with stream(house, await house.key()) as client:
        await started(client)
        connection = await house.calls.connections.get()
        client.transport.write(bytes([0x81, 0x82, 0, 0, 0, 0, 0xC3, 0x28]))  # a masked text frame of two bad bytes
        await connection.was_lost.wait()
    assert [event.field for event in connection.fed if isinstance(event, Irregularity)] == ["message"]
    assert not connection.was_rejected.is_set()


async def test_a_flood_of_messages_ends_the_connection(open_house: OpenHouse) -> None:
    house = await open_house(limits=GatewayLimits(messages_a_second=1, messages_at_once=10))
    async with stream(house, await house.key()) as client:
        await started(client)
        with suppress(ConnectionClosed):  # it may be told before all is sent
            for _ in range(100):
                await client.send("{}")
        error, code = await ending(client)
    assert (error["field"], code) == ("message", 1008)


async def test_a_message_beyond_all_limits_is_1009_and_marks_the_call(house: House) -> None:
    async with stream(house, await house.key()) as client:
        await started(client)
        connection = await house.calls.connections.get()
        await client.send(bytes(3 * 1024 * 1024))
        with pytest.raises(ConnectionClosedError):
            await client.recv()
        await connection.was_rejected.wait()
    assert client.close_code == 1009


async def test_audio_the_line_refuses_ends_the_call_with_the_reason(house: House) -> None:
    house.calls.too_fast = True
    async with stream(house, await house.key()) as client:
        await started(client)
        await client.send(SECOND)
        error, code = await ending(client)
    assert (error["field"], code) == ("audio", 1008)


async def test_a_second_stop_is_told_and_the_call_still_finishes(house: House) -> None:
    house.calls.done_at_once = False
    async with stream(house, await house.key()) as client:
        await started(client)
        connection = await house.calls.connections.get()
        await client.send(json.dumps({"type": "stop"}))
        await connection.was_stopped.wait()
        await client.send(json.dumps({"type": "stop"}))
        await connection.was_fed.wait()
        connection.finish()
        assert [json.loads(said)["type"] async for said in client] == ["finished"]
    assert [event.field for event in connection.fed if isinstance(event, Irregularity)] == ["stop"]


async def test_a_dropped_connection_loses_the_line_and_does_not_stop_the_call(house: House) -> None:
    async with stream(house, await house.key()) as client:
        await started(client)
        connection = await house.calls.connections.get()
        await client.send(SECOND)
        await connection.was_fed.wait()
        client.transport.abort()
        await connection.was_lost.wait()
    assert not connection.was_stopped.is_set()


async def test_a_close_without_status_is_a_lost_line(house: House) -> None:
    async with stream(house, await house.key()) as client:
        await started(client)
        connection = await house.calls.connections.get()
        client.transport.write(bytes([0x88, 0x80, 1, 2, 3, 4]))  # a masked close frame with an empty body
        await connection.was_lost.wait()
    assert not connection.was_stopped.is_set()


async def test_a_clean_close_stands_for_stop(house: House) -> None:
    async with stream(house, await house.key()) as client:
        await started(client)
        connection = await house.calls.connections.get()
        await client.close(1000)
        await connection.was_stopped.wait()
    assert not connection.was_lost.is_set()


async def test_a_resumed_call_says_so(house: House) -> None:
    house.calls.resumed = True
    async with stream(house, await house.key()) as client:
        assert (await started(client))["resumed"] is True


async def test_a_full_house_tells_when_to_come_back(house: House) -> None:
    house.calls.refuses = CallRefused("capacity", "16 calls are live", 10.0)
    async with stream(house, await house.key()) as client:
        await client.send(json.dumps(START))
        error, code = await ending(client)
    assert (error["field"], code) == ("start", 1013)
    assert "10 s" in error["message"]
    assert error["retry_after"] == 10.0


@pytest.mark.parametrize(("why", "code"), [("ending", 1013), ("overload", 1013), ("restarting", 1012)])
async def test_a_refusal_that_time_mends_has_a_code_that_gateways_retry(house: House, why: str, code: int) -> None:
    house.calls.refuses = CallRefused(why, "not now", 10.0)
    async with stream(house, await house.key()) as client:
        await client.send(json.dumps(START))
        error, close_code = await ending(client)
    assert (error["field"], error["retry_after"], close_code) == ("start", 10.0, code)


@pytest.mark.parametrize(
    ("outcome", "field", "code"),
    [("failed", "call", 1011), ("suspended", "call", 1012), ("taken_over", "call_id", 1008)],
)
async def test_a_gateway_is_told_when_its_call_is_monitored_no_longer(
    house: House, outcome: CallOutcome, field: str, code: int
) -> None:
    async with stream(house, await house.key()) as client:
        await started(client)
        connection = await house.calls.connections.get()
        connection.finish(outcome)
        error, close_code = await ending(client)
    assert (error["type"], error["field"], close_code) == ("error", field, code)


async def test_twilio_is_told_of_a_failed_call_by_its_close_code(house: House) -> None:
    async with stream(house, await house.key(), "/v1/twilio") as client:
        await client.send(TWILIO_START)
        connection = await house.calls.connections.get()
        connection.finish("failed")
        await client.wait_closed()
    assert client.close_code == 1011


async def test_events_go_to_a_key_with_the_right(house: House) -> None:
    async with stream(house, await house.key("stream", "events")) as client:
        await started(client, events=True)
        connection = await house.calls.connections.get()
        connection.tell(DtmfPressed(digit="5", at=1.0))
        event = json.loads(await client.recv())
        await client.send(json.dumps({"type": "stop"}))
        rest = [json.loads(message)["type"] async for message in client]
    assert (event["type"], event["seq"], event["fact"]["type"]) == ("event", 1, "dtmf")
    assert rest == ["event", "finished"]


async def test_events_are_refused_to_a_key_without_the_right_and_no_call_is_opened(house: House) -> None:
    async with stream(house, await house.key("stream")) as client:
        await client.send(json.dumps({**START, "events": True}))
        error, code = await ending(client)
    assert (error["field"], code) == ("events", 1008)
    assert house.calls.announced == []


async def test_events_that_were_not_asked_for_are_not_sent(house: House) -> None:
    async with stream(house, await house.key("stream", "events")) as client:
        await started(client)
        connection = await house.calls.connections.get()
        connection.tell(DtmfPressed(digit="5", at=1.0))
        await client.send(json.dumps({"type": "stop"}))
        assert [json.loads(message)["type"] async for message in client] == ["finished"]


async def test_facts_that_end_early_do_not_end_the_call(house: House) -> None:
    async with stream(house, await house.key("stream", "events")) as client:
        await started(client, events=True)
        connection = await house.calls.connections.get()
        connection.end_facts()
        await client.send(SECOND)
        await connection.was_fed.wait()
        await client.send(json.dumps({"type": "stop"}))
        await client.wait_closed()
    assert client.close_code == 1000
    assert connection.was_stopped.is_set()


async def test_reading_goes_on_while_the_call_is_processed(house: House) -> None:
    """What the client sends after stop is read although processing has not ended."""
    house.calls.done_at_once = False
    async with stream(house, await house.key()) as client:
        await started(client)
        connection = await house.calls.connections.get()
        await client.send(json.dumps({"type": "stop"}))
        await connection.was_stopped.wait()
        await (await client.ping())
        connection.finish()
        assert json.loads(await client.recv())["type"] == "finished"


async def test_a_call_on_hold_is_kept_however_long_its_gateway_sends_nothing(open_house: OpenHouse) -> None:
    house = await open_house(limits=GatewayLimits(start=1.0))
    async with stream(house, await house.key()) as client:
        await started(client)
        connection = await house.calls.connections.get()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.recv(), 1.2)
        await client.send(SECOND)
        await connection.was_fed.wait()
    assert connection.fed == [AudioArrived(payload=SECOND)]


async def test_a_connection_that_never_starts_is_closed(open_house: OpenHouse) -> None:
    house = await open_house(limits=GatewayLimits(start=0.05))
    async with stream(house, await house.key()) as client:
        error, code = await ending(client)
    assert (error["field"], code) == ("connection", 1008)


def media(track: str = "inbound") -> str:
    payload = base64.b64encode(b"\xff" * 160).decode()
    chunk = {"track": track, "chunk": "1", "timestamp": "20", "payload": payload}
    return json.dumps({"event": "media", "sequenceNumber": "2", "streamSid": "MZ1", "media": chunk})


TWILIO_START = json.dumps(
    {
        "event": "start",
        "sequenceNumber": "1",
        "streamSid": "MZ1",
        "start": {
            "streamSid": "MZ1",
            "callSid": "CA1",
            "accountSid": "AC1",
            "tracks": ["inbound", "outbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        },
    }
)


async def test_twilio_is_never_answered_and_may_carry_its_key_in_the_path(house: House) -> None:
    async with stream(house, "", f"/v1/twilio/{await house.key()}") as client:
        await client.send(TWILIO_START)
        await client.send(media())
        connection = await house.calls.connections.get()
        await client.send(json.dumps({"event": "stop", "streamSid": "MZ1", "stop": {"callSid": "CA1"}}))
        said = [message async for message in client]
    assert said == []
    assert client.close_code == 1000
    assert [event.role for event in connection.fed if isinstance(event, AudioArrived)] == ["customer"]


@pytest.mark.parametrize("name", ["signalwire", "telnyx", "plivo", "exotel"])
async def test_the_twilio_family_streams_on_the_vendors_address_and_on_a_common_one(house: House, name: str) -> None:
    vendor = VENDORS[name]
    for path in (f"/v1/{name}", "/v1/media-streams"):
        async with stream(house, "", f"{path}/{await house.key()}") as client:
            await client.send(vendor.audio(b"\xff" * 160))
            await client.send(vendor.start())
            await client.send(vendor.audio(b"\xff" * 160, 1, 0, "outbound"))
            connection = await house.calls.connections.get()
            await client.send(vendor.ends)
            assert [message async for message in client] == []
        assert client.close_code == 1000
        assert [event.role for event in connection.fed if isinstance(event, AudioArrived)] == ["customer", "agent"]


async def test_twilio_learns_of_an_error_by_code_and_reason_only(house: House) -> None:
    async with stream(house, await house.key(), "/v1/twilio") as client:
        await client.send(b"binary")
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1003
    assert "binary" in closed.value.rcvd.reason


async def test_the_key_stays_out_of_the_logs(house: House, caplog: pytest.LogCaptureFixture) -> None:
    key = await house.key()
    secret = key.split("_", 2)[2]
    with caplog.at_level(logging.DEBUG):
        async with stream(house, "", f"/v1/twilio/{key}"):
            pass
        with pytest.raises(InvalidStatus):
            async with stream(house, "", f"/v1/twilio/{key}x"):
                pass
        await (await house.stranger()).get(f"/v1/twilio/{key}")
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("uvicorn", "service"))]
    assert any("/v1/twilio/" in connection for connection in ours)
    assert not any(secret in connection for connection in ours)


async def test_a_reservation_takes_what_a_native_start_takes_and_its_legs_tell_what_was_odd(house: House) -> None:
    headers = {"Authorization": f"Bearer {await house.key()}"}
    metadata = {"debtor": 4711, "due": 1250.5, "vip": True, "none": None, "list": [1], "long": "x" * 5000}
    told = {"call_id": 1001, "legs": ["agent"], "agent": 17, "customer": ["C"], "language": None, "metadata": metadata}
    answer = await (await house.stranger()).post("/v1/reservations", json=told, headers=headers)
    assert answer.status_code == 201, answer.text
    token = uuid.UUID(answer.json()["tokens"]["agent"])
    async with house.tcp() as address, asyncio.timeout(30):
        _reader, writer = await asyncio.open_connection(*address)
        writer.write(b"\x01\x00\x10" + token.bytes)
        connection = await house.calls.connections.get()
        await connection.was_fed.wait()
        writer.close()
        await writer.wait_closed()
    [call] = house.calls.announced
    assert (call.call_id, call.agent, call.customer) == ("1001", "17", "")
    assert {**call.metadata, "long": ""} == {"debtor": "4711", "due": "1250.5", "vip": "true", "long": ""}
    odd = [event.field for event in connection.fed if isinstance(event, Irregularity)]
    assert odd == ["customer", "metadata.list", "metadata.long"]
