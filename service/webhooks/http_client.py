"""One POST to an address that has been checked: no redirect, no proxy, no cookie, every time and size limited.

The name is looked up once. The address that is checked is the one that is connected to, so a name that means another
address a moment later (DNS rebinding) gains nothing. TLS is verified against the name.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from urllib.parse import SplitResult, urlsplit

import httpcore2 as httpcore

from asr.lifetime import Lifetime
from asr.threads import in_thread
from service.webhooks.addresses import Network, is_allowed, may_reach

TRY_SECONDS = 15.0
"""For all of a try: look-up, connection, TLS, request and answer."""
_CONNECT_SECONDS = 5.0
_MOST_ADDRESSES = 3
MOST_READ = 4096
"""Bytes of an answer. A robot's verdict has a hundred."""
_MOST_CONNECTIONS = 128
_PORTS = {"https": 443, "http": 80}

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host. Raises OSError."""


class Undeliverable(Exception):
    """The request did not get through: one sentence that says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A POST. Its URL and headers may hold secrets: it is never logged."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """`body`: the first MOST_READ bytes at most. `retry_after`: seconds, where the answer says so."""

    status: int
    body: bytes
    retry_after: float | None = None


async def resolved(host: str, port: int) -> Sequence[str]:
    """The addresses that the system knows of a host, in its order. Raises OSError.

    In a thread of its own: name servers that do not answer must not hold the threads that the rest of the service uses.
    """
    found = await in_thread(partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM))
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class HttpClient(Lifetime):
    """`allowed`: networks that are reached although they are not public, also without TLS. Use as an async context
    manager."""

    def __init__(
        self,
        allowed: Sequence[Network],
        *,
        resolve: Resolve = resolved,
        seconds: float = TRY_SECONDS,
        tls: Callable[[], ssl.SSLContext] = httpcore.default_ssl_context,
    ) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._seconds = seconds
        self._tls = tls

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None, None]:
        """Connections are of one request each: none waits open for the next."""
        context = await asyncio.to_thread(self._tls)
        self._pool = httpcore.AsyncConnectionPool(
            context, max_connections=_MOST_CONNECTIONS, max_keepalive_connections=0
        )
        async with self._pool:
            yield

    async def post(self, request: HttpRequest) -> HttpAnswer:
        """Raises Undeliverable."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._post(request)
        except (TimeoutError, httpcore.TimeoutException):
            raise Undeliverable(f"no answer within {self._seconds:g} s") from None
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise Undeliverable(f"the connection failed: {str(error) or type(error).__name__}") from error

    async def _post(self, request: HttpRequest) -> HttpAnswer:
        parts = urlsplit(request.url)
        addresses = await self._addresses(parts)
        for address in addresses[:-1]:
            try:
                return await self._send(request, parts, address)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue  # nothing was sent
        return await self._send(request, parts, addresses[-1])

    async def _addresses(self, parts: SplitResult) -> Sequence[str]:
        """Those of the URL's host that may be reached."""
        host = parts.hostname or ""
        try:
            found = await self._resolve(host, _port(parts))
        except (OSError, UnicodeError) as error:
            raise Undeliverable(f"{host} is not known: {error}") from error
        reached = [address for address in found if may_reach(address, self._allowed)]
        if not reached:
            raise Undeliverable(f"{host} has no public address, and CALLWARDEN_WEBHOOK_NETWORKS does not allow its own")
        if parts.scheme != "https":
            reached = [address for address in reached if is_allowed(address, self._allowed)]
        if not reached:
            raise Undeliverable("a URL without TLS (http://) reaches allowed networks only; give one with https://")
        return reached[:_MOST_ADDRESSES]

    async def _send(self, request: HttpRequest, parts: SplitResult, address: str) -> HttpAnswer:
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        url = httpcore.URL(scheme=parts.scheme, host=address, port=_port(parts), target=target)
        headers = {"Host": parts.netloc, "User-Agent": "Callwarden", "Accept-Encoding": "identity", **request.headers}
        rest = dict.fromkeys(("read", "write", "pool"), self._seconds)
        extensions = {"timeout": {"connect": _CONNECT_SECONDS, **rest}, "sni_hostname": parts.hostname}
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        told = self._pool.stream("POST", url, headers=pairs, content=request.body, extensions=extensions)
        async with told as answer:
            body = b""
            async for chunk in answer.aiter_stream():
                body += chunk
                if len(body) >= MOST_READ:
                    break
            return HttpAnswer(status=answer.status, body=body[:MOST_READ], retry_after=_retry_after(answer.headers))


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS[parts.scheme]


def _retry_after(headers: Sequence[tuple[bytes, bytes]]) -> float | None:
    """Seconds alone: a date would be by the other's clock."""
    for name, value in headers:
        if name.lower() == b"retry-after" and value.strip().isdigit() and len(value) < 8:
            return float(value)
    return None
