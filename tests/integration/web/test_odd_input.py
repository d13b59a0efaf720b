"""Input no client of ours sends gets an answer that says so: never a 500, never a socket that dies without a word."""

from __future__ import annotations

import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from service.recordings.wav import HEAD_BYTES, WavForm, wav_head
from tests.integration.web.conftest import PASSWORD, House, cookie_of
from tests.integration.web.test_calls import stored_call

HUGE = [2**31, 2**63 - 1, 2**63, 2**64, 10**30, 10**4000]
MONO = WavForm(roles=("agent",), rate=8000)
ODD_ORIGINS = [
    "http://[",
    "http://[::1",
    "http://[::1]x",
    "http://a:b:c",
    "http://host:99999",
    "//",
    ":",
    "http://@",
    "\xff",
]


@pytest.mark.parametrize("origin", ODD_ORIGINS)
async def test_a_malformed_origin_is_anothers(house: House, origin: str) -> None:
    client = await house.logged_in("admin")
    headers = [(b"Origin", origin.encode("latin-1"))]
    login = await client.post("/api/v1/session", json={"username": "x", "password": PASSWORD}, headers=headers)
    change = await client.delete("/api/v1/keys/none", headers=headers)
    for answer in (login, change):
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "origin")


@pytest.mark.parametrize("origin", ODD_ORIGINS[:-1])
async def test_a_malformed_origin_opens_no_live_socket(house: House, origin: str) -> None:
    client = await house.logged_in("supervisor")
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{house.ws}/api/v1/live", additional_headers={**cookie_of(client), "Origin": origin}, proxy=None)
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("number", [*HUGE, -1, -(2**63) - 1])
async def test_a_number_out_of_range_is_refused_by_its_name(house: House, number: int) -> None:
    await stored_call(house.parts.store)
    client = await house.logged_in("supervisor")
    text = str(number) if number < 10**40 else "1" + "0" * 4000
    for path, name in (
        ("/api/v1/calls/call-1/events", "after"),
        ("/api/v1/calls/call-1/events", "limit"),
        ("/api/v1/calls", "limit"),
        ("/api/v1/alerts", "limit"),
        ("/api/v1/calls/call-1/peaks", "points"),
    ):
        answer = await client.get(path, params={name: text})
        assert (answer.status_code, answer.json()["error"]["field"]) == (422, name), path


async def test_the_greatest_seq_there_is_has_nothing_after_it(house: House) -> None:
    await stored_call(house.parts.store)
    client = await house.logged_in("supervisor")
    answer = await client.get("/api/v1/calls/call-1/events", params={"after": 2**31 - 1})
    assert (answer.status_code, answer.json()) == (200, {"events": []})


@pytest.mark.parametrize("seq", [*(str(number) for number in HUGE[:-1]), "-1", "1e400", "NaN", "9" * 4400, '"x"'])
async def test_a_seq_that_is_none_closes_the_live_socket_with_its_reason(house: House, seq: str) -> None:
    client = await house.logged_in("supervisor")
    async with connect(f"{house.ws}/api/v1/live", additional_headers=cookie_of(client), proxy=None) as live:
        await live.send('{"type": "resume", "seqs": {"call-1": ' + seq + "}}")
        await live.wait_closed()
    assert (live.close_code, live.close_reason) == (1003, "only a resume message is understood")


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1e400", "99999999999999999"]
)
async def test_a_moment_beyond_the_calendar_is_refused(house: House, moment: str) -> None:
    client = await house.logged_in("supervisor")
    for name in ("since", "until"):
        answer = await client.get("/api/v1/calls", params={name: moment})
        assert answer.status_code == 422, answer.text


@pytest.mark.parametrize("size", [0, 1, HEAD_BYTES - 1])
async def test_a_recording_without_its_head_is_none(house: House, size: int) -> None:
    await stored_call(house.parts.store)
    house.recordings.put("call-1", b"R" * size)
    client = await house.logged_in("supervisor")
    answer = await client.get("/api/v1/calls/call-1/recording")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_recording")


@pytest.mark.parametrize("content", [b"", b"R" * (HEAD_BYTES - 1), b"R" * 500, wav_head(MONO, 0)[:24] + bytes(476)])
async def test_the_outline_of_what_is_no_recording_is_none(house: House, content: bytes) -> None:
    await stored_call(house.parts.store)
    house.recordings.put("call-1", content)
    client = await house.logged_in("supervisor")
    answer = await client.get("/api/v1/calls/call-1/peaks")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_recording")


async def test_a_recording_that_cannot_be_read_says_so(house: House) -> None:
    await stored_call(house.parts.store)
    house.recordings.unreadable.add("call-1")
    client = await house.logged_in("supervisor")
    answer = await client.get("/api/v1/calls/call-1/recording")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "recording_unreadable")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Cookie", b"callwarden_session=\xff; ;;=; =x"),
        ("Cookie", b"callwarden_session=" + b"." * 4000),
        ("Authorization", b"Basic \xff\xfe"),
        ("Authorization", b"Bearer \xff"),
        ("X-API-Key", b"cw_\xff"),
        ("Referer", b"http://["),
        ("Range", b"bytes=\xb2-\xb3"),
        ("Host", b"["),
        ("Host", b"a b"),
        ("X-CSRF-Token", b"\xff"),
        ("If-None-Match", b"\xff"),
        ("X-Forwarded-For", b"\xff, [::1, 1.2.3.4:x"),
    ],
)
async def test_malformed_headers_are_no_error_of_the_service(house: House, name: str, value: bytes) -> None:
    client = await house.stranger()
    for path in ("/", "/assets", "/api/v1/session", "/metrics", "/api/v1/calls/x/recording"):
        answer = await client.request("GET", path, headers=[(name.encode(), value)])
        assert answer.status_code < 500 or answer.text.startswith("The dashboard is not built"), (path, answer.text)


@pytest.mark.parametrize("text", ["%00", "%ED%A0%80", "%FF", "%2e%2e", "a" * 5000, "%F0%9F%8E%A7"])
async def test_odd_names_in_a_path_are_nobodys(house: House, text: str) -> None:
    client = await house.logged_in("admin")
    for method, path, body in (
        ("GET", "/api/v1/calls/{}", None),
        ("GET", "/api/v1/calls/{}/events", None),
        ("GET", "/api/v1/calls/{}/recording", None),
        ("GET", "/api/v1/calls/{}/peaks", None),
        ("PUT", "/api/v1/alerts/{}/state", {"state": "confirmed"}),
        ("PUT", "/api/v1/users/{}", {"disabled": True}),
        ("DELETE", "/api/v1/keys/{}", None),
    ):
        answer = await client.request(method, path.format(text), json=body)
        assert answer.status_code in (404, 405), (path, answer.text)


@pytest.mark.parametrize("text", ["\x00", "\ud800", "%", "\U0001f3a7", "' OR 1=1 --"])
async def test_odd_text_in_a_search_finds_nothing(house: House, text: str) -> None:
    client = await house.logged_in("admin")
    sent = text.encode("utf-8", "surrogatepass")
    for path in ("/api/v1/calls?text=", "/api/v1/calls?agent=", "/api/v1/alerts?call_id="):
        answer = await client.get(path + "".join(f"%{byte:02X}" for byte in sent))
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "body", [b"\xff", b'{"username": "\\ud800", "password": "x"}', b"[" * 30_000, b"1" * 5000, b'{"a":1e999}']
)
async def test_odd_bodies_are_refused(house: House, body: bytes) -> None:
    client = await house.stranger()
    answer = await client.post("/api/v1/session", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 401, 422), answer.text
    json.loads(answer.content)
