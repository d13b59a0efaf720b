"""What docs/webhooks.md gives receivers to copy verifies what is really sent."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.webhooks.conftest import Post

PAGE = Path(__file__).parents[3] / "docs" / "webhooks.md"


def verifier() -> Callable[[str, dict[str, str], bytes], bool]:
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return names["verified"]


async def test_the_documented_receiver_takes_a_request_and_no_other(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = await asyncio.to_thread(verifier)
    receiver = await post.receiver()
    _, secret = await post.webhook(receiver.url())
    await post.courier.test("team")
    [request] = receiver.received
    monkeypatch.setattr(time, "time", post.now.timestamp)
    assert verified(secret, request.headers, request.body)
    assert not verified(secret, request.headers, request.body + b" ")
    assert not verified(secret, {**request.headers, "webhook-id": "evt_other"}, request.body)
    assert not verified("whsec_" + "A" * 44, request.headers, request.body)
    monkeypatch.setattr(time, "time", lambda: post.now.timestamp() + 301)
    assert not verified(secret, request.headers, request.body)
