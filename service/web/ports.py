"""What the web layer asks of its neighbours. The composition root fills `WebParts` with the real ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from detectors.contract import Bilingual
from detectors.runtime.registry import RuleInfo
from service.access.passwords import Passwords
from service.access.sessions import Ended, SessionSigner
from service.calls.connection import CallOutcome as CallOutcome
from service.calls.registry import CallRefused as CallRefused
from service.ingest.events import CallAnnounced, Dialect, LineEvent, ProtocolViolation
from service.live.messages import Health, LiveMessage
from service.metrics import Metrics
from service.recordings.peaks import Peaks
from service.settings import Settings
from service.storage.port import GatewayKey, LoggedFact, Store
from service.web.schemas import Check


class CallConnection(Protocol):
    """One connection's hold on one call."""

    @property
    def call_id(self) -> str:
        """The id the call goes by here: the announced one, unless an ended call has it."""
        ...

    @property
    def resumed(self) -> bool:
        """The call was live already and goes on."""
        ...

    def feed(self, event: LineEvent) -> None:
        """What happens within the call. Never waits. Raises ProtocolViolation (audio far too fast)."""
        ...

    def stop(self, *, call_over: bool = True) -> None:
        """The gateway says that the call is over, or only this stream of it."""
        ...

    def lost(self) -> None:
        """The connection is gone: the grace period begins. Without meaning once the call was stopped or rejected."""
        ...

    def reject(self, violation: ProtocolViolation) -> None:
        """The peer broke the protocol: keep what was recorded, mark the call, end it."""
        ...

    async def over(self) -> CallOutcome:
        """Returns when this connection has its call no longer: everything is written, or why not."""
        ...

    def events(self) -> AsyncIterator[LoggedFact]:
        """The call's facts from now on, until it is wholly processed."""
        ...


class CallRegistry(Protocol):
    """Where announced calls are taken in."""

    async def attach(self, announced: CallAnnounced, source: GatewayKey, now: float) -> CallConnection:
        """Open a call, or go on with one that is live or ended a moment ago. Raises CallRefused."""
        ...


class Subscription(Protocol):
    """One dashboard's place at the hub; iterating never raises for slowness, it yields Resync and a Snapshot."""

    def __aiter__(self) -> AsyncIterator[LiveMessage]: ...

    async def resume(self, seqs: Mapping[str, int]) -> None:
        """Events after these follow."""
        ...


class LiveFeed(Protocol):
    """The hub."""

    def subscribe(self) -> AbstractAsyncContextManager[Subscription]: ...

    def publish(self, *logged: LoggedFact) -> None:
        """Show a stored fact to everyone."""
        ...


class Recordings(Protocol):
    """Recorded audio, one WAV file a call."""

    def path(self, call_id: str) -> Path:
        """Where the call's recording is or would be. Never outside the recordings folder, whatever the id."""
        ...

    def peaks(self, call_id: str, points: int) -> Peaks:
        """Blocks: reads the file. FileNotFoundError if there is none."""
        ...


ReadinessChecks = Callable[[], Awaitable[Mapping[str, Check]]]
"""Asks each thing the service needs how it does. Quick: a load balancer calls it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebParts:
    """Everything the endpoints use. `native` and `twilio` make a dialect for one connection of a key's source."""

    settings: Settings
    store: Store
    calls: CallRegistry
    feed: LiveFeed
    recordings: Recordings
    rules: tuple[RuleInfo, ...]
    laws: Mapping[str, Bilingual]
    checks: ReadinessChecks
    health: Callable[[], Health]
    metrics: Metrics
    native: Callable[[GatewayKey], Dialect]
    twilio: Callable[[GatewayKey], Dialect]
    signer: SessionSigner
    ended: Ended
    passwords: Passwords = field(default_factory=Passwords)
    session_check_seconds: float = 5.0
    """How often an open live socket asks whether its session still holds."""
