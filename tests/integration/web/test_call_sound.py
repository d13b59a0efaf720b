"""A call's sound over HTTP: whole, in ranges, while it grows."""

from __future__ import annotations

from dataclasses import replace

import httpx
import numpy as np
import pytest

from asr.types import Role
from service.access import view
from service.access.view import View
from service.recordings.recordings import Sound
from tests.fakes.recordings import FakeRecording
from tests.integration.web.conftest import House
from tests.integration.web.test_calls import stored_call

SOUND = bytes(range(256)) * 1000
PATH = "/api/v1/calls/call-1/recording"


@pytest.fixture
async def listener(house: House) -> httpx.AsyncClient:
    await stored_call(house.parts.store)
    house.recordings.put("call-1", SOUND)
    return await house.logged_in("supervisor")


async def test_the_whole_recording(listener: httpx.AsyncClient) -> None:
    answer = await listener.get(PATH)
    assert answer.status_code == 200
    assert answer.content == SOUND
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("header", "begin", "end"),
    [
        ("bytes=0-", 0, 256_000),
        ("bytes=10-19", 10, 20),
        ("bytes=255999-", 255_999, 256_000),
        ("bytes=-100", 255_900, 256_000),
        ("bytes=100000-99999999", 100_000, 256_000),
        ("bytes=-99999999", 0, 256_000),
    ],
)
async def test_a_range(listener: httpx.AsyncClient, header: str, begin: int, end: int) -> None:
    answer = await listener.get(PATH, headers={"Range": header})
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes {begin}-{end - 1}/256000"
    assert answer.content == SOUND[begin:end]


async def test_what_a_listener_hears_is_decided_where_everything_is(
    listener: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of the sound, such as a redacted recording, takes its place for the views that it is meant for."""
    quiet = FakeRecording(bytes(len(SOUND)))

    def part(_view: View, sound: Sound) -> Sound:
        return replace(sound, recording=quiet)

    monkeypatch.setitem(view._RULES, Sound, view._Rule(frozenset(view.WATCHERS), part))
    assert (await listener.get(PATH)).content == bytes(len(SOUND))
    monkeypatch.delitem(view._RULES, Sound)
    assert (await listener.get(PATH)).status_code == 500


async def test_a_range_behind_the_end_is_416(listener: httpx.AsyncClient) -> None:
    answer = await listener.get(PATH, headers={"Range": "bytes=256000-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */256000"


async def test_if_range_with_an_old_etag_sends_everything(listener: httpx.AsyncClient, house: House) -> None:
    etag = (await listener.get(PATH)).headers["etag"]
    wanted = {"Range": "bytes=0-9", "If-Range": etag}
    assert (await listener.get(PATH, headers=wanted)).status_code == 206
    house.recordings.put("call-1", SOUND + b"more")
    grown = await listener.get(PATH, headers=wanted)
    assert grown.status_code == 200
    assert grown.content == SOUND + b"more"


async def test_a_recording_that_grows_while_it_is_sent_ends_where_it_ended(
    listener: httpx.AsyncClient, house: House
) -> None:
    house.recordings.put("call-1", SOUND * 40)
    async with listener.stream("GET", PATH) as answer:
        house.recordings.put("call-1", SOUND * 41)
        received = b"".join([part async for part in answer.aiter_raw()])
    assert received == SOUND * 40


async def test_a_call_without_a_recording_and_an_unknown_call_are_404(house: House) -> None:
    await stored_call(house.parts.store)
    client = await house.logged_in("supervisor")
    for path, code in ((PATH, "no_recording"), ("/api/v1/calls/none/recording", "not_found")):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, code)
    assert (await client.get("/api/v1/calls/call-1/peaks")).status_code == 404


async def test_no_path_leads_out_of_the_store(listener: httpx.AsyncClient) -> None:
    for name in ("..%2Fsession", "%2e%2e%2fsession.key", "..%2f..%2fetc%2fpasswd"):
        answer = await listener.get(f"/api/v1/calls/{name}/recording")
        assert answer.status_code == 404


async def test_peaks_come_in_as_many_bins_as_asked_for(listener: httpx.AsyncClient, house: House) -> None:
    writer = house.recordings.writer("call-1", ("agent", "customer"), 8000)
    levels: dict[Role, int] = {"agent": 16_384, "customer": 8192}
    for role, level in levels.items():
        writer.write(role, 0, np.full(16_000, level, np.int16))
    writer.close()
    answer = (await listener.get("/api/v1/calls/call-1/peaks", params={"points": 3})).json()
    assert answer == {"duration": 2.0, "roles": ["agent", "customer"], "peaks": [[0.5] * 3, [0.25] * 3]}
    assert (await listener.get("/api/v1/calls/call-1/peaks", params={"points": 20_001})).status_code == 422
