"""The live socket with a real client."""

from __future__ import annotations

import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from service.live.messages import Levels, Resync
from service.web.ports import LiveTimes
from tests.integration.web.conftest import House, OpenHouse, cookie_of


async def test_a_snapshot_comes_first_then_what_the_hub_has(house: House) -> None:
    client = await house.logged_in("supervisor")
    async with connect(f"{house.ws}/api/v1/live", additional_headers=cookie_of(client), proxy=None) as live:
        snapshot = json.loads(await live.recv())
        assert (snapshot["type"], snapshot["health"]["model"]) == ("snapshot", "base")
        subscription = await house.feed.subscriptions.get()
        subscription.messages.put_nowait(Levels(call_id="c", at=1.0, dbfs={"agent": -20.0}, speaking=("agent",)))
        subscription.messages.put_nowait(Resync())
        assert json.loads(await live.recv())["dbfs"] == {"agent": -20.0}
        assert json.loads(await live.recv()) == {"type": "resync"}


async def test_a_resume_reaches_the_hub(house: House) -> None:
    client = await house.logged_in("compliance")
    async with connect(f"{house.ws}/api/v1/live", additional_headers=cookie_of(client), proxy=None) as live:
        subscription = await house.feed.subscriptions.get()
        await live.send(json.dumps({"type": "resume", "seqs": {"call-1": 7}}))
        assert await subscription.resumes.get() == {"call-1": 7}


async def test_anything_else_closes_the_socket(house: House) -> None:
    client = await house.logged_in("supervisor")
    for message in ("what?", json.dumps({"type": "resume"}), b"\0"):
        async with connect(f"{house.ws}/api/v1/live", additional_headers=cookie_of(client), proxy=None) as live:
            await live.send(message)
            await live.wait_closed()
        assert live.close_code == 1003


async def test_another_sites_page_gets_no_socket(house: House) -> None:
    client = await house.logged_in("supervisor")
    for origin, status in (("https://evil.example", 403), ("null", 403), (house.url, 101)):
        headers = {**cookie_of(client), "Origin": origin}
        if status == 101:
            async with connect(f"{house.ws}/api/v1/live", additional_headers=headers, proxy=None):
                continue
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{house.ws}/api/v1/live", additional_headers=headers, proxy=None)
        assert refused.value.response.status_code == status


async def test_logging_out_closes_the_socket_with_4401(open_house: OpenHouse) -> None:
    house = await open_house(parts={"live_times": LiveTimes(session_check=0.02)})
    client = await house.logged_in("supervisor")
    async with connect(f"{house.ws}/api/v1/live", additional_headers=cookie_of(client), proxy=None) as live:
        await live.recv()
        await client.delete("/api/v1/session")
        await live.wait_closed()
    assert live.close_code == 4401


async def test_losing_the_role_closes_the_socket(open_house: OpenHouse) -> None:
    house = await open_house(parts={"live_times": LiveTimes(session_check=0.02)})
    boss = await house.logged_in("admin")
    client = await house.logged_in("supervisor", "lin")
    async with connect(f"{house.ws}/api/v1/live", additional_headers=cookie_of(client), proxy=None) as live:
        await live.recv()
        await boss.put("/api/v1/users/lin", json={"role": "integrator"})
        await live.wait_closed()
    assert live.close_code == 4401


async def test_a_reader_that_left_gives_its_place_back(house: House) -> None:
    client = await house.logged_in("supervisor")
    async with connect(f"{house.ws}/api/v1/live", additional_headers=cookie_of(client), proxy=None) as live:
        await live.recv()
        assert len(house.feed.watching) == 1
    answer = await (await house.logged_in("admin")).get("/metrics")
    assert "callwarden_live_sockets 0.0" in answer.text
    assert not house.feed.watching


async def test_the_health_is_told_again_and_again(open_house: OpenHouse) -> None:
    house = await open_house(parts={"live_times": LiveTimes(heartbeat=0.01)})
    client = await house.logged_in("supervisor")
    async with connect(f"{house.ws}/api/v1/live", additional_headers=cookie_of(client), proxy=None) as live:
        kinds = [json.loads(await live.recv())["type"] for _ in range(3)]
    assert kinds == ["snapshot", "health", "health"]
