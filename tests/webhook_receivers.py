"""Servers that webhooks are sent to: a plain one that keeps what comes, and rooms that judge it as their vendors' do.

Written after the vendors' documents and not after the shapes.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import h11

TOO_OLD_S = 3600


@dataclass(frozen=True)
class Received:
    """A request as it came."""

    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


Judge = Callable[[Received], Answer]


@dataclass
class Receiver:
    """Answers as `judge` says; `silent`: it takes requests and never answers."""

    judge: Judge = lambda _request: Answer()
    silent: bool = False
    port: int = 0
    received: list[Received] = field(default_factory=list)
    came: asyncio.Condition = field(default_factory=asyncio.Condition)

    def url(self, path: str = "/", scheme: str = "http", host: str = "127.0.0.1") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    async def wait(self, count: int) -> list[Received]:
        """Once so many have come."""
        async with self.came:
            await self.came.wait_for(lambda: len(self.received) >= count)
        return self.received

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _request(reader)
            async with self.came:
                self.received.append(request)
                self.came.notify_all()
            if self.silent:
                await reader.read()
                return
            answer = self.judge(request)
            connection = h11.Connection(h11.SERVER)
            headers = [("Content-Length", str(len(answer.body))), ("Connection", "close"), *answer.headers]
            writer.write(connection.send(h11.Response(status_code=answer.status, headers=headers)) or b"")
            writer.write(answer.body)
            await writer.drain()
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiving(receiver: Receiver, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """The receiver on a free port of this machine."""
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


async def _request(reader: asyncio.StreamReader) -> Received:
    connection = h11.Connection(h11.SERVER)
    head: h11.Request | None = None
    body = b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            data = await reader.read(65536)
            if not data:
                raise ConnectionResetError
            connection.receive_data(data)
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            assert head is not None
            headers = {name.decode(): value.decode() for name, value in head.headers}
            return Received(head.target.decode(), headers, body)


def standard_webhook(secret: str, now: Callable[[], float]) -> Judge:
    """As a receiver's library verifies: 401 for a bad signature and for one that is older than five minutes."""

    def judge(request: Received) -> Answer:
        told = request.headers
        key = base64.b64decode(secret.split("_", 1)[1])
        signed = b".".join((told["webhook-id"].encode(), told["webhook-timestamp"].encode(), request.body))
        good = base64.b64encode(hmac.new(key, signed, "sha256").digest()).decode()
        fresh = abs(now() - int(told["webhook-timestamp"])) <= 300
        signatures = told["webhook-signature"].split(" ")
        return Answer(204 if fresh and f"v1,{good}" in signatures else 401)

    return judge


def _said(code: str, value: int, sentence: str, text: str) -> Answer:
    return Answer(200, json.dumps({code: value, sentence: text}).encode())


def dingtalk_room(token: str, secret: str, now: Callable[[], float]) -> Judge:
    def judge(request: Received) -> Answer:
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.target).query).items()}
        if query.get("access_token") != token:
            return _said("errcode", 300005, "errmsg", "token is not exist")
        signed = f"{query.get('timestamp')}\n{secret}".encode()
        good = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
        fresh = abs(now() * 1000 - int(query.get("timestamp", "0"))) <= TOO_OLD_S * 1000
        if query.get("sign") != good or not fresh:
            return _said("errcode", 310000, "errmsg", "sign not match")
        body = request.json
        if body.get("msgtype") != "markdown" or not {"title", "text"} <= body.get("markdown", {}).keys():
            return _said("errcode", 400102, "errmsg", "invalid message")
        return _said("errcode", 0, "errmsg", "ok")

    return judge


def wecom_room(key: str) -> Judge:
    def judge(request: Received) -> Answer:
        if parse_qs(urlsplit(request.target).query).get("key") != [key]:
            return _said("errcode", 93000, "errmsg", "invalid webhook url")
        content = request.json.get("markdown", {}).get("content", "")
        if request.json.get("msgtype") != "markdown" or not 0 < len(content.encode()) <= 4096:
            return _said("errcode", 40058, "errmsg", "markdown.content exceed max length 4096")
        return _said("errcode", 0, "errmsg", "ok")

    return judge


def feishu_room(secret: str, now: Callable[[], float]) -> Judge:
    def judge(request: Received) -> Answer:
        body = request.json
        key = f"{body.get('timestamp')}\n{secret}".encode()
        good = base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()
        fresh = abs(now() - int(body.get("timestamp", "0"))) <= TOO_OLD_S
        if body.get("sign") != good or not fresh:
            return _said("code", 19021, "msg", "sign match fail or timestamp is not within one hour from current time")
        posts = body.get("content", {}).get("post", {})
        if body.get("msg_type") != "post" or not all({"title", "content"} <= post.keys() for post in posts.values()):
            return _said("code", 9499, "msg", "Bad Request")
        return _said("code", 0, "msg", "success")

    return judge


def slack_room(path: str) -> Judge:
    def judge(request: Received) -> Answer:
        if request.target != path:
            return Answer(404, b"no_service")
        if not isinstance(request.json.get("text"), str) or not request.json["text"]:
            return Answer(400, b"no_text")
        return Answer(200, b"ok")

    return judge
