"""Messages in chat rooms: taken by rooms that judge as their vendors' robots do, and refused with their reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from service.record.outgoing import AlertTold, DigestTold
from service.record.webhook import Delivery, ShapeName
from tests.integration.webhooks.conftest import PUBLIC_URL, Post
from tests.scenes import closed, opened, raised
from tests.webhook_receivers import Judge, Receiver, dingtalk_room, feishu_room, slack_room, wecom_room

LINK = f"{PUBLIC_URL}/calls/call-1?alert=alert-1"
SECRET = "SEC0123456789abcdef"


async def room(post: Post, shape: ShapeName, **said: Any) -> Receiver:
    """A room of that vendor, and a webhook for it."""

    def now() -> float:
        return post.now.timestamp()

    rooms: dict[str, tuple[Judge, str, str]] = {
        "slack": (slack_room("/services/T0/B0/x"), "/services/T0/B0/x", ""),
        "dingtalk": (dingtalk_room("tok", SECRET, now), "/robot/send?access_token=tok", SECRET),
        "wecom": (wecom_room("k-1"), "/cgi-bin/webhook/send?key=k-1", ""),
        "feishu": (feishu_room(SECRET, now), "/open-apis/bot/v2/hook/x", SECRET),
    }
    judge, path, secret = rooms[shape]
    receiver = await post.receiver(judge)
    given = {"secret": secret, "call_started": True, "call_ended": True, "digest_hour": 0} | said
    await post.webhook(receiver.url(path), shape=shape, **given)
    return receiver


async def all_told(post: Post, **raising: Any) -> list[Delivery]:
    """One of every kind of event, delivered."""
    await post.store.append("call-1", [opened(), raised(**raising), closed()], post.now)
    post.later(timedelta(days=1))
    dispatcher = post.dispatcher()
    for _ in range(4):
        await post.round(dispatcher)
    await post.courier.test("team")
    return await post.told()


def texts(receiver: Receiver) -> str:
    return "\n".join(request.body.decode() for request in receiver.received)


@pytest.mark.parametrize("shape", ["slack", "dingtalk", "wecom", "feishu"])
async def test_every_event_is_taken_in_either_language(post: Post, shape: ShapeName) -> None:
    receiver = await room(post, shape, language="en", timezone="Asia/Shanghai")
    told = await all_told(post)
    assert [(each.state, each.problem) for each in told] == [("delivered", "")] * 5
    assert {each.event.type for each in told} == {"call_started", "alert", "call_ended", "digest", "test"}
    shown = texts(receiver)
    for words in ("High: Threat of violence", "Threatens bodily harm", "agent-7", "call-1", LINK, "2026-03-02 10:30"):
        assert words in shown
    assert "暴力" not in shown
    await post.store.remove_webhook("team")
    chinese = await room(post, shape, language="zh")
    await post.store.append("call-1", [raised("alert-2")], post.now)
    await post.round(post.dispatcher())
    [delivered] = [each for each in await post.told() if isinstance(each.event, AlertTold)]
    assert delivered.state == "delivered"
    assert "【高】暴力威胁" in texts(chinese)
    assert "坐席" in texts(chinese)


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ("dingtalk", "errcode 310000 sign not match"),
        ("feishu", "code 19021 sign match fail"),
        ("wecom", "errcode 93000 invalid webhook url"),
        ("slack", "HTTP 404"),
    ],
)
async def test_a_room_that_says_no_is_told_with_its_reason(post: Post, shape: ShapeName, reason: str) -> None:
    receiver = await room(post, shape)
    await post.store.remove_webhook("team")
    wrong = {"wecom": "/cgi-bin/webhook/send?key=k-2", "slack": "/services/T0/B0/y"}
    url = receiver.url(wrong.get(shape, "/robot/send?access_token=tok"))
    secret = "another" if shape in ("dingtalk", "feishu") else ""
    await post.webhook(url, shape=shape, secret=secret)
    tried = await post.courier.test("team")
    assert (tried.state, tried.due_at, tried.status in (200, 404)) == ("given_up", None, True)
    assert reason in tried.problem


@pytest.mark.parametrize("shape", ["slack", "dingtalk", "wecom", "feishu"])
async def test_names_that_a_gateway_gave_are_no_markup_and_no_mention(post: Post, shape: ShapeName) -> None:
    receiver = await room(post, shape)
    evil = "<!channel> [click](http://evil.example) `x` **y** & <@all>\n# z"
    await post.store.append("call-1", [opened(agent=evil, source=evil), raised()], post.now)
    dispatcher = post.dispatcher()
    for _ in range(2):
        await post.round(dispatcher)
    shown = texts(receiver)
    assert "evil.example" in shown
    for mark in ("<!channel", "[click](", "`x`", "**y**", "<@all", "\\n# z"):
        assert mark not in shown


async def test_a_long_digest_fits_what_a_room_takes(post: Post) -> None:
    receiver = await room(post, "wecom", alerts_from=None, call_started=False, call_ended=False)
    rules = [raised(f"a-{n}", rule=f"rule-{n}", raised_at=post.now, category="长" * 40) for n in range(12)]
    await post.store.append("call-1", [opened(), *rules], post.now)
    post.later(timedelta(days=1))
    await post.round(post.dispatcher())
    [told] = await post.told()
    assert isinstance(told.event, DigestTold)
    assert (told.state, len(told.event.rules)) == ("delivered", 10)
    assert "暴力威胁: 1" in texts(receiver)


async def test_a_url_that_is_no_robots_is_told(post: Post) -> None:
    receiver = await post.receiver()
    await post.webhook(receiver.url(), shape="feishu")
    assert "is the URL right?" in (await post.courier.test("team")).problem
