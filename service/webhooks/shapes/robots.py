"""Messages as the robots of chat rooms take them, and the verdicts they answer with. Pure.

Sources: the vendors' public documents of incoming webhooks (Slack) and of custom group robots (DingTalk, WeCom,
Feishu). What each takes at most is theirs too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus, urlsplit

from service.webhooks.http_client import HttpRequest
from service.webhooks.shapes.letter import Letter
from service.webhooks.shapes.messages import Message, message
from service.webhooks.signing import base64_hmac

_MOST_WECOM_BYTES = 4096
_JSON = {"Content-Type": "application/json; charset=utf-8"}
_SAID = {"errcode": "errmsg", "code": "msg", "StatusCode": "StatusMessage"}
"""Where a verdict stands, 0 for yes, and the sentence with it. Feishu has two forms."""


def slack(letter: Letter) -> HttpRequest:
    """Slack, and what takes its messages (Mattermost, Rocket.Chat)."""
    told = message(letter)
    lines = [f"*{_slack_text(told.title)}*", *(f"{name}: {_slack_text(text)}" for name, text in told.lines)]
    if told.link:
        lines.append(f"<{told.link}|{told.link_text}>")
    return _posted(letter.url, {"text": "\n".join(lines)})


def dingtalk(letter: Letter) -> HttpRequest:
    """Signed where the robot has a secret (加签): HMAC of `milliseconds\\nsecret`, in the query."""
    told = message(letter)
    markdown = {"title": told.title, "text": f"#### {told.title}\n\n{_markdown(told, '- ')}"}
    url = letter.url
    if letter.secret:
        timestamp = str(round(letter.now.timestamp() * 1000))
        sign = base64_hmac(letter.secret.encode(), f"{timestamp}\n{letter.secret}".encode())
        url += f"{'&' if urlsplit(url).query else '?'}timestamp={timestamp}&sign={quote_plus(sign)}"
    return _posted(url, {"msgtype": "markdown", "markdown": markdown})


def wecom(letter: Letter) -> HttpRequest:
    def content(told: Message) -> str:
        return f"**{told.title}**\n{_markdown(told, '> ')}"

    told = _fitting(message(letter), content, _MOST_WECOM_BYTES)
    return _posted(letter.url, {"msgtype": "markdown", "markdown": {"content": content(told)}})


def feishu(letter: Letter) -> HttpRequest:
    """Signed where the robot has a secret (签名校验): HMAC of nothing under the key `seconds\\nsecret`, in the body."""
    told = message(letter)
    rows: list[list[dict[str, str]]] = [[{"tag": "text", "text": f"{name}: {text}"}] for name, text in told.lines]
    if told.link:
        rows.append([{"tag": "a", "text": told.link_text, "href": told.link}])
    post = {"zh_cn" if letter.language == "zh" else "en_us": {"title": told.title, "content": rows}}
    body: dict[str, Any] = {"msg_type": "post", "content": {"post": post}}
    if letter.secret:
        timestamp = str(int(letter.now.timestamp()))
        body |= {"timestamp": timestamp, "sign": base64_hmac(f"{timestamp}\n{letter.secret}".encode(), b"")}
    return _posted(letter.url, body)


def verdict(body: bytes) -> str:
    """Why a robot says no with status 200; empty where it says yes."""
    try:
        said: Any = json.loads(body)
    except ValueError:
        said = None
    codes = [name for name in _SAID if isinstance(said, dict) and name in said]
    if not codes:
        return "the answer is not a robot's: is the URL right?"
    code = said[codes[0]]
    return "" if code == 0 else f"the robot refused it: {codes[0]} {code} {said.get(_SAID[codes[0]], '')}".strip()


def _posted(url: str, body: Mapping[str, Any]) -> HttpRequest:
    return HttpRequest(url=url, headers=_JSON, body=json.dumps(body, ensure_ascii=False).encode())


def _markdown(told: Message, mark: str) -> str:
    lines = [f"{mark}{name}: {text}" for name, text in told.lines]
    return "\n".join([*lines, *([f"\n[{told.link_text}]({told.link})"] if told.link else [])])


def _fitting(told: Message, content: Callable[[Message], str], most: int) -> Message:
    """Without the last lines, until it fits."""
    while len(content(told).encode()) > most:
        told = replace(told, lines=told.lines[:-1])
    return told


def _slack_text(text: str) -> str:
    return text.replace("&", "&amp;")  # < and > are not in it
