"""A real uvicorn on a free port over a real SQLite store; the neighbours behind ports are fakes."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import uvicorn
from argon2 import PasswordHasher

from detectors.contract import Bilingual, PackVersion
from detectors.runtime.registry import RuleInfo
from service.access.audit_log import AuditLog
from service.access.connection_guard import ConnectionGuard
from service.access.connections import PATIENCE, ConnectionLimits
from service.access.keys import new_key
from service.access.passwords import Passwords
from service.access.sealing import Sealer
from service.access.sessions import Ended, SessionSigner, load_secret, unix_now
from service.calls.journal import StoreJournal
from service.gateway.kept_reservations import KeptReservations
from service.gateway.reservations import Reservations
from service.gateway.shell import GatewayLimits, GatewayParts
from service.gateway.tcp import TcpGateway
from service.ingest.source import Source
from service.metrics import Metrics
from service.settings import Settings
from service.storage.port import KeyRight, User, UserRole
from service.storage.sql import SqlStore
from service.web.application import create_application
from service.web.ports import WebParts
from service.web.schemas import Check
from service.web.server import server_config
from service.webhooks.courier import Courier
from service.webhooks.http_client import HttpClient
from tests.fakes.call_registry import FakeCallRegistry
from tests.fakes.live_feed import FakeLiveFeed
from tests.fakes.recordings import FakeRecordings
from tests.scenes import HEALTH, NOON

PASSWORD = "correct horse battery"
OFTEN = replace(PATIENCE, look_every=0.02)
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))

RULE = RuleInfo(
    id="cn-threat-1",
    category="threat",
    severity="high",
    jurisdiction="CN",
    title=Bilingual(zh="威胁", en="Threat"),
    why=Bilingual(zh="不得威胁", en="Threats are forbidden"),
    cites=("CN-1#2",),
)


class TestServer(uvicorn.Server):
    """Tells when it listens and leaves the process's signals alone."""

    __test__ = False

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass
class House:
    """A running service and what a test needs to talk to it."""

    parts: WebParts
    calls: FakeCallRegistry
    feed: FakeLiveFeed
    recordings: FakeRecordings
    checks: dict[str, Check]
    webhook_client: HttpClient
    guard: ConnectionGuard = field(default_factory=lambda: ConnectionGuard(ConnectionLimits.within(1024)))
    port: int = 0
    clients: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def stranger(self) -> httpx.AsyncClient:
        """A client that has not logged in, and waits for as long as the test may take."""
        return await self.clients.enter_async_context(
            httpx.AsyncClient(base_url=self.url, trust_env=False, verify=False, timeout=None)
        )

    async def user(self, name: str, role: UserRole) -> User:
        password_hash = await self.parts.passwords.hash(PASSWORD)
        user = User(name=name, role=role, password_hash=password_hash, created_at=NOON)
        await self.parts.store.add_user(user)
        return user

    async def logged_in(self, role: UserRole, name: str | None = None) -> httpx.AsyncClient:
        """A new user's client with its session cookie and CSRF header."""
        user = await self.user(name or f"some-{role}", role)
        client = await self.stranger()
        answer = await client.post("/api/v1/session", json={"username": user.name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        return client

    async def key(self, *rights: KeyRight, source: str = "pbx", **known: Any) -> str:
        """Of a source of which so much more is known."""
        key, plaintext = new_key(Source(name=source, **known), rights or ("stream",))
        await self.parts.store.add_key(key)
        return plaintext

    @asynccontextmanager
    async def tcp(self, dialect: str = "audiosocket") -> AsyncIterator[tuple[str, int]]:
        """The address at which it takes the dialect's connections."""
        gateway = TcpGateway(dialect, self.parts.gateways, self.guard, self.parts.audit)
        bound = socket.create_server(("127.0.0.1", 0))
        async with gateway.listening(bound):
            yield bound.getsockname()


def cookie_of(client: httpx.AsyncClient) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())}


OpenHouse = Callable[..., Awaitable[House]]


@pytest.fixture
async def open_house(tmp_path: Path) -> AsyncIterator[OpenHouse]:
    """Opens houses; everything is closed after the test. Keyword arguments replace settings or parts."""
    async with AsyncExitStack() as stack:

        async def opened(
            static: Path | None = None,
            parts: dict[str, Any] | None = None,
            descriptors: int = 1024,
            clock: Callable[[], float] = time.monotonic,
            limits: GatewayLimits | None = None,
            **settings: object,
        ) -> House:
            house = await _house(tmp_path, settings)
            if limits is not None:
                house.parts = replace(house.parts, gateways=replace(house.parts.gateways, limits=limits))
            house.parts = replace(house.parts, **(parts or {}))
            stack.push_async_callback(cast(SqlStore, house.parts.store).close)
            await stack.enter_async_context(house.webhook_client)
            await _serve(house, stack, static or tmp_path / "static", descriptors, clock)
            await stack.enter_async_context(house.clients)
            return house

        yield opened


@pytest.fixture
async def house(open_house: OpenHouse) -> House:
    return await open_house()


async def _house(folder: Path, changed: dict[str, object]) -> House:
    settings = Settings(data_dir=folder, **changed)  # type: ignore[arg-type]
    store = await asyncio.to_thread(SqlStore, f"sqlite:///{folder}/callwarden.db")
    await store.open()
    calls, feed, recordings = FakeCallRegistry(), FakeLiveFeed(), FakeRecordings()
    checks = {"model": Check(ok=True), "storage": Check(ok=True)}
    secret = await asyncio.to_thread(load_secret, folder / "session.key")
    ended = await asyncio.to_thread(Ended, folder / "sessions.ended", unix_now())

    async def readings() -> dict[str, Check]:
        return checks

    metrics, audit, sealer = Metrics(), AuditLog(store), Sealer(folder / "master.key")
    reservations = Reservations()
    client = HttpClient(settings.private_webhook_networks, tls=lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    parts = WebParts(
        settings=settings,
        store=store,
        audit=audit,
        gateways=GatewayParts(calls=calls, metrics=metrics, reservations=reservations),
        reservations=KeptReservations(reservations, folder / "reservations"),
        feed=feed,
        decisions=StoreJournal(store, feed, metrics),
        recordings=recordings,
        pack=PackVersion(name="callwarden", version="0", sha256="0" * 64),
        rules=(RULE,),
        laws={"CN-PIPL": Bilingual(zh="《个人信息保护法》", en="PRC Personal Information Protection Law")},
        checks=readings,
        health=lambda: HEALTH,
        metrics=metrics,
        sealer=sealer,
        courier=Courier(store, client, sealer, audit, metrics, lambda: datetime.now(UTC)),
        signer=SessionSigner(secret, settings.session_hours * 3600),
        ended=ended,
        passwords=CHEAP,
    )
    return House(parts=parts, calls=calls, feed=feed, recordings=recordings, checks=checks, webhook_client=client)


async def _serve(
    house: House, stack: AsyncExitStack, static: Path, descriptors: int, clock: Callable[[], float]
) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    house.port = listener.getsockname()[1]
    house.guard = ConnectionGuard(ConnectionLimits.within(descriptors), OFTEN, clock)
    app = await asyncio.to_thread(create_application, house.parts, static=static)
    proxies = house.parts.settings.proxy_networks
    server = TestServer(
        server_config(
            app,
            "127.0.0.1",
            house.port,
            house.guard,
            trusted_proxies=proxies,
            log_config=None,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))

    async def stop() -> None:
        server.should_exit = True
        await serving

    stack.push_async_callback(stop)
    await server.listening.wait()
