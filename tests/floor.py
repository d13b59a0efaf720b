"""A call registry over a real store and journal; the neighbours of its sessions are fakes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from detectors.contract import EarlierContact
from service.calls.admission import Admission
from service.calls.earlier_call import EarlierCall
from service.calls.earlier_calls import EarlierCalls
from service.calls.journal import RETRY_SECONDS, StoreJournal
from service.calls.registered_call import CallConnection
from service.calls.registry import ANSWERS_WITHIN, RETURN_AFTER_RESTART, CallRegistry
from service.calls.session import CallSession
from service.calls.session_parts import SessionParts
from service.ingest.events import AudioArrived, CallAnnounced
from service.ingest.source import Source
from service.live.hub import LiveHub
from service.live.messages import Health
from service.metrics import Metrics
from service.preview.trace import ConnectionTrace
from service.preview.values import SeenHandshake
from service.record.facts import Call, CallClosed
from service.settings import Settings
from service.storage.port import GatewayKey
from service.storage.sql import SqlStore
from tests import scenes
from tests.fakes.detector_runner import FakeDetectorRunner
from tests.fakes.pace import FakePace
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.recorder import FakeRecorder
from tests.fakes.recordings import FakeRecordings
from tests.scenes import now

PBX = Source(name="pbx")
KEY = GatewayKey(id="k1", source=PBX, secret_hash="", rights=("stream",), created_at=scenes.AT)
SECOND = AudioArrived(payload=bytes(2 * 8000))
CALL = CallAnnounced(call_id="c-1", roles=("agent", "customer"), encoding="mulaw", rate=8000)


def a_trace() -> ConnectionTrace:
    """Of a connection that nobody looks at."""
    return ConnectionTrace(SeenHandshake(dialect="native", address="192.0.2.7"), time.monotonic(), scenes.NOON)


class Floor:
    """A call registry over a real store and journal; the neighbours of its sessions are fakes."""

    def __init__(
        self,
        store: SqlStore,
        *,
        carries: float = math.inf,
        most: int | None = None,
        return_after_restart: float = RETURN_AFTER_RESTART,
        wall: Callable[[], datetime] = now,
        retry_seconds: Sequence[float] = RETRY_SECONDS,
        answers_within: float = ANSWERS_WITHIN,
        max_pace: float = 1e9,
        **settings: float,
    ) -> None:
        self.store = store
        self.wall = wall
        self.max_pace = max_pace
        self.metrics = Metrics()
        self.bus = LiveHub(store, health=lambda: Health(model="m", live_calls=0, max_calls=1, backlog=0.0), wall=now)
        self.journal = StoreJournal(store, self.bus, self.metrics, retry_seconds=retry_seconds)
        self.detectors = FakeDetectorRunner()
        self.recordings = FakeRecordings()
        self.histories: dict[str, tuple[EarlierContact, ...] | None] = {}
        self.recognition = FakePace(carries)
        self.calls = CallRegistry(
            settings=Settings(**settings),  # type: ignore[arg-type]
            earlier=EarlierCalls(store, self.journal, self.recordings, wall),
            journal=self.journal,
            bus=self.bus,
            open_session=self._session,
            admission=Admission(self.recognition, most),
            metrics=self.metrics,
            wall=wall,
            return_after_restart=return_after_restart,
            answers_within=answers_within,
        )

    def _session(
        self, call: Call, earlier: EarlierCall | None, history: tuple[EarlierContact, ...] | None
    ) -> CallSession:
        self.histories[call.id] = history
        parts = SessionParts(
            journal=self.journal,
            display=self.bus,
            recogniser=FakeRecogniser(),
            detectors=self.detectors,
            recorder=FakeRecorder(),
            metrics=self.metrics,
            monotonic=time.monotonic,
            wall=self.wall,
            max_pace=self.max_pace,
        )
        return CallSession(call, parts, earlier)

    async def attach(self, announced: CallAnnounced = CALL, key: GatewayKey = KEY) -> CallConnection:
        return await self.calls.attach(announced, key, time.monotonic())

    async def ended(self, connection: CallConnection) -> CallClosed:
        """The connection's call is stopped and wholly written."""
        connection.stop()
        assert await connection.over() == "processed"
        return await self.closing(connection.call_id)

    async def closing(self, call_id: str = "c-1") -> CallClosed:
        [closed] = [f.fact for f in await self.store.facts(call_id) if isinstance(f.fact, CallClosed)]
        return closed

    async def kinds(self, call_id: str = "c-1") -> list[str]:
        return [logged.fact.type for logged in await self.store.facts(call_id)]
