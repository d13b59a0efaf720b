"""One POST: where it goes, where it never goes, and how long and how much is taken."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.webhooks.http_client import MOST_READ, HttpClient, HttpRequest, Undeliverable
from tests.webhook_receivers import Answer, Receiver, receiving

HERE = (ip_network("127.0.0.0/8"),)
NAME = "hooks.example.org"


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


def request(url: str) -> HttpRequest:
    return HttpRequest(url=url, headers={"X-One": "1"}, body=b"{}")


class Names:
    """A name server that gives another answer each time it is asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self._answers[len(self.asked) - 1]


async def test_a_request_comes_as_it_was_made(stack: AsyncExitStack) -> None:
    receiver = await stack.enter_async_context(receiving(Receiver(lambda _: Answer(201, b"made"))))
    client = await stack.enter_async_context(HttpClient(HERE))
    answer = await client.post(request(receiver.url("/a/b?c=d%20e")))
    assert (answer.status, answer.body) == (201, b"made")
    [got] = receiver.received
    assert (got.target, got.body, got.headers["x-one"]) == ("/a/b?c=d%20e", b"{}", "1")
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1"])
async def test_a_name_that_means_a_private_address_is_not_connected_to(stack: AsyncExitStack, address: str) -> None:
    client = await stack.enter_async_context(HttpClient((), resolve=Names([address])))
    with pytest.raises(Undeliverable, match="has no public address"):
        await client.post(request(f"https://{NAME}/"))


async def test_the_address_that_was_checked_is_the_one_that_is_connected_to(stack: AsyncExitStack) -> None:
    """A second look at the name would lead elsewhere (DNS rebinding)."""
    receiver = await stack.enter_async_context(receiving(Receiver()))
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    client = await stack.enter_async_context(HttpClient(HERE, resolve=names))
    await client.post(request(receiver.url(host=NAME)))
    assert names.asked == [(NAME, receiver.port)]
    assert receiver.received[0].headers["host"] == f"{NAME}:{receiver.port}"
    with pytest.raises(Undeliverable, match="has no public address"):
        await client.post(request(receiver.url(host=NAME)))
    assert len(receiver.received) == 1


async def test_of_several_addresses_those_that_may_be_are_tried_in_turn(stack: AsyncExitStack) -> None:
    receiver = await stack.enter_async_context(receiving(Receiver()))
    names = Names(["10.0.0.1", "127.0.0.2", "127.0.0.1"])
    client = await stack.enter_async_context(HttpClient(HERE, resolve=names))
    assert (await client.post(request(receiver.url(host=NAME)))).status == 200


async def test_a_redirect_leads_nowhere(stack: AsyncExitStack) -> None:
    inner = await stack.enter_async_context(receiving(Receiver()))
    away = Receiver(lambda _: Answer(307, b"", (("Location", inner.url()),)))
    outer = await stack.enter_async_context(receiving(away))
    client = await stack.enter_async_context(HttpClient(HERE))
    assert (await client.post(request(outer.url()))).status == 307
    assert inner.received == []


async def test_without_tls_only_allowed_networks_are_reached(stack: AsyncExitStack) -> None:
    client = await stack.enter_async_context(HttpClient(HERE, resolve=Names(["8.8.8.8"])))
    with pytest.raises(Undeliverable, match="https://"):
        await client.post(request(f"http://{NAME}/"))


async def test_of_an_answer_no_more_is_read_than_is_kept(stack: AsyncExitStack) -> None:
    receiver = await stack.enter_async_context(receiving(Receiver(lambda _: Answer(500, b"x" * 5_000_000))))
    client = await stack.enter_async_context(HttpClient(HERE))
    assert (await client.post(request(receiver.url()))).body == b"x" * MOST_READ


async def test_what_never_answers_is_given_up_in_time(stack: AsyncExitStack) -> None:
    receiver = await stack.enter_async_context(receiving(Receiver(silent=True)))
    client = await stack.enter_async_context(HttpClient(HERE, seconds=0.05))
    with pytest.raises(Undeliverable, match=r"no answer within 0\.05 s"):
        await client.post(request(receiver.url()))


async def test_a_port_where_nobody_listens_is_told(stack: AsyncExitStack) -> None:
    async with receiving(Receiver()) as gone:
        pass
    client = await stack.enter_async_context(HttpClient(HERE))
    with pytest.raises(Undeliverable, match="the connection failed"):
        await client.post(request(gone.url()))


async def test_a_name_that_nobody_knows_is_told(stack: AsyncExitStack) -> None:
    async def unknown(_host: str, _port: int) -> Sequence[str]:
        raise OSError("Name or service not known")

    client = await stack.enter_async_context(HttpClient(HERE, resolve=unknown))
    with pytest.raises(Undeliverable, match=f"{NAME} is not known"):
        await client.post(request(f"https://{NAME}/"))


async def test_name_servers_that_do_not_answer_hold_nobodys_threads(
    stack: AsyncExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are more look-ups than the event loop has threads for what others do."""
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(10) and [])
    client = await stack.enter_async_context(HttpClient((), seconds=0.1))
    posts = [client.post(request(f"https://{NAME}/")) for _ in range(40)]
    told = await asyncio.gather(*posts, return_exceptions=True)
    assert {type(each) for each in told} == {Undeliverable}
    assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 5) == "free"
    answered.set()


@pytest.mark.parametrize(
    ("host", "trusted", "why"), [(NAME, True, ""), ("x.org", True, "match"), (NAME, False, "self")]
)
async def test_tls_is_verified_against_the_name(
    stack: AsyncExitStack, tmp_path: Path, host: str, trusted: bool, why: str
) -> None:
    served, known = _certificate(tmp_path)
    receiver = await stack.enter_async_context(receiving(Receiver(), served))
    tls: dict[str, Any] = {"tls": lambda: known} if trusted else {}
    client = await stack.enter_async_context(HttpClient(HERE, resolve=Names(["127.0.0.1"]), **tls))
    asked = request(receiver.url(scheme="https", host=host))
    if not why:
        assert (await client.post(asked)).status == 200
        return
    with pytest.raises(Undeliverable, match=why):
        await client.post(asked)
    assert receiver.received == []


def _certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for NAME, and one that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
    certificate = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "both.pem").write_bytes(certificate + key.private_bytes(serialization.Encoding.PEM, *form))
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(folder / "both.pem")
    return served, ssl.create_default_context(cadata=certificate.decode())
