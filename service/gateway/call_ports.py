"""What gateways' connections ask of the calls behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from asr.types import Role
from service.calls.registered_call import CallOutcome as CallOutcome
from service.calls.registry import CallRefused as CallRefused
from service.ingest.events import CallAnnounced, LineEvent, ProtocolViolation
from service.live.messages import Partial
from service.media.readings import LegReading
from service.storage.port import Gateway, LoggedFact


class CallConnection(Protocol):
    """One connection's hold on legs of one call."""

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

    def readings(self) -> Mapping[Role, LegReading]:
        """How each leg that it brings comes in, as far as the call has it."""
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
        """Returns when this connection has its legs no longer: everything is written, or why not."""
        ...

    def events(self) -> AsyncIterator[LoggedFact]:
        """The call's facts from now on, until it is wholly processed."""
        ...

    def partials(self) -> AsyncIterator[Partial]:
        """The call's interim texts from now on, until it is wholly processed."""
        ...


class CallRegistry(Protocol):
    """Where announced calls are taken in."""

    async def attach(self, announced: CallAnnounced, key: Gateway, now: float) -> CallConnection:
        """Open a call, join one, or go on with one that is live or ended a moment ago. Raises CallRefused."""
        ...
