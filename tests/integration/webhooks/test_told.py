"""From an alert to a signed POST at a real server, through the journal, the outbox and the dispatcher."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from service.calls.journal import StoreJournal
from service.metrics import Metrics
from tests.fakes.live_bus import FakeLiveBus
from tests.integration.webhooks.conftest import PUBLIC_URL, Post
from tests.scenes import AT, closed, opened, raised
from tests.webhook_receivers import Answer, standard_webhook

SECONDS = timedelta(seconds=1)


async def test_an_alert_reaches_the_receiver_signed_and_with_nothing_that_was_said(post: Post) -> None:
    receiver = await post.receiver()
    _, secret = await post.webhook(receiver.url("/in?x=1"), call_started=True, call_ended=True)
    receiver.judge = standard_webhook(secret, lambda: post.now.timestamp())
    post.now = AT
    await post.dispatching()
    async with StoreJournal(post.store, FakeLiveBus(), Metrics()) as journal:
        await journal.write("call-1", [opened(), raised(sentence="我找人打你")], AT)
        await journal.write("call-1", [closed()], AT)
    await receiver.wait(3)
    by_type = {request.json["type"]: request for request in receiver.received}
    assert by_type.keys() == {"callwarden.call.started", "callwarden.alert.raised", "callwarden.call.ended"}
    alert = by_type["callwarden.alert.raised"]
    assert alert.target == "/in?x=1"
    assert alert.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    event = alert.json
    assert (event["specversion"], event["source"], event["subject"]) == ("1.0", PUBLIC_URL, "call-1")
    assert (event["id"], event["time"]) == (alert.headers["webhook-id"], "2026-03-02T02:30:00.250000+00:00")
    assert (event["data"]["severity"], event["data"]["agent"]) == ("high", "agent-7")
    assert event["data"]["link"] == f"{PUBLIC_URL}/calls/call-1?alert=alert-1"
    assert "打你" not in alert.body.decode()
    assert "debtor-42" not in b"".join(request.body for request in receiver.received).decode()


async def test_a_delivery_is_tried_again_later_and_later_under_its_id(post: Post) -> None:
    receiver = await post.receiver(lambda _request: Answer(503, b"down", (("Retry-After", "90"),)))
    await post.webhook(receiver.url())
    await post.store.append("call-1", [opened(), raised()], post.now)
    dispatcher = post.dispatcher()
    await post.round(dispatcher)
    [first] = await post.told()
    assert (first.state, first.status, first.answer, first.problem) == ("waiting", 503, "down", "HTTP 503")
    assert first.due_at == post.now + 90 * SECONDS
    post.later(89 * SECONDS)
    await post.round(dispatcher)
    assert len(receiver.received) == 1
    receiver.judge = lambda _request: Answer(500)
    post.later(SECONDS)
    await post.round(dispatcher)
    [second] = await post.told()
    assert second.due_at == post.now + 10 * SECONDS
    receiver.judge = lambda _request: Answer(200, b"thanks")
    post.later(10 * SECONDS)
    await post.round(dispatcher)
    [third] = await post.told()
    assert (third.state, third.due_at, third.answer, third.problem) == ("delivered", None, "thanks", "")
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 1
    assert [request.body for request in receiver.received] == [receiver.received[0].body] * 3
    assert len({request.headers["webhook-signature"] for request in receiver.received}) == 3


async def test_a_dead_target_slows_nothing(post: Post) -> None:
    """One takes connections and never answers; its deliveries are many. A call and the other webhook do not notice."""
    dead, fine = await post.receiver(silent=True), await post.receiver()
    await post.webhook(dead.url(), name="dead", call_started=True)
    await post.webhook(fine.url(), name="fine")
    await post.dispatching()
    await post.store.append("call-0", [opened("call-0"), *(raised(f"a-{n}", "call-0") for n in range(40))], post.now)
    await dead.wait(2)
    async with StoreJournal(post.store, FakeLiveBus(), Metrics()) as journal:
        await journal.write("call-1", [opened(), raised("a-late")], post.now)
    await fine.wait(41)
    assert len(dead.received) == 2, "its first tries still wait for an answer"
    assert any("a-late" in request.json["data"]["alert_id"] for request in fine.received)


async def test_a_process_that_is_killed_leaves_its_deliveries_to_the_next(post: Post) -> None:
    """What it had in hand is due again when its claim is over; what it had not seen is due at once."""
    receiver = await post.receiver(silent=True)
    await post.webhook(receiver.url())
    await post.store.append("call-1", [opened(), raised("alert-1")], post.now)
    killed = asyncio.create_task(_served(post))
    await receiver.wait(1)
    killed.cancel()
    await asyncio.wait([killed])
    await post.store.append("call-1", [raised("alert-2")], post.now)
    receiver.silent = False
    dispatcher = post.dispatcher()
    await post.round(dispatcher)
    assert [each.state for each in await post.told()] == ["waiting", "delivered"]
    post.later(60 * SECONDS)
    await post.round(dispatcher)
    assert [each.state for each in await post.told()] == ["delivered", "delivered"]
    first, second, again = [request.headers["webhook-id"] for request in receiver.received]
    assert first == again != second


async def _served(post: Post) -> None:
    async with post.dispatcher():
        await asyncio.Event().wait()


async def test_after_its_deadline_a_delivery_is_given_up(post: Post) -> None:
    receiver = await post.receiver(lambda _request: Answer(500))
    await post.webhook(receiver.url())
    await post.store.append("call-1", [opened(), raised()], post.now)
    [made] = await post.store.deliveries("team")
    tried = await post.courier.deliver(replace(made, until=post.now + SECONDS))
    assert (tried.state, tried.due_at, tried.problem) == ("given_up", None, "HTTP 500")


async def test_a_webhook_that_never_works_is_stopped_and_one_that_arrives_starts_it_again(post: Post) -> None:
    receiver = await post.receiver(lambda _request: Answer(500))
    await post.webhook(receiver.url())
    for _ in range(9):
        await post.courier.test("team")
    post.later(timedelta(hours=24))
    assert (await post.store.webhook("team")).stopped_at is None
    await post.courier.test("team")
    stopped = await post.store.webhook("team")
    assert (stopped.stopped_at, stopped.failures) == (post.now, 10)
    assert "24 hours, in 10 tries" in stopped.stopped_why
    assert {each.state for each in await post.store.deliveries("team")} == {"given_up"}
    dispatcher = post.dispatcher()
    await post.round(dispatcher)
    assert dispatcher.stopped == ["team"]
    assert b"callwarden_webhooks_stopped 1.0" in await asyncio.to_thread(post.metrics.text)
    await post.store.append("call-1", [opened(), raised()], post.now)
    assert len(await post.store.deliveries("team")) == 10
    receiver.judge = lambda _request: Answer(200)
    assert (await post.courier.test("team")).state == "delivered"
    assert (await post.store.webhook("team")).stopped_at is None


async def test_a_receiver_that_is_gone_is_told_no_more(post: Post) -> None:
    receiver = await post.receiver(lambda _request: Answer(410))
    await post.webhook(receiver.url())
    await post.courier.test("team")
    assert "410" in (await post.store.webhook("team")).stopped_why


async def test_a_person_sends_one_again(post: Post) -> None:
    receiver = await post.receiver()
    await post.webhook(receiver.url())
    await post.store.append("call-1", [opened(), raised()], post.now)
    await post.round(post.dispatcher())
    [first] = await post.told()
    again = await post.courier.resend("team", first.id)
    assert (again.state, again.tries, again.event_id) == ("delivered", 2, first.event_id)
    assert [request.body for request in receiver.received] == [receiver.received[0].body] * 2


async def test_the_daily_digest_comes_once_at_its_hour(post: Post) -> None:
    receiver = await post.receiver()
    await post.webhook(receiver.url(), alerts_from=None, digest_hour=21, timezone="Asia/Shanghai")
    at_noon = post.now
    await post.store.append("call-1", [opened(), raised(raised_at=at_noon)], at_noon)
    dispatcher = post.dispatcher()
    await post.round(dispatcher)
    assert receiver.received == []
    post.now = at_noon.replace(hour=13)
    await post.round(dispatcher)
    [told] = receiver.received
    data = told.json["data"]
    assert (data["calls"], data["alerts"], data["open_alerts"]) == (1, {"high": 1}, 1)
    assert data["rules"][0]["title"] == {"zh": "暴力威胁", "en": "Threat of violence"}
    assert (data["since"], data["until"]) == ("2026-03-01T13:00:00Z", "2026-03-02T13:00:00Z")
    post.later(timedelta(minutes=2))
    for each in (dispatcher, post.dispatcher()):
        await post.round(each)
    assert len(receiver.received) == 1


async def test_a_room_is_sent_no_more_a_minute_than_it_takes(post: Post) -> None:
    receiver = await post.receiver(lambda _request: Answer(200, b'{"errcode": 0, "errmsg": "ok"}'))
    await post.webhook(receiver.url(), shape="wecom")
    await post.store.append("call-1", [opened(), *(raised(f"a-{n}") for n in range(30))], post.now)
    dispatcher = post.dispatcher()
    for _ in range(15):
        await post.round(dispatcher)
    assert len(receiver.received) == 20
    post.later(60 * SECONDS)
    for _ in range(5):
        await post.round(dispatcher)
    assert len(receiver.received) == 30
