"""The composition root: makes the real parts, joins them, runs them until told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import (
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import structlog
import uvicorn
from fastapi import FastAPI

from asr.audio.pcm import samples_in
from asr.engines.absent import AbsentEngine
from asr.engines.port import Engine, RecognitionError, Speech
from asr.engines.whisper.engine import WhisperEngine
from asr.recognition.recogniser import BatchRecogniser, RecogniserLimits
from detectors.contract import EarlierContact
from detectors.packs.taxonomy import load_taxonomy
from detectors.runtime.registry import Registry, load
from detectors.runtime.runner import ThreadedDetectorRunner
from detectors.semantic.calibration import load_calibration
from detectors.timezones.zones import load_zones
from models import ModelError, ModelStore
from service.access.audit_log import AuditLog
from service.access.connection_guard import ConnectionGuard
from service.access.connections import ConnectionLimits
from service.access.credentials import unreadable
from service.access.sealing import Sealer
from service.access.sessions import Ended, SessionSigner, load_secret, unix_now
from service.audio_files.reader import AudioUnusable
from service.calls.admission import Admission
from service.calls.earlier_call import EarlierCall
from service.calls.earlier_calls import EarlierCalls
from service.calls.journal import StoreJournal
from service.calls.registry import CallRegistry
from service.calls.session import CallSession
from service.calls.session_parts import SessionParts, context_of
from service.disk_watch import DiskWatch, StoreWatch, repeated
from service.gateway.kept_reservations import KeptReservations
from service.gateway.reservations import Reservations
from service.gateway.shell import GatewayParts
from service.gateway.tcp import TcpGateway
from service.live.hub import LiveHub
from service.live.messages import Health
from service.memory import share_arenas
from service.metrics import Metrics
from service.private_files import installation_id, prepare_folder
from service.record.facts import Call
from service.recordings.folder import RecordingFolder
from service.recordings.recorder import RecordingThread
from service.samples import a_few_words
from service.settings import Settings
from service.sole_user import sole_user
from service.storage.port import StorageError
from service.storage.sql import SqlStore
from service.unusable import Unusable
from service.web.application import create_application
from service.web.descriptors import raise_descriptor_limit
from service.web.listen_socket import bound, refused
from service.web.ports import WebParts
from service.web.readiness import RememberedChecks
from service.web.schemas import Check
from service.web.server import notice_dead_peers, server_config
from service.webhooks.courier import Courier
from service.webhooks.dispatcher import Dispatcher
from service.webhooks.http_client import HttpClient
from service.webhooks.rules import unreadable_webhooks

log = structlog.get_logger()

TcpSockets: TypeAlias = Mapping[str, Sequence[socket.socket]]
"""By dialect, bound to its port on each address."""

_LIMITS: Mapping[str, RecogniserLimits] = MappingProxyType(
    {"cpu": RecogniserLimits(), "cuda": RecogniserLimits(batch=64, quick_batch=64, batch_seconds=640.0)}
)
"""A GPU takes little longer for 64 stretches than for one."""

STOP_WITHIN = 9.5
"""Seconds from being told to stop to the end of the process. Container engines kill after ten."""

DETECTOR_SECONDS = 1.0
"""A detector takes a few milliseconds; one that needs this long for an utterance is stuck."""


KEEP_CALLS_EVERY = 5.0
"""Seconds between two times that this installation says which live calls are its own. It holds six times as long."""


def load_engine(settings: Settings) -> Engine:
    """The configured model, verified and loaded. Blocks for seconds. Raises ModelError, RecognitionError."""
    return WhisperEngine(
        ModelStore(settings.models_dir).find(settings.model),
        device=settings.device,
        compute_type=settings.compute_type,
        threads=settings.threads,
        beam_size=settings.beam_size,
    )


def load_registry(settings: Settings, pack: Path | None = None) -> Registry:
    """The configured rules, or another pack's, as people's decisions have calibrated them. Blocks for seconds. Raises
    DetectorError."""
    return load(pack=pack or settings.pack, calibration=load_calibration(settings.calibration_file))


def wall() -> datetime:
    """The time of day, with its offset."""
    return datetime.now(UTC)


class Service:
    """Every part of a running service."""

    def __init__(self, settings: Settings, registry: Registry, engine: Engine, problem: str = "") -> None:
        self.settings = settings
        self.registry = registry
        self.engine = engine
        self.model_problem = problem
        self.metrics = Metrics()
        self.store = SqlStore(settings.store_url, installation_id(settings.data_dir), telling=True)
        self.audit = AuditLog(self.store)
        self.sealer = Sealer(settings.master_key)
        self.hub = LiveHub(self.store, health=self.health, wall=wall, dropped=self.metrics.hub_drops.inc)
        self.journal = StoreJournal(self.store, self.hub, self.metrics)
        self.recordings = RecordingFolder(settings.recordings_dir)
        self.recorder = RecordingThread(self.recordings)
        self.disks = DiskWatch(
            data=settings.data_dir,
            recordings=settings.recordings_dir,
            pause=self.recorder.pause,
            changed=self.hub.show_health,
        )
        self.disks.show_in(self.metrics)
        self.store_watch = StoreWatch(self.store, self.hub.show_health)
        self.recogniser = BatchRecogniser(
            engine,
            limits=_LIMITS[settings.device],
            new_engine=None if problem else lambda: load_engine(settings),
            sample=None if problem else self._sample(),
        )
        self.metrics.show_recogniser(self.recogniser)
        self.calls = CallRegistry(
            settings=settings,
            earlier=EarlierCalls(self.store, self.journal, self.recordings, wall),
            journal=self.journal,
            bus=self.hub,
            open_session=self._open_session,
            admission=Admission(self.recogniser, None if settings.max_calls == "auto" else settings.max_calls),
            metrics=self.metrics,
            wall=wall,
        )
        self.webhook_client = HttpClient(settings.private_webhook_networks)
        self.courier = Courier(
            self.store,
            self.webhook_client,
            self.sealer,
            self.audit,
            self.metrics,
            wall,
            public_url=settings.public_url,
        )
        self.webhooks = Dispatcher(self.store, self.courier, self.metrics, wall)
        self.gateways = GatewayParts(calls=self.calls, metrics=self.metrics, reservations=Reservations())
        self.kept_reservations = KeptReservations(self.gateways.reservations, settings.data_dir / "reservations")

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[FastAPI, None]:
        """The web application, with everything behind it running; leaving stops the calls first, the store last."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.store)
            await self.kept_reservations.restore(await self.store.keys())
            stack.push_async_callback(self.kept_reservations.save)
            await asyncio.to_thread(self.recordings.begin)
            await stack.enter_async_context(self.recorder)
            await stack.enter_async_context(self.recogniser)
            await self.recogniser.measure()
            await stack.enter_async_context(self.journal)
            await stack.enter_async_context(self.calls)
            await stack.enter_async_context(self.webhook_client)
            await stack.enter_async_context(self.webhooks)
            parts = await asyncio.to_thread(self._web_parts)
            await stack.enter_async_context(repeated([self.disks.look, self.store_watch.look, parts.ended.retry]))
            await stack.enter_async_context(repeated([self._keep_calls, self.kept_reservations.save], KEEP_CALLS_EVERY))
            if problem := (await self._secrets_check()).message:
                log.error("secrets cannot be read", problem=problem)
            yield await asyncio.to_thread(create_application, parts)

    @asynccontextmanager
    async def taking(self, tcp: TcpSockets, guard: ConnectionGuard) -> AsyncGenerator[None, None]:
        """Connections over plain TCP are taken, at the bound sockets of each dialect."""
        async with AsyncExitStack() as stack:
            for dialect, sockets in tcp.items():
                gateway = TcpGateway(dialect, self.gateways, guard, self.audit)
                notice_dead_peers(sockets, self.settings.idle_seconds)
                for each in sockets:
                    await stack.enter_async_context(gateway.listening(each))
            yield

    async def _keep_calls(self) -> None:
        with suppress(StorageError):  # the store's watch tells of it
            await self.calls.keep()

    def health(self) -> Health:
        """The service's health, as the strip on top of every page shows it."""
        troubles = {
            "model_missing": bool(self.model_problem),
            "storage_failing": self.journal.failing or bool(self.store_watch.problem),
            "recordings_paused": self.disks.paused,
            "disk_low": self.disks.low and not self.disks.paused,
            "overloaded": self.recogniser.overloaded,
            "encoder_missing": self.registry.encoder is None,
            "webhook_stopped": bool(self.webhooks.stopped),
        }
        return Health(
            model=self.engine.name,
            live_calls=self.calls.live,
            max_calls=self._most_calls(),
            backlog=round(self.recogniser.backlog_seconds, 1),
            level=self.recogniser.level,
            troubles=tuple(name for name, there in troubles.items() if there),
        )

    def _sample(self) -> Speech | None:
        """The speech on which the recogniser's speed is measured: a few words, with the vocabulary of this service's
        calls."""
        try:
            pcm = a_few_words()
        except (FileNotFoundError, AudioUnusable) as problem:
            log.warning("speed is not measured at the start: no sample call", problem=str(problem))
            return None
        biasing = self.registry.biasing(self.settings.jurisdiction, self.settings.own_terms)
        return Speech(pcm=pcm, language="zh", biasing=biasing)

    def _most_calls(self) -> int:
        """The number of calls that can be carried now and are allowed."""
        most = self.settings.max_calls
        return self.recogniser.calls if most == "auto" else min(most, self.recogniser.calls)

    async def checks(self) -> Mapping[str, Check]:
        """The checks that /readyz tells."""
        return {
            "model": Check(ok=not self.model_problem, message=self.model_problem or self.engine.name),
            "storage": self._storage_check(),
            "disk": Check(ok=not self.disks.unusable, message=self.disks.told()),
            "admission": self._admission_check(),
            "encoder": self._encoder_check(),
            "secrets": await self._secrets_check(),
        }

    def _admission_check(self) -> Check:
        closed = self.calls.closed(time.monotonic())
        return Check(ok=not closed, message=closed)

    def _encoder_check(self) -> Check:
        problem = self.registry.encoder_problem
        told = f"patterns and duties judge alone: {problem}" if problem else ""
        return Check(ok=not problem, message=told, required=False)

    async def _secrets_check(self) -> Check:
        """A source whose secret cannot be read connects only with its keys, and such a webhook is
        told nothing."""
        try:
            sources, webhooks = await self.store.sources(), await self.store.webhooks()
        except StorageError as problem:  # the check of the storage tells of it, too
            return Check(ok=False, message=str(problem), required=False)
        problems = await asyncio.to_thread(unreadable, sources, self.sealer)
        problems += await asyncio.to_thread(unreadable_webhooks, webhooks, self.sealer)
        return Check(ok=not problems, message=" ".join(problems), required=False)

    def _storage_check(self) -> Check:
        if self.store_watch.problem:
            return Check(ok=False, message=self.store_watch.problem)
        if self.journal.failing:
            return Check(ok=False, message="the store refuses writes; facts are kept until it takes them")
        return Check(ok=True)

    def _open_session(
        self, call: Call, earlier: EarlierCall | None, history: tuple[EarlierContact, ...] | None
    ) -> CallSession:
        context = context_of(call, history)
        parts = SessionParts(
            journal=self.journal,
            display=self.hub,
            recogniser=self.recogniser,
            detectors=ThreadedDetectorRunner(
                self.registry.open(context), timeout_s=DETECTOR_SECONDS, encoder=self.registry.encoder
            ),
            recorder=self.recorder.open(
                call.id,
                call.roles,
                call.rate,
                resume_at=None if earlier is None else samples_in(earlier.reached, call.rate),
            ),
            metrics=self.metrics,
            monotonic=time.monotonic,
            wall=wall,
            max_pace=self.settings.max_pace,
            biasing=self.registry.biasing(call.jurisdiction, self.settings.own_terms),
            pack=self.registry.pack,
        )
        return CallSession(call, parts, earlier)

    def _web_parts(self) -> WebParts:
        settings = self.settings
        return WebParts(
            settings=settings,
            store=self.store,
            audit=self.audit,
            gateways=self.gateways,
            reservations=self.kept_reservations,
            feed=self.hub,
            decisions=self.journal,
            recordings=self.recordings,
            pack=self.registry.pack,
            rules=self.registry.rules,
            laws=load_taxonomy().codes,
            checks=RememberedChecks(self.checks, time.monotonic),
            health=self.health,
            metrics=self.metrics,
            sealer=self.sealer,
            courier=self.courier,
            signer=SessionSigner(load_secret(settings.data_dir / "session.key"), settings.session_hours * 3600),
            ended=Ended(settings.data_dir / "ended-sessions", unix_now()),
        )


def make_service(settings: Settings) -> Service:
    """All parts of a service, none of them started. Blocks for seconds. Raises DetectorError for a bad rule pack,
    Unusable for the data folder."""
    for sentence in prepare_folder(settings.data_dir, with_store=not settings.database_url):
        log.warning("data folder", told=sentence)
    load_secret(settings.data_dir / "session.key")  # what is wrong with it is told before calls are closed or begun
    registry = load_registry(settings)
    load_zones()
    try:
        return Service(settings, registry, load_engine(settings))
    except (ModelError, RecognitionError) as problem:
        log.error("model unusable", problem=str(problem))
        return Service(settings, registry, AbsentEngine(str(problem)), str(problem))


async def serve_until_stopped(settings: Settings, ready: Callable[[str], None]) -> None:
    """Run the service until SIGINT, SIGTERM or SIGHUP. `ready` is told the address once it answers.

    Told to stop, it takes no more calls, writes what was said and ends within STOP_WITHIN; the next process goes on
    with the calls that were live. Raises DetectorError, StorageError, Unusable: each says in one sentence why the
    service cannot start.
    """
    share_arenas()
    with bound(settings.host, settings.port) as sockets, bound_for_tcp(settings) as tcp:
        service = await asyncio.to_thread(make_service, settings)
        try:
            with sole_user(settings.data_dir):
                guard = _connection_guard()
                async with service.running() as app, service.taking(tcp, guard):
                    await _serve(app, service, guard, sockets, ready)
        finally:
            service.engine.close()


@contextmanager
def bound_for_tcp(settings: Settings) -> Generator[TcpSockets]:
    """The sockets of each dialect that has a port, as `bound` binds them."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(bound(settings.host, port)) for name, port in settings.dialect_ports.items()}


class _Server(uvicorn.Server):
    """uvicorn that says when it answers, and leaves signals to us: its own handlers raise them again at the end,
    before the calls are finished."""

    def __init__(self, config: uvicorn.Config, idle_seconds: float, ready: Callable[[str], None]) -> None:
        super().__init__(config)
        self._idle_seconds = idle_seconds
        self._ready = ready

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except OSError as error:  # another program had the address too, and was the first to listen
            raise Unusable(refused(self.config.host, self.config.port, error)) from error
        if self.started:
            notice_dead_peers(self.servers[0].sockets, self._idle_seconds)
            port = self.servers[0].sockets[0].getsockname()[1]
            self._ready(f"http://{self.config.host}:{port}")

    def stop(self) -> None:
        """Take no more connections; end."""
        self.should_exit = True


def _connection_guard() -> ConnectionGuard:
    """The guard that keeps the connections of all ports well below what this process may have open."""
    descriptors = raise_descriptor_limit()
    limits = ConnectionLimits.within(descriptors)
    log.info("connections", descriptors=descriptors, most=limits.total, strangers=limits.strangers)
    return ConnectionGuard(limits)


async def _serve(
    app: FastAPI,
    service: Service,
    guard: ConnectionGuard,
    sockets: list[socket.socket],
    ready: Callable[[str], None],
) -> None:
    settings = service.settings
    config = server_config(
        app,
        settings.host,
        settings.port,
        guard,
        trusted_proxies=settings.proxy_networks,
        log_config=None,
        access_log=False,
    )
    server = _Server(config, settings.idle_seconds, ready)
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, told.set)
    stopping = loop.create_task(_stop_when_told(told, service.calls, server))
    try:
        await server.serve(sockets)
    finally:
        stopping.cancel()


async def _stop_when_told(told: asyncio.Event, calls: CallRegistry, server: _Server) -> None:
    """Stops the calls first. While the server still answers, what was said is written and gateways are told."""
    await told.wait()
    _end_by_force_after(STOP_WITHIN)
    log.info("stopping", live_calls=calls.live)
    await calls.suspend()
    server.stop()


def _end_by_force_after(seconds: float) -> None:
    """Ends the process if something still hangs then (a dead disk, a lost database). It would be killed soon anyway,
    and the next start finds everything again."""
    watchdog = threading.Timer(seconds, os._exit, (1,))
    watchdog.daemon = True
    watchdog.start()
