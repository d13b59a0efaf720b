"""The ports of the web layer. The composition root fills `WebParts` with the real parts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from asr.types import Role
from detectors.contract import Bilingual, PackVersion
from detectors.runtime.registry import RuleInfo
from service.access.audit_log import AuditLog
from service.access.passwords import Passwords
from service.access.sealing import Sealer
from service.access.sessions import Ended, SessionSigner
from service.gateway.shell import GatewayParts
from service.ingest.events import CallAnnounced, Irregularity
from service.live.messages import Health, LiveMessage
from service.metrics import Metrics
from service.record.facts import Alert, AlertState
from service.record.note import CallNote
from service.recordings.recordings import Recordings
from service.settings import Settings
from service.storage.port import Gateway, Store
from service.web.schemas import Check
from service.webhooks.courier import Courier


class Subscription(Protocol):
    """One dashboard's place at the hub; iterating never raises for slowness, it yields Resync and a Snapshot."""

    def __aiter__(self) -> AsyncIterator[LiveMessage]: ...

    async def resume(self, seqs: Mapping[str, int]) -> None:
        """Events after these follow."""
        ...


class LiveFeed(Protocol):
    """The hub."""

    def subscribe(self) -> AbstractAsyncContextManager[Subscription]:
        """A dashboard's place in the feed, for as long as the block lasts."""
        ...


class Decisions(Protocol):
    """The journal, for people who decide alerts and correct the records of calls."""

    async def decide(
        self, alert_id: str, state: AlertState, by: str, at: datetime, note: str, among: Collection[AlertState]
    ) -> Alert:
        """Move an alert that is in one of the states `among`: stored, then shown to everyone. Raises StorageError."""
        ...

    async def write_note(self, call_id: str, note: CallNote, by: str, at: datetime, seen: int) -> None:
        """Correct the record of a call of which `seen` edits were seen. Raises StorageError."""
        ...


ReadinessChecks = Callable[[], Awaitable[Mapping[str, Check]]]
"""The checks of everything that the service needs. They must be quick, because load balancers call them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveTimes:
    """Seconds of an open live socket's life.

    `heartbeat`: how often the health is sent. A browser that hears nothing for 40 s reconnects.
    `send`: a message that takes longer ends the socket.
    `session_check`: how often it is asked whether the session still holds.
    """

    heartbeat: float = 15.0
    send: float = 30.0
    session_check: float = 5.0


class ReservationDesk(Protocol):
    """Where calls are told of before they connect."""

    async def reserve(
        self, key: Gateway, announced: CallAnnounced, notes: Sequence[Irregularity] = ()
    ) -> Mapping[Role, str]:
        """A token for each leg of the call, which outlives this process."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WebParts:
    """Everything the endpoints use."""

    settings: Settings
    store: Store
    audit: AuditLog
    gateways: GatewayParts
    reservations: ReservationDesk
    feed: LiveFeed
    decisions: Decisions
    recordings: Recordings
    pack: PackVersion
    rules: tuple[RuleInfo, ...]
    laws: Mapping[str, Bilingual]
    checks: ReadinessChecks
    health: Callable[[], Health]
    metrics: Metrics
    signer: SessionSigner
    sealer: Sealer
    courier: Courier
    ended: Ended
    passwords: Passwords = field(default_factory=Passwords)
    live_times: LiveTimes = LiveTimes()
