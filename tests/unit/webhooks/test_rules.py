"""What may be said of a webhook; its URL and secret are sealed, and read again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from service.access.sealing import Sealer
from service.invalid_field import InvalidField
from service.storage.sql import SqlStore
from service.unusable import Unusable
from service.webhooks.rules import SaidWebhook, check, new_webhook, unreadable_webhooks, url_and_secret
from tests.scenes import NOON

URL = "https://oapi.dingtalk.com/robot/send?access_token=t0ken"
SAID = SaidWebhook(name="team", url=URL, alerts_from="high")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with SqlStore(f"sqlite:///{tmp_path}/callwarden.db") as store:
        yield store


async def test_url_and_secret_are_sealed_and_no_more_is_shown_than_the_host(store: SqlStore, tmp_path: Path) -> None:
    sealer = Sealer(tmp_path / "master.key")
    webhook, made = await new_webhook(store, sealer, replace(SAID, shape="dingtalk", secret="SEC1"), (), NOON)
    assert made == ""
    assert webhook.origin == "https://oapi.dingtalk.com"
    assert "t0ken" not in str(webhook)
    assert "SEC1" not in str(webhook)
    assert await asyncio.to_thread(url_and_secret, webhook, sealer) == (URL, "SEC1")
    other = replace(webhook, name="other")
    with pytest.raises(Unusable, match="the webhook URL of webhook other was changed"):
        await asyncio.to_thread(url_and_secret, other, sealer)
    assert len(await asyncio.to_thread(unreadable_webhooks, [webhook, other], sealer)) == 1


async def test_a_secret_is_made_where_we_sign(store: SqlStore, tmp_path: Path) -> None:
    sealer = Sealer(tmp_path / "master.key")
    webhook, made = await new_webhook(store, sealer, SAID, (), NOON)
    assert made.startswith("whsec_")
    assert await asyncio.to_thread(url_and_secret, webhook, sealer) == (URL, made)
    unsigned, none = await new_webhook(store, sealer, replace(SAID, shape="slack"), (), NOON)
    assert (none, unsigned.sealed_secret) == ("", "")


async def test_a_lost_master_key_is_not_made_anew_while_a_webhook_needs_it(store: SqlStore, tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    webhook, _ = await new_webhook(store, Sealer(path), SAID, (), NOON)
    await store.add_webhook(webhook)
    await asyncio.to_thread(path.unlink)
    with pytest.raises(Unusable, match="is missing"):
        await new_webhook(store, Sealer(path), replace(SAID, name="other"), (), NOON)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": "a b"}, "name"),
        ({"url": "ftp://x.org/"}, "url"),
        ({"url": "https://"}, "url"),
        ({"url": "https://user@x.org/"}, "url"),
        ({"url": "https://x.org/#a"}, "url"),
        ({"url": "https://x.org:0/"}, "url"),
        ({"url": "https://x.org:99999/"}, "url"),
        ({"url": "https://x.org/ a"}, "url"),
        ({"url": "https://x.org/\n"}, "url"),
        ({"url": "https://[::1/"}, "url"),
        ({"url": f"https://x.org/{'a' * 2048}"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "http://169.254.169.254/latest/meta-data"}, "url"),
        ({"url": "https://[::1]/"}, "url"),
        ({"secret": "s"}, "secret"),
        ({"shape": "feishu", "secret": "秘"}, "secret"),
        ({"shape": "feishu", "secret": "s" * 257}, "secret"),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"digest_hour": 24}, "digest_hour"),
        ({"alerts_from": None}, "alerts_from"),
    ],
)
def test_what_cannot_be_is_refused(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        check(replace(SAID, **changed), ())
    assert refused.value.field == field


async def test_a_private_address_that_is_allowed_may_be_given(store: SqlStore, tmp_path: Path) -> None:
    said = replace(SAID, url="http://10.1.2.3:8000/in", alerts_from=None, digest_hour=0)
    webhook, _ = await new_webhook(store, Sealer(tmp_path / "master.key"), said, [ip_network("10.0.0.0/8")], NOON)
    assert webhook.origin == "http://10.1.2.3:8000"
