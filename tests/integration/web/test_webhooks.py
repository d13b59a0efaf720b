"""Webhooks over HTTP: made with a secret that is shown once, tried, looked after, removed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from service.record.outgoing import TrialTold
from tests.integration.web.conftest import House, OpenHouse
from tests.integration.web.test_audited import told, written
from tests.scenes import NOON
from tests.webhook_receivers import Answer, Receiver, receiving, standard_webhook

BASE = "/api/v1/webhooks"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving(Receiver()) as receiver:
        yield receiver


@pytest.fixture
async def near(open_house: OpenHouse) -> House:
    """A service that may reach this machine."""
    return await open_house(webhook_networks="127.0.0.0/8")


async def test_a_webhook_is_made_tried_and_removed(near: House, receiver: Receiver) -> None:
    client = await near.logged_in("admin", "lin")
    said = {"name": "team", "url": receiver.url("/hidden?token=t0k"), "alerts_from": "high", "digest_hour": 18}
    made = await client.post(BASE, json=said)
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    secret = made.json()["secret"]
    receiver.judge = standard_webhook(secret, lambda: int(receiver.received[-1].headers["webhook-timestamp"]))
    [listed] = (await client.get(BASE)).json()["webhooks"]
    assert listed == {name: value for name, value in made.json().items() if name != "secret"}
    assert (listed["origin"], listed["timezone"]) == (f"http://127.0.0.1:{receiver.port}", "Asia/Shanghai")
    tried = await client.post(f"{BASE}/team/test")
    assert (tried.status_code, tried.json()["state"], tried.json()["status"]) == (200, "delivered", 204)
    log = (await client.get(f"{BASE}/team/deliveries")).json()
    assert log == {"deliveries": [tried.json()], "next": None}
    again = await client.post(f"{BASE}/team/deliveries/{tried.json()['id']}/resend")
    assert (again.json()["state"], again.json()["tries"]) == ("delivered", 2)
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 1
    assert (await client.delete(f"{BASE}/team")).status_code == 204
    for answer in (await client.post(f"{BASE}/team/test"), await client.get(f"{BASE}/team/deliveries")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    entries = told(await written(near, 5))[1:]
    assert [(event, who, subject) for event, who, subject, _ in entries] == [
        (event, "lin", "team") for event in ("webhook_added", "webhook_tested", "delivery_resent", "webhook_removed")
    ]
    assert "t0k" not in str(entries) + str(listed) + str(log)
    assert secret not in str(entries) + str(listed) + str(log)


async def test_why_nothing_arrived_is_told(near: House, receiver: Receiver) -> None:
    client = await near.logged_in("admin")
    receiver.judge = lambda _request: Answer(403, b"who are you?")
    await client.post(BASE, json={"name": "team", "url": receiver.url(), "call_ended": True})
    tried = (await client.post(f"{BASE}/team/test")).json()
    assert (tried["state"], tried["problem"], tried["answer"]) == ("given_up", "HTTP 403", "who are you?")
    [listed] = (await client.get(BASE)).json()["webhooks"]
    assert listed["failing_since"] is not None


async def test_without_leave_no_private_address_is_reached(house: House, receiver: Receiver) -> None:
    client = await house.logged_in("admin")
    refused = await client.post(BASE, json={"name": "team", "url": receiver.url(), "call_ended": True})
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "url")
    named = f"https://localhost:{receiver.port}/"
    assert (await client.post(BASE, json={"name": "team", "url": named, "call_ended": True})).status_code == 201
    tried = (await client.post(f"{BASE}/team/test")).json()
    assert "has no public address" in tried["problem"]
    assert receiver.received == []


async def test_the_log_comes_in_pages(near: House) -> None:
    client = await near.logged_in("admin")
    await client.post(BASE, json={"name": "team", "url": "https://x.org", "call_ended": True})
    for number in range(5):
        await near.parts.store.put("team", f"evt_{number}", TrialTold(asked_at=NOON), NOON, NOON)
    first = (await client.get(f"{BASE}/team/deliveries", params={"limit": 3})).json()
    rest = (await client.get(f"{BASE}/team/deliveries", params={"limit": 3, "before": first["next"]})).json()
    ids = [each["event_id"] for each in first["deliveries"] + rest["deliveries"]]
    assert (ids, rest["next"]) == ([f"evt_{number}" for number in (4, 3, 2, 1, 0)], None)


async def test_a_number_that_no_delivery_can_have_is_refused(near: House) -> None:
    client = await near.logged_in("admin")
    await client.post(BASE, json={"name": "team", "url": "https://x.org", "call_ended": True})
    for number in (0, -1, 2**31, 10**30):
        assert (await client.post(f"{BASE}/team/deliveries/{number}/resend")).status_code == 422
        assert (await client.get(f"{BASE}/team/deliveries", params={"before": number})).status_code == 422
    assert (await client.post(f"{BASE}/team/deliveries/{2**31 - 1}/resend")).status_code == 404


async def test_what_cannot_be_is_refused_by_its_field(near: House) -> None:
    client = await near.logged_in("admin")
    wrong: dict[str, object] = {
        "name": "a b",
        "url": "javascript:1",
        "shape": "smoke-signal",
        "alerts_from": None,
        "secret": "mine",
        "timezone": "nowhere",
        "digest_hour": 24,
        "colour": "red",
    }
    for field, value in wrong.items():
        body = {"name": "team", "url": "https://x.org", "alerts_from": "low", field: value}
        refused = await client.post(BASE, json=body)
        assert (refused.status_code, refused.json()["error"]["field"]) == (422, field)
