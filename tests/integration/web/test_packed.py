"""What is sent packed: large answers and the dashboard's files to whoever takes gzip, never sound, never a token."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from service.record.facts import UtteranceHeard
from service.web.json_answer import takes_gzip
from tests import scenes
from tests.integration.web.conftest import PASSWORD, House, OpenHouse
from tests.integration.web.test_calls import stored_call
from tests.scenes import NOON

PLAIN = {"Accept-Encoding": "identity"}


@pytest.fixture
async def watcher(house: House) -> httpx.AsyncClient:
    await stored_call(house.parts.store)
    told = [UtteranceHeard(utterance=scenes.utterance("call-1", index, "我已经还过款了")) for index in range(1, 40)]
    await house.parts.store.append("call-1", told, NOON)
    return await house.logged_in("supervisor")


@pytest.mark.parametrize("path", ["/api/v1/calls/call-1", "/api/v1/calls/call-1/events"])
async def test_a_large_answer_says_the_same_in_fewer_bytes(watcher: httpx.AsyncClient, path: str) -> None:
    packed, plain = await watcher.get(path), await watcher.get(path, headers=PLAIN)
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert {packed.headers["vary"], plain.headers["vary"]} == {"Accept-Encoding"}
    assert packed.json() == plain.json()
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 4


async def test_what_fits_a_packet_is_not_packed(watcher: httpx.AsyncClient) -> None:
    answer = await watcher.get("/api/v1/calls", params={"agent": "nobody"})
    assert "content-encoding" not in answer.headers


async def test_sound_is_never_packed(house: House, watcher: httpx.AsyncClient) -> None:
    house.recordings.put("call-1", b"sound" * 10_000)
    for part in ({}, {"Range": "bytes=0-4999"}):
        answer = await watcher.get("/api/v1/calls/call-1/recording", headers=part)
        assert "content-encoding" not in answer.headers
        assert int(answer.headers["content-length"]) == len(answer.content)


async def test_an_answer_with_a_token_is_never_packed(house: House) -> None:
    user = await house.user("n" * 60, "admin")
    client = await house.stranger()
    log_in = await client.post("/api/v1/session", json={"username": user.name, "password": PASSWORD})
    again = await client.get("/api/v1/session")
    assert log_in.json()["csrf"] == again.json()["csrf"]
    assert not {"content-encoding"} & {*log_in.headers, *again.headers}


async def test_the_dashboards_files_are_packed(open_house: OpenHouse, tmp_path: Path) -> None:
    (tmp_path / "built" / "assets").mkdir(parents=True)
    (tmp_path / "built" / "assets" / "app-1a2b.js").write_text("export const one = 1;\n" * 500)
    client = await (await open_house(static=tmp_path / "built")).stranger()
    packed, plain = [await client.get("/assets/app-1a2b.js", headers=each) for each in ({}, PLAIN)]
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert "immutable" in packed.headers["cache-control"]


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, GZIP;q=0.8", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0, br", False),
        ("x-gzipped", False),
        ("identity", False),
        ("", False),
    ],
)
def test_gzip_is_taken_where_it_is_named(accepted: str, takes: bool) -> None:
    assert takes_gzip(accepted) is takes
